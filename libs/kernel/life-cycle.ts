import type { RecordedEvent } from './events.js';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from './events.js';

/** What allowed an event: a row of its record's life cycle. */
export interface LifeCycleRule {
  /** The command that the event answers. */
  readonly command: string;
  /** Statuses in which the command may come; none where it begins the record. */
  readonly from: readonly string[];
  /** Who may send it, in words. */
  readonly by: string;
  /** What else must hold, in words. */
  readonly guard: string;
  /** Where the rule comes from. */
  readonly source: string;
}

/** A rule, and whether parties, processes or deadlines act by it. */
export interface RuleRow extends LifeCycleRule {
  readonly principal: 'party' | 'process' | 'timer';
}

/** Of the rows that an event of its type may come by, the one that whoever wrote it acts by; the first where none is its own. */
export const ruleAmong = (
  rows: readonly [RuleRow, ...RuleRow[]],
  { metadata }: Pick<RecordedEvent, 'metadata'>,
): LifeCycleRule => {
  const { party } = metadata.actor;
  const acting = party === SYSTEM_PROCESS.party ? 'process' : party === SYSTEM_TIMER.party ? 'timer' : 'party';
  const { principal: _principal, ...rule } = rows.find(({ principal }) => principal === acting) ?? rows[0];
  return rule;
};
