import type { ContributionEvent } from '#funds/contract';
import type { RecordedEvent } from '#kernel';
import type { Quantity } from '#vocabulary';
import { isRival, lastInstant, measureKey, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import { disbursementSign } from './commitment-money.js';
import type { CommitmentState } from './commitment.js';

/** What a total counts (DOMAIN, coverage ladder from binding on). */
export const FIGURES = ['committed', 'disbursed', 'delivered', 'confirmed'] as const;
export type Figure = (typeof FIGURES)[number];

/** Why an amount is shown beside a total and not in it. */
export type Uncounted = 'onward' | 'own-booking' | 'to-funds';

/** An amount that a record stands for now in one figure. */
export interface FigureEntry {
  readonly figure: Figure;
  /** Key of measure, currency and unit (`measureKey`). */
  readonly measure: string;
  readonly minor: bigint;
  /** Set where this is what another amount is worth by a recorded valuation or rate: counted only where its currency is asked for. */
  readonly worth?: { readonly measure: string; readonly minor: bigint };
  /** 0: of no line in particular. */
  readonly needLine: number;
  /** 0: of no transfer. */
  readonly transfer: number;
  /** Whose own payment it is; empty for figures of legs. */
  readonly provider: string;
  readonly uncounted?: Uncounted;
  /** When it counts from, where the amount has a date of its own (YYYY-MM-DD); else the date of the event. */
  readonly on?: string;
}

/** A change of a figure by one event: `minor` and `worth.minor` are signed. */
export type FigureDelta = FigureEntry;

/** Zero in the measure of that key. */
export const likeOf = (key: string): Quantity => {
  const [measure = '', of = ''] = key.split(':');
  if (measure === 'money') return { measure, currency: of, amount: '0' };
  if (measure === 'items') return { measure, unit: of, amount: '0' };
  return { measure: measure as 'seats' | 'person-days' | 'access', amount: '0' };
};

export const quantityIn = (key: string, minor: bigint): Quantity => quantityOf(likeOf(key), minor);

/** What the legs stand for from binding on: as drawn, and as credited where a recorded valuation makes money of it. */
const ofLegs = (state: CommitmentState): readonly FigureEntry[] => {
  if (state.boundAt === undefined) return [];
  // A cancellation leaves the delivered part, and nothing else (I8).
  const cancelled = state.status === 'cancelled' || state.closedAs === 'cancelled';
  return state.legs.flatMap((leg) => {
    const figures: readonly (readonly [Figure, Quantity, Quantity])[] = [
      ['committed', cancelled ? leg.deliveredDrawn : leg.drawn, cancelled ? leg.deliveredCredited : leg.credited],
      ['delivered', leg.deliveredDrawn, leg.deliveredCredited],
      ['confirmed', leg.confirmedDrawn, leg.confirmedCredited],
    ];
    return figures.flatMap(([figure, drawn, credited]): FigureEntry[] => {
      if (!isRival(drawn)) return [];
      const own = {
        figure,
        measure: measureKey(drawn),
        minor: minorUnits(drawn),
        needLine: leg.needLine,
        transfer: 0,
        provider: '',
      };
      const valued = leg.valuation !== undefined && credited.measure === 'money' && !sameMeasure(drawn, credited);
      return valued
        ? [
            own,
            {
              ...own,
              measure: measureKey(credited),
              minor: minorUnits(credited),
              worth: { measure: own.measure, minor: own.minor },
            },
          ]
        : [own];
    });
  });
};

/** What one transfer stands for: a provider's own payment, what undoes one, or money that is only passed on. */
const ofTransfer = (state: CommitmentState, n: number): readonly FigureEntry[] => {
  const transfer = state.transfers.find((known) => known.n === n);
  if (transfer === undefined) return [];
  const { amount, from, to, date } = transfer;
  const base = {
    figure: 'disbursed',
    measure: measureKey(amount),
    needLine: state.legs.find(({ leg }) => leg === transfer.leg)?.needLine ?? 0,
    transfer: n,
    on: lastInstant(date).slice(0, 10),
  } as const;
  const own = state.providers.flatMap((provider) => {
    const sign = disbursementSign(state, provider, transfer);
    if (sign === 0n) return [];
    return [
      { ...base, provider, minor: sign * minorUnits(amount) },
      ...state.receipts.flatMap((receipt): FigureEntry[] =>
        receipt.transfer === n && receipt.credited !== undefined
          ? [
              {
                ...base,
                provider,
                measure: measureKey(receipt.credited),
                minor: sign * minorUnits(receipt.credited),
                worth: { measure: base.measure, minor: sign * minorUnits(receipt.amount) },
              },
            ]
          : [],
      ),
    ];
  });
  if (own.length > 0) return own;
  const uncounted = from === to ? 'own-booking' : 'onward';
  return [{ ...base, provider: from, minor: minorUnits(amount), uncounted }];
};

const keyOf = ({ figure, measure, worth, needLine, transfer, provider, uncounted, on }: FigureEntry): string =>
  JSON.stringify([figure, measure, worth?.measure ?? '', needLine, transfer, provider, uncounted ?? '', on ?? '']);

/** What changed from one list of amounts to the other. */
const difference = (before: readonly FigureEntry[], after: readonly FigureEntry[]): readonly FigureDelta[] => {
  const sums = new Map<string, FigureDelta>();
  const count = (entry: FigureEntry, sign: bigint): void => {
    const key = keyOf(entry);
    const sum = sums.get(key);
    sums.set(key, {
      ...entry,
      minor: (sum?.minor ?? 0n) + sign * entry.minor,
      ...(entry.worth === undefined
        ? {}
        : { worth: { ...entry.worth, minor: (sum?.worth?.minor ?? 0n) + sign * entry.worth.minor } }),
    });
  };
  for (const entry of before) count(entry, -1n);
  for (const entry of after) count(entry, 1n);
  return [...sums.values()].filter(({ minor, worth }) => minor !== 0n || (worth !== undefined && worth.minor !== 0n));
};

/** The transfer an event is about; undefined for every other event. */
const transferOf = ({ type, data }: RecordedEvent): number | undefined => {
  if (type === 'TransferReported' || type === 'TransferCorrected') return (data as { readonly n: number }).n;
  if (type === 'ReceiptReported' || type === 'ReceiptCorrected')
    return (data as { readonly transfer: number }).transfer;
  return undefined;
};

/**
 * What an event changed in the figures of its commitment: signed amounts, none before it is bound (I11). Taken from the fold before
 * and after, so that whatever changes a commitment (returns, corrections, settlements, amendments …) counts without a rule of its own.
 */
export const figureDeltas = (
  before: CommitmentState,
  after: CommitmentState,
  event: RecordedEvent,
): readonly FigureDelta[] => {
  if (after.boundAt === undefined) return [];
  const transfer = transferOf(event);
  if (transfer !== undefined) return difference(ofTransfer(before, transfer), ofTransfer(after, transfer));
  const same = before.legs === after.legs && before.boundAt === after.boundAt && before.status === after.status;
  return same ? [] : difference(ofLegs(before), ofLegs(after));
};

/** A contribution to a fund as far as it is shown beside totals. Minor units of its currency. */
export interface ContributionFigures {
  readonly donor: string;
  readonly measure: string;
  readonly pledged: string;
  readonly committed: string;
  readonly paid: string;
  readonly received: string;
  readonly refunded: string;
}

const NOTHING = { committed: '0', paid: '0', received: '0', refunded: '0' };

/** Folds what a contribution stands for; undefined before it was pledged. */
export const contributionAfter = (
  figures: ContributionFigures | undefined,
  { type, data }: ContributionEvent,
): ContributionFigures | undefined => {
  if (type === 'ContributionPledged') {
    const { donor, amount } = data;
    return { ...NOTHING, donor, measure: measureKey(amount), pledged: String(minorUnits(amount)) };
  }
  if (figures === undefined) return undefined;
  const more = (sum: string, amount: Quantity): string => String(BigInt(sum) + minorUnits(amount));
  switch (type) {
    case 'ContributionSigned':
      return { ...figures, committed: figures.pledged };
    case 'ContributionPaid':
      return { ...figures, paid: more(figures.paid, data.amount) };
    case 'ContributionReceived':
      return { ...figures, received: more(figures.received, data.amount) };
    case 'ContributionRefunded':
      return { ...figures, refunded: more(figures.refunded, data.amount) };
    // What did not arrive by then is not coming.
    case 'ContributionClosed':
    case 'ContributionCancelled':
      return { ...figures, committed: figures.committed === '0' ? '0' : String(arrived(figures)) };
  }
};

const arrived = ({ paid, received, refunded }: ContributionFigures): bigint => {
  const [sent, got] = [BigInt(paid), BigInt(received)];
  return (sent > got ? sent : got) - BigInt(refunded);
};

const ofContribution = (figures: ContributionFigures | undefined): readonly FigureEntry[] => {
  if (figures === undefined) return [];
  const { donor: provider, measure, committed } = figures;
  const entry = { measure, provider, needLine: 0, transfer: 0, uncounted: 'to-funds' } as const;
  return [
    { ...entry, figure: 'committed', minor: BigInt(committed) },
    { ...entry, figure: 'disbursed', minor: arrived(figures) },
  ];
};

/** What an event changed in what is shown of a contribution: never part of a total, for the fund's own commitments count. */
export const contributionDeltas = (
  before: ContributionFigures | undefined,
  after: ContributionFigures | undefined,
): readonly FigureDelta[] => difference(ofContribution(before), ofContribution(after));
