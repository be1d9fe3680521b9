import type { CommitmentEvent } from '#commitments/contract';
import type { Projection, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import { addDays } from '#vocabulary';

/** Something that waits for a party. `party` is empty where it waits for the coordinator in charge. */
export interface DeskItem {
  readonly party: string;
  /** The command that answers it, as in the record's `actions`. */
  readonly action: string;
  /** Tells apart several of one action on one record: a delivery or discrepancy number. */
  readonly n?: number;
  readonly since: string;
  readonly due?: string;
  /** Not shown before. */
  readonly from?: string;
}

/** A reaffirmation shows on the desk this many days before it is due. */
const REAFFIRM_NOTICE_DAYS = 30;
/** DOMAIN, CloseCommitment: a delivery nobody confirms closes the commitment unconfirmed after this many days. */
const UNCONFIRMED_DAYS = 180;

interface NeedDesk {
  readonly status: 'quiet' | 'submitted' | 'returned' | 'open' | 'dormant';
  readonly filer: string;
  readonly beneficiaries: readonly string[];
  readonly since: string;
  readonly circulate: boolean;
  readonly due?: string;
}

interface CommitmentDesk {
  readonly status: 'proposed' | 'accepted' | 'binding' | 'cancelled' | 'over';
  readonly recipients: readonly string[];
  readonly providers: readonly string[];
  readonly side: 'provider' | 'recipient';
  readonly agencies: readonly string[];
  readonly signatories: readonly string[];
  readonly proposedAt: string;
  readonly heldAt?: string;
  readonly acceptedAt?: string;
  readonly acceptanceGiven: boolean;
  readonly expiresAt: string;
  readonly consented: readonly string[];
  readonly signed: readonly string[];
  readonly unanswered: Readonly<Record<string, { readonly since: string; readonly from: readonly string[] }>>;
  readonly discrepancies: Readonly<Record<string, string>>;
  readonly close?: { readonly side: 'provider' | 'recipient'; readonly since: string };
}

const NEED_TYPES = [
  'NeedDrafted',
  'NeedSubmitted',
  'NeedReturned',
  'NeedSetAside',
  'NeedOpened',
  'NeedReaffirmed',
  'NeedFellDormant',
  'NeedReopened',
  'NeedObjected',
  'NeedWithdrawn',
  'NeedClosed',
] as const satisfies readonly NeedEvent['type'][];

const COMMITMENT_TYPES = [
  'CommitmentProposed',
  'CommitmentHeld',
  'HoldRefused',
  'AcceptanceGiven',
  'AcceptanceRefused',
  'CommitmentAccepted',
  'CommitmentDeclined',
  'CommitmentLapsed',
  'CommitmentWithdrawn',
  'TaskConsented',
  'CommitmentSigned',
  'CommitmentBound',
  'ReceiptReported',
  'DeliveryReported',
  'DeliveryConfirmed',
  'DeliveryDisputed',
  'DiscrepancyAccepted',
  'CommitmentCancelled',
  'CloseProposed',
  'CommitmentClosed',
] as const satisfies readonly CommitmentEvent['type'][];

const evolveNeed = (need: NeedDesk | undefined, event: RecordedEvent): NeedDesk | undefined => {
  const fact = event as unknown as NeedEvent;
  const since = event.metadata.recordedAt;
  if (fact.type === 'NeedDrafted') {
    const { filer, beneficiaries } = fact.data;
    return { status: 'quiet', filer, beneficiaries, since, circulate: false };
  }
  if (need === undefined) return undefined;
  const { filer, beneficiaries, circulate } = need;
  const at = (status: NeedDesk['status'], due?: string): NeedDesk => ({
    status,
    filer,
    beneficiaries,
    circulate,
    since,
    ...(due === undefined ? {} : { due }),
  });
  switch (fact.type) {
    case 'NeedSubmitted':
      return { ...at('submitted', fact.data.windowEnds), circulate: fact.data.consent.circulate === 'yes' };
    case 'NeedReturned':
    case 'NeedSetAside':
      return at('returned');
    case 'NeedOpened':
    case 'NeedReaffirmed':
    case 'NeedReopened':
      return at('open', fact.data.reaffirmBy);
    case 'NeedFellDormant':
      return at('dormant');
    case 'NeedWithdrawn':
    case 'NeedClosed':
      return at('quiet');
    default:
      return need;
  }
};

/** What waits on a need. Pure. */
export const needItems = (need: NeedDesk): DeskItem[] => {
  const { status, filer, since, due } = need;
  const waiting = (party: string, action: string): DeskItem => ({
    party,
    action,
    since,
    ...(due === undefined ? {} : { due }),
  });
  switch (status) {
    case 'submitted':
      return [waiting('', need.circulate ? 'open' : 'review')];
    case 'returned':
      return [waiting(filer, 'submit')];
    case 'open':
      return [
        { ...waiting(filer, 'reaffirm'), ...(due === undefined ? {} : { from: addDays(due, -REAFFIRM_NOTICE_DAYS) }) },
      ];
    case 'dormant':
      return [waiting(filer, 'reopen')];
    case 'quiet':
      return [];
  }
};

const without = <V>(entries: Readonly<Record<string, V>>, key: number): Readonly<Record<string, V>> =>
  Object.fromEntries(Object.entries(entries).filter(([name]) => name !== String(key)));

const evolveCommitment = (state: CommitmentDesk | undefined, event: RecordedEvent): CommitmentDesk | undefined => {
  const fact = event as unknown as CommitmentEvent;
  const at = event.metadata.recordedAt;
  if (fact.type === 'CommitmentProposed') {
    const { data } = fact;
    return {
      status: 'proposed',
      recipients: [...new Set([...data.beneficiaries, data.filer])],
      providers: data.providers,
      side: data.side,
      agencies: [...new Set([data.implementer, data.fiscalAgent].filter((agency) => agency !== undefined))],
      signatories: data.signatories,
      proposedAt: at,
      acceptanceGiven: false,
      expiresAt: data.expiresAt,
      consented: [],
      signed: [],
      unanswered: {},
      discrepancies: {},
    };
  }
  if (state === undefined) return undefined;
  switch (fact.type) {
    case 'CommitmentHeld':
      return { ...state, heldAt: at };
    case 'AcceptanceGiven':
      return { ...state, acceptanceGiven: true };
    case 'AcceptanceRefused':
      return { ...state, acceptanceGiven: false };
    case 'CommitmentAccepted':
      return state.status === 'proposed' ? { ...state, status: 'accepted', acceptedAt: at } : state;
    case 'HoldRefused':
    case 'CommitmentDeclined':
    case 'CommitmentLapsed':
    case 'CommitmentWithdrawn':
      return { ...state, status: 'over' };
    case 'TaskConsented':
      return { ...state, consented: [...state.consented, fact.data.agency] };
    case 'CommitmentSigned':
      return { ...state, signed: [...state.signed, fact.data.party] };
    case 'CommitmentBound':
      return { ...state, status: 'binding' };
    case 'ReceiptReported': {
      const { discrepancy } = fact.data;
      return discrepancy === undefined
        ? state
        : { ...state, discrepancies: { ...state.discrepancies, [discrepancy.n]: at } };
    }
    case 'DiscrepancyAccepted':
      return { ...state, discrepancies: without(state.discrepancies, fact.data.n) };
    case 'DeliveryReported': {
      const { n, beneficiary } = fact.data;
      const from = beneficiary === undefined ? state.recipients : [beneficiary];
      return { ...state, unanswered: { ...state.unanswered, [n]: { since: at, from } } };
    }
    case 'DeliveryConfirmed':
    case 'DeliveryDisputed':
      return { ...state, unanswered: without(state.unanswered, fact.data.n) };
    case 'CommitmentCancelled':
      return { ...state, status: 'cancelled' };
    case 'CloseProposed':
      return { ...state, close: { side: fact.data.side, since: at } };
    case 'CommitmentClosed':
      // Closed unconfirmed, a tranche may still be confirmed late; anything else is over.
      return fact.data.as === 'unconfirmed' ? { ...state, discrepancies: {} } : { ...state, status: 'over' };
    default:
      return state;
  }
};

/** What waits on a commitment. Pure. */
export const commitmentItems = (state: CommitmentDesk): DeskItem[] => {
  if (state.status === 'over') return [];
  const items: DeskItem[] = [];
  const due = state.expiresAt;
  const sideOf = (side: 'provider' | 'recipient'): readonly string[] =>
    side === 'provider' ? state.providers : state.recipients;
  const other = (side: 'provider' | 'recipient'): 'provider' | 'recipient' =>
    side === 'provider' ? 'recipient' : 'provider';

  if (state.status === 'proposed' && state.heldAt !== undefined && !state.acceptanceGiven) {
    for (const party of sideOf(other(state.side))) items.push({ party, action: 'accept', since: state.heldAt, due });
  }
  if (state.status === 'proposed' || state.status === 'accepted') {
    for (const party of state.agencies) {
      if (!state.consented.includes(party)) items.push({ party, action: 'consent-task', since: state.proposedAt, due });
    }
  }
  if (state.status === 'accepted' && state.acceptedAt !== undefined) {
    for (const party of state.signatories) {
      if (!state.signed.includes(party)) items.push({ party, action: 'sign', since: state.acceptedAt, due });
    }
  }
  for (const [n, { since, from }] of Object.entries(state.unanswered)) {
    for (const party of from) {
      items.push({ party, action: 'confirm', n: Number(n), since, due: addDays(since, UNCONFIRMED_DAYS) });
    }
  }
  for (const [n, since] of Object.entries(state.discrepancies)) {
    items.push({ party: '', action: 'accept-discrepancy', n: Number(n), since });
  }
  if (state.close !== undefined) {
    for (const party of sideOf(other(state.close.side)))
      items.push({ party, action: 'close', since: state.close.since });
  }
  return items;
};

type Doc = { readonly need: NeedDesk } | { readonly commitment: CommitmentDesk };

const itemsOf = (doc: Doc): DeskItem[] => ('need' in doc ? needItems(doc.need) : commitmentItems(doc.commitment));

const involvedIn = (doc: Doc): readonly string[] =>
  'need' in doc
    ? [doc.need.filer, ...doc.need.beneficiaries]
    : [...doc.commitment.recipients, ...doc.commitment.providers, ...doc.commitment.agencies];

/** Answers: what waits for a party now. */
export const desk: Projection = {
  name: 'desk',
  version: 1,
  handles: [...NEED_TYPES, ...COMMITMENT_TYPES],
  schema: `
    CREATE TABLE desk_record (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE desk_item (
      party TEXT NOT NULL,
      record TEXT NOT NULL,
      kind TEXT NOT NULL,
      action TEXT NOT NULL,
      n INTEGER NOT NULL,
      since TEXT NOT NULL,
      due TEXT NOT NULL,
      visible_from TEXT NOT NULL,
      involved TEXT NOT NULL,
      PRIMARY KEY (party, record, action, n)
    ) WITHOUT ROWID;
    CREATE INDEX desk_item_record ON desk_item (record);
  `,
  begin: (tx: ReadTransaction) => {
    const touched = new Map<string, Doc>();
    const current = (id: string): Doc | undefined => {
      const held = touched.get(id);
      if (held !== undefined) return held;
      const row = tx.get('SELECT doc FROM desk_record WHERE id = ?', id);
      return row === undefined ? undefined : (JSON.parse(row.doc as string) as Doc);
    };
    return {
      apply: (event) => {
        const id = idOfStream(event.stream);
        const before = current(id);
        if (event.stream.startsWith('need-')) {
          const need = evolveNeed(before !== undefined && 'need' in before ? before.need : undefined, event);
          if (need !== undefined) touched.set(id, { need });
        } else {
          const commitment = evolveCommitment(
            before !== undefined && 'commitment' in before ? before.commitment : undefined,
            event,
          );
          if (commitment !== undefined) touched.set(id, { commitment });
        }
      },
      flush: () => {
        for (const [id, doc] of touched) {
          tx.run('INSERT OR REPLACE INTO desk_record (id, doc) VALUES (?, ?)', id, JSON.stringify(doc));
          tx.run('DELETE FROM desk_item WHERE record = ?', id);
          const involved = `|${involvedIn(doc).join('|')}|`;
          for (const { party, action, n, since, due, from } of itemsOf(doc)) {
            tx.run(
              'INSERT INTO desk_item (party, record, kind, action, n, since, due, visible_from, involved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
              party,
              id,
              'need' in doc ? 'need' : 'commitment',
              action,
              n ?? 0,
              since,
              due ?? '',
              from ?? '',
              involved,
            );
          }
        }
      },
    };
  },
};
