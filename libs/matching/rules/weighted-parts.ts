import { dateOf, isDeterminate, minorUnits } from '#vocabulary';
import type { Service } from './lines.js';
import { admits, commonLanguages, isScope, levelOf, linePairs, list, overlapShare, percent } from './lines.js';
import type { AskedLine, Component, NeedSide, OfferSide, Pairing } from './sides.js';

export const PARTS = [
  'fit',
  'coverage',
  'priority',
  'earmark',
  'period',
  'language',
  'prior-work',
  'freshness',
  'conditions',
] as const;
export type Part = (typeof PARTS)[number];

/** A weight for each part, decimal text; together exactly 1. */
export type Weights = Readonly<Record<Part, string>>;

/** What counts until the coordinator sets other weights. */
export const DEFAULT_WEIGHTS: Weights = {
  fit: '0.15',
  coverage: '0.25',
  priority: '0.15',
  earmark: '0.1',
  period: '0.1',
  language: '0.05',
  'prior-work': '0.05',
  freshness: '0.05',
  conditions: '0.1',
};

/** What a part is worth, 0..1, and why in words and numbers. */
interface Worth {
  readonly value: number;
  readonly because: string;
}

interface WeightedPart {
  /** What is worth 1, and what less. */
  readonly says: string;
  readonly worth: (pairing: Pairing, service: Service) => Worth;
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Lines that something can still be done for. */
const openLines = ({ lines }: NeedSide): readonly AskedLine[] =>
  lines.filter(({ outstanding, quantity }) => outstanding > 0n || !isDeterminate(quantity));

/** 1 for a kind that the offer names, half for one it only does not exclude; half again where the measure is met in words alone. */
const fitOf = (need: NeedSide, offer: OfferSide, line: AskedLine): number => {
  const kindOf = (kinds: readonly string[]): number => (kinds.length > 0 ? 1 : 0.5);
  return offer.lines
    .filter((offered) => admits(offer, offered, line))
    .map((offered) => {
      const [pair] = linePairs({ ...need, lines: [line] }, { ...offer, lines: [offered] });
      const measure = pair?.alike === true ? 1 : isScope({ needLine: line, offerLine: offered }) ? 0.5 : 0;
      return kindOf(offered.kinds) * measure;
    })
    .reduce((best, value) => Math.max(best, value), 0);
};

const shareOf = (line: AskedLine, { coverage }: Service): number => {
  const served = coverage
    .filter(({ needLine }) => needLine === line.line)
    .reduce((sum, { quantity }) => sum + minorUnits(quantity), 0n);
  return Number((served * 1_000_000n) / line.outstanding) / 1_000_000;
};

const LEVEL_VALUES: Readonly<Record<string, number>> = {
  'need-specific': 1,
  geographic: 0.75,
  thematic: 0.5,
  unearmarked: 0.25,
};

const DAY_MS = 86_400_000;
/** A need is reaffirmed every 365 days (DOMAIN, ReaffirmNeed). */
const YEAR = 365;
/** Commitments beyond these say nothing more. */
const ENOUGH_WORK = 3;

/** Conditions that a need can have answered by what it says already, and where. */
const ANSWERED: Readonly<Record<string, (need: NeedSide) => boolean>> = {
  'co-financing': ({ contributes }) => contributes === true,
  'national-report': ({ reports = [] }) => reports.length > 0,
  'assessment-first': ({ lines }) => lines.every(({ quantity }) => isDeterminate(quantity)),
};

/** The weighted parts of ruleset 3, in the order they are answered. */
export const WEIGHTED_PARTS: Readonly<Record<Part, WeightedPart>> = {
  fit: {
    says: 'Open lines of the need of a kind the offer names and in its measure; half for a kind it does not exclude, half for a scope in words.',
    worth: ({ need, offer }) => {
      const fits = openLines(need).map((line) => fitOf(need, offer, line));
      return {
        value: mean(fits),
        because: `${fits.filter((fit) => fit === 1).length} of ${plural(fits.length, 'open line')} fit in kind and measure, ${fits.filter((fit) => fit > 0 && fit < 1).length} in part`,
      };
    },
  },
  coverage: {
    says: 'Share of what is outstanding that the offer could serve now, averaged over the open lines with a figure.',
    worth: ({ need }, service) => {
      const open = need.lines.filter(({ outstanding }) => outstanding > 0n);
      const value = mean(open.map((line) => shareOf(line, service)));
      const { scopes } = service;
      return {
        value,
        because: `could serve ${percent(value)} of what is outstanding on ${plural(open.length, 'line')}${scopes.length === 0 ? '' : `, and ${plural(scopes.length, 'line')} without a quantity in words`}`,
      };
    },
  },
  priority: {
    says: 'Half for urgency (urgent 1, normal a half), half for the rank within the State (1 ÷ rank; a half where it ranks none).',
    worth: ({ need: { urgency, rank } }) => ({
      value: (urgency === 'urgent' ? 0.5 : 0.25) + (rank === undefined ? 0.25 : 0.5 / Math.max(1, rank)),
      because: `the State files it as ${urgency} (${urgency === 'urgent' ? 1 : 0.5}) and ${rank === undefined ? 'does not rank it (0.5)' : `ranks it ${rank}`}`,
    }),
  },
  earmark: {
    says: 'How closely the offer is meant: need-specific 1, geographic 0.75, thematic 0.5, unearmarked 0.25.',
    worth: ({ offer }) => {
      const level = levelOf(offer.earmark);
      const value = LEVEL_VALUES[level] ?? 0;
      return {
        value,
        because:
          level === 'unearmarked'
            ? `the offer is open to any need (${value})`
            : `the need is within the offer's earmark, which is ${level} (${value})`,
      };
    },
  },
  period: {
    says: "Share of the need's days that lie within the offer's period; a half where the need states no full period.",
    worth: ({ need: { period }, offer }) => {
      if (period?.from === undefined || period.to === undefined) {
        return { value: 0.5, because: 'the need states no full period (0.5)' };
      }
      const value = overlapShare(period.from, period.to, offer.period);
      return { value, because: `${percent(value)} of the need's period lies within the offer's` };
    },
  },
  language: {
    says: 'Share of the languages the need can work in that the offer has; a half where a side names none.',
    worth: ({ need: { languages = [] }, offer }) => {
      const both = commonLanguages(languages, offer.languages ?? []);
      if (languages.length === 0 || (offer.languages ?? []).length === 0) {
        return { value: 0.5, because: 'at least one side states no working language (0.5)' };
      }
      return {
        value: both.length / languages.length,
        because: `both can work in ${list(both)}: ${both.length} of ${plural(languages.length, 'language')} of the need`,
      };
    },
  },
  'prior-work': {
    says: 'Binding commitments between a provider and a beneficiary that whoever asks may see: three or more are worth 1.',
    worth: ({ circumstances: { priorWork = 0 } }) => ({
      value: Math.min(priorWork, ENOUGH_WORK) / ENOUGH_WORK,
      because:
        priorWork === 0
          ? '0 binding commitments between the sides that you may see'
          : `${priorWork >= ENOUGH_WORK ? `${ENOUGH_WORK} or more binding commitments` : plural(priorWork, 'binding commitment')} between the sides that you may see`,
    }),
  },
  freshness: {
    says: 'Days until the State is to reaffirm the need, of 365; nothing once that day is past.',
    worth: ({ need: { reaffirmBy }, circumstances }) => {
      if (reaffirmBy === undefined) return { value: 0.5, because: 'no day is known to reaffirm the need by (0.5)' };
      const left = Math.round((Date.parse(reaffirmBy) - Date.parse(dateOf(circumstances.now))) / DAY_MS);
      return {
        value: Math.min(Math.max(left, 0), YEAR) / YEAR,
        because:
          left < 0
            ? `the need was to be reaffirmed by ${reaffirmBy}, ${plural(-left, 'day')} ago`
            : `the need is to be reaffirmed by ${reaffirmBy}, in ${plural(left, 'day')}`,
      };
    },
  },
  conditions: {
    says: 'One over one more than the conditions of the offer that the need does not answer yet.',
    worth: ({ need, offer }) => {
      const open = offer.conditions.filter(({ code }) => ANSWERED[code]?.(need) !== true).map(({ code }) => code);
      return {
        value: 1 / (1 + open.length),
        because:
          open.length === 0
            ? offer.conditions.length === 0
              ? 'the offer sets 0 conditions'
              : `the need answers ${plural(offer.conditions.length, 'condition')} of the offer`
            : `${plural(open.length, 'condition')} still to be met: ${list(open)}`,
      };
    },
  },
};

/** The parts of a pairing that passes, with these weights. */
export const componentsOf = (pairing: Pairing, service: Service, weights: Weights): readonly Component[] =>
  PARTS.map((name) => ({ name, weight: Number(weights[name]), ...WEIGHTED_PARTS[name].worth(pairing, service) }));
