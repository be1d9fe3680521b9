import type { Projection, ProjectionBatch, ReadTransaction, RecordedEvent } from '#kernel';
import { CHECKS } from './checks.js';
import type { FactEvent, FactType } from './facts.js';
import { unique } from './facts.js';

export const CHECK_FACTS = 'check-facts';

/** What people do in the name of a party, beside what checks read of it. */
const ACTS: readonly FactType[] = [
  'NeedSubmitted',
  'NeedReturned',
  'NeedSetAside',
  'NeedOpened',
  'NeedReaffirmed',
  'NeedWithdrawn',
  'NeedClosed',
  'OfferDrafted',
  'OfferWithdrawn',
  'AcceptanceGiven',
  'CommitmentDeclined',
  'CommitmentWithdrawn',
  'CommitmentCancelled',
  'CommitmentSigned',
  'TaskConsented',
  'TaskDeclined',
  'DeliveryConfirmed',
  'DeliveryDisputed',
  'DeliveryVerified',
  'AmendmentProposed',
  'CallAnnounced',
  'ApplicationFiled',
];

const READ: ReadonlySet<string> = new Set(CHECKS.flatMap(({ reads }) => reads));

/** The parties that a record is of, as far as this event tells: what a mandate for parties reaches. */
const partiesIn = ({ type, data }: FactEvent): readonly (string | null | undefined)[] => {
  switch (type) {
    case 'CommitmentProposed':
      return [
        ...data.providers,
        ...data.beneficiaries,
        data.filer,
        data.implementer,
        data.fiscalAgent,
        ...data.signatories,
      ];
    case 'CommitmentAmended':
      return [data.changes.implementer, data.changes.fiscalAgent];
    case 'ContributionPledged':
      return [data.donor, data.fund];
    case 'FundEstablished':
      return [data.fund, data.terms.administrator];
    case 'NeedDrafted':
      return [data.filer, ...data.beneficiaries];
    case 'OfferDrafted':
    case 'OfferPosted':
      return [data.provider, ...(data.content.providers ?? []).map(({ party }) => party)];
    default:
      return [];
  }
};

class Batch implements ProjectionBatch {
  /** Hands written in this batch already: a person acts many times. */
  private readonly known = new Set<string>();

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    const { position, stream, type, id, metadata } = event;
    if (READ.has(type)) {
      this.tx.run(
        'INSERT INTO fact (position, stream, type, event, effective_at, recorded_at, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
        position,
        stream,
        type,
        id,
        metadata.effectiveAt,
        metadata.recordedAt,
        JSON.stringify(event.data),
      );
    }
    for (const party of partiesIn(event as unknown as FactEvent)) {
      if (party === undefined || party === null) continue;
      this.tx.run('INSERT OR IGNORE INTO record_party (stream, party) VALUES (?, ?)', stream, party);
    }
    const { subject, party } = metadata.actor;
    if (subject === undefined) return;
    const key = JSON.stringify([subject, party, stream]);
    if (this.known.has(key)) return;
    this.known.add(key);
    this.tx.run(
      'INSERT OR IGNORE INTO hand (subject, party, stream, event, position) VALUES (?, ?, ?, ?, ?)',
      subject,
      party,
      stream,
      id,
      position,
    );
  }

  flush(): void {
    this.known.clear();
  }
}

/** Answers: what events are there for a check to look at, and on whose records. */
export const checkFacts: Projection = {
  name: CHECK_FACTS,
  version: 1,
  handles: unique([...READ, ...ACTS]),
  schema: `
    CREATE TABLE fact (
      position INTEGER PRIMARY KEY,
      stream TEXT NOT NULL,
      type TEXT NOT NULL,
      event TEXT NOT NULL,
      effective_at TEXT NOT NULL,
      recorded_at TEXT NOT NULL,
      data TEXT NOT NULL
    );
    CREATE INDEX fact_by_type ON fact (type, position);
    CREATE TABLE record_party (stream TEXT NOT NULL, party TEXT NOT NULL, PRIMARY KEY (stream, party)) WITHOUT ROWID;
    CREATE TABLE hand (
      subject TEXT NOT NULL,
      party TEXT NOT NULL,
      stream TEXT NOT NULL,
      event TEXT NOT NULL,
      position INTEGER NOT NULL,
      PRIMARY KEY (subject, party, stream)
    ) WITHOUT ROWID;
  `,
  begin: (tx) => new Batch(tx),
};
