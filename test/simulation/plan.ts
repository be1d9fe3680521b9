import type { Random } from '../extra/random.js';
import type { Disturbance } from './scheduler.js';

export type Accident =
  'a node is killed' | 'a node loses its connections' | 'partitions are given out anew' | 'days pass';

/** What kind of run it is: not every run has every trouble, so that each is met with and without the others. */
export interface Plan {
  readonly nodes: number;
  readonly partitions: number;
  readonly skewMs: number;
  readonly disturbance: Disturbance;
  readonly accidents: readonly Accident[];
  readonly accidentEveryMs: number;
  /** The services' own bus and relay, the smallest there can be, or one on which an exit may come before what led to it. */
  readonly bus: 'kafka' | 'plain' | 'overtaking';
  readonly projected: boolean;
  /** People go on with their commitments months later. */
  readonly seasons: boolean;
}

/** What the seed makes of a run before anything happens. */
export const planOf = (random: Random): Plan => {
  const often = (): number => random.pick([0, 0.01, 0.03, 0.08]);
  // Steps on Kafka's bus cost twice as much.
  const bus = random.chance(0.12) ? 'kafka' : random.pick(['plain', 'overtaking'] as const);
  return {
    nodes: random.between(1, 3),
    partitions: bus === 'overtaking' ? random.between(2, 3) : random.between(1, 3),
    skewMs: random.pick([0, 1_000, 300_000]),
    disturbance: {
      refused: often(),
      lost: often(),
      late: often(),
      delayed: often(),
      leap: random.pick([0, 0.01, 0.05]),
    },
    accidents: [
      ...(random.chance(0.6) ? (['a node is killed', 'a node is killed'] as const) : []),
      ...(random.chance(0.4) ? (['a node loses its connections'] as const) : []),
      ...(random.chance(0.5) ? (['partitions are given out anew', 'partitions are given out anew'] as const) : []),
      ...(random.chance(0.2) ? (['days pass'] as const) : []),
    ],
    accidentEveryMs: random.pick([400, 1_500, 5_000]),
    bus,
    projected: random.chance(0.02),
    seasons: random.chance(0.4),
  };
};
