import type { RecordedEvent } from './events.js';
import { categoryOfStream } from './decider.js';
import { SYSTEM_PROCESS } from './events.js';
import { failureOf } from './failure.js';
import { derivedId } from './ids.js';
import type { BusSubscription, MessageBus, Process, ProcessCommand, StuckMessage } from './process.js';
import { UnansweredRefusalError } from './process.js';
import type { Transactor } from './transact.js';
import { Upcasting } from './upcasting.js';

/** A process failed on an event: the event stays where it is and is tried again. */
export interface ProcessAlarm {
  readonly process: string;
  readonly event: RecordedEvent;
  readonly error: unknown;
}

export interface ProcessRunnerOptions {
  readonly alarm?: (alarm: ProcessAlarm) => void;
  readonly upcasting?: Upcasting;
}

/** Brings events to processes and their commands to the log. Reacting twice writes once: command ids derive from event ids. */
export class ProcessRunner {
  private readonly subscriptions = new Map<string, BusSubscription>();
  private readonly alarm: (alarm: ProcessAlarm) => void;
  private readonly upcasting: Upcasting;

  constructor(
    private readonly bus: MessageBus,
    private readonly transactor: Transactor,
    private readonly processes: readonly Process[],
    options: ProcessRunnerOptions = {},
  ) {
    this.alarm = options.alarm ?? (() => undefined);
    this.upcasting = options.upcasting ?? new Upcasting();
    const names = new Set(processes.map((process) => process.name));
    if (names.size < processes.length) throw new Error('two processes of one name would share a checkpoint');
  }

  /** Subscribes every process. Called once. */
  start(): void {
    for (const process of this.processes) {
      const handled = new Set(process.handles);
      const categories = this.upcasting.categoriesOf(process.handles);
      // What a newer version wrote into a stream that the process follows waits for that version.
      const concerns = ({ type, stream }: RecordedEvent): boolean =>
        handled.has(type) || categories.has(categoryOfStream(stream));
      this.subscriptions.set(
        process.name,
        this.bus.subscribe(
          process.name,
          process.handles,
          (event) => (concerns(event) ? this.handle(process, event) : Promise.resolve()),
          (type) => this.upcasting.isUnknown(type),
        ),
      );
    }
  }

  /** The events that processes keep failing on, by process. */
  get stuck(): readonly (StuckMessage & { readonly process: string })[] {
    return [...this.subscriptions].flatMap(([process, { stuck }]) => stuck.map((message) => ({ process, ...message })));
  }

  /** How far each process has come. */
  statuses(): readonly { readonly name: string; readonly position: bigint; readonly stuck: number }[] {
    return [...this.subscriptions].map(([name, { position, stuck }]) => ({ name, position, stuck: stuck.length }));
  }

  /** Resolves when every process has handled everything up to `position`. What they wrote meanwhile stands behind it. */
  async reached(position: bigint): Promise<void> {
    await Promise.all([...this.subscriptions.values()].map((subscription) => subscription.reached(position)));
  }

  /** Stops after the events in hand. */
  async stop(): Promise<void> {
    await Promise.all([...this.subscriptions.values()].map((subscription) => subscription.stop()));
    this.subscriptions.clear();
  }

  private async handle(process: Process, raw: RecordedEvent): Promise<void> {
    try {
      const event = this.upcasting.lift(raw);
      await this.runAll(process, event, await process.react(event, this.transactor));
    } catch (error) {
      this.alarm({ process: process.name, event: raw, error });
      throw error;
    }
  }

  // One after the other: a process may rely on the order in which it names its commands.
  private async runAll(process: Process, event: RecordedEvent, commands: readonly ProcessCommand[]): Promise<void> {
    for (const command of commands) await this.run(process, event, command);
  }

  private async run(process: Process, event: RecordedEvent, command: ProcessCommand): Promise<void> {
    const { correlationId, effectiveAt } = event.metadata;
    const outcome = await this.transactor.transact(
      command.decider,
      command.id,
      command.command,
      {
        commandId: derivedId('process', process.name, event.id, command.key),
        correlationId,
        causationId: event.id,
        actor: SYSTEM_PROCESS,
        effectiveAt,
      },
      { attempts: Infinity },
    );
    if (outcome.kind !== 'refused') return;
    if (command.refused === undefined) throw new UnansweredRefusalError(process.name, command, outcome.rejection);
    await this.runAll(process, event, command.refused(outcome.rejection));
  }
}

/** A line for logs: which process fails on which event, and why; nothing of the event's data. */
export const describeProcessAlarm = ({ process, event, error }: ProcessAlarm): string =>
  `process ${process} fails on ${event.type} at ${event.position}: ${failureOf(error)}`;
