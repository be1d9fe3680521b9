import type { CommandContext, Decider, Rejection } from '#kernel';
import { accept } from '#kernel';
import type { ReadEvent } from './read.contract.js';

export interface ReadCommand {
  readonly type: 'RecordReads';
  readonly by: CommandContext;
  /** Events of one minute: several where it holds more than one event should. */
  readonly reads: readonly ReadEvent['data'][];
}

/** Nothing decides on what was read. */
export type ReadState = Readonly<Record<string, never>>;

/** Who read which restricted records, minute by minute. */
export const readDecider: Decider<ReadState, ReadCommand, ReadEvent, Rejection<never>> = {
  category: 'reads',
  initial: {},
  schemas: { RecordsRead: 1 },
  decide: ({ reads }) => accept(...reads.map((data): ReadEvent => ({ type: 'RecordsRead', data }))),
  evolve: (state) => state,
};
