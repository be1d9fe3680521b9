import type { CommitmentEvent } from '#commitments/contract';
import type { DeadlineSource, Projection, ReadQueries, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { OfferEvent } from './offer.contract.js';
import type { Account, CapacityEvent, LegAccount, LineFigures } from './capacity.js';
import { isCapacityType, takeCapacity } from './capacity.js';
import type { OfferCommand, OfferSummary } from './offer.js';
import { endOf, offerDecider, providersOf, withFigures, withLifecycle } from './offer.js';

export const OFFER_BOARD = 'offer-board';

interface StoredSummary extends Omit<OfferSummary, 'figures'> {
  readonly figures: readonly (readonly [line: number, held: string, committed: string, delivered: string])[];
}

const stored = ({ figures, ...summary }: OfferSummary): string => {
  const rows = [...figures].map(
    ([line, { held, committed, delivered }]) => [line, `${held}`, `${committed}`, `${delivered}`] as const,
  );
  return JSON.stringify({ ...summary, figures: rows } satisfies StoredSummary);
};

/** A summary from its row. */
export const summaryOf = (doc: string): OfferSummary => {
  const { figures, ...summary } = JSON.parse(doc) as StoredSummary;
  return {
    ...summary,
    figures: new Map(
      figures.map(([line, held, committed, delivered]): [number, LineFigures] => [
        line,
        { held: BigInt(held), committed: BigInt(committed), delivered: BigInt(delivered) },
      ]),
    ),
  };
};

/** Amounts are bigint in the fold and decimal text in a row. */
const storedAccount = (account: Account): string =>
  JSON.stringify(account, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));

type StoredLeg = Omit<LegAccount, 'takes' | 'tranches' | 'freed'> & {
  readonly takes: readonly (Omit<LegAccount['takes'][number], 'taken'> & { readonly taken: string })[];
  readonly tranches: Readonly<Record<string, Readonly<Record<'reported' | 'returned', string>>>>;
  readonly freed: string;
};

/** Fields in the order of the fold, so that a row is the same text whichever way it came about. */
const legFrom = ({ line, like, takes, tranches, freed, answered }: StoredLeg): LegAccount => ({
  line,
  like,
  takes: takes.map(({ amendment, phase, taken, over }) => ({ amendment, phase, taken: BigInt(taken), over })),
  tranches: Object.fromEntries(
    Object.entries(tranches).map(([delivery, { reported, returned }]) => [
      delivery,
      { reported: BigInt(reported), returned: BigInt(returned) },
    ]),
  ),
  freed: BigInt(freed),
  answered,
});

const accountFrom = (doc: string): Account =>
  Object.fromEntries(
    Object.entries(JSON.parse(doc) as Readonly<Record<string, StoredLeg>>).map(([leg, stood]) => [leg, legFrom(stood)]),
  );

/** Every value of every facet of an offer. An empty part of an earmark is the value `*`: it admits any. */
const facetsOf = (summary: OfferSummary): readonly (readonly [facet: string, value: string])[] => {
  const { earmark, lines, named } = summary.content;
  const any = (values: readonly string[] | undefined): readonly string[] =>
    values === undefined || values.length === 0 ? ['*'] : values;
  const of = (facet: string, values: readonly string[]): (readonly [string, string])[] =>
    [...new Set(values)].map((value) => [facet, value] as const);
  return [
    ...of('beneficiary', any(earmark.beneficiaries)),
    ...of('region', any(earmark.regions)),
    ...of('network', any(earmark.networks)),
    ...of('instrument', any(earmark.instruments)),
    ...of('earmark-kind', any(earmark.kinds)),
    ...of(
      'line-kind',
      lines.flatMap(({ kinds }) => any(kinds)),
    ),
    ...of('named', named),
    ...of('provider', providersOf(summary)),
  ];
};

const wordsOf = ({ content: { title, description, lines } }: OfferSummary): string =>
  [title, description, ...lines.map((line) => line.description)].filter((text) => text !== undefined).join('\n');

interface Touched {
  readonly seq: bigint | number;
  revision: number;
  summary: OfferSummary;
  /** The content may have changed: facets and words are written anew. */
  rewritten: boolean;
}

const REWRITING: readonly string[] = ['OfferDrafted', 'OfferPosted', 'OfferAmended'];

class Batch {
  private readonly touched = new Map<string, Touched>();
  private readonly accounts = new Map<string, { readonly offer: string; readonly commitment: string; doc: Account }>();
  private readonly parties: (readonly [offer: string, commitment: string, party: string])[] = [];

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    if (event.type === 'CommitmentProposed') {
      this.proposed(idOfStream(event.stream), event.data as ProposedData);
      return;
    }
    const id = idOfStream(event.stream);
    const before = this.current(id);
    const summary = isCapacityType(event.type)
      ? this.afterCapacity(id, before?.summary, event)
      : withLifecycle(before?.summary, event);
    if (summary === undefined) return;
    const rewritten = (before?.rewritten ?? false) || REWRITING.includes(event.type);
    this.touched.set(id, { seq: before?.seq ?? event.position, revision: event.revision, summary, rewritten });
  }

  flush(): void {
    for (const [id, touched] of this.touched) this.write(id, touched);
    for (const { offer, commitment, doc } of this.accounts.values()) {
      this.tx.run(
        'INSERT OR REPLACE INTO offer_account (offer, commitment, doc) VALUES (?, ?, ?)',
        offer,
        commitment,
        storedAccount(doc),
      );
    }
    for (const [offer, commitment, party] of this.parties) {
      this.tx.run(
        'INSERT OR IGNORE INTO offer_party (offer, party, commitment) VALUES (?, ?, ?)',
        offer,
        party,
        commitment,
      );
    }
  }

  private current(id: string): Touched | undefined {
    const known = this.touched.get(id);
    if (known !== undefined) return known;
    const row = this.tx.get('SELECT seq, revision, doc FROM offer WHERE id = ?', id);
    if (row === undefined) return undefined;
    return {
      seq: row.seq as number,
      revision: row.revision as number,
      summary: summaryOf(row.doc as string),
      rewritten: false,
    };
  }

  private afterCapacity(
    offer: string,
    summary: OfferSummary | undefined,
    event: RecordedEvent,
  ): OfferSummary | undefined {
    if (summary === undefined) return undefined;
    const fact = event as unknown as CapacityEvent;
    const { commitment } = fact.data;
    const account = this.account(offer, commitment);
    const { leg, change } = takeCapacity(account[fact.data.leg], fact);
    this.accounts.set(`${offer} ${commitment}`, { offer, commitment, doc: { ...account, [fact.data.leg]: leg } });
    return leg.line === 0 ? summary : withFigures(summary, leg.line, change);
  }

  private account(offer: string, commitment: string): Account {
    const known = this.accounts.get(`${offer} ${commitment}`);
    if (known !== undefined) return known.doc;
    const row = this.tx.get('SELECT doc FROM offer_account WHERE offer = ? AND commitment = ?', offer, commitment);
    return row === undefined ? {} : accountFrom(row.doc as string);
  }

  private proposed(commitment: string, data: ProposedData): void {
    const { offerId, providers, beneficiaries, filer, implementer, fiscalAgent, signatories } = data;
    const parties = new Set([...providers, ...beneficiaries, filer, ...signatories]);
    for (const agency of [implementer, fiscalAgent]) if (agency !== undefined) parties.add(agency);
    for (const party of parties) this.parties.push([offerId, commitment, party]);
  }

  private write(id: string, { seq, revision, summary, rewritten }: Touched): void {
    const { provider, status, content } = summary;
    const live = status === 'open' || status === 'suspended';
    this.tx.run(
      `INSERT OR REPLACE INTO offer
         (seq, id, revision, provider, draft, status, visibility, period_from, period_to, deadline, doc)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      id,
      revision,
      provider,
      status === 'draft' ? 1 : 0,
      status,
      content.visibility,
      content.period?.from ?? '',
      content.period?.to ?? '9999-12-31',
      live ? (endOf(content) ?? null) : null,
      stored(summary),
    );
    if (!rewritten) return;
    this.tx.run('DELETE FROM offer_facet WHERE offer = ?', id);
    for (const [facet, value] of facetsOf(summary)) {
      this.tx.run('INSERT INTO offer_facet (offer, facet, value) VALUES (?, ?, ?)', id, facet, value);
    }
    this.tx.run('DELETE FROM offer_words WHERE rowid = ?', seq);
    this.tx.run('INSERT INTO offer_words (rowid, words) VALUES (?, ?)', seq, wordsOf(summary));
  }
}

type ProposedData = Extract<CommitmentEvent, { type: 'CommitmentProposed' }>['data'];

/** Answers: which offers are there, as each of them stands, for whom, and when does the next expire. */
export const offerBoard: Projection = {
  name: OFFER_BOARD,
  version: 2,
  handles: [...(Object.keys(offerDecider.schemas) as OfferEvent['type'][]), 'CommitmentProposed'],
  schema: `
    CREATE TABLE offer (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      revision INTEGER NOT NULL,
      provider TEXT NOT NULL,
      draft INTEGER NOT NULL,
      status TEXT NOT NULL,
      visibility TEXT NOT NULL,
      period_from TEXT NOT NULL,
      period_to TEXT NOT NULL,
      deadline TEXT,
      doc TEXT NOT NULL
    );
    CREATE INDEX offer_by_provider ON offer (provider);
    CREATE INDEX offer_by_end ON offer (period_to, seq);
    CREATE INDEX offer_by_deadline ON offer (deadline) WHERE deadline IS NOT NULL;
    CREATE TABLE offer_facet (
      offer TEXT NOT NULL,
      facet TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (offer, facet, value)
    ) WITHOUT ROWID;
    CREATE TABLE offer_account (
      offer TEXT NOT NULL,
      commitment TEXT NOT NULL,
      doc TEXT NOT NULL,
      PRIMARY KEY (offer, commitment)
    ) WITHOUT ROWID;
    CREATE TABLE offer_party (
      offer TEXT NOT NULL,
      party TEXT NOT NULL,
      commitment TEXT NOT NULL,
      PRIMARY KEY (offer, party, commitment)
    ) WITHOUT ROWID;
    CREATE INDEX offer_party_by_commitment ON offer_party (commitment, party);
    CREATE VIRTUAL TABLE offer_words USING fts5 (words, tokenize = 'unicode61 remove_diacritics 2');
  `,
  begin: (tx) => new Batch(tx),
};

/** Knows when an offer's period ends. */
export const offerExpiry = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'offer-expiry',
  due: (now, limit) =>
    reads()
      .all(
        'SELECT id, deadline FROM offer WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?',
        now.toISOString(),
        limit,
      )
      .map((row) => ({
        due: row.deadline as string,
        command: processCommand({
          decider: offerDecider,
          id: row.id as string,
          key: 'expire',
          command: (by): OfferCommand => ({ type: 'ExpireOffer', by }),
        }),
      })),
});
