import type { Projection, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { Earmark, OfferEvent } from '#offers/contract';
import type { InstrumentCode, Kind, OpenPeriod, Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import {
  countedBeneficiaries,
  evolveNeed,
  evolveOffer,
  isLive,
  NEED_STANDING_TYPES,
  OFFER_STANDING_TYPES,
  providersOf,
} from '../match-index.projection.js';

export const LINE_HISTORY = 'line-history';

/** A need while it counts: what says in which cells its lines stand. */
export interface StandingNeed {
  /** Those that take part. */
  readonly beneficiaries: readonly string[];
  readonly instruments: readonly InstrumentCode[];
  readonly period?: OpenPeriod;
  readonly lines: readonly { readonly line: number; readonly kind: Kind; readonly quantity: Quantity }[];
}

/** An offer while it counts. */
export interface StandingOffer {
  readonly status: 'open' | 'suspended';
  readonly providers: readonly string[];
  readonly earmark: Earmark;
  readonly period?: OpenPeriod;
  readonly lines: readonly { readonly line: number; readonly kinds: readonly Kind[]; readonly capacity: Quantity }[];
}

/** Two figures of a line in minor units: binding and delivered of a need's, held and committed of an offer's. */
interface LineChange {
  readonly line: number;
  readonly first: bigint;
  readonly second: bigint;
}

const COVERAGE_TYPES = [
  'CoverageBound',
  'CoverageDelivered',
  'CoverageReturned',
  'CoverageDeliveryCorrected',
  'CoverageReleased',
] as const satisfies readonly NeedEvent['type'][];

const CAPACITY_TYPES = [
  'CapacityReserved',
  'CapacityCommitted',
  'CapacityReleased',
  'AccessFreed',
] as const satisfies readonly OfferEvent['type'][];

type FigureEvent = Extract<
  NeedEvent | OfferEvent,
  { type: (typeof COVERAGE_TYPES)[number] | (typeof CAPACITY_TYPES)[number] }
>;

const FIGURE_TYPES: ReadonlySet<string> = new Set([...COVERAGE_TYPES, ...CAPACITY_TYPES]);

/** Later than any position. */
const FOREVER = 9_223_372_036_854_775_807n;

const isNeed = (event: RecordedEvent): boolean => event.stream.startsWith('need-');

// A scope in words has no figure and adds none.
const minor = (quantity: Quantity | undefined): bigint =>
  quantity === undefined || !isRival(quantity) ? 0n : minorUnits(quantity);

/** A fold of the record with nothing of what is reserved: that changes with every proposal and is kept in figures. */
type Folded =
  { readonly kind: 'need'; readonly doc: IndexedNeed } | { readonly kind: 'offer'; readonly doc: IndexedOffer };

const periodOf = ({ period }: { readonly period?: OpenPeriod }): { readonly period?: OpenPeriod } =>
  period === undefined ? {} : { period };

/** Without texts and whatever else says nothing of cells: a draft is written with every need that is filed. */
const slimNeed = ({ content, ...need }: IndexedNeed): IndexedNeed => ({
  ...need,
  content: {
    ...{ title: '', kinds: [], traffickingNexus: false, urgency: 'normal', named: [], oversubscription: false },
    visibility: { summary: 'sealed', body: 'sealed', annex: 'sealed' },
    instruments: content.instruments,
    ...periodOf(content),
    lines: content.lines.map(({ line, kind, quantity }) => ({ line, kind, quantity })),
  },
});

const slimOffer = ({ content, ...offer }: IndexedOffer): IndexedOffer => ({
  ...offer,
  content: {
    ...{ title: '', conditions: [], visibility: 'sealed', named: [] },
    ...(content.providers === undefined ? {} : { providers: content.providers }),
    earmark: content.earmark,
    ...periodOf(content),
    lines: content.lines.map(({ line, kinds, capacity }) => ({ line, kinds, capacity })),
  },
});

const afterEvent = (before: Folded | undefined, event: RecordedEvent): Folded | undefined => {
  if (isNeed(event)) {
    const doc = evolveNeed(
      before?.kind === 'need' ? before.doc : undefined,
      event as unknown as RecordedEvent<NeedEvent>,
    );
    return doc === undefined ? undefined : { kind: 'need', doc: slimNeed(doc) };
  }
  const doc = evolveOffer(
    before?.kind === 'offer' ? before.doc : undefined,
    event as unknown as RecordedEvent<OfferEvent>,
  );
  return doc === undefined ? undefined : { kind: 'offer', doc: slimOffer(doc) };
};

/** What counts of a record now, as text that is equal where nothing changed; undefined while it does not count. */
const standingOf = ({ kind, doc }: Folded): string | undefined => {
  if (!isLive(doc)) return undefined;
  if (kind === 'need') {
    const { instruments, lines } = doc.content;
    return JSON.stringify({
      beneficiaries: countedBeneficiaries(doc),
      instruments,
      ...periodOf(doc.content),
      lines: lines.map(({ line, kind: of, quantity }) => ({ line, kind: of, quantity })),
    } satisfies StandingNeed);
  }
  const { earmark, lines } = doc.content;
  return JSON.stringify({
    status: doc.status === 'suspended' ? 'suspended' : 'open',
    providers: providersOf(doc),
    earmark,
    ...periodOf(doc.content),
    lines: lines.map(({ line, kinds, capacity }) => ({ line, kinds, capacity })),
  } satisfies StandingOffer);
};

class Batch {
  private readonly folds = new Map<string, Folded>();
  private readonly standing = new Map<string, string | undefined>();

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    const id = idOfStream(event.stream);
    const moved = FIGURE_TYPES.has(event.type) ? this.move(id, event) : this.fold(id, event);
    if (moved) {
      this.tx.run(
        'INSERT INTO moment (position, recorded_at) VALUES (?, ?)',
        event.position,
        event.metadata.recordedAt,
      );
    }
  }

  flush(): void {
    for (const [id, { kind, doc }] of this.folds) {
      this.tx.run('INSERT OR REPLACE INTO record (id, kind, doc) VALUES (?, ?, ?)', id, kind, JSON.stringify(doc));
    }
  }

  private fold(id: string, event: RecordedEvent): boolean {
    const folded = afterEvent(this.folded(id), event);
    if (folded === undefined) return false;
    const before = this.stands(id);
    this.folds.set(id, folded);
    const now = standingOf(folded);
    if (now === before) return false;
    if (before !== undefined) {
      this.tx.run('UPDATE standing SET until = ? WHERE id = ? AND until = ?', event.position, id, FOREVER);
    }
    if (now !== undefined) {
      this.tx.run(
        'INSERT INTO standing (since, until, kind, id, doc) VALUES (?, ?, ?, ?, ?)',
        event.position,
        FOREVER,
        folded.kind,
        id,
        now,
      );
    }
    this.standing.set(id, now);
    return true;
  }

  private folded(id: string): Folded | undefined {
    const known = this.folds.get(id);
    if (known !== undefined) return known;
    const row = this.tx.get('SELECT kind, doc FROM record WHERE id = ?', id);
    return row === undefined
      ? undefined
      : ({ kind: row.kind, doc: JSON.parse(row.doc as string) as unknown } as Folded);
  }

  private stands(id: string): string | undefined {
    if (this.standing.has(id)) return this.standing.get(id);
    const row = this.tx.get('SELECT doc FROM standing WHERE id = ? AND until = ?', id, FOREVER);
    return row?.doc as string | undefined;
  }

  /** Adds what the event changed in a line's figures; answers whether it changed any. */
  private move(id: string, event: RecordedEvent): boolean {
    const change = this.changeBy(id, event as unknown as FigureEvent);
    if (change === undefined || (change.first === 0n && change.second === 0n)) return false;
    const row = this.tx.get(
      'SELECT first, second FROM figure WHERE id = ? AND line = ? ORDER BY since DESC LIMIT 1',
      id,
      change.line,
    );
    this.tx.run(
      'INSERT INTO figure (id, line, since, first, second) VALUES (?, ?, ?, ?, ?)',
      id,
      change.line,
      event.position,
      BigInt((row?.first as number | bigint | undefined) ?? 0) + change.first,
      BigInt((row?.second as number | bigint | undefined) ?? 0) + change.second,
    );
    return true;
  }

  private changeBy(id: string, event: FigureEvent): LineChange | undefined {
    const { commitment, leg, amendment, line, quantity } = event.data;
    // A release that overtook its reservation names neither line nor quantity.
    if (line === undefined) return undefined;
    const key = `${commitment}/${leg}/${amendment}`;
    const amount = minor(quantity);
    switch (event.type) {
      case 'CoverageBound':
        this.mark(id, key, 1n);
        return { line, first: amount, second: 0n };
      case 'CoverageReleased':
        // What was accepted and never bound is in neither figure.
        return this.marked(id, key) === 1n ? { line, first: -amount, second: 0n } : undefined;
      case 'CoverageDelivered':
        this.mark(id, `${key}/${event.data.delivery}`, amount);
        return { line, first: 0n, second: amount };
      case 'CoverageReturned':
        return { line, first: 0n, second: -amount };
      case 'CoverageDeliveryCorrected': {
        const tranche = `${key}/${event.data.delivery}`;
        const before = this.marked(id, tranche);
        this.mark(id, tranche, amount);
        return { line, first: 0n, second: amount - before };
      }
      case 'CapacityReserved':
        return { line, first: amount, second: 0n };
      case 'CapacityCommitted':
        this.mark(id, key, 1n);
        return { line, first: -amount, second: amount };
      case 'CapacityReleased':
      case 'AccessFreed':
        return this.marked(id, key) === 1n
          ? { line, first: 0n, second: -amount }
          : { line, first: -amount, second: 0n };
    }
  }

  private mark(id: string, key: string, value: bigint): void {
    this.tx.run('INSERT OR REPLACE INTO mark (id, key, value) VALUES (?, ?, ?)', id, key, value);
  }

  private marked(id: string, key: string): bigint {
    const row = this.tx.get('SELECT value FROM mark WHERE id = ? AND key = ?', id, key);
    return BigInt((row?.value as number | bigint | undefined) ?? 0);
  }
}

/**
 * Answers: which needs and offers counted at a position of the log, in which words, and how much of each line stood binding and
 * delivered, or held and committed, then. `standing` has a row for each span of positions (`until` excluded) in which a record counted
 * unchanged; `figure` one for each change of a line's figures; `mark` what a reservation's later events are reckoned from (1: bound or
 * committed; of a tranche its size); `moment` when each change was recorded.
 */
export const lineHistory: Projection = {
  name: LINE_HISTORY,
  version: 1,
  handles: [...NEED_STANDING_TYPES, ...COVERAGE_TYPES, ...OFFER_STANDING_TYPES, ...CAPACITY_TYPES],
  schema: `
    CREATE TABLE record (id TEXT PRIMARY KEY, kind TEXT NOT NULL, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE standing (
      since INTEGER PRIMARY KEY,
      until INTEGER NOT NULL,
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      doc TEXT NOT NULL
    );
    CREATE INDEX standing_of ON standing (id, until);
    CREATE INDEX standing_of_kind ON standing (kind, since);
    CREATE TABLE figure (
      id TEXT NOT NULL,
      line INTEGER NOT NULL,
      since INTEGER NOT NULL,
      first INTEGER NOT NULL,
      second INTEGER NOT NULL,
      PRIMARY KEY (id, line, since)
    ) WITHOUT ROWID;
    CREATE TABLE mark (id TEXT NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (id, key)) WITHOUT ROWID;
    CREATE TABLE moment (position INTEGER PRIMARY KEY, recorded_at TEXT NOT NULL);
    CREATE INDEX moment_by_time ON moment (recorded_at, position);
  `,
  begin: (tx) => new Batch(tx),
};
