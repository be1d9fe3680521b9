import type { Command, Decider, DomainEvent, RecordedEvent, Rejection } from '#kernel';
import { streamOf } from '#kernel';

/** The states of the log's records after each of their events, folded once for everybody who needs them: folding is pure. */
export class Folds {
  private readonly states = new Map<string, unknown[]>();

  constructor(private readonly eventsOf: (stream: string) => readonly RecordedEvent[]) {}

  /** The record's state after its event at `revision`, or newest; the initial one where it has none. */
  at<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    revision?: number,
  ): S {
    const stream = streamOf(decider.category, id);
    const events = this.eventsOf(stream);
    const last = revision ?? events.length - 1;
    let states = this.states.get(stream) as S[] | undefined;
    if (states === undefined) this.states.set(stream, (states = []));
    for (const event of events.slice(states.length, last + 1)) {
      states.push(decider.evolve(states.at(-1) ?? decider.initial, event as RecordedEvent<E>));
    }
    return states[last] ?? decider.initial;
  }
}
