import type { AuditEvent } from '#audit/contract';
import type { CommitmentEvent } from '#commitments/contract';
import type { AnyPartyEvent } from '#directory/contract';
import type { AnyFundEvent } from '#funds/contract';
import type { RecordedEvent } from '#kernel';
import type { Projection, ReadQueries, ReadTransaction } from '#kernel';
import { categoryOfStream, idOfStream, rowByRow } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { OfferEvent } from '#offers/contract';
import type { ReportedEvent } from '#reported/contract';
import { isSha256 } from '#vocabulary';

export const DOCUMENT_LINKS = 'document-links';

type Listing =
  | AuditEvent['type']
  | AnyFundEvent['type']
  | AnyPartyEvent['type']
  | CommitmentEvent['type']
  | NeedEvent['type']
  | OfferEvent['type']
  | ReportedEvent['type'];

/** Every event that may list a document. Those that a process writes repeat what a party's own event said. */
const LISTING = [
  'AllocationDecided',
  'AmendmentProposed',
  'CallAnnounced',
  'CommitmentProposed',
  'ConditionMet',
  'ConditionWaived',
  'ContributionPledged',
  'DeliveryCorrected',
  'DeliveryReported',
  'DeliveryVerified',
  'DocumentAttached',
  'ExpenditureReported',
  'FundBooked',
  'FundDocumentAttached',
  'ImplementationClaimed',
  'NeedAmended',
  'NeedAssessed',
  'NeedDrafted',
  'OfferAmended',
  'OfferDrafted',
  'OfferPosted',
  'PartyAmended',
  'PartyRegistered',
  'ReportFiled',
  'ReportedRecorded',
] as const satisfies readonly Listing[];

/** The hashes that stand under the name `sha256` anywhere in a value. */
export const hashesIn = (value: unknown): ReadonlySet<string> => {
  const found = new Set<string>();
  const walk = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return;
    for (const [name, inner] of Object.entries(each)) {
      if (name === 'sha256' && isSha256(inner)) found.add(inner);
      else walk(inner);
    }
  };
  walk(value);
  return found;
};

/** Whose word the listing is. A process that drafts what was claimed does it for the claimant. */
const listerOf = ({ metadata, data }: RecordedEvent): string => {
  const { party } = metadata.actor;
  if (!party.startsWith('system:')) return party;
  const { filer, provider } = data as { readonly filer?: string; readonly provider?: string };
  return filer ?? provider ?? party;
};

const apply = (tx: ReadTransaction, event: RecordedEvent): void => {
  for (const sha256 of hashesIn(event.data)) {
    tx.run(
      'INSERT OR IGNORE INTO link (sha256, category, id, lister) VALUES (?, ?, ?, ?)',
      sha256,
      categoryOfStream(event.stream),
      idOfStream(event.stream),
      listerOf(event),
    );
  }
};

/** Which records ever listed a document, and who listed it there. Whether it is listed now, and for whom, the record's own view says. */
export const documentLinks: Projection = {
  name: DOCUMENT_LINKS,
  version: 2,
  handles: LISTING,
  schema: `CREATE TABLE link (
    sha256 TEXT NOT NULL,
    category TEXT NOT NULL,
    id TEXT NOT NULL,
    lister TEXT NOT NULL,
    PRIMARY KEY (sha256, category, id, lister)
  ) STRICT, WITHOUT ROWID;`,
  begin: rowByRow(apply),
};

/** A record that listed a document. */
export interface DocumentLinkRow {
  readonly category: string;
  readonly id: string;
  readonly listers: readonly string[];
}

/** The records that listed this document, each with whoever listed it there. */
export const linksOf = (reads: ReadQueries, sha256: string): readonly DocumentLinkRow[] =>
  reads
    .all(
      `SELECT category, id, json_group_array(lister) AS listers FROM link
       WHERE sha256 = ? GROUP BY category, id ORDER BY category, id`,
      sha256,
    )
    .map(({ category, id, listers }) => ({
      category: String(category),
      id: String(id),
      listers: JSON.parse(String(listers)) as string[],
    }));
