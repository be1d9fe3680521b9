import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Projection, ReadQueries, ReadTransaction, RecordedEvent, SqlRow, SqlValue } from '#kernel';
import { idOfStream } from '#kernel';
import type { Kind, ReportedKind } from '#vocabulary';
import { firstInstant, lastInstant, stateOf, stateOfParty } from '#vocabulary';
import type { PartyRef, ReportedContent, ReportedDates, ReportedEvent } from './reported.contract.js';
import { namedRefs, reportedDecider } from './reported.js';
import type { RecordedState, ReportedState } from './reported.js';
import { isMember, namedParties, refKey } from './reported.view.js';

export const REPORTED_BOARD = 'reported-board';

/** What a list may be narrowed by; every part that is given must hold. */
export interface ReportedFilter {
  readonly kind?: ReportedKind;
  readonly assistance?: Kind;
  /** Alpha-3 code of a beneficiary. */
  readonly state?: string;
  /** M49 code that contains a beneficiary. */
  readonly region?: string;
  /** Party id or State code. */
  readonly donor?: string;
  readonly implementer?: string;
  readonly instrument?: string;
  readonly partOf?: string;
  readonly claimed?: boolean;
  readonly disowned?: boolean;
  readonly q?: string;
  /** Days: records whose claimed dates may lie within. Undated records do not. */
  readonly from?: string;
  readonly to?: string;
}

export const REPORTED_SORTS = ['newest', 'oldest'] as const;
export type ReportedSort = (typeof REPORTED_SORTS)[number];

export interface BoardRow {
  readonly id: string;
  readonly seq: number;
  readonly revision: number;
  readonly state: RecordedState;
}

const SCHEMA = `
  CREATE TABLE reported (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    visibility TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    claimed INTEGER NOT NULL,
    disowned INTEGER NOT NULL,
    first TEXT,
    last TEXT,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL
  );
  CREATE TABLE reported_facet (
    facet TEXT NOT NULL,
    value TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (facet, value, seq)
  ) WITHOUT ROWID;
  CREATE VIRTUAL TABLE reported_text USING fts5(words, tokenize = "unicode61 remove_diacritics 2");
`;

/** The span that claimed dates may mean: open to the end where a start alone is known. */
const spanOf = ({
  agreed,
  from,
  to,
}: ReportedDates): { readonly first: string | null; readonly last: string | null } => {
  const given = [agreed, from, to].filter((date) => date !== undefined);
  if (given.length === 0) return { first: null, last: null };
  const first = given.map(firstInstant).sort()[0] ?? null;
  const last =
    from !== undefined && to === undefined ? '9999-12-31T23:59:59.999Z' : given.map(lastInstant).sort().at(-1);
  return { first, last: last ?? null };
};

/** Words of `what` that a search may find: those of its description and lines. Never the annex, whose label is narrower. */
const wordsOf = (content: ReportedContent): string => {
  const { what } = content;
  const texts = [what.title, what.problem, what.outcome, what.description].filter((text) => typeof text === 'string');
  const names = namedRefs(content).map((ref: PartyRef) => (typeof ref === 'string' ? nameOfRef(ref) : ref.name));
  return [
    content.title,
    content.description,
    content.statusWords,
    content.source.reference,
    ...names,
    ...texts,
    ...(what.lines ?? []).map(({ description }) => description),
  ]
    .filter((text) => text !== undefined)
    .join('\n');
};

const nameOfRef = (ref: string): string => {
  const code = ref.includes(':') ? stateOfParty(ref) : ref;
  const name = code === undefined ? undefined : stateOf(code)?.name;
  return name === undefined ? ref : `${ref} ${name}`;
};

const facetsOf = (content: ReportedContent): readonly (readonly [facet: string, value: string])[] => {
  const { what } = content;
  const implementers = [...(what.implementers ?? []), ...(what.implementer === undefined ? [] : [what.implementer])];
  const states = content.beneficiaries
    .map(refKey)
    .map(stateOfParty)
    .filter((code) => code !== undefined);
  const pairs: (readonly [string, string])[] = [
    ...content.donors.map((ref) => ['donor', refKey(ref)] as const),
    ...content.beneficiaries.map((ref) => ['beneficiary', refKey(ref)] as const),
    ...implementers.map((ref) => ['implementer', refKey(ref)] as const),
    ...[...namedParties(content)].map((party) => ['named', party] as const),
    ...states.flatMap((code) => (stateOf(code)?.regions ?? []).map((region) => ['region', region] as const)),
    ...content.kinds.map((kind) => ['assistance', kind] as const),
    ...content.instruments.map((instrument) => ['instrument', instrument] as const),
    ...(content.partOf === undefined ? [] : [['part-of', content.partOf] as const]),
  ];
  return [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()];
};

const stateIn = (row: SqlRow): RecordedState => JSON.parse(row.state as string) as RecordedState;

interface Touched {
  state: ReportedState;
  revision: number;
  readonly seq: bigint | number;
  readonly isNew: boolean;
}

const write = (tx: ReadTransaction, id: string, { state, revision, seq, isNew }: Touched): void => {
  if (!state.exists) return;
  const { content, stances } = state;
  const claimed = stances.some(({ as }) => as === 'claimed') ? 1 : 0;
  const disowned = stances.some(({ as }) => as === 'disowned') ? 1 : 0;
  if (!isNew) {
    tx.run(
      'UPDATE reported SET claimed = ?, disowned = ?, revision = ?, state = ? WHERE seq = ?',
      claimed,
      disowned,
      revision,
      JSON.stringify(state),
      seq,
    );
    return;
  }
  const { first, last } = spanOf(content.dates);
  tx.run(
    `INSERT INTO reported (seq, id, kind, visibility, recorded_by, claimed, disowned, first, last, revision, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    seq,
    id,
    content.kind,
    content.visibility,
    state.recordedBy,
    claimed,
    disowned,
    first,
    last,
    revision,
    JSON.stringify(state),
  );
  for (const [facet, value] of facetsOf(content)) {
    tx.run('INSERT INTO reported_facet (facet, value, seq) VALUES (?, ?, ?)', facet, value, seq);
  }
  tx.run('INSERT INTO reported_text (rowid, words) VALUES (?, ?)', seq, wordsOf(content));
};

/** Which reported records there are, for whom, and what they say. */
export const reportedBoard: Projection = {
  name: REPORTED_BOARD,
  version: 1,
  handles: ['ReportedRecorded', 'ReportedClaimed', 'ReportedDisowned'],
  schema: SCHEMA,
  begin: (tx) => {
    const touched = new Map<string, Touched>();
    return {
      apply: (event) => {
        const id = idOfStream(event.stream);
        let entry = touched.get(id);
        if (entry === undefined) {
          const row = tx.get('SELECT seq, revision, state FROM reported WHERE id = ?', id);
          entry =
            row === undefined
              ? { state: reportedDecider.initial, revision: -1, seq: event.position, isNew: true }
              : { state: stateIn(row), revision: row.revision as number, seq: row.seq as number, isNew: false };
          touched.set(id, entry);
        }
        entry.state = reportedDecider.evolve(entry.state, event as RecordedEvent<ReportedEvent>);
        entry.revision = event.revision;
      },
      flush: () => {
        for (const [id, entry] of touched) write(tx, id, entry);
      },
    };
  },
};

interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const any = (conditions: readonly Condition[]): Condition => ({
  sql: conditions.length === 0 ? '0' : `(${conditions.map(({ sql }) => sql).join(' OR ')})`,
  parameters: conditions.flatMap(({ parameters }) => parameters),
});

const both = (...conditions: readonly Condition[]): Condition => ({
  sql: `(${conditions.map(({ sql }) => sql).join(' AND ')})`,
  parameters: conditions.flatMap(({ parameters }) => parameters),
});

const condition = (sql: string, ...parameters: readonly SqlValue[]): Condition => ({ sql, parameters });

const hasFacet = (facet: string, ...values: readonly string[]): Condition =>
  condition(
    'EXISTS (SELECT 1 FROM reported_facet f WHERE f.facet = ? AND f.value IN (SELECT value FROM json_each(?)) AND f.seq = r.seq)',
    facet,
    JSON.stringify(values),
  );

/** The rows this caller may see: the SQL twin of `seesReported`. */
const visibleTo = (caller: Caller): Condition => {
  const seen: Condition[] = [condition(`r.visibility = 'public'`)];
  if (isMember(caller)) {
    seen.push(condition(`r.visibility = 'members'`), condition('r.recorded_by = ?', caller.party));
    const named = hasRole(caller, 'coordinator')
      ? [condition('1')]
      : [
          hasFacet('named', caller.party),
          ...(caller.party.startsWith('donor:') && caller.sovereign !== undefined
            ? [hasFacet('donor', `state:${caller.sovereign}`)]
            : []),
        ];
    seen.push(both(condition(`r.visibility <> 'sealed'`), any(named)));
  }
  for (const mandate of caller.mandates) {
    const parties = [...mandate.parties];
    seen.push(
      both(
        mandate.sealed
          ? condition(`(r.visibility <> 'sealed' OR r.recorded_by = ?)`, mandate.appointedBy)
          : condition(`r.visibility <> 'sealed'`),
        mandate.everything
          ? condition('1')
          : any([
              hasFacet('named', ...parties),
              condition('r.recorded_by IN (SELECT value FROM json_each(?))', JSON.stringify(parties)),
              condition('r.id IN (SELECT value FROM json_each(?))', JSON.stringify([...mandate.records])),
            ]),
      ),
    );
  }
  return any(seen);
};

/** Whole words, case- and accent-blind, all of them; undefined where the text holds no word. */
const searchOf = (q: string): string | undefined => {
  const words = q.normalize('NFC').match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu);
  return words === null ? undefined : words.map((word) => `"${word}"`).join(' AND ');
};

const filteredBy = (filter: ReportedFilter): readonly Condition[] => {
  const party = (value: string): string => refKey(value);
  const { q } = filter;
  const search = q === undefined ? undefined : searchOf(q);
  return [
    ...(filter.kind === undefined ? [] : [condition('r.kind = ?', filter.kind)]),
    ...(filter.assistance === undefined ? [] : [hasFacet('assistance', filter.assistance)]),
    ...(filter.state === undefined ? [] : [hasFacet('beneficiary', party(filter.state))]),
    ...(filter.region === undefined ? [] : [hasFacet('region', filter.region)]),
    ...(filter.donor === undefined ? [] : [hasFacet('donor', party(filter.donor))]),
    ...(filter.implementer === undefined ? [] : [hasFacet('implementer', party(filter.implementer))]),
    ...(filter.instrument === undefined ? [] : [hasFacet('instrument', filter.instrument)]),
    ...(filter.partOf === undefined ? [] : [hasFacet('part-of', filter.partOf)]),
    ...(filter.claimed === undefined ? [] : [condition('r.claimed = ?', filter.claimed ? 1 : 0)]),
    ...(filter.disowned === undefined ? [] : [condition('r.disowned = ?', filter.disowned ? 1 : 0)]),
    ...(filter.from === undefined ? [] : [condition('r.last >= ?', firstInstant(filter.from))]),
    ...(filter.to === undefined ? [] : [condition('r.first <= ?', lastInstant(filter.to))]),
    ...(q === undefined
      ? []
      : search === undefined
        ? [condition('0')]
        : [condition('r.seq IN (SELECT rowid FROM reported_text WHERE reported_text MATCH ?)', search)]),
  ];
};

/** A page of the board: newest or oldest first, after `seq` where a page went before. */
export const boardPage = (
  model: ReadQueries,
  caller: Caller,
  {
    filter,
    sort,
    limit,
    after,
  }: { readonly filter: ReportedFilter; readonly sort: ReportedSort; readonly limit: number; readonly after?: number },
): readonly BoardRow[] => {
  const newest = sort === 'newest';
  const where = both(
    visibleTo(caller),
    ...filteredBy(filter),
    ...(after === undefined ? [] : [condition(newest ? 'r.seq < ?' : 'r.seq > ?', after)]),
  );
  return model
    .all(
      `SELECT r.id, r.seq, r.revision, r.state FROM reported r WHERE ${where.sql} ORDER BY r.seq ${newest ? 'DESC' : 'ASC'} LIMIT ?`,
      ...where.parameters,
      limit,
    )
    .map((row) => ({
      id: row.id as string,
      seq: Number(row.seq),
      revision: Number(row.revision),
      state: stateIn(row),
    }));
};
