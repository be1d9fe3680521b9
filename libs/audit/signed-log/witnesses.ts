import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  Clock,
  derivedId,
  EventStore,
  failureOf,
  lastEventOf,
  NO_STREAM,
  type RecordedEvent,
  technicalEvent,
  WrongRevisionError,
} from '#kernel';
import { EMPTY_ROOT, formatNote, type NoteSignature, parseCheckpointText, parseNote, signCheckpoint } from '#tlog';
import { Health, type HealthCheck } from '#web';
import type { Signed } from './checkpoints.js';
import { LogSigning } from './log-signing.js';
import { LogTree } from './log-tree.js';
import { type Cosigning, WitnessClient } from './witness-client.js';

/** The technical stream of checkpoints that enough witnesses cosigned: what all instances hand out. */
export const COSIGNED_STREAM = '_log-cosigned';
const PAGE = 100;
/** How long a checkpoint that has its quorum waits for the cosignatures of the others. */
const OTHERS_MS = 500;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A witness that misses one question is not worth an alarm. */
const SILENCES = 3;

/** Reads the newest checkpoint that is recorded. */
export type Newest = () => Promise<Signed | undefined>;

/** One witness that holds more of the log than the log itself, or another. */
export interface Contradiction {
  readonly witness: string;
  readonly says: string;
}

/** What witnesses said of the log. */
export interface Testimony {
  readonly contradictions: readonly Contradiction[];
  /** Names of those that did not answer. */
  readonly silent: readonly string[];
}

interface Kept extends Signed {
  /** Of the witnesses that are configured. */
  readonly cosignatures: ReadonlyMap<string, NoteSignature>;
}

/** What is known of one witness. */
interface Standing {
  readonly client: WitnessClient;
  asked: boolean;
  failures: number;
  nextAt: number;
  /** What keeps it from cosigning; `contradicts` where that speaks against the log. */
  trouble: { readonly says: string; readonly contradicts: boolean } | undefined;
}

/**
 * Has each new checkpoint cosigned by the witnesses that are configured, and hands out the newest that enough of them cosigned. A witness
 * that does not answer delays that, never signing or writing.
 */
@Injectable()
export class Witnesses implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stop = new AbortController();
  private readonly standings: readonly Standing[];
  private readonly quorum: number;
  private kept: Kept | undefined;
  private revision = NO_STREAM;
  /** The newest checkpoint that was shown to witnesses. */
  private shown = 0;
  private trouble: string | undefined;
  private tail: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly tree: LogTree,
    private readonly signing: LogSigning,
    private readonly clock: Clock,
    private readonly health: Health,
  ) {
    const { witnesses, quorum } = signing.witnesses ?? { witnesses: [], quorum: 0 };
    this.quorum = quorum;
    this.standings = witnesses.map((witness) => ({
      client: new WitnessClient(witness, this.stop.signal),
      ...{ asked: false, failures: 0, nextAt: 0, trouble: undefined },
    }));
  }

  onApplicationBootstrap(): void {
    if (this.areNeeded) this.health.add(async () => [this.check()]);
  }

  async onModuleDestroy(): Promise<void> {
    this.stop.abort();
    await this.tail;
  }

  /** Whether a checkpoint has to be cosigned before it is handed out. */
  get areNeeded(): boolean {
    return this.standings.length > 0;
  }

  /** The newest checkpoint that has its cosignatures, with them. */
  get cosigned(): Signed | undefined {
    return this.kept !== undefined && this.kept.cosignatures.size >= this.quorum ? this.kept : undefined;
  }

  /** Takes up what other instances had cosigned. Never rejects. */
  async look(): Promise<void> {
    if (this.areNeeded) await this.attempt(() => this.refresh());
  }

  /** Shows the newest checkpoint to the witnesses that have not cosigned it. Never rejects; a call while one waits is answered with that one. */
  show(newest: Newest): Promise<void> {
    if (!this.areNeeded) return Promise.resolve();
    this.waiting ??= this.tail.then(async () => {
      this.waiting = undefined;
      await this.attempt(() => this.round(newest));
    });
    this.tail = this.waiting;
    return this.tail;
  }

  /**
   * Whether a witness holds more of the log than what was signed, or another log of its name: a store that was put back in time is told by that.
   * Asks each once, all at the same time, five seconds at most; where the tree is not built yet only sizes are compared.
   * @param head position of the log's last event: of a log without a checkpoint, which may have been moved, it bounds how many it holds
   */
  async testimony(newest: Newest, head: bigint): Promise<Testimony> {
    const signed = (await newest()) ?? this.emptyLog();
    const said = await Promise.all(
      this.standings.map(async ({ client }) => ({ client, cosigning: await this.ask(client, signed) })),
    );
    // Another instance may have signed since: a witness is not ahead of that.
    const signedNow = (await newest())?.size;
    const held =
      signedNow === undefined
        ? { size: Number(head), says: `ends at position ${head}` }
        : hasSigned(Math.max(signed.size, signedNow));
    return {
      contradictions: said.flatMap(({ client: { name }, cosigning }) => {
        const says = contradictionIn(cosigning, held);
        return says === undefined ? [] : [{ witness: name, says }];
      }),
      silent: said.flatMap(({ client: { name }, cosigning }) => (cosigning.kind === 'silent' ? [name] : [])),
    };
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.trouble = undefined;
    } catch (error) {
      const trouble = failureOf(error);
      if (trouble !== this.trouble) this.signing.alarm(`what witnesses cosign cannot be kept: ${trouble}`);
      this.trouble = trouble;
    }
  }

  private emptyLog(): Signed {
    return { size: 0, root: EMPTY_ROOT, note: signCheckpoint(this.signing.signer, 0, EMPTY_ROOT) };
  }

  private async ask(client: WitnessClient, signed: Signed): Promise<Cosigning> {
    try {
      return await client.ask(signed, (old) => {
        if (old === 0 || old === signed.size) return [];
        return this.tree.size < signed.size ? undefined : this.tree.consistency(old, signed.size);
      });
    } catch (error) {
      // Of a tree that is thrown away at this moment, say.
      return { kind: 'silent', says: `was not asked: ${failureOf(error)}` };
    }
  }

  private async round(newest: Newest): Promise<void> {
    const signed = await newest();
    await this.refresh();
    if (signed === undefined) return;
    this.shown = signed.size;
    const before = this.kept?.size === signed.size ? this.kept.cosignatures : new Map<string, NoteSignature>();
    const now = this.clock.now().getTime();
    const asked = this.standings.filter(
      ({ client, asked: isAsked, nextAt }) => !before.has(client.witness.key.toString()) && !isAsked && nextAt <= now,
    );
    const cosignatures = new Map(before);
    const ahead: Standing[] = [];
    const all = Promise.all(
      asked.map(async (standing) => {
        const cosigning = await this.asking(standing, signed);
        if (cosigning.kind === 'cosigned')
          cosignatures.set(standing.client.witness.key.toString(), cosigning.signature);
        if (cosigning.kind === 'ahead') ahead.push(standing);
      }),
    );
    await this.enough(all, cosignatures);
    // Another instance may have signed further meanwhile, and shown that.
    if (ahead.length > 0) {
      const reached = (await newest())?.size ?? 0;
      for (const standing of ahead) this.judge(standing, { kind: 'ahead', size: standing.client.size }, reached);
    }
    if (cosignatures.size >= this.quorum && cosignatures.size > before.size)
      await this.record(signed, new Map(cosignatures));
  }

  private async asking(standing: Standing, signed: Signed): Promise<Cosigning> {
    standing.asked = true;
    const cosigning = await this.ask(standing.client, signed);
    standing.asked = false;
    if (cosigning.kind !== 'ahead' && !this.stop.signal.aborted) this.judge(standing, cosigning, signed.size);
    return cosigning;
  }

  /** Resolves when all have answered, or a while after enough of them have cosigned. */
  private async enough(all: Promise<unknown>, cosignatures: ReadonlyMap<string, NoteSignature>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const others = new Promise<void>((resolve) => {
      const look = (): void => {
        if (cosignatures.size >= this.quorum) resolve();
        else timer = setTimeout(look, OTHERS_MS);
      };
      timer = setTimeout(look, OTHERS_MS);
    });
    await Promise.race([all, others]);
    clearTimeout(timer);
  }

  /** @param reached how far the log is signed, as it was read after the witness had spoken */
  private judge(standing: Standing, cosigning: Cosigning, reached: number): void {
    const { client } = standing;
    const contradiction = contradictionIn(cosigning, hasSigned(reached));
    if (
      contradiction === undefined &&
      (cosigning.kind === 'cosigned' || cosigning.kind === 'ahead' || cosigning.kind === 'unproven')
    ) {
      standing.failures = 0;
      standing.nextAt = 0;
      standing.trouble = undefined;
      return;
    }
    standing.failures += 1;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (standing.failures - 1));
    standing.nextAt = this.clock.now().getTime() + pause;
    const says = contradiction ?? ('says' in cosigning ? cosigning.says : '');
    const isNew = standing.trouble?.says !== says;
    const wasSilent = cosigning.kind === 'silent';
    if (wasSilent ? standing.failures === SILENCES : isNew) this.signing.alarm(`witness ${client.name} ${says}`);
    standing.trouble = { says, contradicts: contradiction !== undefined };
  }

  private async record(signed: Signed, cosignatures: ReadonlyMap<string, NoteSignature>): Promise<void> {
    const { text, signatures } = parseNote(Buffer.from(signed.note));
    const note = formatNote({ text, signatures: [...signatures, ...cosignatures.values()] });
    const id = derivedId('cosigned', note);
    const event = technicalEvent(id, 'CheckpointCosigned', { note }, this.clock.now());
    try {
      const { revision } = await this.store.append(COSIGNED_STREAM, this.revision, [event]);
      this.revision = revision;
      this.kept = { ...signed, note, cosignatures };
    } catch (error) {
      if (!(error instanceof WrongRevisionError)) throw error;
      // Another instance was faster.
      await this.refresh();
    }
  }

  private async refresh(): Promise<void> {
    if (this.revision === NO_STREAM) {
      const last = await lastEventOf(this.store, COSIGNED_STREAM);
      if (last !== undefined) this.take(last);
      return;
    }
    for (;;) {
      const page: RecordedEvent[] = await this.store.readStream(COSIGNED_STREAM, this.revision + 1, PAGE);
      for (const event of page) this.take(event);
      if (page.length < PAGE) return;
    }
  }

  private take({ data, revision }: RecordedEvent): void {
    if (revision <= this.revision) return;
    this.revision = revision;
    const { note } = data as { readonly note: string };
    const { text, signatures } = parseNote(Buffer.from(note));
    const { origin, size, root } = parseCheckpointText(text);
    // A log that goes on under another name has another tree; and who is trusted may have been changed since.
    if (origin !== this.signing.origin || size < (this.kept?.size ?? 0)) return;
    const cosignatures = new Map<string, NoteSignature>();
    for (const { client } of this.standings) {
      const { key } = client.witness;
      const own = signatures.find((each) => key.signed(each) && key.verify(text, each) !== undefined);
      if (own !== undefined) cosignatures.set(key.toString(), own);
    }
    this.kept = { size, root, note, cosignatures };
  }

  private check(): HealthCheck {
    const { cosigned, shown, trouble } = this;
    return {
      name: 'log witnesses',
      // One that does not answer is no reason to send callers away.
      ok: !this.standings.some(({ trouble }) => trouble?.contradicts === true),
      detail: {
        needed: `${this.quorum} of ${this.standings.length}`,
        cosigned: cosigned?.size ?? 0,
        signed: shown,
        ...(trouble === undefined ? {} : { trouble }),
        ...Object.fromEntries(
          this.standings.map((each) => [each.client.name, each.trouble?.says ?? `cosigned ${each.client.size}`]),
        ),
      },
    };
  }
}

/** How many events the log has, and how that is known. */
interface Held {
  readonly size: number;
  readonly says: string;
}

const hasSigned = (size: number): Held => ({ size, says: `has signed ${size}` });

/** What speaks against the log in what a witness said. */
const contradictionIn = (cosigning: Cosigning, held: Held): string | undefined => {
  if (cosigning.kind === 'fork') return `${cosigning.says}: the log was altered, or forked`;
  if (cosigning.kind !== 'ahead' || cosigning.size <= held.size) return undefined;
  return `cosigned ${cosigning.size} events, the log ${held.says}: it was put back in time`;
};
