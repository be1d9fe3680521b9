import type { Caller } from '#directory/contract';
import type { Command, DomainEvent, Rejection } from '#kernel';
import { emptyFold } from '#kernel';
import type { RecordKind, PastView } from './record-kind.js';

/**
 * Shows past states of a record to a caller, as the record's context does (`RecordKind.lookBack`); null before it came to be.
 * @param now the record as it stands @param at RFC 3339 UTC with milliseconds
 */
export const lookingBack = async <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  kind: RecordKind<S, C, E, R>,
  caller: Caller,
  id: string,
  now: S,
  at: string,
): Promise<PastView<S>> => {
  const past: PastView<S> = (await kind.lookBack?.(caller, id, now, at)) ?? {
    of: async (then) =>
      (await kind.sees(caller, id, then))
        ? kind.view(caller, id, { ...emptyFold(kind.decider.initial), state: then })
        : null,
  };
  return { ...past, of: (then) => (kind.exists(then) ? past.of(then) : null) };
};
