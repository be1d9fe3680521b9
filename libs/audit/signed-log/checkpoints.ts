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
  technicalEvent,
  WrongRevisionError,
} from '#kernel';
import { CHECKPOINT_STREAM } from '#evidence';
import { type Checkpoint, openCheckpoint, signCheckpoint, TlogRefusal } from '#tlog';
import { Health, type HealthCheck, Problem, ReadGate, type RequestContext } from '#web';
import { LogSigning } from './log-signing.js';
import { LOG_TREE } from './log-tree.projection.js';
import { LogTree } from './log-tree.js';
import { Witnesses } from './witnesses.js';

const PAGE = 100;

/** A checkpoint that was signed and recorded: every instance signs at the end of one stream, so no size is ever signed with two roots. */
export interface Signed {
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed note, as it is handed out. */
  readonly note: string;
}

/**
 * Signs how far the tree has grown, once that is committed, and hands out what was signed. Each checkpoint is recorded before anyone sees
 * it; a tree that is not what was signed before is not signed.
 */
@Injectable()
export class Checkpoints implements OnApplicationBootstrap, OnModuleDestroy {
  private known: (Signed & { readonly revision: number }) | undefined;
  private trouble: string | undefined;
  private tail: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly store: EventStore,
    private readonly projections: ProjectionRunner,
    private readonly tree: LogTree,
    private readonly signing: LogSigning,
    private readonly clock: Clock,
    private readonly gate: ReadGate,
    private readonly health: Health,
    private readonly witnesses: Witnesses,
  ) {}

  onApplicationBootstrap(): void {
    this.health.add(async () => [this.check()]);
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.tail;
  }

  /**
   * The checkpoint that a request is answered from: the newest signed (and, where witnesses are configured, cosigned), and where the caller waits or shows what it has written one that
   * covers that. @throws {Problem} 503 where there is none, or none that goes so far
   */
  async forRequest(ctx: RequestContext): Promise<Signed> {
    await this.gate.ready(ctx, LOG_TREE);
    const waits = ctx.waitSeconds !== undefined;
    if (waits && !(await this.projections.waitFor(await this.store.head(), ctx.waitSeconds * 1000, [LOG_TREE])))
      throw behind();
    const asked = waits || ctx.consistencyToken !== undefined ? this.tree.size : 0;
    if (this.known === undefined || this.known.size < asked) await this.bringUpToDate();
    if (this.known === undefined || this.known.size < asked)
      throw Problem.of('log-not-signed', 'No checkpoint is signed now: the operator is told why.', RETRY);
    return this.witnesses.areNeeded ? this.cosigned(asked) : this.known;
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
    return this.known;
  };

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

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.tail = this.tail.then(work).catch((error: unknown) => {
      const trouble = error instanceof TlogRefusal ? error.message : failureOf(error);
      if (trouble !== this.trouble) this.signing.alarm(trouble);
      this.trouble = trouble;
    });
    return this.tail;
  }

  /** @throws {TlogRefusal} where the tree is not what was signed */
  private async sign(): Promise<void> {
    await this.refresh();
    // A tree that is being built anew has not come to what was signed.
    if (await this.isBehind()) return;
    const { known } = this;
    const { size } = this.tree;
    if (known !== undefined) this.requireSame(known, 'in its own record');
    // Before it is written over: it is what a log that was put back in time is told by.
    const copy = this.signing.copy();
    if (copy !== undefined) this.requireSame(copy, `in ${this.signing.copyTo ?? ''}`);
    if (known === undefined || size > known.size) await this.record(size);
    if (this.known !== undefined && this.known.size !== copy?.size) this.signing.keepCopy(this.known.note);
    this.trouble = undefined;
  }

  private async isBehind(): Promise<boolean> {
    return !(await this.projections.waitFor(await this.store.head(), 0, [LOG_TREE]));
  }

  private requireSame({ size, root }: Pick<Checkpoint, 'size' | 'root'>, where: string): void {
    const { size: reached } = this.tree;
    if (size > reached)
      throw new TlogRefusal(`${size} events were signed (${where}), the log holds ${reached}: it was put back in time`);
    if (!this.tree.rootAt(size).equals(root))
      throw new TlogRefusal(`the first ${size} events are not those that were signed (${where}): the log was altered`);
  }

  private async record(size: number): Promise<void> {
    const root = this.tree.rootAt(size);
    const { signer, origin } = this.signing;
    const note = signCheckpoint(signer, size, root);
    const id = derivedId('checkpoint', origin, String(size), root.toString('hex'));
    const event = technicalEvent(id, 'CheckpointSigned', { note }, this.clock.now());
    try {
      const { revision } = await this.store.append(CHECKPOINT_STREAM, this.known?.revision ?? NO_STREAM, [event]);
      this.known = { size, root, note, revision };
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
      if (last !== undefined) this.take(last);
      return;
    }
    for (;;) {
      const page: RecordedEvent[] = await this.store.readStream(CHECKPOINT_STREAM, this.known.revision + 1, PAGE);
      for (const event of page) this.take(event);
      if (page.length < PAGE) return;
    }
  }

  private take({ data, revision }: RecordedEvent): void {
    const { note } = data as { readonly note: string };
    const { signer, origin } = this.signing;
    const { checkpoint } = openCheckpoint(Buffer.from(note), origin, [signer.verifier]);
    this.known = { size: checkpoint.size, root: checkpoint.root, note, revision };
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

const RETRY = { headers: { 'retry-after': '1' } };

export const behind = (): Problem =>
  Problem.of(
    'projection-behind',
    'No checkpoint covers that yet: try again in a second or two, or send Prefer: wait=5.',
    RETRY,
  );
