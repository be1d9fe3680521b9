import { ContentionError, failureOf, ReadModelUnavailableError, StoreUnavailableError, Transactor } from '#kernel';
import type { MessageBus, RecordedEvent } from '#kernel';
import { commitmentDecider } from '#commitments';
import { callDecider, contributionDecider, fundDecider } from '#funds';
import { needDecider } from '#needs';
import { offerDecider } from '#offers';
import { NATURE, RestlessError, Scheduler } from './scheduler.js';
import { BEGINNING, installVirtualTime } from './virtual-globals.js';
import { LogConnection, SimulatedLog } from './simulated-log.js';
import { PlainBus, PlainTopics } from './plain-bus.js';
import { KafkaTopics } from './kafka-bus.js';
import { FoldedBoards, KeptModels, ProjectedBoards } from './boards.js';
import { Folds } from './folds.js';
import { ServiceNode } from './service-node.js';
import { BrokenRuleError, Inspector } from './inspector.js';
import { Network } from './network.js';
import type { Accident, Plan } from './plan.js';
import { planOf } from './plan.js';
import type { Owner } from './scheduler.js';
import type { Variation } from './variations.js';
import { varied } from './variations.js';
import { replayed } from './replay.js';
import { Life } from './life.js';
import type { Part } from './life.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly traced?: boolean;
  readonly variation?: Variation;
}

/** How a run went. */
export interface Report {
  readonly seed: number;
  /** What was found; undefined where everything held. */
  readonly failure: string | undefined;
  readonly steps: number;
  readonly events: number;
  /** The same for the same seed, and different as soon as anything was chosen otherwise. */
  readonly digest: string;
  /** What was reached, and how often. */
  readonly reached: ReadonlyMap<string, number>;
  readonly trace: readonly string[] | undefined;
}

const CATEGORIES = [needDecider, offerDecider, commitmentDecider, fundDecider, contributionDecider, callDecider].map(
  ({ category: name, schemas }) => ({ name, types: Object.keys(schemas) }),
);

const MOST_ACCIDENTS = 8;
/** Errors that say nothing against anybody: it is tried again. */
const PASSING = [StoreUnavailableError, ReadModelUnavailableError, ContentionError];
const DAY_MS = 86_400_000;
/** Days between the parts of a run: proposals lapse, what was met with silence closes, needs fall dormant. */
const SEASONS = [70, 200, 500];
/** Steps that a run may take with disturbances, and to come to rest without. */
const MOST_STEPS = 60_000;
const MOST_TO_REST = 60_000;
/** How long nothing may happen until everything counts as at rest, in milliseconds. */
const REST_MS = 2_500;

/** One run: everything in it follows from the seed. */
export const simulate = async (options: SimulationOptions): Promise<Report> => new Simulation(options).run();

class Simulation {
  private readonly scheduler: Scheduler;
  private readonly log: SimulatedLog;
  private readonly topics: PlainTopics | KafkaTopics;
  private readonly inspector: Inspector;
  private readonly folds: Folds;
  private readonly plan: Plan;
  private nodes: ServiceNode[] = [];
  private nodesStarted = 0;
  private daysPassed = 0;
  private leaps = 0;
  private readonly network: Network;
  private readonly models: KeptModels[] = [];

  constructor(private readonly options: SimulationOptions) {
    this.scheduler = new Scheduler(options.seed, options.traced);
    this.folds = new Folds((stream) => this.log.eventsOf(stream));
    this.inspector = new Inspector(
      (stream) => this.log.eventsOf(stream),
      this.folds,
      (events) => {
        if (options.traced === true) {
          for (const event of events) this.scheduler.note(described(event));
        }
        if (this.topics instanceof PlainTopics) this.topics.forwardSoon();
      },
    );
    this.log = new SimulatedLog(this.inspector);
    this.network = new Network(this.scheduler, this.inspector, this.log, this.folds);
    this.plan = planOf(this.scheduler.random);
    const { scheduler, log, inspector, plan } = this;
    this.topics =
      plan.bus === 'kafka'
        ? new KafkaTopics(scheduler, log, CATEGORIES, plan.partitions, inspector)
        : new PlainTopics(scheduler, log, CATEGORIES, plan.partitions, plan.bus === 'overtaking');
  }

  async run(): Promise<Report> {
    const restore = installVirtualTime(this.scheduler, () => this.wall());
    // The steps run among microtasks: from here on there is no other turn.
    await Promise.resolve();
    try {
      await this.play();
    } catch (error) {
      this.inspector.blame(error);
    } finally {
      restore();
      for (const models of this.models) models.close();
    }
    const { broken, reached } = this.inspector;
    return {
      seed: this.options.seed,
      failure: broken === undefined ? undefined : `${broken.name}: ${broken.message}`,
      steps: this.scheduler.steps,
      events: this.log.events.length,
      digest: (this.scheduler.digest >>> 0).toString(16).padStart(8, '0'),
      reached,
      trace: this.scheduler.trace,
    };
  }

  private wall(): number {
    return BEGINNING + this.daysPassed * DAY_MS + this.scheduler.now;
  }

  private async play(): Promise<void> {
    const { scheduler, plan } = this;
    for (let n = 0; n < plan.nodes; n += 1) this.startNode();
    const life = new Life(this.network);
    await this.perform(life.parts());
    await this.settle('at first');
    for (const days of SEASONS) {
      this.daysPassed += days;
      scheduler.note(`${days} days pass`);
      if (plan.seasons) await this.perform(life.later(`after-${days}`));
      await this.settle(`after ${days} days`);
    }
    this.modelsAgree();
    scheduler.note('everything is delivered again');
    await replayed(this.log, this.nodes[0]?.processes ?? []);
  }

  /** Lets these people do what they do, among all that may go wrong. */
  private async perform(parts: readonly Part[]): Promise<void> {
    const { scheduler, plan } = this;
    scheduler.disturbance = plan.disturbance;
    let running = parts.length;
    for (const { name, run } of parts) {
      const begin = async (): Promise<void> => {
        try {
          await run();
        } catch (error) {
          this.inspector.blame(error);
        }
        running -= 1;
      };
      scheduler.later('begins', '', () => void begin(), { name, alive: true });
    }
    this.haveAccidents(() => running > 0);
    await this.runUntil(() => running === 0, MOST_STEPS);
  }

  /** Lets everything happen that is under way, undisturbed, then holds the records against each other. */
  private async settle(when: string): Promise<void> {
    const { scheduler } = this;
    scheduler.calm();
    for (const node of this.nodes) this.reconnect(node);
    let since = scheduler.now;
    let seen = this.log.events.length;
    let caughtUp = false;
    const isAtRest = (): boolean => {
      if (scheduler.now - since <= REST_MS && this.log.events.length === seen) return false;
      // Nothing was written for a while after everybody had caught up: the tickers have seen all there is.
      if (caughtUp && this.log.events.length === seen) return true;
      caughtUp = this.log.events.length === seen && this.behind().length === 0;
      seen = this.log.events.length;
      since = scheduler.now;
      return false;
    };
    await this.runUntil(isAtRest, MOST_TO_REST);
    try {
      // The slowest clock may be as far behind as any clock is wrong, and a tick comes within what counts as rest.
      this.inspector.atRest(new Date(this.wall() - this.plan.skewMs - REST_MS).toISOString());
    } catch (error) {
      throw new BrokenRuleError(`${when}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Every node's read models are what the log makes of empty ones. */
  private modelsAgree(): void {
    for (const { name, boards } of this.nodes) {
      if (!(boards instanceof ProjectedBoards)) continue;
      const stray = boards.stray(this.log.events);
      if (stray !== undefined)
        throw new BrokenRuleError(`I13: ${stray} of ${name} is not what a rebuild makes of the log`);
      this.inspector.count('read models were compared with a rebuild');
    }
  }

  /** What is still on its way. */
  private behind(): readonly string[] {
    const { newest } = this.log;
    const missing = this.plan.nodes - this.nodes.length;
    return [
      ...(missing > 0 ? [`${missing} nodes are not up yet`] : []),
      ...this.topics.behind,
      ...this.nodes
        .filter(({ boards }) => boards.position < newest)
        .map(({ name }) => `the boards of ${name} are behind`),
    ];
  }

  private async runUntil(done: () => boolean, limit: number): Promise<void> {
    try {
      await this.scheduler.run(() => this.inspector.broken !== undefined || done(), limit);
    } catch (error) {
      if (!(error instanceof RestlessError)) throw error;
      throw new RestlessError(
        `${error.message}; ${[...this.behind(), ...this.nodes.flatMap(({ stuck }) => stuck)].join('; ')}`,
      );
    }
    if (this.inspector.broken !== undefined) throw this.inspector.broken;
  }

  /** @param models what a node before it has left on its disk */
  private startNode(models?: KeptModels): void {
    const { scheduler, plan, options } = this;
    const { variation } = options;
    this.nodesStarted += 1;
    const n = this.nodesStarted;
    const cachedStreams = scheduler.random.between(3, 40);
    const begin = (): void => {
      const kept = models ?? new KeptModels();
      if (models === undefined) this.models.push(kept);
      const node: ServiceNode = new ServiceNode({
        name: `node-${n}`,
        skewMs: scheduler.random.between(-plan.skewMs, plan.skewMs),
        store: (owner) => {
          // All that it waits for from here on is its own.
          scheduler.owner = owner;
          return new LogConnection(this.log, scheduler, variation?.onTheWay?.(options.seed + n));
        },
        transactor: (store, clock) =>
          variation?.transactor?.(store, clock, cachedStreams) ??
          new Transactor(store, clock, undefined, cachedStreams),
        bus: (store, owner) => varied(this.busOf(store, owner), variation?.handler),
        boards: (parts) => (plan.projected ? new ProjectedBoards(parts, kept) : new FoldedBoards(parts, this.folds)),
        processFailed: (process, event, error) => {
          this.processFailed(process, event, error);
        },
        failed: (what, error) => {
          this.failed(what, error);
        },
      });
      this.nodes.push(node);
      this.network.join(node);
      void node.start();
    };
    scheduler.later('starts', `node-${n}`, begin, NATURE);
  }

  private busOf(store: LogConnection, owner: Owner): MessageBus {
    const isCut = (): boolean => store.cut;
    const { topics } = this;
    return topics instanceof KafkaTopics ? topics.open(store, owner, isCut) : new PlainBus(topics, store, isCut);
  }

  private processFailed(process: string, event: RecordedEvent, error: unknown): void {
    this.scheduler.note(`${process} fails on ${event.stream}@${event.revision} ${event.type}: ${failureOf(error)}`);
    this.failed(process, error);
  }

  private failed(what: string, error: unknown): void {
    if (PASSING.some((kind) => error instanceof kind)) return;
    this.inspector.blame(
      new BrokenRuleError(`${what} fails: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );
  }

  private haveAccidents(going: () => boolean): void {
    const { scheduler, plan } = this;
    const { random } = scheduler;
    let left = random.between(1, MOST_ACCIDENTS);
    const next = (): void => {
      left -= 1;
      if (left < 0) return;
      scheduler.timer(
        random.between(50, plan.accidentEveryMs),
        'accident',
        () => {
          if (!going()) return;
          const kind = random.pick(plan.accidents);
          this.inspector.count(`accident: ${kind}`);
          scheduler.note(kind);
          this.accident(kind);
          next();
        },
        NATURE,
      );
    };
    if (plan.accidents.length > 0) next();
  }

  private accident(kind: Accident): void {
    const { scheduler } = this;
    const { random } = scheduler;
    switch (kind) {
      case 'a node is killed': {
        if (this.nodes.length === 0) return;
        const node = random.pick(this.nodes);
        this.kill(node);
        return;
      }
      case 'a node loses its connections': {
        if (this.nodes.length === 0) return;
        const node = random.pick(this.nodes);
        node.store.cut = true;
        this.log.wake();
        this.topics.wake();
        scheduler.timer(
          random.between(200, 20_000),
          'reconnects',
          () => {
            this.reconnect(node);
          },
          NATURE,
        );
        return;
      }
      case 'partitions are given out anew':
        this.topics.disturb();
        return;
      case 'days pass':
        if (this.leaps < 2) this.daysPassed += random.pick([1, 3, 8, 31, 61]);
        this.leaps += 1;
        return;
    }
  }

  private reconnect(node: ServiceNode): void {
    if (!node.store.cut) return;
    node.store.cut = false;
    this.scheduler.note(`${node.name} reconnects`);
    this.log.wake();
    this.topics.wake();
  }

  private kill(node: ServiceNode): void {
    const { scheduler } = this;
    node.alive = false;
    scheduler.bury(node);
    this.nodes = this.nodes.filter((each) => each !== node);
    this.topics.missed(node);
    this.network.leave(node);
    const { boards } = node;
    const models = boards instanceof ProjectedBoards && scheduler.random.chance(0.5) ? boards.models : undefined;
    scheduler.timer(
      scheduler.random.between(10, 8_000),
      'is replaced',
      () => {
        this.startNode(models);
      },
      NATURE,
    );
  }
}

/** An event with what it says, and what it followed from. Salts, and ids and data of technical events, are what no seed determines. */
const described = ({ stream, revision, type, id, data, metadata: { causationId } }: RecordedEvent): string =>
  stream.startsWith('_')
    ? `${stream}@${revision} ${type}`
    : `${stream}@${revision} ${type} ${JSON.stringify(data)} (${id}${causationId === null ? '' : ` after ${causationId}`})`;
