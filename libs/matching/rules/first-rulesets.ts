import { dateOf, isDeterminate, minorUnits } from '#vocabulary';
import type { Pair, Service } from './lines.js';
import {
  commonLanguages,
  isScope,
  kindsOf,
  levelOf,
  linePairs,
  list,
  lotOf,
  measureOf,
  overlaps,
  overlapShare,
  percent,
  servable,
  span,
} from './lines.js';
import type {
  AskedLine,
  Block,
  BlockCode,
  Circumstances,
  Component,
  Judgement,
  NeedSide,
  OfferedLine,
  OfferSide,
} from './sides.js';

/** What the versions read differently. */
interface Reading {
  /** A line whose quantity is not known yet can be credited with a scope in words. */
  readonly scopes: boolean;
}

/**
 * Version 2: lines whose quantity is not known yet no longer block and count among the lines served, smallest lots block, and lines
 * of access are served. Pairings without any of these are judged as in version 1. Pure: equal inputs give an equal answer.
 */
export const judge2 = (need: NeedSide, offer: OfferSide, circumstances: Circumstances): Judgement =>
  judged(need, offer, circumstances, { scopes: true });

/** Version 1: a line without a quantity blocks, smallest lots are not looked at, and access without end counts as none. */
export const judge1 = (need: NeedSide, offer: OfferSide, circumstances: Circumstances): Judgement =>
  judged(need, { ...offer, lines: offer.lines.map(asIn1) }, circumstances, { scopes: false });

const asIn1 = ({ minimumLot: _, ...line }: OfferedLine): OfferedLine => ({
  ...line,
  available: line.available === 'unlimited' ? 0n : line.available,
});

const intersection = <T>(a: readonly T[], b: readonly T[]): T[] => a.filter((value) => b.includes(value));

const judged = (need: NeedSide, offer: OfferSide, circumstances: Circumstances, reading: Reading): Judgement => {
  const blocks = blocksOf(need, offer, circumstances, reading);
  if (blocks.length > 0) return { kind: 'blocked', blocks };
  const service = serviceOf(need, offer, reading);
  const components = componentsOf(need, offer, service, reading);
  return {
    kind: 'match',
    score: components.reduce((sum, { weight, value }) => sum + weight * value, 0),
    components,
    coverage: service.coverage,
  };
};

const serviceOf = (need: NeedSide, offer: OfferSide, { scopes }: Reading): Service => {
  const service = servable(need, offer);
  return scopes ? service : { ...service, scopes: [] };
};

/** The rules that do not move with figures or sight: what "could match" means for the label `eligible`. */
export const couldMatch = (need: NeedSide, offer: OfferSide, circumstances: Circumstances): boolean =>
  blocksOf(need, offer, { ...circumstances, providerSeesNeed: true, recipientSeesOffer: true }, { scopes: true }).every(
    ({ code }) => code === 'capacity' || code === 'outstanding' || code === 'below-minimum-lot',
  );

const blocksOf = (need: NeedSide, offer: OfferSide, circumstances: Circumstances, reading: Reading): Block[] => {
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
    const scoped = reading.scopes ? pairs.filter(isScope) : [];
    if (measurable.length === 0 && scoped.length === 0) {
      block('measure', ...measureBlock(pairs, reading));
    } else {
      const wanted = [...measurable.filter(({ needLine }) => needLine.outstanding > 0n), ...scoped];
      const { coverage, scopes } = serviceOf(need, offer, reading);
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

/** Version 1 told of lines without a quantity apart. */
const measureBlock = (pairs: readonly Pair[], { scopes }: Reading): [because: string, change: string] =>
  !scopes && pairs.every(({ needLine }) => !isDeterminate(needLine.quantity))
    ? [
        `the need's lines ${list(pairs.map(({ needLine }) => String(needLine.line)))} have no quantity yet`,
        'the State has the quantity assessed',
      ]
    : [
        `no line of the offer is in the measure, currency or unit that the need asks in (${list(pairs.map(({ needLine }) => measureOf(needLine.quantity)))})`,
        "the sides agree a valuation, or the State asks in the offer's measure",
      ];

const LEVEL_VALUES: Readonly<Record<string, number>> = {
  'need-specific': 1,
  geographic: 0.75,
  thematic: 0.5,
  unearmarked: 0.25,
};

const componentsOf = (
  need: NeedSide,
  offer: OfferSide,
  { coverage, scopes }: Service,
  reading: Reading,
): Component[] => {
  const open = need.lines.filter(({ outstanding }) => outstanding > 0n);
  const shareOf = (line: AskedLine): number => {
    const served = coverage
      .filter(({ needLine }) => needLine === line.line)
      .reduce((sum, { quantity }) => sum + minorUnits(quantity), 0n);
    return Number((served * 1_000_000n) / line.outstanding) / 1_000_000;
  };
  const shares = open.map(shareOf);
  const quantity = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  const unknown = reading.scopes ? need.lines.filter((line) => !isDeterminate(line.quantity)) : [];
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
