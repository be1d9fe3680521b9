import { streamOf } from './decider.js';
import { derivedId } from './ids.js';
import type { ProcessCommand } from './process.js';

/** A deadline that has come: the row's identity, and the command of `system:timer` it stands for. */
export interface DueDeadline {
  /** The moment it was due, RFC 3339 UTC: becomes the event's `effectiveAt`. */
  readonly due: string;
  readonly command: ProcessCommand;
}

/** A read model that knows deadlines. */
export interface DeadlineSource {
  readonly name: string;
  /** Deadlines due at `now` or before, oldest first, at most `limit`. */
  due(now: Date, limit: number): Promise<readonly DueDeadline[]> | readonly DueDeadline[];
}

/** The command id of a deadline: the same record, key and due moment always give the same, so that firing twice writes once. */
export const deadlineCommandId = ({ due, command: { decider, id, key } }: DueDeadline): string =>
  derivedId('deadline', streamOf(decider.category, id), key, due);
