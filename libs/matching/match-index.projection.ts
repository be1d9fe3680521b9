import type { Projection, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';
import type { NeedContent, NeedEvent } from '#needs/contract';
import type { OfferContent, OfferEvent } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';

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
  readonly content: NeedContent;
  readonly reserved: Readonly<Record<string, string>>;
}

/** The beneficiaries that count: whoever filed, and those that said so themselves (DOMAIN, ConsentParticipation). */
export const countedBeneficiaries = ({ filer, onBehalfOf, beneficiaries, consents }: IndexedNeed): readonly string[] =>
  beneficiaries.filter((party) => party === filer || party === onBehalfOf || consents.includes(party));

/** Every provider of an offer, the lead first. */
export const providersOf = ({ provider, content }: IndexedOffer): readonly string[] =>
  content.providers?.map(({ party }) => party) ?? [provider];

/** An offer as the index keeps it. `reserved` is held + committed per line, in minor units as decimal text. */
export interface IndexedOffer {
  readonly status: 'draft' | 'open' | 'suspended' | 'closed';
  readonly provider: string;
  /** When the offer was posted, RFC 3339 UTC; empty for a draft. */
  readonly openedAt: string;
  readonly content: OfferContent;
  readonly reserved: Readonly<Record<string, string>>;
}

type SideEvent = RecordedEvent<NeedEvent> | RecordedEvent<OfferEvent>;

const NEED_TYPES = [
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
  'CoverageReserved',
  'CoverageReleased',
] as const satisfies readonly NeedEvent['type'][];

const OFFER_TYPES = [
  'OfferDrafted',
  'OfferPosted',
  'OfferAmended',
  'OfferSuspended',
  'OfferResumed',
  'OfferWithdrawn',
  'OfferCompleted',
  'OfferExpired',
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

const evolveNeed = (need: IndexedNeed | undefined, event: RecordedEvent<NeedEvent>): IndexedNeed | undefined => {
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
      return { ...need, open: true, openedAt: event.metadata.recordedAt };
    case 'NeedReopened':
      return { ...need, open: true };
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

const evolveOffer = (offer: IndexedOffer | undefined, event: RecordedEvent<OfferEvent>): IndexedOffer | undefined => {
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

const isNeedEvent = (event: RecordedEvent): event is RecordedEvent<NeedEvent> => event.stream.startsWith('need-');

/** True where a part of the record is labelled `eligible`. */
const isEligible = (visibility: NeedContent['visibility'] | OfferContent['visibility']): boolean =>
  typeof visibility === 'string'
    ? visibility === 'eligible'
    : visibility.summary === 'eligible' || visibility.body === 'eligible';

/** A joint need that nobody takes part in yet is for nobody. */
const isLive = (doc: IndexedNeed | IndexedOffer): boolean =>
  'open' in doc
    ? doc.open && countedBeneficiaries(doc).length > 0
    : doc.status === 'open' || doc.status === 'suspended';

/** Answers: which needs and offers stand open now, and how much of each line is left. One row per record. */
export const matchIndex: Projection = {
  name: 'match-index',
  version: 2,
  handles: [...NEED_TYPES, ...OFFER_TYPES],
  schema: `
    CREATE TABLE side (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      live INTEGER NOT NULL,
      eligible INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      doc TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX side_live ON side (kind, live, id);
    CREATE INDEX side_eligible ON side (kind) WHERE live = 1 AND eligible = 1;
    CREATE TABLE side_owner (
      owner TEXT NOT NULL,
      id TEXT NOT NULL,
      PRIMARY KEY (owner, id)
    ) WITHOUT ROWID;
    CREATE INDEX side_owner_of ON side_owner (id);
  `,
  begin: (tx: ReadTransaction) => {
    const touched = new Map<string, { kind: 'need' | 'offer'; revision: number; doc: IndexedNeed | IndexedOffer }>();
    const current = (id: string): IndexedNeed | IndexedOffer | undefined => {
      const held = touched.get(id);
      if (held !== undefined) return held.doc;
      const row = tx.get('SELECT doc FROM side WHERE id = ?', id);
      return row === undefined ? undefined : (JSON.parse(row.doc as string) as IndexedNeed | IndexedOffer);
    };
    return {
      apply: (recorded) => {
        const event = recorded as SideEvent;
        const id = idOfStream(event.stream);
        const kind = isNeedEvent(event) ? 'need' : 'offer';
        const doc = isNeedEvent(event)
          ? evolveNeed(current(id) as IndexedNeed | undefined, event)
          : evolveOffer(current(id) as IndexedOffer | undefined, event);
        if (doc !== undefined) touched.set(id, { kind, revision: event.revision, doc });
      },
      flush: () => {
        for (const [id, { kind, revision, doc }] of touched) {
          const owners = 'provider' in doc ? providersOf(doc) : [doc.filer, ...countedBeneficiaries(doc)];
          tx.run(
            'INSERT INTO side (id, kind, live, eligible, revision, doc) VALUES (?, ?, ?, ?, ?, ?) ' +
              'ON CONFLICT (id) DO UPDATE SET live = excluded.live, eligible = excluded.eligible, revision = excluded.revision, doc = excluded.doc',
            id,
            kind,
            isLive(doc) ? 1 : 0,
            isEligible(doc.content.visibility) ? 1 : 0,
            revision,
            JSON.stringify(doc),
          );
          tx.run('DELETE FROM side_owner WHERE id = ?', id);
          for (const owner of new Set(owners)) tx.run('INSERT INTO side_owner (owner, id) VALUES (?, ?)', owner, id);
        }
      },
    };
  },
};
