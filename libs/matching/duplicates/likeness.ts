import type { Kind, OpenPeriod, Quantity } from '#vocabulary';
import { fixedDecimal, formatQuantity, isRival, minorUnits, periodsOverlap, sameMeasure } from '#vocabulary';
import type { Evidence } from './duplicate.contract.js';

/** What of an open need is compared. */
export interface NeedTraits {
  readonly about: 'needs';
  readonly states: readonly string[];
  readonly kinds: readonly Kind[];
  readonly parties: readonly string[];
  /** Words of the title, as `wordsOf` gives them. */
  readonly title: readonly string[];
  /** Words of title, problem, outcome and descriptions. */
  readonly words: readonly string[];
  readonly period?: OpenPeriod;
  readonly lines: readonly { readonly kind: Kind; readonly quantity: Quantity }[];
}

/** What of an offer or a commitment is compared: for whom it is meant by name, what for, when and by whom. */
export interface PromiseTraits {
  readonly about: 'promises';
  readonly states: readonly string[];
  readonly kinds: readonly Kind[];
  readonly parties: readonly string[];
  readonly donors: readonly string[];
  readonly period?: OpenPeriod;
  /** The need that a commitment answers: what several give to one need is seen in its coverage. */
  readonly need?: string;
}

export type Traits = NeedTraits | PromiseTraits;

// Titles of a few words: two in three in common.
const LIKE_TITLE = 0.66;
const LIKE_TEXT = 0.5;
/** Where every other line asks alike, less of the text has to. */
const LIKE_LINES = 0.5;
const LIKE_TEXT_WITH_LINES = 0.25;
/** Figures that differ by less than this part of the greater are alike. */
const TOLERANCE = 10n;

// Scripts that write words without spaces between them: pairs of characters stand for words.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** The words of a text as they are compared, each once, in order: without accents and case, of three letters or more, and numbers. */
export const wordsOf = (text: string): readonly string[] => {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const words = (plain.match(/[\p{L}\p{N}]+/gu) ?? []).flatMap((word) => {
    const letters = Array.from(word);
    if (UNSPACED.test(word)) return letters.slice(0, -1).map((letter, at) => letter + (letters[at + 1] ?? ''));
    return letters.length > 2 || /\p{N}/u.test(word) ? [word] : [];
  });
  return [...new Set(words)].sort();
};

const common = <T>(a: readonly T[], b: readonly T[]): readonly T[] => {
  const known = new Set(b);
  return a.filter((each) => known.has(each));
};

/** How many of two lists of words, each in order and each word once, are the same: compared for every pair, without a set for each. */
const countCommon = (a: readonly string[], b: readonly string[]): number => {
  let [both, at, on] = [0, 0, 0];
  while (at < a.length && on < b.length) {
    const [x = '', y = ''] = [a[at], b[on]];
    if (x === y) both += 1;
    if (x <= y) at += 1;
    if (y <= x) on += 1;
  }
  return both;
};

/** Twice what both have over what each has: 1 for equal lists, 0 for lists without anything in common, or empty ones. */
const share = (both: number, a: number, b: number): number => (a + b === 0 ? 0 : (2 * both) / (a + b));

const evidence = (name: string, value: number, because: string): Evidence => ({
  name,
  value: fixedDecimal(BigInt(Math.round(value * 100)), 2),
  because,
});

/** How strongly evidence speaks: the mean of its values, in hundredths. */
export const strengthOf = (found: readonly Evidence[]): number =>
  found.length === 0
    ? 0
    : Math.round(found.reduce((sum, { value }) => sum + Number(value.replace('.', '')), 0) / found.length);

const DAY_MS = 86_400_000;
const daysOf = ({ from, to }: { readonly from: string; readonly to: string }): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;

/** How much of the shorter period the two share; undefined where they share no day. Without bounds nobody can say they do not. */
const periodEvidence = (a: OpenPeriod = {}, b: OpenPeriod = {}): Evidence | undefined => {
  if (!periodsOverlap(a, b)) return undefined;
  const { from: a1, to: a2 } = a;
  const { from: b1, to: b2 } = b;
  if (a1 === undefined || a2 === undefined || b1 === undefined || b2 === undefined) {
    return evidence('period', 0.5, 'A period without a beginning or an end may be the same.');
  }
  const both = { from: a1 > b1 ? a1 : b1, to: a2 < b2 ? a2 : b2 };
  const shorter = Math.min(daysOf({ from: a1, to: a2 }), daysOf({ from: b1, to: b2 }));
  return evidence('period', daysOf(both) / shorter, `Both are for ${both.from} to ${both.to}.`);
};

const kindEvidence = (a: Traits, b: Traits): Evidence => {
  const both = common(a.kinds, b.kinds);
  return evidence('kinds', share(both.length, a.kinds.length, b.kinds.length), `Both name ${both.join(', ')}.`);
};

const alike = (a: Quantity, b: Quantity): boolean => {
  if (!isRival(a) || !isRival(b) || !sameMeasure(a, b)) return false;
  const [x, y] = [minorUnits(a), minorUnits(b)];
  const [less, more] = x < y ? [x, y] : [y, x];
  return (more - less) * TOLERANCE <= more;
};

const lineEvidence = (a: NeedTraits, b: NeedTraits): Evidence => {
  const left = [...b.lines];
  const found = a.lines.filter(({ kind, quantity }) => {
    const at = left.findIndex((other) => other.kind === kind && alike(quantity, other.quantity));
    if (at < 0) return false;
    left.splice(at, 1);
    return true;
  });
  const value = share(found.length, a.lines.length, b.lines.length);
  const named = found.map(({ kind, quantity }) => `${kind}, ${formatQuantity(quantity)}`).join('; ');
  return evidence('lines', value, found.length === 0 ? 'No line asks alike.' : `Lines ask alike: ${named}.`);
};

const inWords = (both: number, all: number): string => `${both} of ${all} words`;

/**
 * What makes two open needs look like one; undefined where they do not. They have to share a State, a kind of assistance and, where
 * both state a period, a day of it; and their titles, their texts, or their lines and much of their texts have to be alike.
 */
const likeNeeds = (a: NeedTraits, b: NeedTraits): readonly Evidence[] | undefined => {
  const [titles, texts] = [countCommon(a.title, b.title), countCommon(a.words, b.words)];
  const title = share(titles, a.title.length, b.title.length);
  const text = share(texts, a.words.length, b.words.length);
  if (title < LIKE_TITLE && text < LIKE_TEXT_WITH_LINES) return undefined;
  const period = periodEvidence(a.period, b.period);
  if (period === undefined) return undefined;
  const lines = lineEvidence(a, b);
  const likeLines = Number(lines.value) >= LIKE_LINES && text >= LIKE_TEXT_WITH_LINES;
  if (title < LIKE_TITLE && text < LIKE_TEXT && !likeLines) return undefined;
  return [
    evidence(
      'title',
      title,
      `The titles share ${inWords(titles, a.title.length + b.title.length - titles)}, whatever their case and accents.`,
    ),
    evidence('text', text, `Titles and descriptions share ${inWords(texts, a.words.length + b.words.length - texts)}.`),
    kindEvidence(a, b),
    period,
    lines,
  ];
};

/** What makes two promises overlap: different donors mean the same State and kind at the same time. */
const overlapping = (a: PromiseTraits, b: PromiseTraits): readonly Evidence[] | undefined => {
  if (common(a.donors, b.donors).length > 0 || (a.need !== undefined && a.need === b.need)) return undefined;
  const period = periodEvidence(a.period, b.period);
  if (period === undefined) return undefined;
  const states = common(a.states, b.states);
  return [
    evidence('states', share(states.length, a.states.length, b.states.length), `Both are for ${states.join(', ')}.`),
    kindEvidence(a, b),
    period,
    evidence('donors', 1, `${a.donors.join(', ')} and ${b.donors.join(', ')} promise them apart.`),
  ];
};

/** What speaks for a pair; undefined where it is no candidate. Pure, and the same whichever of the two comes first. */
export const evidenceOf = (a: Traits, b: Traits): readonly Evidence[] | undefined => {
  if (!a.kinds.some((kind) => b.kinds.includes(kind))) return undefined;
  if (!a.states.some((state) => b.states.includes(state))) return undefined;
  if (a.about === 'needs' && b.about === 'needs') return likeNeeds(a, b);
  return a.about === 'promises' && b.about === 'promises' ? overlapping(a, b) : undefined;
};
