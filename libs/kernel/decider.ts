import type { Actor, DomainEvent, RecordedEvent } from './events.js';

/**
 * A refusal is data. `code` is one of the aggregate's closed union of kebab-case codes; `detail` is a sentence for people that
 * names the fix; `field` names the input at fault where there is one.
 */
export interface Rejection<Code extends string = string> {
  readonly code: Code;
  readonly detail: string;
  readonly field?: string;
}

/** What a decider answers. Accepting without events means: what was asked for holds already. */
export type Decision<E extends DomainEvent, R extends Rejection> =
  { readonly kind: 'accepted'; readonly events: readonly E[] } | { readonly kind: 'refused'; readonly rejection: R };

export const accept = <E extends DomainEvent>(...events: readonly E[]): Decision<E, never> => ({
  kind: 'accepted',
  events,
});

export const refuse = <Code extends string>(
  code: Code,
  detail: string,
  field?: string,
): Decision<never, Rejection<Code>> => ({
  kind: 'refused',
  rejection: field === undefined ? { code, detail } : { code, detail, field },
});

/** What every command carries beside its own data. */
export interface CommandContext {
  readonly actor: Actor;
  /** The server's clock when the command was received, RFC 3339 UTC with milliseconds. */
  readonly at: string;
  /** The moment claimed by the actor; equals `at` where none is claimed. */
  readonly effectiveAt: string;
}

/** A command: type, data, and who asks when. */
export interface Command {
  readonly type: string;
  readonly by: CommandContext;
}

/**
 * Pure rules of one kind of stream. `evolve` never throws, never mutates, ignores what it does not know.
 * `schemas` names every event type of the stream with the newest schema version it knows.
 */
export interface Decider<S, C extends Command, E extends DomainEvent, R extends Rejection> {
  /** Name of the kind of stream: the stream of record `id` is `<category>-<id>`. */
  readonly category: string;
  readonly initial: S;
  readonly schemas: Readonly<Record<E['type'], number>>;
  decide(command: C, state: S): Decision<E, R>;
  evolve(state: S, event: RecordedEvent<E>): S;
}

export const streamOf = (category: string, id: string): string => `${category}-${id}`;

/** The record id in a stream's name: `need-<id>` → `<id>`. */
export const idOfStream = (stream: string): string => stream.slice(stream.indexOf('-') + 1);

export const categoryOfStream = (stream: string): string => stream.slice(0, stream.indexOf('-'));
