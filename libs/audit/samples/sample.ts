import type { CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse } from '#kernel';
import type { SampleEvent } from './sample.contract.js';

export type SampleRejectionCode = 'forbidden' | 'already-drawn' | 'nothing-to-draw' | 'population-too-large';
export type SampleRejection = Rejection<SampleRejectionCode>;

/** What was drawn, as it is recorded. */
export type DrawnSample = Omit<SampleEvent['data'], 'auditor'>;

export interface SampleCommand {
  readonly type: 'DrawSample';
  readonly by: CommandContext;
  readonly sample: DrawnSample;
}

export interface SampleState {
  readonly sample?: SampleEvent['data'] & { readonly drawnAt: string };
}

/** Items that one event has room for. */
export const MOST_ITEMS = 4_000;

const decide = (
  { by, sample }: SampleCommand,
  { sample: known }: SampleState,
): Decision<SampleEvent, SampleRejection> => {
  if (by.actor.role !== 'auditor') return refuse('forbidden', 'Samples are drawn by auditors.');
  const data = { auditor: by.actor.party, ...sample };
  if (known !== undefined) {
    const { drawnAt: _drawnAt, ...drawn } = known;
    return canonicalJson(drawn) === canonicalJson(data)
      ? accept()
      : refuse('already-drawn', 'This sample was drawn otherwise: draw another one under a new id.');
  }
  if (sample.draws.every(({ drawn }) => drawn.length === 0)) {
    return refuse(
      'nothing-to-draw',
      'Nothing that a mandate of yours covers fits: widen the filter, or draw at random.',
    );
  }
  if (sample.population.length > MOST_ITEMS) {
    return refuse(
      'population-too-large',
      `The population has more than ${MOST_ITEMS} items, the most that are kept with a sample: narrow it by donor, State or days.`,
    );
  }
  return accept<SampleEvent>({ type: 'SampleDrawn', data });
};

const evolve = (state: SampleState, event: RecordedEvent<SampleEvent>): SampleState =>
  // An event of a later version says nothing here.
  (event.type as string) === 'SampleDrawn' ? { sample: { ...event.data, drawnAt: event.metadata.recordedAt } } : state;

/** What auditors drew to look at. A draw is never changed: another one is another sample. */
export const sampleDecider: Decider<SampleState, SampleCommand, SampleEvent, SampleRejection> = {
  category: 'sample',
  initial: {},
  schemas: { SampleDrawn: 1 },
  decide,
  evolve,
};
