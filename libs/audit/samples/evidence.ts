import type { Quantity } from '#vocabulary';

/** What of a commitment, as it is shown to an auditor, a sample looks at. */
export interface CommitmentShown {
  readonly id: string;
  readonly providers: readonly string[];
  readonly beneficiaries: readonly string[];
  readonly boundAt: string | null;
  readonly legs: readonly { readonly leg: number; readonly drawn: Quantity }[];
  readonly transfers: readonly {
    readonly n: number;
    readonly from: string;
    readonly to: string;
    readonly amount: Quantity;
    readonly date: string;
    readonly leg?: number;
    readonly reference?: string;
  }[];
  readonly receipts: readonly { readonly n: number; readonly transfer: number }[];
  readonly deliveries: readonly {
    readonly n: number;
    readonly leg: number;
    readonly quantity: Quantity;
    readonly status: string;
    readonly evidence?: readonly { readonly sha256: string }[];
  }[];
  readonly documents?: readonly { readonly sha256: string }[];
}

export const EVIDENCE_KINDS = ['transfer', 'receipt', 'delivery', 'confirmation', 'paper'] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** One kind of evidence of an item: there or not, and where it stands (numbers within the commitment) or by which hash. */
export interface Evidence {
  readonly kind: EvidenceKind;
  readonly present: boolean;
  readonly found: readonly (number | string)[];
}

const evidence = (kind: EvidenceKind, found: readonly (number | string)[], present = found.length > 0): Evidence => ({
  kind,
  present,
  found,
});

const numbersOf = (list: readonly { readonly n: number }[]): readonly number[] => list.map(({ n }) => n);

/**
 * What stands behind a commitment, or behind one of its transfers: that money was sent and reported received (every transfer, where it is of
 * the commitment), that something was delivered and the recipient confirmed all of it, and the hashes of the papers that show it. A
 * transfer for one leg is shown by the deliveries of that leg.
 */
export const evidenceFor = (
  { transfers, receipts, deliveries, documents = [] }: CommitmentShown,
  transfer?: number,
): readonly Evidence[] => {
  const sent = transfers.filter(({ n }) => transfer === undefined || n === transfer);
  const legs = transfer === undefined ? [] : sent.flatMap(({ leg }) => leg ?? []);
  const delivered = deliveries.filter(({ leg }) => legs.length === 0 || legs.includes(leg));
  const confirmed = delivered.filter(({ status }) => status === 'confirmed');
  const arrived = receipts.filter((receipt) => sent.some(({ n }) => n === receipt.transfer));
  const papers = delivered.flatMap((delivery) => delivery.evidence ?? []);
  return [
    ...(transfer === undefined ? [evidence('transfer', numbersOf(sent))] : []),
    evidence(
      'receipt',
      numbersOf(arrived),
      sent.length > 0 && sent.every(({ n }) => arrived.some((receipt) => receipt.transfer === n)),
    ),
    evidence('delivery', numbersOf(delivered)),
    evidence('confirmation', numbersOf(confirmed), confirmed.length > 0 && confirmed.length === delivered.length),
    evidence('paper', [...new Set([...papers, ...documents].map(({ sha256 }) => sha256))]),
  ];
};
