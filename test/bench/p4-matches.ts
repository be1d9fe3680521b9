import type { Caller, NetworkMember } from '#directory/contract';
import { ANONYMOUS, Networks } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import { applyToModel, derivedId, ManualClock, ProjectionRunner } from '#kernel';
import { InMemoryEventStore } from '#kernel-testing';
import type { IndexedOffer } from '#matching';
import {
  byRank,
  DEFAULT_WEIGHTS,
  FacetTable,
  facetsOfOffer,
  LiveIndex,
  MatchIndex,
  matchIndex,
  Matches,
  needSide,
  NEWEST,
  offerSide,
  offersSoughtBy,
  RULESETS,
  Standings,
  Offices,
} from '#matching';
import type { NeedContent } from '#needs/contract';
import { NeedReader } from '#needs/contract';
import type { OfferContent } from '#offers/contract';
import { OfferReader } from '#offers/contract';
import { SqliteReadDatabase } from '#read-database';
import { ACTIVE_CURRENCIES, KINDS, STATES } from '#vocabulary';
import type { RecordSight } from '#web';
import { CallerDirectory } from '#web';
import type { Folders } from './folders.js';
import { cpuClock, quantile } from './measure.js';
import type { Figure } from './report.js';

/** Offers that the need is admitted to, however many there are: with its limit, what a list of twenty is chosen from. */
const ELIGIBLE = 150;
const LIMIT = 20;
const TODAY = '2026-11-29';
const NOW = `${TODAY}T09:00:00.000Z`;
const BATCH = 2_000;

export interface MatchSizes {
  readonly few: number;
  readonly many: number;
  /** Of the index alone, without a read model behind it. */
  readonly alone: readonly [few: number, many: number];
  readonly queries: number;
}

/**
 * A match query over few offers and over many, of which as many are eligible; the index alone over many times more; what it takes to
 * keep it. Who may see what is asked of stand-ins that say yes: it costs the same for every candidate, however many offers there are.
 */
export const matching = async (
  folders: Folders,
  { few, many, alone, queries }: MatchSizes,
): Promise<readonly Figure[]> => {
  const small = new World(folders, few);
  const large = new World(folders, many);
  try {
    await small.load();
    const built = await large.load();
    // In turn, so that what else the machine does meets both alike.
    const [overFew, overMany]: [number[], number[]] = [[], []];
    for (let n = 0; n < queries; n += 1) {
      overFew.push(await small.query());
      overMany.push(await large.query());
    }
    const updates = large.updates(Math.min(500, queries));
    const [p99Few, p99Many] = [quantile(overFew, 0.99), quantile(overMany, 0.99)];
    const [tenth, whole] = alone.map((offers) => indexAlone(offers, queries));
    if (tenth === undefined || whole === undefined) throw new Error('two sizes are compared');
    return [
      { name: `match query over ${few} offers, p50`, value: quantile(overFew, 0.5), unit: 'ms' },
      { name: `match query over ${many} offers, p50`, value: quantile(overMany, 0.5), unit: 'ms' },
      { name: `match query over ${few} offers, p99`, value: p99Few, unit: 'ms' },
      { name: `match query over ${many} offers, p99`, value: p99Many, unit: 'ms' },
      {
        name: `p99 over ${many} against p99 over ${few} and 2 ms`,
        value: p99Many / (p99Few + 2),
        unit: 'ratio',
        target: { bound: 'at most', value: 1 },
      },
      { name: `index alone over ${alone[0]} offers, p50`, value: tenth.median, unit: 'ms' },
      { name: `index alone over ${alone[1]} offers, p50`, value: whole.median, unit: 'ms' },
      {
        name: `index alone, ${alone[1]} against ${alone[0]} offers`,
        value: whole.median / tenth.median,
        unit: 'ratio',
        target: { bound: 'at most', value: 30 },
      },
      { name: 'memory of the index per offer', value: whole.bytesPerOffer, unit: 'B' },
      {
        name: `index built from ${many} offers`,
        value: built.seconds,
        unit: 's',
        target: { bound: 'at most', value: 3 },
      },
      { name: 'the same in processor time', value: built.cpuSeconds, unit: 's' },
      {
        name: 'longest turn of the event loop while it is built',
        value: built.longestTurn,
        unit: 'ms',
        target: { bound: 'at most', value: 20 },
      },
      {
        name: `update for one event, ${many} offers, p99`,
        value: quantile(updates, 0.99),
        unit: 'ms',
        target: { bound: 'at most', value: 1 },
      },
    ];
  } finally {
    small.close();
    large.close();
  }
};

const NEED: NeedContent = {
  title: 'Review the firearms act',
  kinds: ['legal'],
  instruments: ['ATT'],
  traffickingNexus: false,
  lines: [{ line: 1, kind: 'legal', quantity: { measure: 'money', currency: 'USD', amount: '180000.00' } }],
  urgency: 'normal',
  period: { from: '2027-01-01', to: '2027-12-31' },
  languages: ['en'],
  visibility: { summary: 'public', body: 'public', annex: 'sealed' },
  named: [],
  oversubscription: false,
};

/** Of `offers` offers one in so many is for Vanuatu's law; the others are for other States or regions, or of another kind. */
const offerContent = (n: number, offers: number): OfferContent => {
  const eligible = n % Math.max(1, Math.floor(offers / ELIGIBLE)) === 0;
  const kind = KINDS[1 + (n % (KINDS.length - 1))] ?? 'training';
  const others = STATES[n % STATES.length]?.code ?? 'KEN';
  const currency = eligible ? 'USD' : ([...ACTIVE_CURRENCIES][n % 12] ?? 'EUR');
  return {
    title: `Offer ${n}`,
    lines: [
      {
        line: 1,
        kinds: eligible || n % 3 > 0 ? ['legal', kind] : [kind],
        capacity: { measure: 'money', currency, amount: `${1_000 + (n % 90_000)}` },
      },
    ],
    earmark: eligible
      ? { beneficiaries: ['VUT'] }
      : n % 3 === 0
        ? {}
        : n % 3 === 1
          ? { beneficiaries: [others === 'VUT' ? 'FJI' : others], instruments: ['ATT'] }
          : { regions: ['150', '002'], instruments: ['ATT', 'UNPoA'] },
    conditions: [],
    period: { from: `2026-0${1 + (n % 9)}-01`, to: `202${7 + (n % 3)}-06-30` },
    languages: n % 4 === 0 ? ['en', 'fr'] : ['en'],
    visibility: 'public',
    named: [],
  };
};

class SeesAllNeeds extends NeedReader {
  override facts(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override sight(): ReturnType<NeedReader['sight']> {
    return Promise.resolve({ summary: true, body: true, annex: false });
  }

  override bodiesSeenBy(): ReturnType<NeedReader['bodiesSeenBy']> {
    return Promise.resolve((ids) => new Set(ids));
  }
}

class SeesAllOffers extends OfferReader {
  override facts(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  override sees(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override seenBy(): ReturnType<OfferReader['seenBy']> {
    return Promise.resolve((ids) => new Set(ids));
  }
}

class NoNetworks extends Networks {
  override membersOf(): readonly NetworkMember[] {
    return [];
  }

  override networksOf(): readonly string[] {
    return [];
  }
}

class Desks extends CallerDirectory {
  override resolve({ party }: { readonly party: string }): Promise<Caller> {
    return Promise.resolve({ ...ANONYMOUS, anonymous: false, party });
  }
}

const NEED_ID = derivedId('bench-need', '0');
const offerId = (n: number): string => derivedId('bench-offer', String(n));

/** A read model with one need and many offers, and the service's own classes over it. */
class World {
  private readonly database: SqliteReadDatabase;
  private readonly model;
  private readonly runner: ProjectionRunner;
  private readonly live: LiveIndex;
  private readonly matches: Matches;
  private readonly standings: Standings;
  private position = 0n;

  constructor(
    folders: Folders,
    private readonly offers: number,
  ) {
    const folder = folders.fresh('matches');
    const filling = new SqliteReadDatabase(folder);
    const model = filling.open(matchIndex);
    for (const batch of this.batches()) applyToModel(matchIndex, model, batch, (event) => event);
    model.close();
    filling.close();
    this.database = new SqliteReadDatabase(folder);
    // The model that reservations are written to, beside the one that is asked.
    this.model = this.database.open(matchIndex);
    this.runner = new ProjectionRunner(new InMemoryEventStore(), this.database, [matchIndex]);
    const clock = new ManualClock(NOW);
    const networks = new NoNetworks();
    this.live = new LiveIndex(this.runner);
    this.standings = new Standings(
      this.runner,
      new MatchIndex(this.runner, networks, clock),
      this.live,
      networks,
      clock,
    );
    const sight = { sees: () => Promise.resolve(false) } as unknown as RecordSight;
    this.matches = new Matches(new SeesAllNeeds(), new SeesAllOffers(), new Offices(new Desks(), clock), sight);
  }

  /** Builds the index as it is built at a start: turn by turn. */
  async load(): Promise<{ readonly seconds: number; readonly cpuSeconds: number; readonly longestTurn: number }> {
    const cpu = cpuClock();
    const begun = performance.now();
    let longestTurn = 0;
    for (let done = false; !done;) {
      const turn = performance.now();
      done = this.live.catchUp();
      longestTurn = Math.max(longestTurn, performance.now() - turn);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { seconds: (performance.now() - begun) / 1000, cpuSeconds: cpu(), longestTurn };
  }

  /** Milliseconds of one query; it must answer what it is to answer, or the measure is of nothing. */
  async query(): Promise<number> {
    const begun = performance.now();
    const standing = await this.standings.current();
    const list = await this.matches.forNeed(ANONYMOUS, NEED_ID, {
      standing,
      ruleset: NEWEST,
      limit: LIMIT,
      withBlocked: false,
    });
    const took = performance.now() - begun;
    if (list?.items.length !== LIMIT) throw new Error(`${list?.items.length} of ${LIMIT} matches were answered`);
    return took;
  }

  /** Milliseconds that the index takes to follow one reservation, many times over. */
  updates(count: number): readonly number[] {
    return Array.from({ length: count }, (_, n) => {
      const stream = `offer-${offerId((n * 37) % this.offers)}`;
      const quantity = { measure: 'money', currency: 'USD', amount: '1.00' };
      const data = { commitment: derivedId('bench-commitment', String(n)), leg: 1, amendment: 0, line: 1, quantity };
      applyToModel(matchIndex, this.model, [this.event(stream, 1 + n, 'CapacityReserved', data)], (event) => event);
      const begun = performance.now();
      if (!this.live.catchUp()) throw new Error('one event takes more than a turn');
      return performance.now() - begun;
    });
  }

  close(): void {
    this.model.close();
    this.database.close();
  }

  private *batches(): Generator<readonly RecordedEvent[]> {
    const need = { filer: 'state:VUT', beneficiaries: ['state:VUT'], content: NEED };
    yield [
      this.event(`need-${NEED_ID}`, 0, 'NeedDrafted', need),
      this.event(`need-${NEED_ID}`, 1, 'NeedOpened', { reaffirmBy: '2027-11-29T00:00:00.000Z' }),
    ];
    for (let from = 0; from < this.offers; from += BATCH) {
      const count = Math.min(BATCH, this.offers - from);
      yield Array.from({ length: count }, (_, at) =>
        this.event(`offer-${offerId(from + at)}`, 0, 'OfferPosted', {
          provider: `donor:d${(from + at) % 300}`,
          content: offerContent(from + at, this.offers),
        }),
      );
    }
  }

  private event(stream: string, revision: number, type: string, data: object): RecordedEvent {
    this.position += 1n;
    return {
      id: derivedId('bench', String(this.position)),
      ...{ stream, type, data, revision, position: this.position },
      metadata: {
        commandId: '',
        correlationId: '',
        causationId: null,
        actor: { party: 'donor:d0', role: 'donor-desk' },
        effectiveAt: NOW,
        recordedAt: NOW,
        schema: 1,
        salt: '00'.repeat(32),
      },
    };
  }
}

/** The index without a read model: what it finds is judged and ranked, and every query finds the same. */
const indexAlone = (offers: number, queries: number): { readonly median: number; readonly bytesPerOffer: number } => {
  const docOf = (n: number): IndexedOffer => ({
    ...{ status: 'open', provider: `donor:d${n % 300}`, openedAt: NOW, reserved: {} },
    content: offerContent(n, offers),
  });
  globalThis.gc?.();
  const before = memory();
  const table = new FacetTable();
  table.loading();
  for (let n = 0; n < offers; n += 1) table.put(offerId(n), facetsOfOffer(docOf(n)));
  table.loaded();
  globalThis.gc?.();
  const bytesPerOffer = (memory() - before) / offers;
  const step = Math.max(1, Math.floor(offers / ELIGIBLE));
  const docs = new Map<string, IndexedOffer>();
  for (let n = 0; n < offers; n += step) docs.set(offerId(n), docOf(n));
  const indexed = {
    ...{ open: true, openedAt: NOW, filer: 'state:VUT', beneficiaries: ['state:VUT'], consents: [], reserved: {} },
    content: NEED,
  };
  const need = needSide(NEED_ID, indexed, { networksOf: () => [] });
  const took = Array.from({ length: queries }, () => {
    const begun = performance.now();
    const found = table.find(offersSoughtBy(need, TODAY, true));
    const matches = found.flatMap((id) => {
      const doc = docs.get(id);
      if (doc === undefined) return [];
      const offer = offerSide(id, doc, ['JPN']);
      const circumstances = { now: TODAY, providerSeesNeed: true, recipientSeesOffer: true, earmarkReasons: [] };
      const judgement = RULESETS[NEWEST].judge({ need, offer, circumstances }, DEFAULT_WEIGHTS);
      return judgement.kind === 'match' ? [{ id, score: judgement.score }] : [];
    });
    const best = matches.sort(byRank).slice(0, LIMIT);
    if (best.length !== LIMIT) throw new Error(`${best.length} of ${LIMIT} matches were found`);
    return performance.now() - begun;
  });
  return { median: quantile(took, 0.5), bytesPerOffer };
};

const memory = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
