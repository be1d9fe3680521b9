import type { Caller } from '#directory/contract';
import type { EventStore, Folded, RecordedEvent, Transactor, Upcasting } from '#kernel';
import { categoryOfStream, idOfStream } from '#kernel';
import type { AnyRecordKind, RecordKinds } from '#web';
import { showsWhole } from '#web';
import { LOG_KEYS_STREAM } from './signed-log/log-keys.js';

const PAGE = 500;

/** An event in its newest schema, and what of its data the caller is shown; undefined where it may not read the event. */
export interface ShownEvent {
  readonly lifted: RecordedEvent;
  readonly data: object | undefined;
}

/** Whether that is all that the event was recorded with. */
export const isWhole = ({ lifted, data }: ShownEvent): boolean =>
  data !== undefined && (data === lifted.data || showsWhole(data, lifted.data));

interface Met {
  readonly kind: AnyRecordKind;
  readonly folded: Folded<unknown>;
  readonly isSeen: boolean;
  /** Revisions at which a command's events end: made when they are first asked for. */
  ends?: ReadonlySet<number>;
}

/**
 * What one caller reads of the log's events. Of each record it is asked once whether the caller sees it, as it stands when it is first met: to
 * be held for a page, not for longer.
 */
export class LogSight {
  private readonly met = new Map<string, Promise<Met | undefined>>();
  private readonly commands = new Map<string, Promise<boolean>>();

  constructor(
    private readonly caller: Caller,
    private readonly store: EventStore,
    private readonly kinds: RecordKinds,
    private readonly transactor: Transactor,
    private readonly upcasting: Upcasting,
  ) {}

  async shown(raw: RecordedEvent): Promise<ShownEvent> {
    const lifted = this.upcasting.lift(raw);
    // Of the log itself, about nobody: by which keys it is signed is public.
    if (lifted.stream === LOG_KEYS_STREAM) return { lifted, data: lifted.data };
    const met = await this.recordOf(lifted.stream);
    if (met?.isSeen !== true) return { lifted, data: undefined };
    return { lifted, data: await met.kind.maskEvent(this.caller, met.folded.state, lifted) };
  }

  /** Whether the caller is shown all that the event was recorded with. */
  async readsAll(event: RecordedEvent): Promise<boolean> {
    return isWhole(await this.shown(event));
  }

  /** The same of every event that the same command wrote to the stream. */
  async readsAllOfCommand(event: RecordedEvent): Promise<boolean> {
    const command = `${event.stream} ${event.metadata.commandId}`;
    const known = this.commands.get(command) ?? this.readsAllBeside(event);
    this.commands.set(command, known);
    return known;
  }

  private async readsAllBeside(event: RecordedEvent): Promise<boolean> {
    const [first, last] = await this.commandOf(event);
    if (first === last) return this.readsAll(event);
    for (let from = first; from <= last; from += PAGE) {
      const page = await this.store.readStream(event.stream, from, Math.min(PAGE, last + 1 - from));
      for (const each of page) if (!(await this.readsAll(each))) return false;
    }
    return true;
  }

  /** The revisions that the event's command wrote to its stream, first and last: they stand without a gap. */
  private async commandOf({ stream, revision, metadata }: RecordedEvent): Promise<readonly [number, number]> {
    const met = await this.recordOf(stream);
    if (met === undefined) return [revision, revision];
    const { commands } = met.folded;
    const ends = (met.ends ??= new Set([...commands.values()].map((receipt) => receipt.revision)));
    let first = revision;
    while (first > 0 && !ends.has(first - 1)) first -= 1;
    return [first, commands.get(metadata.commandId)?.revision ?? revision];
  }

  private recordOf(stream: string): Promise<Met | undefined> {
    const known = this.met.get(stream) ?? this.meet(stream);
    this.met.set(stream, known);
    return known;
  }

  private async meet(stream: string): Promise<Met | undefined> {
    const kind = this.kinds.of(categoryOfStream(stream));
    if (kind === undefined) return undefined;
    const id = idOfStream(stream);
    const folded = await this.transactor.load(kind.decider, id);
    return { kind, folded, isSeen: await kind.sees(this.caller, id, folded.state) };
  }
}
