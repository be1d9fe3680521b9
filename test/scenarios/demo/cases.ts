import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { isState } from '#vocabulary';
import {
  BENEFICIARIES_IN_WORDS,
  CONDITIONS,
  CONTRADICTIONS,
  EARMARKS,
  INSTRUMENTS_OF,
  KINDS_OF_ASSISTANCE,
  KINDS_OF_COMMITMENT,
  PART_OF,
  QUALIFIERS,
  RECORD_KIND_OF_OFFER,
  SECOND_FIGURE,
  STATES_BY_NAME,
  UNITS_OF,
} from './cases.data.js';

export const CASE_FILES = ['needs.csv', 'offers.csv', 'commitments.csv'] as const;
export type CaseFile = (typeof CASE_FILES)[number];

type Row = Readonly<Record<string, string>>;

/** One row of the case files as the body of a reported record. */
export interface Case {
  readonly file: CaseFile;
  /** The row's reference, and its item where a request has several: `N-1540-ARM-2015/3`. */
  readonly key: string;
  readonly ref: string;
  /** Body of `POST /v1/reported`, without `partOf`. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Reference of the row that this one is part of. */
  readonly partOf?: string;
  /** What of the row has no structured place of its own; the words stay in the description. */
  readonly gaps: readonly string[];
}

/** A word in a column that no table maps: the tables are completed by hand, never guessed. */
class UnknownWordError extends Error {
  override readonly name = 'UnknownWordError';
}

const mapped = <T>(table: Readonly<Record<string, T>>, word: string, column: string): T => {
  if (!Object.hasOwn(table, word)) throw new UnknownWordError(`${column}: no mapping for "${word}"`);
  return table[word] as T;
};

const column = (row: Row, name: string): string => {
  const value = row[name];
  if (value === undefined) throw new UnknownWordError(`the file has no column ${name}`);
  return value;
};

const parts = (words: string): readonly string[] =>
  words
    .split('+')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Donors and implementers: a State's code where the words are exactly its name, else the words. */
const named = (words: string): readonly (string | { readonly name: string })[] =>
  parts(words).map((name) => STATES_BY_NAME[name] ?? { name });

/** Beneficiaries: codes where every part is one, else the words as they stand. */
const beneficiaries = (words: string): readonly (string | { readonly name: string })[] => {
  const codes = parts(words);
  return codes.every(isState) ? codes : [{ name: words }];
};

const present = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));

/** Pages are published; what is named without an address is a paper that somebody copied. */
const sourceOf = (source: string, reference: string): object =>
  /^https?:\/\//.test(source)
    ? { kind: 'published', url: source, reference }
    : { kind: 'transcribed', reference: `${source}; ${reference}` };

const said = (...lines: readonly (readonly [label: string, words: string])[]): string =>
  lines
    .filter(([, words]) => words !== '')
    .map(([label, words]) => (label === '' ? words : `${label}: ${words}`))
    .join('\n');

const money = (currency: string, amount: string, qualifier: string | undefined): object =>
  present({ measure: 'money', currency, amount, qualifier });

const needCase = (row: Row): Case => {
  const ref = column(row, 'need_ref');
  const item = column(row, 'item_no');
  const key = `${ref}/${item}`;
  const kinds = mapped(KINDS_OF_ASSISTANCE, column(row, 'assistance_type'), 'assistance_type');
  const instruments = mapped(INSTRUMENTS_OF, column(row, 'instrument'), 'instrument');
  const [quantity, unit] = [column(row, 'quantity'), column(row, 'unit')];
  const [kind, ...otherKinds] = kinds;
  const line = present({
    kind: otherKinds.length === 0 ? kind : undefined,
    description: column(row, 'item_in_own_words'),
    quantity:
      quantity === ''
        ? { measure: 'undetermined', why: 'not-stated' }
        : { measure: 'items', unit: mapped(UNITS_OF, unit, 'unit'), amount: quantity },
  });
  const given = column(row, 'beneficiary_iso3');
  return {
    file: 'needs.csv',
    key,
    ref,
    body: present({
      kind: 'need',
      title: column(row, 'item_in_own_words'),
      beneficiaries: [...beneficiaries(given), ...(BENEFICIARIES_IN_WORDS[ref] ?? []).map((name) => ({ name }))].filter(
        (each) => typeof each === 'string' || each.name !== '',
      ),
      kinds,
      instruments,
      what: { lines: [line], ...present({ requestingAuthority: column(row, 'requester_as_published') }) },
      // A request is asked from that day on; nobody agreed to anything then.
      dates: present({ from: column(row, 'request_date') }),
      statusWords: column(row, 'status_as_described'),
      description: said(
        ['', column(row, 'item_in_own_words')],
        ['Instrument as published', instruments.length === 0 ? column(row, 'instrument') : ''],
        ['Unit as published', unit],
        ['Note', column(row, 'note')],
      ),
      source: sourceOf(column(row, 'source'), `${ref}, item ${item}`),
      claims: CONTRADICTIONS[key],
    }),
    gaps: [
      ...(given === '' ? ['no beneficiary: the requesting State cannot be recovered from the stored text'] : []),
      ...(kinds.length === 0 ? ['no kind of assistance: the source does not say'] : []),
      ...(instruments.length === 0 ? [`"${column(row, 'instrument')}" is not an instrument of the code list`] : []),
    ],
  };
};

const offerCase = (row: Row): Case => {
  const ref = column(row, 'offer_ref');
  const [kind, amount, earmarking] = [column(row, 'kind'), column(row, 'amount'), column(row, 'earmarking')];
  const earmark = earmarking === '' ? undefined : mapped(EARMARKS, earmarking, 'earmarking');
  const second = SECOND_FIGURE[ref];
  const channel = column(row, 'fund_or_channel');
  const reported = mapped(RECORD_KIND_OF_OFFER, kind, 'kind');
  return {
    file: 'offers.csv',
    key: ref,
    ref,
    ...partOf(ref),
    body: present({
      kind: reported,
      title: `${channel}: ${kind}`,
      donors: named(column(row, 'donors')),
      beneficiaries: earmark?.beneficiaries,
      what: present({
        earmark,
        conditions: CONDITIONS[ref],
        fund: reported === 'contribution' ? { name: channel } : undefined,
      }),
      amounts:
        amount === ''
          ? 'not-published'
          : [
              money(column(row, 'currency'), amount, QUALIFIERS[ref]?.qualifier),
              ...(second === undefined ? [] : [money(second.currency, second.amount, second.qualifier)]),
            ],
      dates: present({ agreed: column(row, 'date') }),
      statusWords: kind,
      description: said(
        ['', column(row, 'what_it_is_in_own_words')],
        ['Donors as published', column(row, 'donors').replaceAll('+', ', ')],
        ['Earmarking as published', earmarking],
        ['Note', column(row, 'note')],
      ),
      source: sourceOf(column(row, 'source'), ref),
    }),
    gaps:
      earmarking !== '' && earmark === undefined
        ? [`earmarking "${earmarking}" has no code: kept in the description`]
        : [],
  };
};

const commitmentCase = (row: Row): Case => {
  const ref = column(row, 'commitment_ref');
  const [given, amount] = [column(row, 'beneficiary_iso3'), column(row, 'amount')];
  const to = given === '' ? [] : beneficiaries(given);
  const implementers = named(column(row, 'implementer'));
  return {
    file: 'commitments.csv',
    key: ref,
    ref,
    ...partOf(ref),
    body: present({
      kind: 'commitment',
      title: column(row, 'what_in_own_words'),
      donors: named(column(row, 'donors')),
      beneficiaries: to,
      kinds: KINDS_OF_COMMITMENT[column(row, 'kind')] ?? [],
      what: implementers.length === 0 ? {} : { implementers },
      amounts: amount === '' ? 'not-published' : [money(column(row, 'currency'), amount, QUALIFIERS[ref]?.qualifier)],
      dates: present({ agreed: column(row, 'agreed_date'), from: column(row, 'start'), to: column(row, 'end') }),
      statusWords: column(row, 'status_as_described'),
      description: said(
        ['', column(row, 'what_in_own_words')],
        ['Kind as published', column(row, 'kind')],
        ['Note', column(row, 'note')],
      ),
      source: sourceOf(column(row, 'source'), ref),
      claims: CONTRADICTIONS[ref],
    }),
    gaps: [
      ...(given === '' ? ['no beneficiary: the project is region-wide'] : []),
      ...(to.some((each) => typeof each !== 'string') ? [`beneficiaries only in words: "${given}"`] : []),
    ],
  };
};

const partOf = (ref: string): { readonly partOf?: string } => {
  const parent = PART_OF[ref]?.parent;
  return parent === undefined ? {} : { partOf: parent };
};

const CASE_OF: Readonly<Record<CaseFile, (row: Row) => Case>> = {
  'needs.csv': needCase,
  'offers.csv': offerCase,
  'commitments.csv': commitmentCase,
};

/** Every row of the case files, in the files' order. */
export const readCases = (folder: string): readonly Case[] =>
  CASE_FILES.flatMap((file) =>
    parse<Row>(readFileSync(join(folder, file)), { columns: true, bom: true }).map((row) => CASE_OF[file](row)),
  );

/** Parents before their parts: `partOf` names a record that exists. */
export const parentsFirst = (cases: readonly Case[]): readonly Case[] => {
  const parents = new Set(cases.map(({ partOf: parent }) => parent));
  return [...cases.filter(({ ref }) => parents.has(ref)), ...cases.filter(({ ref }) => !parents.has(ref))];
};
