import type { Caller } from '#directory/contract';
import type { Decider, DomainEvent, LifeCycleRule, RecordedEvent } from '#kernel';
import type { Change } from './changes.js';
import { differences, withNulls } from './changes.js';
import type { EventShown } from './record-endpoints.js';
import { eventFor } from './record-endpoints.js';
import type { PastView } from './record-kind.js';

/** One event and what it changed in what the caller sees. Of a masked one, which is shown where it changed something, only its place. */
export type ReplayStep = { readonly changes: readonly Required<Change>[] } & (
  | (Pick<EventShown, 'revision' | 'position'> & { readonly masked: true })
  | (EventShown & {
      /** The rule that allowed it, where the record's context publishes its rules. */
      readonly rule?: LifeCycleRule;
    })
);

/** What depends on who asks and when is no part of what happened. */
export const withoutToday = (view: object): object => {
  const { actions: _actions, quality: _quality, revision: _revision, ...record } = view as Record<string, unknown>;
  return record;
};

interface Replayed<S, E extends DomainEvent> {
  readonly decider: Pick<Decider<S, never, E, never>, 'initial' | 'evolve'>;
  readonly caller: Caller;
  /** Null: there is no record, or none for this caller, at that state. */
  readonly past: PastView<S>;
  /** The data of an event as the record's history shows it; undefined where the caller may not know that it happened. */
  readonly mask: (event: RecordedEvent<E>) => Promise<object | undefined> | object | undefined;
  readonly ruleOf?: ((event: RecordedEvent<E>) => LifeCycleRule) | undefined;
}

/** Folds the events, in revision order, and says what each of them changed in the record as this caller sees it. */
export const replayOf = async <S, E extends DomainEvent>(
  events: readonly RecordedEvent<E>[],
  { decider, caller, past, mask, ruleOf }: Replayed<S, E>,
): Promise<{ readonly state: object | null; readonly steps: readonly ReplayStep[] }> => {
  const steps: ReplayStep[] = [];
  let state = decider.initial;
  let view: object | null = null;
  let record: object = {};
  for (const event of events) {
    const before = record;
    state = decider.evolve(state, event);
    view = await past.of(state);
    record = view === null ? {} : withoutToday(view);
    const changes = differences(before, record).map(withNulls);
    if ((await mask(event)) === undefined) {
      // Of what is in confidence even its place would tell that it happened just then.
      if (changes.length > 0)
        steps.push({ revision: event.revision, position: String(event.position), masked: true, changes });
      continue;
    }
    const rule = ruleOf?.(event);
    steps.push({ ...eventFor(caller, event), ...(rule === undefined ? {} : { rule }), changes });
  }
  const revision = events.at(-1)?.revision;
  if (view === null) return { state: null, steps };
  const actions = past.actions?.(state);
  return { state: { ...view, ...(actions === undefined ? {} : { actions }), revision }, steps };
};
