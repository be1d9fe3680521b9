import type { Earmark } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { formatQuantity, isDeterminate, quantityOf, sameMeasure } from '#vocabulary';
import type { AskedLine, NeedSide, OfferedLine, OfferSide, Served, Span } from './sides.js';

// Shared by the rulesets: what changes an answer of a shipped version is a new function beside, never an edit (`shipped.spec.ts`).

/** A line of an offer serves kinds that both the line and the earmark name; an empty list means any. */
export const admits = ({ earmark }: OfferSide, { kinds }: OfferedLine, { kind }: AskedLine): boolean =>
  (kinds.length === 0 || kinds.includes(kind)) &&
  (earmark.kinds === undefined || earmark.kinds.length === 0 || earmark.kinds.includes(kind));

export interface Pair {
  readonly needLine: AskedLine;
  readonly offerLine: OfferedLine;
  readonly alike: boolean;
}

export const linePairs = (need: NeedSide, offer: OfferSide): Pair[] =>
  need.lines.flatMap((needLine) =>
    offer.lines
      .filter((offerLine) => admits(offer, offerLine, needLine))
      .map((offerLine) => ({ needLine, offerLine, alike: sameMeasure(needLine.quantity, offerLine.capacity) })),
  );

/** A line whose quantity is not known yet is served with whatever is drawn: it is credited with a scope in words. */
export const isScope = ({ needLine, offerLine }: Pick<Pair, 'needLine' | 'offerLine'>): boolean =>
  !isDeterminate(needLine.quantity) && isDeterminate(offerLine.capacity);

export const lotOf = ({ line, capacity, minimumLot = 0n }: OfferedLine): string =>
  `line ${line}: ${isDeterminate(capacity) ? formatQuantity(quantityOf(capacity, minimumLot)) : 'none'}`;

export interface Service {
  readonly coverage: Served[];
  /** Need lines that could be credited with a scope in words. */
  readonly scopes: readonly number[];
}

/**
 * How much of which line this pairing could serve now: need lines in order, each from the offer's lines in order. A line of the offer
 * of which less than its smallest lot would be drawn is left out, and the rest reckoned again.
 */
export const servable = (need: NeedSide, offer: OfferSide): Service => {
  const without = new Set<number>();
  for (;;) {
    const service = serviceBy(
      need,
      offer,
      offer.lines.filter(({ line }) => !without.has(line)),
    );
    const short = service.short[0];
    if (short === undefined) return service;
    without.add(short);
  }
};

const serviceBy = (
  need: NeedSide,
  offer: OfferSide,
  lines: readonly OfferedLine[],
): Service & { readonly short: readonly number[] } => {
  const drawn = new Map<number, bigint>();
  const leftOf = ({ line, available }: OfferedLine): bigint | 'unlimited' =>
    available === 'unlimited' ? available : available - (drawn.get(line) ?? 0n);
  const coverage: Served[] = [];
  for (const needLine of need.lines) {
    let wanted = needLine.outstanding;
    for (const offerLine of lines) {
      if (!admits(offer, offerLine, needLine)) continue;
      if (!sameMeasure(needLine.quantity, offerLine.capacity)) continue;
      const left = leftOf(offerLine);
      const quantity = left === 'unlimited' || wanted < left ? wanted : left;
      if (quantity <= 0n) continue;
      coverage.push({
        needLine: needLine.line,
        offerLine: offerLine.line,
        quantity: quantityOf(needLine.quantity, quantity),
      });
      drawn.set(offerLine.line, (drawn.get(offerLine.line) ?? 0n) + quantity);
      wanted -= quantity;
    }
  }
  const reachesLot = (offerLine: OfferedLine): boolean => {
    const left = leftOf(offerLine);
    const { line, minimumLot = 1n } = offerLine;
    return left === 'unlimited' || (left > 0n && left + (drawn.get(line) ?? 0n) >= minimumLot);
  };
  const inWordsBy = (offerLine: OfferedLine): readonly number[] =>
    reachesLot(offerLine)
      ? need.lines
          .filter((needLine) => admits(offer, offerLine, needLine) && isScope({ needLine, offerLine }))
          .map(({ line }) => line)
      : [];
  const worded = new Set(lines.flatMap(inWordsBy));
  const scopes = need.lines.map(({ line }) => line).filter((line) => worded.has(line));
  // What a scope in words draws beside the figures may make up the lot.
  const short = lines
    .filter(
      (offerLine) =>
        (drawn.get(offerLine.line) ?? 0n) > 0n &&
        (drawn.get(offerLine.line) ?? 0n) < (offerLine.minimumLot ?? 0n) &&
        inWordsBy(offerLine).length === 0,
    )
    .map(({ line }) => line);
  return { coverage, scopes, short };
};

/** Kinds the offer can give at all: what its lines name, within its earmark. */
export const kindsOf = ({ lines, earmark }: OfferSide): string[] => {
  const named = [...new Set(lines.flatMap(({ kinds }) => kinds))];
  const allowed = earmark.kinds ?? [];
  return allowed.length === 0 ? named : named.filter((kind) => allowed.includes(kind));
};

/** The level a provider states, or what the earmark's parts amount to. */
export const levelOf = (earmark: Earmark): string => {
  if (earmark.level !== undefined) return earmark.level;
  const some = (part: readonly unknown[] | undefined): boolean => part !== undefined && part.length > 0;
  if (some(earmark.beneficiaries) || some(earmark.regions) || some(earmark.networks)) return 'geographic';
  if (some(earmark.kinds) || some(earmark.instruments) || earmark.traffickingNexus === true) return 'thematic';
  return 'unearmarked';
};

export const measureOf = (quantity: Quantity): string =>
  quantity.measure === 'money' ? quantity.currency : quantity.measure === 'items' ? quantity.unit : quantity.measure;

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

export const span = (period: Span | undefined): string =>
  period?.from === undefined && period?.to === undefined
    ? 'any time'
    : `${period.from ?? 'any time'} to ${period.to ?? 'any time'}`;

export const overlaps = (a: Span | undefined, b: Span | undefined): boolean =>
  (a?.from ?? '0000-01-01') <= (b?.to ?? '9999-12-31') && (b?.from ?? '0000-01-01') <= (a?.to ?? '9999-12-31');

const day = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

/** Share of the days from `from` to `to` (inclusive) that lie within `period`. */
export const overlapShare = (from: string, to: string, period: Span | undefined): number => {
  const first = period?.from !== undefined && period.from > from ? period.from : from;
  const last = period?.to !== undefined && period.to < to ? period.to : to;
  return Math.max(0, day(last) - day(first) + 1) / (day(to) - day(from) + 1);
};

/** Languages in common, by primary tag: `pt-BR` and `pt` are one. */
export const commonLanguages = (a: readonly string[], b: readonly string[]): string[] => {
  const primary = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';
  const ofB = new Set(b.map(primary));
  return a.filter((tag) => ofB.has(primary(tag)));
};

export const list = (values: readonly string[]): string => values.join(', ');
