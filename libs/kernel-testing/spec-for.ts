import assert from 'node:assert/strict';
import type { Command, CommandContext, Decider, DomainEvent, RecordedEvent, Rejection } from '#kernel';
import { emptyFold, foldOnto, isOfProcess, streamOf } from '#kernel';
import {
  askedBy,
  type CommandBody,
  frozen,
  type Given,
  recordedEvent,
  recordedHistory,
  throughJson,
} from './records.js';

export interface SpecOptions<C extends Command> {
  /** Commands that ask for a state of affairs: asked again once it holds, they write nothing. Commands of a process always are. */
  readonly idempotent?: readonly C['type'][];
  /** The record's id, where the rules look at it. */
  readonly id?: string;
}

/** What a command is asked with: who, when, and whether deciding it again must write nothing. */
export type Asked = Partial<CommandContext> & { readonly idempotent?: boolean };

export interface When<S, E extends DomainEvent, R extends Rejection> {
  /**
   * The command is accepted with exactly these events. Also proves that it can be repeated: the same command id finds its receipt,
   * and an idempotent command decided again on the new state writes nothing. Answers the state afterwards.
   */
  then(...events: readonly (E | readonly E[])[]): S;
  /** Accepted, whatever the events: answers them and the state afterwards, with the same proofs. */
  accepted(): { readonly events: readonly E[]; readonly state: S };
  /** Refused with this code, and for this field where one is named. */
  refused(code: R['code'], field?: string): R;
}

export interface GivenHistory<S, C extends Command, E extends DomainEvent, R extends Rejection> {
  readonly state: S;
  when(command: CommandBody<C>, asked?: Asked): When<S, E, R>;
}

export interface Spec<S, C extends Command, E extends DomainEvent, R extends Rejection> {
  given(...events: readonly (Given<E> | readonly Given<E>[])[]): GivenHistory<S, C, E, R>;
}

/**
 * Rules read as given these events, when this command, then those events or that refusal.
 * Inputs are frozen and pass through JSON as in the log, so that a rule that mutates or keeps what JSON loses fails.
 */
export const specFor = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  { idempotent = [], id = 'r1' }: SpecOptions<C> = {},
): Spec<S, C, E, R> => ({
  given: (...given) => {
    const history = recordedHistory(decider, flattened(given), id);
    const before = foldedTo(decider, history);
    return {
      state: before.state,
      when: (body, asked = {}) => {
        const command = frozen({ ...body, by: askedBy(asked) }) as unknown as C;
        const decision = decider.decide(command, before.state);
        const accepted = (): { readonly events: readonly E[]; readonly state: S } => {
          if (decision.kind === 'refused') {
            const { code, detail } = decision.rejection;
            assert.fail(`${command.type} was refused with ${code}: ${detail}`);
          }
          const { events } = decision;
          const after = proveRepeatable(decider, history, command, events, id);
          if (asked.idempotent ?? (isOfProcess(command.by.actor) || idempotent.includes(command.type))) {
            assert.deepEqual(
              decider.decide(command, after),
              { kind: 'accepted', events: [] },
              `${command.type} asks for what holds already: it must be accepted and write nothing`,
            );
          }
          return { events, state: after };
        };
        return {
          accepted,
          then: (...expected) => {
            const { events, state } = accepted();
            assert.deepEqual(events, expected.flat());
            return state;
          },
          refused: (code, field) => {
            if (decision.kind === 'accepted') {
              assert.fail(`${command.type} was accepted with [${decision.events.map(({ type }) => type).join(', ')}]`);
            }
            const { rejection } = decision;
            assert.deepEqual(
              { code: rejection.code, ...(field === undefined ? {} : { field: rejection.field }) },
              { code, ...(field === undefined ? {} : { field }) },
              rejection.detail,
            );
            assert.notEqual(rejection.detail.trim(), '', `the refusal ${code} says nothing to people`);
            return rejection;
          },
        };
      },
    };
  },
});

const flattened = <E extends DomainEvent>(given: readonly (Given<E> | readonly Given<E>[])[]): Given<E>[] =>
  // [event, metadata] is one given event; every other array is a list of them.
  given.flatMap((entry) =>
    Array.isArray(entry) && !isWithMetadata(entry as readonly unknown[]) ? (entry as Given<E>[]) : [entry as Given<E>],
  );

const isWithMetadata = (entry: readonly unknown[]): boolean =>
  entry.length === 2 &&
  typeof entry[1] === 'object' &&
  entry[1] !== null &&
  !Array.isArray(entry[1]) &&
  !('type' in entry[1]);

const foldedTo = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  history: readonly RecordedEvent<E>[],
): ReturnType<typeof foldOnto<S, C, E, R>> => {
  let folded = emptyFold(frozen(decider.initial));
  for (const event of history) {
    folded = foldOnto(decider, folded, [frozen(event)]);
    frozen(folded.state);
    assert.equal(folded.newer, undefined, `${event.type} is missing in the schemas of ${decider.category}`);
  }
  return folded;
};

const proveRepeatable = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  history: readonly RecordedEvent<E>[],
  command: C,
  events: readonly E[],
  id: string,
): S => {
  const { actor, at, effectiveAt } = command.by;
  const commandId = 'the-command';
  const written = events.map((event, index) => {
    assert.deepEqual(throughJson(event.data), event.data, `${event.type} holds what JSON loses`);
    return recordedEvent(streamOf(decider.category, id), history.length + index, event, {
      commandId,
      actor,
      recordedAt: at,
      effectiveAt,
      schema: decider.schemas[event.type as E['type']],
    });
  });
  const after = foldedTo(decider, [...history, ...written]);
  const receipt = after.commands.get(commandId);
  assert.equal(receipt?.revision, written.at(-1)?.revision, `${command.type} repeated under its id would write again`);
  return after.state;
};
