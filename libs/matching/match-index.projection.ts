import type { CommitmentEvent } from '#commitments/contract';
import type { NetworkMember, PartyEvent } from '#directory/contract';
import type { Projection, ProjectionBatch, ReadTransaction, RecordedEvent } from '#kernel';
import { categoryOfStream, idOfStream } from '#kernel';
import type { NeedContent, NeedEvent } from '#needs/contract';
import type { OfferContent, OfferEvent } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';
import type { RulesetEvent } from './matching.contract.js';

/** A need as the index keeps it. `reserved` is accepted + binding per line, in minor units as decimal text. */
export interface IndexedNeed {
  readonly open: boolean;
  /** When the need was first opened, RFC 3339 UTC; empty before. */
  readonly openedAt: string;
  readonly filer: string;
  readonly beneficiaries: readonly string[];
  /** The State that a coordinator filed for. */
  readonly onBehalfOf?: string;
  /** Parties that said they take part in a joint need. */
  readonly consents: readonly string[];
  /** By when the State is to reaffirm it, RFC 3339 UTC; absent before it opens. */
  readonly reaffirmBy?: string;
  readonly content: NeedContent;
  readonly reserved: Readonly<Record<string, string>>;
}

/** The beneficiaries that count: whoever filed, and those that said so themselves (DOMAIN, ConsentParticipation). */
export const countedBeneficiaries = ({ filer, onBehalfOf, beneficiaries, consents }: IndexedNeed): readonly string[] =>
  beneficiaries.filter((party) => party === filer || party === onBehalfOf || consents.includes(party));

/** Every provider of an offer, the lead first. */
export const providersOf = ({ provider, content }: IndexedOffer): readonly string[] =>
  content.providers?.map(({ party }) => party) ?? [provider];

/** Whose record it is: the providers of an offer; who filed a need, and whom it counts for. */
export const ownersOf = (doc: IndexedNeed | IndexedOffer): readonly string[] => [
  ...new Set('provider' in doc ? providersOf(doc) : [doc.filer, ...countedBeneficiaries(doc)]),
];

/** An offer as the index keeps it. `reserved` is held + committed per line, in minor units as decimal text. */
export interface IndexedOffer {
  readonly status: 'draft' | 'open' | 'suspended' | 'closed';
  readonly provider: string;
  /** When the offer was posted, RFC 3339 UTC; empty for a draft. */
  readonly openedAt: string;
  readonly content: OfferContent;
  readonly reserved: Readonly<Record<string, string>>;
}

/** Events by which a need comes to count, counts no more, or counts as another: see `evolveNeed` and `isLive`. */
export const NEED_STANDING_TYPES = [
  'NeedDrafted',
  'NeedAmended',
  'NeedOpened',
  'NeedReopened',
  'NeedFellDormant',
  'NeedObjected',
  'NeedWithdrawn',
  'NeedClosed',
  'NeedAssessed',
  'NeedSuperseded',
  'NeedUnmerged',
  'ParticipationConsented',
  'ParticipationWithdrawn',
] as const satisfies readonly NeedEvent['type'][];

/** The same of an offer. */
export const OFFER_STANDING_TYPES = [
  'OfferDrafted',
  'OfferPosted',
  'OfferAmended',
  'OfferSuspended',
  'OfferResumed',
  'OfferWithdrawn',
  'OfferCompleted',
  'OfferExpired',
] as const satisfies readonly OfferEvent['type'][];

const NEED_TYPES = [
  ...NEED_STANDING_TYPES,
  'NeedReaffirmed',
  'CoverageReserved',
  'CoverageReleased',
] as const satisfies readonly NeedEvent['type'][];

const OFFER_TYPES = [
  ...OFFER_STANDING_TYPES,
  'CapacityReserved',
  'CapacityReleased',
  'AccessFreed',
] as const satisfies readonly OfferEvent['type'][];

const moved = (
  reserved: Readonly<Record<string, string>>,
  line: number | undefined,
  quantity: Quantity | undefined,
  sign: 1n | -1n,
): Readonly<Record<string, string>> =>
  // A scope in words is live and adds nothing to figures.
  line === undefined || quantity === undefined || !isRival(quantity)
    ? reserved
    : { ...reserved, [line]: String(BigInt(reserved[line] ?? '0') + sign * minorUnits(quantity)) };

/** Folds what matching knows of a need; undefined before it was drafted. */
export const evolveNeed = (need: IndexedNeed | undefined, event: RecordedEvent<NeedEvent>): IndexedNeed | undefined => {
  const fact = event as NeedEvent;
  if (fact.type === 'NeedDrafted') {
    const { filer, beneficiaries, onBehalfOf, content } = fact.data;
    return {
      ...{ open: false, openedAt: '', filer, beneficiaries, consents: [], content, reserved: {} },
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    };
  }
  if (need === undefined) return undefined;
  switch (fact.type) {
    case 'NeedAmended': {
      const { changes, beneficiaries = need.beneficiaries } = fact.data;
      const consents = need.consents.filter((party) => beneficiaries.includes(party));
      return { ...need, beneficiaries, consents, content: { ...need.content, ...changes } };
    }
    case 'NeedOpened':
      return { ...need, open: true, openedAt: event.metadata.recordedAt, reaffirmBy: fact.data.reaffirmBy };
    case 'NeedReopened':
      return { ...need, open: true, reaffirmBy: fact.data.reaffirmBy };
    case 'NeedReaffirmed':
      return { ...need, reaffirmBy: fact.data.reaffirmBy };
    case 'NeedObjected':
      // An objection to circulation makes the need unmatched; one to publication narrows only its labels.
      return fact.data.to === 'circulation' ? { ...need, open: false } : need;
    case 'NeedAssessed': {
      const assessed = new Map(fact.data.lines.map(({ line, quantity }) => [line, quantity]));
      const lines = need.content.lines.map((line) => ({ ...line, quantity: assessed.get(line.line) ?? line.quantity }));
      return { ...need, content: { ...need.content, lines } };
    }
    case 'ParticipationConsented':
      return { ...need, consents: [...need.consents, fact.data.party] };
    case 'ParticipationWithdrawn':
      return { ...need, consents: need.consents.filter((party) => party !== fact.data.party) };
    case 'NeedUnmerged':
      return fact.data.as === 'absorbed' ? { ...need, open: true } : need;
    case 'NeedSuperseded':
    case 'NeedFellDormant':
    case 'NeedWithdrawn':
    case 'NeedClosed':
      return { ...need, open: false };
    case 'CoverageReserved':
      return { ...need, reserved: moved(need.reserved, fact.data.line, fact.data.quantity, 1n) };
    case 'CoverageReleased':
      return { ...need, reserved: moved(need.reserved, fact.data.line, fact.data.quantity, -1n) };
    default:
      return need;
  }
};

/** Folds what matching knows of an offer; undefined before it was drafted or posted. */
export const evolveOffer = (
  offer: IndexedOffer | undefined,
  event: RecordedEvent<OfferEvent>,
): IndexedOffer | undefined => {
  const fact = event as OfferEvent;
  if (fact.type === 'OfferDrafted') {
    const { provider, content } = fact.data;
    return { status: 'draft', provider, openedAt: '', content, reserved: {} };
  }
  if (fact.type === 'OfferPosted') {
    const { provider, content } = fact.data;
    return { status: 'open', provider, openedAt: event.metadata.recordedAt, content, reserved: {} };
  }
  if (offer === undefined) return undefined;
  switch (fact.type) {
    case 'OfferAmended':
      return { ...offer, content: { ...offer.content, ...fact.data.changes } };
    case 'OfferSuspended':
      return { ...offer, status: 'suspended' };
    case 'OfferResumed':
      return { ...offer, status: 'open' };
    case 'OfferWithdrawn':
    case 'OfferCompleted':
    case 'OfferExpired':
      return { ...offer, status: 'closed' };
    case 'CapacityReserved':
      return { ...offer, reserved: moved(offer.reserved, fact.data.line, fact.data.quantity, 1n) };
    case 'CapacityReleased':
    case 'AccessFreed':
      return { ...offer, reserved: moved(offer.reserved, fact.data.line, fact.data.quantity, -1n) };
    default:
      return offer;
  }
};

/** True where a part of the record is labelled `eligible`. */
const isEligible = (visibility: NeedContent['visibility'] | OfferContent['visibility']): boolean =>
  typeof visibility === 'string'
    ? visibility === 'eligible'
    : visibility.summary === 'eligible' || visibility.body === 'eligible';

/** A joint need that nobody takes part in yet is for nobody. */
export const isLive = (doc: IndexedNeed | IndexedOffer): boolean =>
  'open' in doc
    ? doc.open && countedBeneficiaries(doc).length > 0
    : doc.status === 'open' || doc.status === 'suspended';

const OTHER_TYPES = [
  'PartyRegistered',
  'PartyAmended',
  'CommitmentProposed',
  'CommitmentBound',
  'CommitmentCancelled',
  'WeightsSet',
] as const satisfies readonly (PartyEvent | CommitmentEvent | RulesetEvent)['type'][];

type Doc = IndexedNeed | IndexedOffer;

interface Touched {
  readonly kind: 'need' | 'offer';
  readonly revision: number;
  readonly position: bigint;
  readonly doc: Doc;
}

/** A record as one event left it; its content apart, because most events move figures alone. */
interface Version extends Touched {
  readonly id: string;
  readonly contentChanged: boolean;
}

class Batch implements ProjectionBatch {
  private readonly touched = new Map<string, Touched>();
  private readonly versions: Version[] = [];
  private newest: RecordedEvent | undefined;

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    this.newest = event;
    switch (categoryOfStream(event.stream)) {
      case 'need':
      case 'offer':
        this.applySide(event);
        return;
      case 'party':
        this.applyParty(event as RecordedEvent<PartyEvent>);
        return;
      case 'commitment':
        this.applyCommitment(event as unknown as RecordedEvent<CommitmentEvent>);
        return;
      default:
        this.applyRuleset(event as RecordedEvent<RulesetEvent>);
    }
  }

  flush(): void {
    if (this.newest !== undefined) {
      const { stream, revision, id } = this.newest;
      this.tx.run(
        'INSERT OR REPLACE INTO latest (one, stream, revision, event) VALUES (1, ?, ?, ?)',
        stream,
        revision,
        id,
      );
    }
    for (const [id, touched] of this.touched) this.write(id, touched);
    for (const { id, kind, position, doc, contentChanged } of this.versions) {
      const { content, ...head } = doc;
      this.tx.run(
        'INSERT OR REPLACE INTO side_version (id, position, kind, head, content) VALUES (?, ?, ?, ?, ?)',
        id,
        position,
        kind,
        JSON.stringify({ ...head, live: isLive(doc) }),
        contentChanged ? JSON.stringify(content) : null,
      );
    }
  }

  private applySide(event: RecordedEvent): void {
    const id = idOfStream(event.stream);
    const kind = event.stream.startsWith('need-') ? 'need' : 'offer';
    const before = this.current(id);
    const doc =
      kind === 'need'
        ? evolveNeed(before as IndexedNeed | undefined, event as RecordedEvent<NeedEvent>)
        : evolveOffer(before as IndexedOffer | undefined, event as RecordedEvent<OfferEvent>);
    if (doc === undefined || doc === before) return;
    const { revision, position } = event;
    const touched = { kind, revision, position, doc } as const;
    this.touched.set(id, touched);
    this.versions.push({ id, ...touched, contentChanged: doc.content !== before?.content });
  }

  private applyParty({ stream, position, type, data }: RecordedEvent<PartyEvent>): void {
    if (type !== 'PartyRegistered' && type !== 'PartyAmended') return;
    const id = idOfStream(stream);
    const row = this.tx.get('SELECT doc FROM party_version WHERE id = ? ORDER BY position DESC LIMIT 1', id);
    const before = row === undefined ? {} : (JSON.parse(row.doc as string) as IndexedParty);
    const { ofState = before.ofState, members = before.members } = data as IndexedParty;
    this.tx.run(
      'INSERT OR REPLACE INTO party_version (id, position, doc) VALUES (?, ?, ?)',
      id,
      position,
      JSON.stringify({ ofState, members }),
    );
  }

  private applyCommitment({ stream, position, ...event }: RecordedEvent<CommitmentEvent>): void {
    const id = idOfStream(stream);
    const fact = event as CommitmentEvent;
    if (fact.type === 'CommitmentProposed') {
      const { providers, beneficiaries } = fact.data;
      for (const provider of new Set(providers)) {
        for (const beneficiary of new Set(beneficiaries)) {
          this.tx.run(
            'INSERT OR IGNORE INTO work (provider, beneficiary, commitment) VALUES (?, ?, ?)',
            provider,
            beneficiary,
            id,
          );
        }
      }
    } else if (fact.type === 'CommitmentBound') {
      this.tx.run('UPDATE work SET bound = ? WHERE commitment = ?', position, id);
    } else if (fact.type === 'CommitmentCancelled') {
      this.tx.run('UPDATE work SET cancelled = ? WHERE commitment = ?', position, id);
    }
  }

  private applyRuleset({ stream, position, data }: RecordedEvent<RulesetEvent>): void {
    this.tx.run(
      'INSERT OR REPLACE INTO weights (ruleset, position, doc) VALUES (?, ?, ?)',
      idOfStream(stream),
      position,
      JSON.stringify(data),
    );
  }

  private current(id: string): Doc | undefined {
    const held = this.touched.get(id);
    if (held !== undefined) return held.doc;
    const row = this.tx.get('SELECT doc FROM side WHERE id = ?', id);
    return row === undefined ? undefined : (JSON.parse(row.doc as string) as Doc);
  }

  private write(id: string, { kind, revision, position, doc }: Touched): void {
    this.tx.run(
      'INSERT INTO side (id, kind, live, eligible, revision, moved, doc) VALUES (?, ?, ?, ?, ?, ?, ?) ' +
        'ON CONFLICT (id) DO UPDATE SET live = excluded.live, eligible = excluded.eligible, revision = excluded.revision, moved = excluded.moved, doc = excluded.doc',
      id,
      kind,
      isLive(doc) ? 1 : 0,
      isEligible(doc.content.visibility) ? 1 : 0,
      revision,
      position,
      JSON.stringify(doc),
    );
    this.tx.run('DELETE FROM side_owner WHERE id = ?', id);
    for (const owner of ownersOf(doc)) this.tx.run('INSERT INTO side_owner (owner, id) VALUES (?, ?)', owner, id);
  }
}

/** What the register says of a party that pairings are judged by. */
export interface IndexedParty {
  readonly ofState?: string;
  readonly members?: readonly NetworkMember[];
}

export const MATCH_INDEX = 'match-index';

/**
 * Answers: which needs and offers stand open, and how much of each line is left, now and at every position of the log; with which weights,
 * memberships and bound commitments they are judged.
 */
export const matchIndex: Projection = {
  name: MATCH_INDEX,
  version: 3,
  handles: [...NEED_TYPES, ...OFFER_TYPES, ...OTHER_TYPES],
  schema: `
    CREATE TABLE side (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      live INTEGER NOT NULL,
      eligible INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      moved INTEGER NOT NULL,
      doc TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX side_live ON side (kind, live, id);
    CREATE INDEX side_moved ON side (moved);
    CREATE INDEX side_eligible ON side (kind) WHERE live = 1 AND eligible = 1;
    CREATE TABLE side_owner (
      owner TEXT NOT NULL,
      id TEXT NOT NULL,
      PRIMARY KEY (owner, id)
    ) WITHOUT ROWID;
    CREATE INDEX side_owner_of ON side_owner (id);
    CREATE TABLE side_version (
      id TEXT NOT NULL,
      position INTEGER NOT NULL,
      kind TEXT NOT NULL,
      head TEXT NOT NULL,
      content TEXT,
      PRIMARY KEY (id, position)
    ) WITHOUT ROWID;
    CREATE INDEX side_content ON side_version (id, position) WHERE content IS NOT NULL;
    CREATE TABLE party_version (
      id TEXT NOT NULL,
      position INTEGER NOT NULL,
      doc TEXT NOT NULL,
      PRIMARY KEY (id, position)
    ) WITHOUT ROWID;
    CREATE TABLE work (
      provider TEXT NOT NULL,
      beneficiary TEXT NOT NULL,
      commitment TEXT NOT NULL,
      bound INTEGER,
      cancelled INTEGER,
      PRIMARY KEY (provider, beneficiary, commitment)
    ) WITHOUT ROWID;
    CREATE INDEX work_of ON work (commitment);
    CREATE TABLE weights (
      ruleset TEXT NOT NULL,
      position INTEGER NOT NULL,
      doc TEXT NOT NULL,
      PRIMARY KEY (ruleset, position)
    ) WITHOUT ROWID;
    CREATE TABLE latest (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      stream TEXT NOT NULL,
      revision INTEGER NOT NULL,
      event TEXT NOT NULL
    );
  `,
  begin: (tx) => new Batch(tx),
};
