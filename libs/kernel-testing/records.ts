import type {
  Actor,
  Command,
  CommandContext,
  Decider,
  DomainEvent,
  EventMetadata,
  RecordedEvent,
  Rejection,
} from '#kernel';
import { derivedId, streamOf } from '#kernel';

/** The moment of everything that names none. */
export const TEST_TIME = '2026-01-05T09:00:00.000Z';

/** Somebody, where it does not matter who. */
export const ANYONE: Actor = { party: 'state:VUT', role: 'npc', subject: 'subject-1' };

/** What may be said of a given event beside its data; the rest is filled in. */
export type GivenMetadata = Partial<EventMetadata> & { readonly at?: string };

/** An event that has happened: alone, or with what is to be known of its recording. */
export type Given<E extends DomainEvent> = E | readonly [event: E, metadata: GivenMetadata];

/** A command without who asks when. */
export type CommandBody<C extends Command> = C extends Command ? Omit<C, 'by'> : never;

/** Data as it comes back from the log. @throws where a value does not survive JSON (`undefined`, bigint, NaN, Date) */
export const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A recorded event of a test: every field has a value, equal inputs give equal events. */
export const recordedEvent = <E extends DomainEvent>(
  stream: string,
  revision: number,
  event: E,
  { at = TEST_TIME, ...metadata }: GivenMetadata = {},
  position = BigInt(revision + 1),
): RecordedEvent<E> => ({
  id: derivedId('test-event', stream, String(revision)),
  stream,
  type: event.type,
  data: throughJson(event.data),
  metadata: {
    commandId: derivedId('test-command', stream, String(revision)),
    correlationId: derivedId('test-correlation', stream),
    causationId: null,
    actor: ANYONE,
    effectiveAt: at,
    recordedAt: at,
    schema: 1,
    salt: '00'.repeat(32),
    ...metadata,
  },
  revision,
  position,
});

/** Makes a value and everything in it read-only, so that a fold or decision that changes its input throws. */
export const frozen = <T>(value: T): T => {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
};

/** The events of a record of `decider`, revisions from 0, in the newest schema unless told otherwise. */
export const recordedHistory = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  given: readonly Given<E>[],
  id = 'r1',
): RecordedEvent<E>[] => given.map((entry, revision) => recordedGiven(decider, entry, revision, id));

const recordedGiven = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  entry: Given<E>,
  revision: number,
  id: string,
): RecordedEvent<E> => {
  const [event, metadata] = (Array.isArray(entry) ? entry : [entry, {}]) as readonly [E, GivenMetadata];
  const schema = decider.schemas[event.type as E['type']];
  return recordedEvent(streamOf(decider.category, id), revision, event, { schema, ...metadata });
};

/** What was folded last with each decider: the events as given, and the state before the first and after each. */
const lastFolds = new WeakMap<
  object,
  { readonly id: string; readonly given: readonly unknown[]; readonly states: readonly unknown[] }
>();

/**
 * The state after these events. Every state on the way is frozen: an `evolve` that mutates throws. Where they begin with the same events
 * as those folded last it goes on from there, so that a test may ask after every step.
 */
export const stateAfter = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  given: readonly Given<E>[],
  id = 'r1',
): S => {
  const last = lastFolds.get(decider);
  const differs = last?.id === id ? given.findIndex((entry, n) => entry !== last.given[n]) : 0;
  const known = differs === -1 ? given.length : differs;
  const states = last?.id === id ? (last.states.slice(0, known + 1) as S[]) : [frozen(decider.initial)];
  let state = states[known] as S;
  for (const [n, entry] of given.slice(known).entries()) {
    state = frozen(decider.evolve(state, frozen(recordedGiven(decider, entry, known + n, id))));
    states.push(state);
  }
  lastFolds.set(decider, { id, given: [...given], states });
  return state;
};

/** Who asks when, in a test. */
export const askedBy = ({
  actor = ANYONE,
  at = TEST_TIME,
  effectiveAt = at,
}: Partial<CommandContext> = {}): CommandContext => ({
  actor,
  at,
  effectiveAt,
});
