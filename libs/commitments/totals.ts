import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { ReadQueries, RecordedEvent, SqlRow, SqlValue } from '#kernel';
import { EventStore, ProjectionRunner, streamOf, Turns, Upcasting } from '#kernel';
import type { NeedSight } from '#needs/contract';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { addDays } from '#vocabulary';
import type { Moment } from '#web';
import { countsAt, RecordSight } from '#web';
import { Injectable } from '@nestjs/common';
import type { BoardFacet, BoardFilter } from './commitment-board.projection.js';
import { COMMITMENT_BOARD, filtering, reachable } from './commitment-board.projection.js';
import type { Labels } from './commitment.view.js';
import { seesCommitment } from './commitment.view.js';
import type { CommitmentEvent } from './commitment.contract.js';
import { TotalsReader } from './commitment.contract.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import type { Figure } from './totals-figures.js';
import { FIGURES, quantityIn } from './totals-figures.js';
import { commitmentFigures, contributionFigures, FIGURES_GIVEN, figuresJson } from './totals-rows.js';

export interface TotalsFilter {
  readonly donor?: string;
  readonly state?: string;
  readonly region?: string;
  readonly network?: string;
  readonly kind?: string;
  readonly instrument?: string;
  /** Effective on these UTC days, inclusive. */
  readonly from?: string;
  readonly to?: string;
  /** Only this currency, with what is recorded to be worth something in it. */
  readonly currency?: string;
  /** Now unless told. */
  readonly moment?: Moment;
}

export type ExclusionCode = 'onward' | 'own-booking' | 'to-funds' | 'parent-of-counted' | 'unvalued' | 'kind-not-known';

/** An amount that a reader may miss in a figure, and why it is not in it. */
export interface Exclusion {
  readonly commitment?: string;
  readonly contribution?: string;
  readonly transfer?: number;
  readonly figure: Figure;
  readonly quantity: Quantity;
  readonly reason: ExclusionCode;
  readonly because: string;
}

export interface TotalsAnswer extends Readonly<Record<Figure, readonly Quantity[]>> {
  readonly excluded: readonly Exclusion[];
  /** How many there are; `excluded` lists the first. */
  readonly excludedCount: number;
}

export interface FigureEvent {
  readonly figure: Figure;
  readonly quantity: Quantity;
  /** With `currency`: the amount that the quantity is recorded to be worth. */
  readonly of?: Quantity;
  readonly commitment: string;
  readonly transfer?: number;
  readonly eventId: string;
  readonly position: string;
  readonly type: string;
  readonly effectiveOn: string;
  readonly recordedAt: string;
}

/** Where a page of events goes on: the last row shown. */
export interface EventPlace {
  readonly position: string;
  readonly nth: number;
}

const BECAUSE: Readonly<Record<ExclusionCode, string>> = {
  onward: 'Money that a holder passes on, or gives back, was counted when its provider paid it.',
  'own-booking': 'A holder booked it with itself: no provider paid it.',
  'to-funds': 'A contribution to a fund is shown and not added: what the fund commits and pays is counted.',
  'parent-of-counted':
    'Commitments that are part of this one are counted: the same amount of it is not added to theirs.',
  unvalued: 'No recorded rate or valuation says what it is worth in the currency asked for.',
  'kind-not-known': 'The transfer names no leg, and the legs are of several kinds.',
};

/** Before it nothing is dated. */
const FIRST_DAY = '0001-01-01';
const MOST_EXCLUDED = 1000;
// SUM fails beyond 64 bits: two parts of a minor-unit figure never come near.
const PART = 1_000_000n;
const sumOf = (column: string, as: string): string =>
  `SUM(${column} / ${PART}) AS ${as}_hi, SUM(${column} % ${PART}) AS ${as}_lo`;
const sumIn = (row: SqlRow, as: string): bigint =>
  BigInt(row[`${as}_hi`] as number | bigint) * PART + BigInt(row[`${as}_lo`] as number | bigint);

const FACETS: readonly BoardFacet[] = ['state', 'donor', 'region', 'network', 'kind', 'instrument'];

interface Sql {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const and = (...terms: readonly Sql[]): Sql => ({
  sql: terms.map(({ sql }) => `(${sql})`).join(' AND '),
  parameters: terms.flatMap(({ parameters }) => parameters),
});

const text = (sql: string, ...parameters: readonly SqlValue[]): Sql => ({ sql, parameters });

const among = (records: readonly string[]): Sql =>
  text('f.record IN (SELECT value FROM json_each(?))', JSON.stringify(records));

const within = ({ from, to, moment, donor }: TotalsFilter): Sql => {
  // By the effective clock the rows are of what counts already.
  const place = moment?.clock === 'recorded' ? moment.place : undefined;
  return and(
    text('1'),
    ...(from === undefined ? [] : [text('f.effective_on >= ?', from)]),
    ...(to === undefined ? [] : [text('f.effective_on <= ?', to)]),
    ...(place === undefined
      ? []
      : ['position' in place ? text('f.position <= ?', place.position) : text('f.recorded_at <= ?', place.time)]),
    // The split of a joint offer stays undivided, but everybody's payments are its own.
    ...(donor === undefined ? [] : [text("f.provider = '' OR f.uncounted <> '' OR f.provider = ?", donor)]),
  );
};

const OTHER_KINDS = `EXISTS (SELECT 1 FROM figure g JOIN line_kind k ON k.commitment = g.record AND k.need_line = g.need_line
  WHERE g.record = f.record AND g.figure = 'committed' AND k.kind <> ?)`;

/** Of the kind asked for: by its line, or because the commitment has no other. */
const ofKind = (kind: string | undefined): Sql =>
  kind === undefined
    ? text('1')
    : text(
        `CASE f.need_line WHEN 0 THEN NOT ${OTHER_KINDS} ELSE EXISTS (SELECT 1 FROM line_kind k
           WHERE k.commitment = f.record AND k.need_line = f.need_line AND k.kind = ?) END`,
        kind,
        kind,
      );

/** The rows that add up: amounts as they are, or those in one currency and what is worth something in it. */
const inCurrency = (currency: string | undefined): Sql =>
  currency === undefined ? text("f.of_measure = ''") : text('f.measure = ?', `money:${currency}`);

/** Statements over `figure`, whatever stands in its place. */
type Figures = Pick<ReadQueries, 'all'>;

/** Events of a stream that are read at a time. */
const READ = 500;

type Sums = ReadonlyMap<string, bigint>;

/** Commitments, each with what it is part of. */
type Family = ReadonlyMap<string, string | undefined>;

/** What a parent and its children both show of a figure, in signed minor units. */
interface Shared {
  readonly commitment: string;
  readonly figure: Figure;
  readonly measure: string;
  readonly minor: bigint;
}

const sumKey = (figure: string, measure: string): string => `${figure} ${measure}`;

/** Totals over a boundary (API.md): what a caller may see, counted once, each figure with the events behind it. */
@Injectable()
export class Totals {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly sight: RecordSight,
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
  ) {}

  /** The four figures, and what is not in them. */
  async of(caller: Caller, filter: TotalsFilter): Promise<TotalsAnswer> {
    const seen = await this.seen(caller, filter);
    const ids = [...seen.keys()];
    const figures = await this.figures(ids, filter);
    const counted = new Map(this.sums(figures, ids, filter));
    const parents = this.parentsWithin(figures, seen, filter);
    for (const { figure, measure, minor } of parents) {
      const key = sumKey(figure, measure);
      counted.set(key, (counted.get(key) ?? 0n) - minor);
    }
    const excluded: readonly Exclusion[] = [
      ...parents.map(({ commitment, figure, measure, minor }) =>
        exclusion('parent-of-counted', figure, quantityIn(measure, minor), { commitment }),
      ),
      ...this.uncounted(figures, ids, filter),
      ...this.withoutKind(figures, ids, filter),
      ...this.unvalued(figures, ids, filter),
      ...(await this.contributions(figures, caller, filter)),
    ];
    const totals = Object.fromEntries(
      FIGURES.map((figure) => [
        figure,
        [...counted]
          .filter(([key, minor]) => key.startsWith(`${figure} `) && minor !== 0n)
          .map(([key, minor]) => quantityIn(key.slice(figure.length + 1), minor)),
      ]),
    ) as Record<Figure, Quantity[]>;
    return { ...totals, excluded: excluded.slice(0, MOST_EXCLUDED), excludedCount: excluded.length };
  }

  /** The events that the figures are summed from, newest first: up to `limit` after `place`. */
  async events(
    caller: Caller,
    filter: TotalsFilter,
    figure: Figure | undefined,
    limit: number,
    place?: EventPlace,
  ): Promise<{ readonly items: readonly FigureEvent[]; readonly last: EventPlace | undefined }> {
    const ids = [...(await this.seen(caller, filter)).keys()];
    const where = and(
      this.counting(ids, filter),
      ...(figure === undefined ? [] : [text('f.figure = ?', figure)]),
      ...(place === undefined ? [] : [text('(f.position, f.nth) < (?, ?)', BigInt(place.position), place.nth)]),
    );
    const figures = await this.figures(ids, filter);
    const rows = figures.all(
      `SELECT * FROM figure f WHERE ${where.sql} ORDER BY f.position DESC, f.nth DESC LIMIT ?`,
      ...where.parameters,
      limit + 1,
    );
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return {
      items: items.map(eventOf),
      last:
        rows.length > limit && last !== undefined
          ? { position: String(last.position), nth: Number(last.nth) }
          : undefined,
    };
  }

  /**
   * Where the figures are read from: the board's rows, which are of the order of recording; by the effective clock, the rows that the
   * events come to which had happened by then, each commitment folded again without the others.
   */
  private async figures(ids: readonly string[], { moment }: TotalsFilter): Promise<Figures> {
    const { reads } = this;
    if (moment === undefined || moment.clock === 'recorded' || moment.place === undefined) {
      return { all: (sql, ...parameters) => reads.all(sql, ...parameters) };
    }
    const rows: SqlValue[][] = [];
    const turns = new Turns();
    for (const id of ids) {
      await turns.pass();
      const events = await this.eventsAt(streamOf(commitmentDecider.category, id), moment);
      rows.push(...commitmentFigures(id, events as readonly RecordedEvent<CommitmentEvent>[]));
    }
    const contributions = reads.all("SELECT DISTINCT record FROM figure WHERE uncounted = 'to-funds'");
    for (const { record } of contributions) {
      rows.push(
        ...contributionFigures(String(record), await this.eventsAt(streamOf('contribution', String(record)), moment)),
      );
    }
    const given = figuresJson(rows);
    return { all: (sql, ...parameters) => reads.all(`${FIGURES_GIVEN} ${sql}`, given, ...parameters) };
  }

  private async eventsAt(stream: string, moment: Moment): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for (let from = 0; ; from += READ) {
      const page = await this.store.readStream(stream, from, READ);
      events.push(...page.filter((event) => countsAt(event, moment)).map((event) => this.upcasting.lift(event)));
      if (page.length < READ) return events;
    }
  }

  private get reads(): ReadQueries {
    return this.runner.model(COMMITMENT_BOARD);
  }

  /** The bound commitments that pass the filter and that the caller sees, with what each is part of. */
  private async seen(caller: Caller, filter: TotalsFilter): Promise<Family> {
    const may = reachable(caller);
    const fits = filtering(boardFilter(filter));
    const rows = this.reads.all(
      `SELECT c.id, c.need, c.offer, json_extract(c.doc, '$.partOf') AS part_of FROM commitment c
        WHERE c.bound = 1 AND ${may.sql} AND ${fits.sql} ORDER BY c.seq`,
      ...may.parameters,
      ...fits.parameters,
    );
    const labels = remembering(this.needs, this.offers);
    const seen = new Map<string, string | undefined>();
    const turns = new Turns();
    for (const row of rows) {
      await turns.pass();
      const id = row.id as string;
      if (await this.sees(labels, caller, id, row)) seen.set(id, (row.part_of as string | null) ?? undefined);
    }
    return seen;
  }

  /** As `GET` judges: whoever sees need body and offer sees what is bound; the fold is read only where that does not decide. */
  private async sees(labels: Labels, caller: Caller, id: string, row: SqlRow): Promise<boolean> {
    if (hasRole(caller, 'coordinator')) return true;
    const sight = await labels.needs.sight(row.need as string, caller);
    if (sight.body && (await labels.offers.sees(row.offer as string, caller))) return true;
    const stored = this.reads.get('SELECT doc FROM commitment WHERE id = ?', id);
    return (
      stored !== undefined &&
      (await seesCommitment(labels, caller, id, JSON.parse(stored.doc as string) as CommitmentState))
    );
  }

  private counting(ids: readonly string[], filter: TotalsFilter): Sql {
    return and(among(ids), text("f.uncounted = ''"), inCurrency(filter.currency), within(filter), ofKind(filter.kind));
  }

  private sums(figures: Figures, ids: readonly string[], filter: TotalsFilter): Sums {
    const { sql, parameters } = this.counting(ids, filter);
    const rows = figures.all(
      `SELECT f.figure, f.measure, ${sumOf('f.minor', 'minor')} FROM figure f WHERE ${sql}
        GROUP BY f.figure, f.measure ORDER BY f.figure, f.measure`,
      ...parameters,
    );
    return new Map(rows.map((row) => [sumKey(String(row.figure), String(row.measure)), sumIn(row, 'minor')]));
  }

  /**
   * The same within a span: what the days before it had shown already is not shown again, so that the spans of a year add up to it,
   * in whichever of them the parent and its children are dated.
   */
  private parentsWithin(figures: Figures, seen: Family, { from, ...filter }: TotalsFilter): readonly Shared[] {
    const until = this.parents(figures, seen, filter);
    if (from === undefined || from === FIRST_DAY) return until;
    const changes = new Map<string, Shared>();
    for (const [shares, sign] of [
      [until, 1n],
      [this.parents(figures, seen, { ...filter, to: addDays(from, -1) }), -1n],
    ] as const) {
      for (const share of shares) {
        const key = `${share.commitment} ${sumKey(share.figure, share.measure)}`;
        changes.set(key, { ...share, minor: (changes.get(key)?.minor ?? 0n) + sign * share.minor });
      }
    }
    return [...changes.values()].filter(({ minor }) => minor !== 0n);
  }

  /**
   * What of parents their counted children show already (DOMAIN: a parent's amount is never added to its children's). Of a parent only
   * what goes beyond them counts, so that the total is the greater of the two, whichever was recorded in part only.
   */
  private parents(figures: Figures, seen: Family, filter: TotalsFilter): readonly Shared[] {
    const children = new Map<string, string[]>();
    for (const [id, parent] of seen) {
      if (parent !== undefined && parent !== id && seen.has(parent)) {
        children.set(parent, [...(children.get(parent) ?? []), id]);
      }
    }
    const excluded: Shared[] = [];
    const done = new Map<string, Sums>();
    const countedOf = (id: string, above: ReadonlySet<string>): Sums => {
      const known = done.get(id);
      if (known !== undefined) return known;
      const own = new Map(this.sums(figures, [id], filter));
      const below = (children.get(id) ?? []).filter((child) => !above.has(child));
      const shown = new Map<string, bigint>();
      for (const child of below) {
        for (const [key, minor] of countedOf(child, new Set([...above, id]))) {
          shown.set(key, (shown.get(key) ?? 0n) + minor);
        }
      }
      for (const [key, minor] of shown) {
        const both = common(own.get(key) ?? 0n, minor);
        if (both !== 0n) {
          const at = key.indexOf(' ');
          excluded.push({
            commitment: id,
            figure: key.slice(0, at) as Figure,
            measure: key.slice(at + 1),
            minor: both,
          });
        }
        own.set(key, (own.get(key) ?? 0n) - both + minor);
      }
      done.set(id, own);
      return own;
    };
    for (const parent of children.keys()) countedOf(parent, new Set());
    return excluded;
  }

  private uncounted(figures: Figures, ids: readonly string[], filter: TotalsFilter): readonly Exclusion[] {
    const { sql, parameters } = and(
      among(ids),
      text("f.uncounted <> ''"),
      filter.currency === undefined ? text('1') : text('f.measure = ?', `money:${filter.currency}`),
      within(filter),
      ofKind(filter.kind),
    );
    return this.perTransfer(figures, `SELECT f.*, f.minor AS amount FROM figure f WHERE ${sql}`, parameters).map(
      (row) =>
        exclusion(
          row.uncounted as ExclusionCode,
          row.figure as Figure,
          quantityIn(String(row.measure), sumIn(row, 'amount')),
          {
            commitment: row.record as string,
            ...transferIn(row),
          },
        ),
    );
  }

  private withoutKind(figures: Figures, ids: readonly string[], filter: TotalsFilter): readonly Exclusion[] {
    if (filter.kind === undefined) return [];
    const { sql, parameters } = and(
      among(ids),
      text("f.uncounted = '' AND f.need_line = 0"),
      inCurrency(filter.currency),
      within(filter),
      text(OTHER_KINDS, filter.kind),
    );
    return this.perTransfer(figures, `SELECT f.*, f.minor AS amount FROM figure f WHERE ${sql}`, parameters).map(
      (row) =>
        exclusion('kind-not-known', row.figure as Figure, quantityIn(String(row.measure), sumIn(row, 'amount')), {
          commitment: row.record as string,
          ...transferIn(row),
        }),
    );
  }

  private unvalued(figures: Figures, ids: readonly string[], filter: TotalsFilter): readonly Exclusion[] {
    if (filter.currency === undefined) return [];
    const wanted = `money:${filter.currency}`;
    const rest = and(among(ids), text("f.uncounted = ''"), within(filter), ofKind(filter.kind));
    const columns = 'f.record, f.figure, f.transfer, f.uncounted';
    return this.perTransfer(
      figures,
      `SELECT ${columns}, f.measure AS measure, f.minor AS amount FROM figure f
         WHERE f.of_measure = '' AND f.measure LIKE 'money:%' AND f.measure <> ? AND ${rest.sql}
       UNION ALL
       SELECT ${columns}, f.of_measure AS measure, -f.of_minor AS amount FROM figure f
         WHERE f.of_measure LIKE 'money:%' AND f.measure = ? AND ${rest.sql}`,
      [wanted, ...rest.parameters, wanted, ...rest.parameters],
    ).map((row) =>
      exclusion('unvalued', row.figure as Figure, quantityIn(String(row.measure), sumIn(row, 'amount')), {
        commitment: row.record as string,
        ...transferIn(row),
      }),
    );
  }

  /** Contributions to funds that the caller sees; they are for no State in particular, so such a filter leaves them out. */
  private async contributions(figures: Figures, caller: Caller, filter: TotalsFilter): Promise<readonly Exclusion[]> {
    const { donor, currency, state, region, network, kind, instrument } = filter;
    if ([state, region, network, kind, instrument].some((part) => part !== undefined)) return [];
    const { sql, parameters } = and(
      text("f.uncounted = 'to-funds'"),
      ...(donor === undefined ? [] : [text('f.provider = ?', donor)]),
      ...(currency === undefined ? [] : [text('f.measure = ?', `money:${currency}`)]),
      within(filter),
    );
    const rows = this.perTransfer(figures, `SELECT f.*, f.minor AS amount FROM figure f WHERE ${sql}`, parameters);
    const seen = new Map<string, boolean>();
    const shown: Exclusion[] = [];
    for (const row of rows) {
      const contribution = row.record as string;
      const sees = seen.get(contribution) ?? (await this.sight.sees(caller, 'contribution', contribution));
      seen.set(contribution, sees);
      if (!sees) continue;
      shown.push(
        exclusion('to-funds', row.figure as Figure, quantityIn(String(row.measure), sumIn(row, 'amount')), {
          contribution,
        }),
      );
    }
    return shown;
  }

  /** Sums of `amount` per record, figure, transfer and measure that are not zero, in the order of the log. */
  private perTransfer(figures: Figures, rows: string, parameters: readonly SqlValue[]): readonly SqlRow[] {
    return figures
      .all(
        `SELECT record, figure, transfer, uncounted, measure, ${sumOf('amount', 'amount')} FROM (${rows})
          GROUP BY record, figure, transfer, uncounted, measure ORDER BY record, figure, transfer, measure`,
        ...parameters,
      )
      .filter((row) => sumIn(row, 'amount') !== 0n);
  }
}

/** Answers of totals to other contexts. */
@Injectable()
export class BoardTotalsReader extends TotalsReader {
  override readonly model = COMMITMENT_BOARD;

  constructor(private readonly totals: Totals) {
    super();
  }

  override async at(caller: Caller, moment: Moment): Promise<Readonly<Record<Figure, readonly Quantity[]>>> {
    const { committed, disbursed, delivered, confirmed } = await this.totals.of(caller, { moment });
    return { committed, disbursed, delivered, confirmed };
  }
}

const exclusion = (
  reason: ExclusionCode,
  figure: Figure,
  quantity: Quantity,
  of: { readonly commitment?: string; readonly contribution?: string; readonly transfer?: number },
): Exclusion => ({ ...of, figure, quantity, reason, because: BECAUSE[reason] });

const transferIn = ({ transfer }: SqlRow): { readonly transfer?: number } =>
  transfer === 0 ? {} : { transfer: Number(transfer) };

/** What two figures of one direction share. */
const common = (a: bigint, b: bigint): bigint => {
  if (a > 0n && b > 0n) return a < b ? a : b;
  if (a < 0n && b < 0n) return a > b ? a : b;
  return 0n;
};

const boardFilter = (filter: TotalsFilter): BoardFilter => ({
  facets: FACETS.flatMap((facet) => {
    const value = filter[facet];
    return value === undefined ? [] : [[facet, [value]] as const];
  }),
});

const eventOf = (row: SqlRow): FigureEvent => ({
  figure: row.figure as Figure,
  quantity: quantityIn(String(row.measure), BigInt(row.minor as number | bigint)),
  ...(row.of_measure === '' ? {} : { of: quantityIn(String(row.of_measure), BigInt(row.of_minor as number | bigint)) }),
  commitment: row.record as string,
  ...transferIn(row),
  eventId: row.event as string,
  position: String(row.position),
  type: row.type as string,
  effectiveOn: row.effective_on as string,
  recordedAt: row.recorded_at as string,
});

/** Readers that ask each need and offer once: many commitments share them. */
const remembering = (needs: NeedReader, offers: OfferReader): Labels => {
  const sights = new Map<string, Promise<NeedSight>>();
  const seen = new Map<string, Promise<boolean>>();
  const once = <T>(known: Map<string, Promise<T>>, id: string, ask: () => Promise<T>): Promise<T> => {
    const answer = known.get(id) ?? ask();
    known.set(id, answer);
    return answer;
  };
  return {
    needs: {
      facts: (id) => needs.facts(id),
      sight: (id, caller) => once(sights, id, () => needs.sight(id, caller)),
    },
    offers: {
      facts: (id) => offers.facts(id),
      sees: (id, caller) => once(seen, id, () => offers.sees(id, caller)),
    },
  };
};
