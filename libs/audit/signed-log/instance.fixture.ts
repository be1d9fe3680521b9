import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { InMemoryEventStore, recordedEvent } from '#kernel-testing';
import {
  type EventStore,
  type EventToAppend,
  ManualClock,
  newId,
  type Projection,
  ProjectionRunner,
  type ReadModel,
  type RecordedEvent,
  SharedWriteGate,
  Transactor,
  WriteGate,
} from '#kernel';
import { MemoryReadDatabase } from '#read-database';
import { parseCheckpoint } from '#tlog';
import type { Health, HealthCheck, ReadGate } from '#web';
import { CHECKPOINT_STREAM } from '#evidence/format';
import { Checkpoints } from './checkpoints.js';
import { LogKeyring } from './log-keyring.js';
import { LogSigning, type LogSigningOptions } from './log-signing.js';
import { LogTree } from './log-tree.js';
import { logTree } from './log-tree.projection.js';
import { StartCheck } from './start-check.js';
import { Witnesses } from './witnesses.js';

/** An event that says nothing. */
export const noted = (): EventToAppend => {
  const { type, data, metadata } = recordedEvent('need-1', 0, { type: 'NeedNoted', data: {} });
  return { id: newId(), type, data, metadata };
};

/** Appends so many events to one stream. */
export const grow = async (store: EventStore, count: number): Promise<void> => {
  const { length } = await store.readStream('need-1', 0, 5_000);
  for (let at = 0; at < count; at += 1) await store.append('need-1', length + at - 1, [noted()]);
};

/** A store that holds these events in their order, each as it was but for what `touch` makes of it. */
export const holding = async (
  events: readonly RecordedEvent[],
  touch: (event: RecordedEvent) => RecordedEvent = (event) => event,
): Promise<InMemoryEventStore> => {
  const store = new InMemoryEventStore();
  for (const each of events) {
    const { stream, revision, id, type, data, metadata } = touch(each);
    await store.append(stream, revision - 1, [{ id, type, data, metadata }]);
  }
  return store;
};

/** The sizes that were signed, as the log's record has them. */
export const signedSizes = async (store: EventStore): Promise<number[]> =>
  (await store.readStream(CHECKPOINT_STREAM, 0, 1_000)).map(
    ({ data }) => parseCheckpoint(Buffer.from((data as { note: string }).note)).size,
  );

/** Read models whose rows a test may touch behind the runner's back. */
class TouchedModels extends MemoryReadDatabase {
  private readonly models: ReadModel[] = [];

  override open(projection: Projection): ReadModel {
    const model = super.open(projection);
    this.models.push(model);
    return model;
  }

  touch(sql: string, ...parameters: readonly Uint8Array[]): void {
    for (const model of this.models) model.commit(model.checkpoint, (tx) => tx.run(sql, ...parameters));
  }

  /** Flips one bit of a column of one row, such as `hashes` of `tile WHERE level = 1`. */
  flip(column: string, row: string, at: number): void {
    for (const model of this.models) {
      const bytes = Buffer.from(model.get(`SELECT ${column} AS bytes FROM ${row}`)?.bytes as Uint8Array);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      this.touch(`UPDATE ${row.replace(' WHERE', ` SET ${column} = ? WHERE`)}`, bytes);
    }
  }
}

/** One instance that signs a log. */
export class Instance {
  readonly alarms: string[] = [];
  readonly runner: ProjectionRunner;
  readonly checkpoints: Checkpoints;
  readonly keyring: LogKeyring;
  readonly clock = new ManualClock('2026-11-29T09:00:00.000Z');
  readonly writes: SharedWriteGate;
  readonly models = new TouchedModels();
  private readonly checks: (() => Promise<readonly HealthCheck[]>)[] = [];

  constructor(
    readonly store: EventStore,
    options: LogSigningOptions,
  ) {
    this.runner = new ProjectionRunner(store, this.models, [logTree]);
    const signing = new LogSigning({ everyMs: 'manual', alarm: (trouble) => this.alarms.push(trouble), ...options });
    const gate = { ready: () => Promise.resolve() } as unknown as ReadGate;
    const health = { add: (checks: (typeof this.checks)[0]) => this.checks.push(checks) } as unknown as Health;
    const tree = new LogTree(this.runner);
    this.writes = new SharedWriteGate(new WriteGate(), store, this.clock, { everyMs: 'manual' });
    this.keyring = new LogKeyring(new Transactor(store, this.clock, undefined, 100, this.writes.gate), signing);
    this.checkpoints = new Checkpoints(
      ...([store, this.runner, tree, signing, this.keyring, new StartCheck(store, tree), this.writes] as const),
      ...([this.clock, gate, health, new Witnesses(store, tree, signing, this.clock, health)] as const),
    );
  }

  async start(): Promise<this> {
    await this.writes.start();
    await this.runner.start();
    this.checkpoints.onApplicationBootstrap();
    return this;
  }

  /** Starts on a tree that has come to the log's end; answers why nothing is written, once that is known. */
  async startOnTree(touch = ''): Promise<string | undefined> {
    await this.runner.start();
    await this.runner.waitFor(await this.store.head(), 5_000);
    if (touch !== '') this.models.touch(touch);
    await this.writes.start();
    this.checkpoints.onApplicationBootstrap();
    return this.writes.gate.pass().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
  }

  /** Signs what the log holds now; answers what was told of it. */
  async sign(): Promise<string | undefined> {
    await this.runner.waitFor(await this.store.head(), 5_000);
    await this.checkpoints.bringUpToDate();
    return (await this.checks[0]?.())?.[0]?.detail?.trouble as string | undefined;
  }

  async close(): Promise<void> {
    await this.checkpoints.onModuleDestroy();
    await this.runner.stop();
    await this.writes.stop();
  }
}

/** What a test works on. */
interface Scene {
  readonly store: InMemoryEventStore;
  /** The file of the checkpoint outside. */
  readonly copyTo: string;
}

/** A scene for each test of a group; answers what makes instances, which are closed after it. */
export const freshScenes = (
  each: (scene: Scene) => void,
): ((store: EventStore, options: LogSigningOptions) => Instance) => {
  const open: Instance[] = [];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pledgebook-log-'));
    each({ store: new InMemoryEventStore(), copyTo: join(folder, 'checkpoint') });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((instance) => instance.close()));
    rmSync(folder, { recursive: true });
  });
  return (store, options) => {
    const made = new Instance(store, options);
    open.push(made);
    return made;
  };
};
