import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  Clock,
  derivedId,
  EventStore,
  failureOf,
  lastEventOf,
  NO_STREAM,
  ProjectionRunner,
  type RecordedEvent,
  SharedWriteGate,
  technicalEvent,
  WrongRevisionError,
} from '#kernel';
import { CHECKPOINT_STREAM } from '#evidence/format';
import { type Checkpoint, TlogRefusal } from '#tlog';
import { Health, type HealthCheck, Problem, ReadGate, type RequestContext } from '#web';
import { openSigned } from './key-history.js';
import { KeyNotTakenUpError, LogKeyring } from './log-keyring.js';
import type { LogKey } from './log-keys.js';
import { LogSigning } from './log-signing.js';
import { LOG_TREE } from './log-tree.projection.js';
import { LogTree } from './log-tree.js';
import { StartCheck } from './start-check.js';
import { Witnesses } from './witnesses.js';

const PAGE = 100;
/** How long the tree is waited for before it counts as being built anew, in milliseconds. */
const TREE_WAIT_MS = 200;

/** A checkpoint that was signed and recorded: every instance signs at the end of one stream, so no size is ever signed with two roots. */
export interface Signed {
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed note, as it is handed out. */
  readonly note: string;
}

/** The newest checkpoint of the record. */
interface Known extends Signed {
  readonly origin: string;
  readonly revision: number;
  /** The keys of the log that signed it. */
  readonly by: readonly LogKey[];
}

/**
 * Signs how far the tree has grown, once that is committed, and hands out what was signed. Each checkpoint is recorded before anyone sees
 * it; a tree that is not what was signed before is not signed, and nothing is written to its log.
 */
@Injectable()
export class Checkpoints implements OnApplicationBootstrap, OnModuleDestroy {
  private known: Known | undefined;
  /** The end of the log was found to be what was signed, by this process. */
  private checked = false;
  /** What witnesses were asked to hold against theirs: how long the log can be, while nothing is signed; then what is signed. */
  private witnessed: 'nothing' | 'bound' | 'signed' = 'nothing';
  /** It was this process that had all writes refused. */
  private refuses = false;
  private trouble: string | undefined;
  private tail: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly store: EventStore,
    private readonly projections: ProjectionRunner,
    private readonly tree: LogTree,
    private readonly signing: LogSigning,
    private readonly keyring: LogKeyring,
    private readonly startCheck: StartCheck,
    private readonly writes: SharedWriteGate,
    private readonly clock: Clock,
    private readonly gate: ReadGate,
    private readonly health: Health,
    private readonly witnesses: Witnesses,
  ) {}

  onApplicationBootstrap(): void {
    this.health.add(async () => [this.check()]);
    // Whoever writes waits for the verdict, but not for a tree that is being built.
    this.writes.gate.hold(this.inTurn(() => this.agrees(0)));
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.tail;
  }

  /**
   * The checkpoint that a request is answered from: the newest signed (and, where witnesses are configured, cosigned), and where the caller
   * waits or shows what it has written one that covers that. @throws {Problem} 503 where there is none, or none that goes so far
   */
  async forRequest(ctx: RequestContext): Promise<Signed> {
    await this.gate.ready(ctx, LOG_TREE);
    const waits = ctx.waitSeconds !== undefined;
    if (waits && !(await this.projections.waitFor(await this.store.head(), ctx.waitSeconds * 1000, [LOG_TREE])))
      throw behind();
    const asked = waits || ctx.consistencyToken !== undefined ? this.tree.size : 0;
    if (!this.covers(asked)) await this.bringUpToDate();
    if (!this.covers(asked) || this.known === undefined)
      throw Problem.of('log-not-signed', 'No checkpoint is signed now: the operator is told why.', RETRY);
    return this.witnesses.areNeeded ? this.cosigned(asked) : this.known;
  }

  /** One of a former name is not handed out: this log goes on under another. */
  private covers(size: number): boolean {
    return this.ofThisName !== undefined && this.ofThisName.size >= size;
  }

  private async cosigned(asked: number): Promise<Signed> {
    const covering = (): Signed | undefined => {
      const { cosigned } = this.witnesses;
      return cosigned !== undefined && cosigned.size >= asked ? cosigned : undefined;
    };
    if (covering() === undefined) await this.witnesses.show(this.newest);
    const handedOut = covering();
    if (handedOut === undefined)
      throw Problem.of('log-not-cosigned', 'Too few witnesses have cosigned a checkpoint that goes so far.', RETRY);
    return handedOut;
  }

  private readonly newest = async (): Promise<Signed | undefined> => {
    await this.inTurn(() => this.refresh());
    return this.ofThisName;
  };

  /** What was signed under the log's present name: witnesses know nothing of a fork's past, and more of its former name than it holds. */
  private get ofThisName(): Known | undefined {
    return this.known?.origin === this.signing.origin ? this.known : undefined;
  }

  /** Takes up what other instances have signed. */
  async look(): Promise<void> {
    await this.inTurn(() => this.refresh());
    await this.witnesses.look();
  }

  /** Signs the tree as it stands, where it has grown. Never rejects: what keeps it from signing is told by `GET /readyz`. */
  bringUpToDate(): Promise<void> {
    return this.inTurn(() => this.sign());
  }

  private schedule(): void {
    const { everyMs } = this.signing;
    if (everyMs === 'manual' || this.ended) return;
    this.timer = setTimeout(() => {
      void this.bringUpToDate().then(() => {
        // Nothing that is signed waits for witnesses.
        void this.witnesses.show(this.newest);
        this.schedule();
      });
    }, everyMs);
    this.timer.unref();
  }

  private inTurn(work: () => Promise<unknown>): Promise<void> {
    const done = this.tail.then(work).then(() => undefined);
    this.tail = done.catch(async (error: unknown) => {
      const refused = error instanceof TlogRefusal;
      const trouble = refused || error instanceof KeyNotTakenUpError ? error.message : failureOf(error);
      if (trouble !== this.trouble) this.signing.alarm(trouble);
      this.trouble = trouble;
      if (refused) await this.refuseWrites(trouble);
    });
    return this.tail;
  }

  /** @throws {TlogRefusal} where the tree is not what was signed */
  private async sign(): Promise<void> {
    if (!(await this.agrees(TREE_WAIT_MS))) return;
    // A change of keys is an event as well, which is signed with the rest.
    if ((await this.keyring.follow(this.known)) && !(await this.agrees(TREE_WAIT_MS))) return;
    const { known } = this;
    const { size } = this.tree;
    if (known === undefined || size > known.size) await this.record(size);
    await this.askWitnesses();
    if (this.known !== undefined && this.known.note !== this.signing.copy()) this.signing.keepCopy(this.known.note);
    this.trouble = undefined;
  }

  /**
   * Holds the tree against whatever is known to be signed; false where it has not come to the end of the log within `waitMs`.
   * @throws {TlogRefusal} where it is not what was signed
   */
  private async agrees(waitMs: number): Promise<boolean> {
    // Before the log: another instance may sign meanwhile. And before it is written over: it is what a log put back in time is told by.
    const copy = this.signing.copy();
    await this.refresh();
    const outside = copy === undefined ? undefined : openSigned(copy, await this.keyring.history()).checkpoint;
    const { known } = this;
    // What is signed is recorded first. A log that was moved has its record to begin anew: only its tree tells.
    if (known !== undefined && outside !== undefined && outside.size > known.size)
      throw putBack(outside.size, 'in the copy outside', `its own record tells of ${known.size}`);
    await this.askWitnesses();
    // A tree that is being built anew has not come to what was signed.
    if (!(await this.hasCome(waitMs))) {
      if (outside !== undefined) await this.requireRoomFor(outside);
      return false;
    }
    if (known !== undefined) this.requireSame(known, 'in its own record');
    if (outside !== undefined) this.requireSame(outside, 'in the copy outside');
    if (!this.checked) await this.startCheck.run(known);
    await this.allowWrites();
    return true;
  }

  /** @throws {TlogRefusal} where a witness holds more of the log, or another: what it says needs the record alone, no tree */
  private async askWitnesses(): Promise<void> {
    const asks = this.ofThisName === undefined ? 'bound' : 'signed';
    if (!this.witnesses.areNeeded || this.witnessed === 'signed' || this.witnessed === asks) return;
    const newest = async (): Promise<Known | undefined> => {
      await this.refresh();
      return this.ofThisName;
    };
    const { contradictions, silent } = await this.witnesses.testimony(newest, await this.store.head());
    if (silent.length > 0) this.signing.alarm(`at start no answer came from witnesses: ${silent.join(', ')}`);
    const [first] = contradictions;
    if (first !== undefined) throw new TlogRefusal(`witness ${first.witness} ${first.says}`);
    this.witnessed = asks;
  }

  private async hasCome(waitMs: number): Promise<boolean> {
    const head = await this.store.head();
    if (!(await this.projections.waitFor(head, waitMs, [LOG_TREE]))) return false;
    const position = this.projections.statuses().find(({ name }) => name === LOG_TREE)?.position;
    // One that stands further than a log does is of another log: it is thrown away when the runner starts.
    return this.checked || (position !== undefined && position <= (await this.store.head()));
  }

  /** Every event has a position of its own: a log that ends before so many holds fewer, which needs no tree to tell. */
  private async requireRoomFor({ size }: Pick<Checkpoint, 'size'>): Promise<void> {
    const head = await this.store.head();
    if (BigInt(size) > head) throw putBack(size, 'in the copy outside', `the log ends at position ${head}`);
  }

  private requireSame({ size, root }: Pick<Checkpoint, 'size' | 'root'>, where: string): void {
    const { size: reached } = this.tree;
    if (size > reached) throw putBack(size, where, `the log holds ${reached}`);
    if (!this.tree.rootAt(size).equals(root))
      throw new TlogRefusal(`the first ${size} events are not those that were signed (${where}): the log was altered`);
  }

  private async refuseWrites(reason: string): Promise<void> {
    this.refuses = true;
    try {
      await this.writes.refuse(reason);
    } catch (error) {
      // Here nothing is written all the same; the next look tells the others.
      this.signing.alarm(failureOf(error));
    }
  }

  /** What another instance has found is its own to take back, or that of one that starts. */
  private async allowWrites(): Promise<void> {
    if (this.checked && !this.refuses) return;
    await this.writes.allow();
    this.checked = true;
    this.refuses = false;
  }

  private async record(size: number): Promise<void> {
    const root = this.tree.rootAt(size);
    const { origin, verifiers } = this.signing;
    const note = this.signing.sign(size, root);
    const id = derivedId('checkpoint', origin, String(size), root.toString('hex'));
    const event = technicalEvent(
      id,
      'CheckpointSigned',
      // The keys stand beside it for whoever has lost them: what a log was signed with is told also of one that goes on without.
      { note, keys: verifiers.map(String) },
      this.clock.now(),
    );
    try {
      const { revision } = await this.store.append(CHECKPOINT_STREAM, this.known?.revision ?? NO_STREAM, [event]);
      await this.take({ data: event.data, revision });
    } catch (error) {
      if (!(error instanceof WrongRevisionError)) throw error;
      // Another instance was faster: the tree is held against what it signed before anything is signed here.
      await this.refresh();
    }
  }

  /** Takes up what was recorded since, here or by other instances. @throws {TlogRefusal} where it is not signed by the log's key */
  private async refresh(): Promise<void> {
    if (this.known === undefined) {
      const last = await lastEventOf(this.store, CHECKPOINT_STREAM);
      if (last !== undefined) await this.take(last);
      return;
    }
    for (;;) {
      const page: RecordedEvent[] = await this.store.readStream(CHECKPOINT_STREAM, this.known.revision + 1, PAGE);
      for (const event of page) await this.take(event);
      if (page.length < PAGE) return;
    }
  }

  private async take({ data, revision }: Pick<RecordedEvent, 'data' | 'revision'>): Promise<void> {
    const { note } = data as { readonly note: string };
    const { checkpoint, by } = openSigned(note, await this.keyring.history());
    const { origin, size, root } = checkpoint;
    this.known = { origin, size, root, note, revision, by };
  }

  private check(): HealthCheck {
    const { known, trouble } = this;
    return {
      name: 'log checkpoints',
      ok: trouble === undefined,
      detail: {
        origin: this.signing.origin,
        signed: known?.size ?? 0,
        ...(trouble === undefined ? {} : { trouble }),
      },
    };
  }
}

const putBack = (size: number, where: string, held: string): TlogRefusal =>
  new TlogRefusal(`${size} events were signed (${where}), ${held}: it was put back in time`);

const RETRY = { headers: { 'retry-after': '1' } };

export const behind = (): Problem =>
  Problem.of(
    'projection-behind',
    'No checkpoint covers that yet: try again in a second or two, or send Prefer: wait=5.',
    RETRY,
  );
