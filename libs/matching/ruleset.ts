import type { Earmark, OfferCondition } from '#offers/contract';
import type { InstrumentCode, Kind, Quantity, Urgency } from '#vocabulary';
import { dateOf, formatQuantity, isDeterminate, minorUnits, quantityOf, sameMeasure } from '#vocabulary';

/**
 * The rules a pairing of a need and an offer is judged by. A change of any rule, weight or sentence is a new version, so that
 * the same inputs and version always give the same ranking (I16).
 * Version 2: lines whose quantity is not known yet no longer block and count among the lines served, smallest lots block, and lines
 * of access are served. Pairings without any of these are judged as in version 1.
 */
export const RULESET_VERSION = '2';

interface Span {
  readonly from?: string;
  readonly to?: string;
}

/** A need as the rules see it. Figures are minor units of the line's own measure. */
export interface NeedSide {
  readonly id: string;
  readonly beneficiaries: readonly string[];
  /** Alpha-3 codes of the sovereigns on the need's side. */
  readonly sovereigns: readonly string[];
  readonly networks: readonly string[];
  /** Networks of each beneficiary. */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
  readonly regions: readonly string[];
  readonly kinds: readonly Kind[];
  readonly instruments: readonly InstrumentCode[];
  readonly traffickingNexus: boolean;
  readonly urgency: Urgency;
  readonly period?: Span;
  readonly languages?: readonly string[];
  readonly lines: readonly {
    readonly line: number;
    readonly kind: Kind;
    readonly quantity: Quantity;
    /** asked − accepted − binding; 0n for an undetermined line. */
    readonly outstanding: bigint;
  }[];
}

/** An offer as the rules see it. */
export interface OfferSide {
  readonly id: string;
  readonly provider: string;
  /** Of each provider; undefined where one belongs to no State. */
  readonly sovereigns: readonly (string | undefined)[];
  readonly suspended: boolean;
  readonly earmark: Earmark;
  readonly conditions: readonly OfferCondition[];
  readonly period?: Span;
  readonly languages?: readonly string[];
  readonly lines: readonly {
    readonly line: number;
    readonly kinds: readonly Kind[];
    readonly capacity: Quantity;
    /** capacity − held − committed. */
    readonly available: bigint | 'unlimited';
    /** The least that one commitment may draw. */
    readonly minimumLot?: bigint;
  }[];
}

export type BlockCode =
  | 'offer-not-open'
  | 'same-side'
  | 'kind'
  | 'instrument'
  | 'earmark'
  | 'period'
  | 'language'
  | 'measure'
  | 'visibility'
  | 'capacity'
  | 'below-minimum-lot'
  | 'outstanding';

export interface Block {
  readonly code: BlockCode;
  readonly because: string;
  /** What would lift the block, in words. */
  readonly change: string;
}

export interface Component {
  readonly name: string;
  readonly weight: number;
  /** 0..1. */
  readonly value: number;
  readonly because: string;
}

export interface Served {
  readonly needLine: number;
  readonly offerLine: number;
  readonly quantity: Quantity;
}

export type Judgement =
  | {
      readonly kind: 'match';
      /** Σ weight × value, unrounded. */
      readonly score: number;
      readonly components: readonly Component[];
      readonly coverage: readonly Served[];
    }
  | { readonly kind: 'blocked'; readonly blocks: readonly Block[] };

/** What lies outside the two records: the day, and whether each side may see the other's record. */
export interface Circumstances {
  readonly now: string;
  readonly providerSeesNeed: boolean;
  readonly recipientSeesOffer: boolean;
  /** What the earmark says against the need's beneficiaries, regions, networks or nexus; empty where it admits it. */
  readonly earmarkReasons: readonly string[];
}

const list = (values: readonly string[]): string => values.join(', ');
const intersection = <T>(a: readonly T[], b: readonly T[]): T[] => a.filter((value) => b.includes(value));

/** Judges one pairing. Pure: equal inputs give an equal answer. */
export const judge = (need: NeedSide, offer: OfferSide, circumstances: Circumstances): Judgement => {
  const blocks = blocksOf(need, offer, circumstances);
  if (blocks.length > 0) return { kind: 'blocked', blocks };
  const { coverage, scopes } = servable(need, offer);
  const components = componentsOf(need, offer, coverage, scopes);
  return {
    kind: 'match',
    score: components.reduce((sum, { weight, value }) => sum + weight * value, 0),
    components,
    coverage,
  };
};

/** Highest score first; equal scores by id, so that the order never depends on the order of the inputs. */
export const byRank = (
  a: { readonly id: string; readonly score: number },
  b: { readonly id: string; readonly score: number },
): number => b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** The rules that do not move with figures or sight: what "could match" means for the label `eligible`. */
export const couldMatch = (need: NeedSide, offer: OfferSide, circumstances: Circumstances): boolean =>
  blocksOf(need, offer, { ...circumstances, providerSeesNeed: true, recipientSeesOffer: true }).every(
    ({ code }) => code === 'capacity' || code === 'outstanding' || code === 'below-minimum-lot',
  );

const blocksOf = (need: NeedSide, offer: OfferSide, circumstances: Circumstances): Block[] => {
  const blocks: Block[] = [];
  const block = (code: BlockCode, because: string, change: string): void => {
    blocks.push({ code, because, change });
  };

  if (offer.suspended) block('offer-not-open', 'the offer is suspended', 'the provider resumes the offer');
  // Where one of several providers is of another State, that one is the other side.
  const own = offer.sovereigns.filter((sovereign) => sovereign !== undefined && need.sovereigns.includes(sovereign));
  if (own.length > 0 && own.length === offer.sovereigns.length) {
    block(
      'same-side',
      `provider and beneficiary belong to one sovereign (${list([...new Set(own)].map(String))})`,
      'a provider of another State offers the same',
    );
  }

  const pairs = linePairs(need, offer);
  if (pairs.length === 0) {
    block(
      'kind',
      `the need asks for ${list([...new Set(need.lines.map(({ kind }) => kind))])}; the offer gives ${list(kindsOf(offer)) || 'none of them'}`,
      'a line of the offer names a kind that the need asks for',
    );
  }
  const { instruments } = offer.earmark;
  if (instruments !== undefined && instruments.length > 0 && intersection(instruments, need.instruments).length === 0) {
    block(
      'instrument',
      `the offer is for ${list(instruments)}; the need is filed under ${list(need.instruments)}`,
      "the need also falls under one of the offer's instruments, and says so",
    );
  }
  for (const because of circumstances.earmarkReasons) {
    block('earmark', because, 'the provider widens the earmark');
  }
  const today = dateOf(circumstances.now);
  if (offer.period?.to !== undefined && offer.period.to < today) {
    block('period', `the offer's period ended on ${offer.period.to}`, 'the provider extends the period');
  } else if (!overlaps(need.period, offer.period)) {
    block(
      'period',
      `the need is for ${span(need.period)}, the offer for ${span(offer.period)}`,
      'either side moves its period so that both share a day',
    );
  }
  if (
    need.languages !== undefined &&
    need.languages.length > 0 &&
    offer.languages !== undefined &&
    offer.languages.length > 0 &&
    commonLanguages(need.languages, offer.languages).length === 0
  ) {
    block(
      'language',
      `the need can work in ${list(need.languages)}, the offer in ${list(offer.languages)}`,
      'the provider adds interpretation or another language',
    );
  }
  if (!circumstances.providerSeesNeed) {
    block(
      'visibility',
      'the provider may not see this need',
      "the State widens the need's visibility or names the provider",
    );
  }
  if (!circumstances.recipientSeesOffer) {
    block(
      'visibility',
      'the State may not see this offer',
      "the provider widens the offer's visibility or names the State",
    );
  }

  if (pairs.length > 0) {
    const measurable = pairs.filter(({ alike }) => alike);
    const scoped = pairs.filter(isScope);
    if (measurable.length === 0 && scoped.length === 0) {
      block(
        'measure',
        `no line of the offer is in the measure, currency or unit that the need asks in (${list(pairs.map(({ needLine }) => measureOf(needLine.quantity)))})`,
        "the sides agree a valuation, or the State asks in the offer's measure",
      );
    } else {
      const wanted = [...measurable.filter(({ needLine }) => needLine.outstanding > 0n), ...scoped];
      const { coverage, scopes } = servable(need, offer);
      if (wanted.length === 0) {
        block(
          'outstanding',
          'nothing is outstanding on the lines that this offer could serve',
          'an accepted commitment on them is released',
        );
      } else if (!wanted.some(({ offerLine: { available } }) => available === 'unlimited' || available > 0n)) {
        block(
          'capacity',
          "nothing is left on the offer's lines that could serve this need",
          'a hold lapses, or the provider raises the capacity',
        );
      } else if (coverage.length === 0 && scopes.length === 0) {
        const lots = [...new Map(wanted.map(({ offerLine }) => [offerLine.line, offerLine])).values()];
        block(
          'below-minimum-lot',
          `what could be served now is less than the smallest lot of the offer (${list(lots.map(lotOf))})`,
          'the provider lowers the smallest lot, or the State asks for more',
        );
      }
    }
  }
  return blocks;
};

/** A line of an offer serves kinds that both the line and the earmark name; an empty list means any. */
const admits = (
  { earmark }: OfferSide,
  { kinds }: OfferSide['lines'][number],
  { kind }: NeedSide['lines'][number],
): boolean =>
  (kinds.length === 0 || kinds.includes(kind)) &&
  (earmark.kinds === undefined || earmark.kinds.length === 0 || earmark.kinds.includes(kind));

interface Pair {
  readonly needLine: NeedSide['lines'][number];
  readonly offerLine: OfferSide['lines'][number];
  readonly alike: boolean;
}

const linePairs = (need: NeedSide, offer: OfferSide): Pair[] =>
  need.lines.flatMap((needLine) =>
    offer.lines
      .filter((offerLine) => admits(offer, offerLine, needLine))
      .map((offerLine) => ({ needLine, offerLine, alike: sameMeasure(needLine.quantity, offerLine.capacity) })),
  );

/** A line whose quantity is not known yet is served with whatever is drawn: it is credited with a scope in words. */
const isScope = ({ needLine, offerLine }: Pick<Pair, 'needLine' | 'offerLine'>): boolean =>
  !isDeterminate(needLine.quantity) && isDeterminate(offerLine.capacity);

const lotOf = ({ line, capacity, minimumLot = 0n }: OfferSide['lines'][number]): string =>
  `line ${line}: ${isDeterminate(capacity) ? formatQuantity(quantityOf(capacity, minimumLot)) : 'none'}`;

interface Service {
  readonly coverage: Served[];
  /** Need lines that could be credited with a scope in words. */
  readonly scopes: readonly number[];
}

/**
 * How much of which line this pairing could serve now: need lines in order, each from the offer's lines in order. A line of the offer
 * of which less than its smallest lot would be drawn is left out, and the rest reckoned again.
 */
const servable = (need: NeedSide, offer: OfferSide): Service => {
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
  lines: OfferSide['lines'],
): Service & { readonly short: readonly number[] } => {
  const drawn = new Map<number, bigint>();
  const leftOf = ({ line, available }: OfferSide['lines'][number]): bigint | 'unlimited' =>
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
  const reachesLot = (offerLine: OfferSide['lines'][number]): boolean => {
    const left = leftOf(offerLine);
    const { line, minimumLot = 1n } = offerLine;
    return left === 'unlimited' || (left > 0n && left + (drawn.get(line) ?? 0n) >= minimumLot);
  };
  const inWordsBy = (offerLine: OfferSide['lines'][number]): readonly number[] =>
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
const kindsOf = ({ lines, earmark }: OfferSide): string[] => {
  const named = [...new Set(lines.flatMap(({ kinds }) => kinds))];
  const allowed = earmark.kinds ?? [];
  return allowed.length === 0 ? named : named.filter((kind) => allowed.includes(kind));
};

const LEVEL_VALUES: Readonly<Record<string, number>> = {
  'need-specific': 1,
  geographic: 0.75,
  thematic: 0.5,
  unearmarked: 0.25,
};

const componentsOf = (
  need: NeedSide,
  offer: OfferSide,
  coverage: readonly Served[],
  scopes: readonly number[],
): Component[] => {
  const open = need.lines.filter(({ outstanding }) => outstanding > 0n);
  const shareOf = (line: NeedSide['lines'][number]): number => {
    const served = coverage
      .filter(({ needLine }) => needLine === line.line)
      .reduce((sum, { quantity }) => sum + minorUnits(quantity), 0n);
    return Number((served * 1_000_000n) / line.outstanding) / 1_000_000;
  };
  const shares = open.map(shareOf);
  const quantity = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  const unknown = need.lines.filter((line) => !isDeterminate(line.quantity));
  const lines = open.length + unknown.length;
  const servedLines = shares.filter((share) => share > 0).length + scopes.length;
  const level = levelOf(offer.earmark);
  const { period } = need;
  const languages = commonLanguages(need.languages ?? [], offer.languages ?? []);
  return [
    {
      name: 'quantity',
      weight: 0.35,
      value: quantity,
      because: `could serve ${percent(quantity)} of what is outstanding, averaged over ${open.length} open line${open.length === 1 ? '' : 's'}${inWords(scopes)}`,
    },
    {
      name: 'lines',
      weight: 0.2,
      value: servedLines / Math.max(1, lines),
      because: `serves ${servedLines} of ${lines} open line${lines === 1 ? '' : 's'}`,
    },
    {
      name: 'earmark',
      weight: 0.15,
      value: LEVEL_VALUES[level] ?? 0,
      because:
        level === 'unearmarked'
          ? 'the offer is open to any need'
          : `the offer is earmarked (${level}) and this need is within the earmark`,
    },
    {
      name: 'period',
      weight: 0.1,
      value:
        period?.from === undefined || period.to === undefined
          ? 0.5
          : overlapShare(period.from, period.to, offer.period),
      because:
        period?.from === undefined || period.to === undefined
          ? 'the need states no full period'
          : `${percent(overlapShare(period.from, period.to, offer.period))} of the need's period lies within the offer's`,
    },
    {
      name: 'language',
      weight: 0.1,
      value: languages.length > 0 ? 1 : 0.5,
      because:
        languages.length > 0 ? `both can work in ${list(languages)}` : 'at least one side states no working language',
    },
    {
      name: 'urgency',
      weight: 0.1,
      value: need.urgency === 'urgent' ? 1 : 0.5,
      because: `the State files the need as ${need.urgency}`,
    },
  ];
};

/** Said beside the figures, because no figure says it. */
const inWords = (scopes: readonly number[]): string =>
  scopes.length === 0
    ? ''
    : `; line${scopes.length === 1 ? '' : 's'} ${list(scopes.map(String))} ${scopes.length === 1 ? 'has' : 'have'} no quantity yet and would be credited with a scope in words`;

/** The level a provider states, or what the earmark's parts amount to. */
const levelOf = (earmark: Earmark): string => {
  if (earmark.level !== undefined) return earmark.level;
  const some = (part: readonly unknown[] | undefined): boolean => part !== undefined && part.length > 0;
  if (some(earmark.beneficiaries) || some(earmark.regions) || some(earmark.networks)) return 'geographic';
  if (some(earmark.kinds) || some(earmark.instruments) || earmark.traffickingNexus === true) return 'thematic';
  return 'unearmarked';
};

const measureOf = (quantity: Quantity): string =>
  quantity.measure === 'money' ? quantity.currency : quantity.measure === 'items' ? quantity.unit : quantity.measure;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const span = (period: Span | undefined): string =>
  period?.from === undefined && period?.to === undefined
    ? 'any time'
    : `${period.from ?? 'any time'} to ${period.to ?? 'any time'}`;

const overlaps = (a: Span | undefined, b: Span | undefined): boolean =>
  (a?.from ?? '0000-01-01') <= (b?.to ?? '9999-12-31') && (b?.from ?? '0000-01-01') <= (a?.to ?? '9999-12-31');

const day = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

/** Share of the days from `from` to `to` (inclusive) that lie within `period`. */
const overlapShare = (from: string, to: string, period: Span | undefined): number => {
  const first = period?.from !== undefined && period.from > from ? period.from : from;
  const last = period?.to !== undefined && period.to < to ? period.to : to;
  return Math.max(0, day(last) - day(first) + 1) / (day(to) - day(from) + 1);
};

/** Languages in common, by primary tag: `pt-BR` and `pt` are one. */
const commonLanguages = (a: readonly string[], b: readonly string[]): string[] => {
  const primary = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';
  const ofB = new Set(b.map(primary));
  return a.filter((tag) => ofB.has(primary(tag)));
};
