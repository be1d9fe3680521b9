import { Injectable } from '@nestjs/common';
import { hasRole } from '#directory/contract';
import type { SqlRow, SqlValue } from '#kernel';
import { Clock, ProjectionRunner } from '#kernel';
import type { RequestContext } from '#web';
import { Cursors } from '#web';

/** Something that waits for the caller's party now. */
export interface DeskEntry {
  /** Id of the record. */
  readonly record: string;
  readonly kind: 'need' | 'commitment' | 'duplicate';
  readonly href: string;
  readonly action: string;
  /** The delivery or discrepancy meant, where a record has several. */
  readonly n?: number;
  readonly since: string;
  readonly due: string | null;
  /** How many of the reminders at 60, 120 and 150 days have come, for a delivery that waits for its confirmation. */
  readonly reminders?: number;
}

const REMINDER_DAYS = [60, 120, 150];
/** Sorts entries without a due date behind all others. */
const NO_DUE = '9999';

/** What waits for a party: soonest due first. */
@Injectable()
export class Desk {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly clock: Clock,
    private readonly cursors: Cursors,
  ) {}

  waiting(
    ctx: RequestContext,
    limit: number,
    cursor: string | undefined,
  ): { readonly items: readonly DeskEntry[]; readonly next: string | null } {
    const { caller } = ctx;
    const now = this.clock.now().toISOString();
    const after: readonly SqlValue[] =
      cursor === undefined ? ['', '', '', 0] : this.cursors.decode(ctx, { desk: true }, cursor);
    const coordinator = hasRole(caller, 'coordinator') ? 1 : 0;
    const rows = this.runner.model('desk').all(
      `SELECT record, kind, action, n, since, due, CASE due WHEN '' THEN '${NO_DUE}' ELSE due END AS sort
       FROM desk_item
       WHERE (party = ? OR (party = '' AND ? = 1 AND instr(involved, ?) = 0))
         AND visible_from <= ?
         AND (sort, record, action, n) > (?, ?, ?, ?)
       ORDER BY sort, record, action, n LIMIT ?`,
      caller.party,
      coordinator,
      `|${caller.party}|`,
      now,
      ...after,
      limit + 1,
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const next =
      rows.length > limit && last !== undefined
        ? this.cursors.encode(ctx, { desk: true }, [
            last.sort as string,
            last.record as string,
            last.action as string,
            last.n as number,
          ])
        : null;
    return { items: page.map((row) => entryOf(row, now)), next };
  }
}

const entryOf = (row: SqlRow, now: string): DeskEntry => {
  const kind = row.kind as DeskEntry['kind'];
  const n = row.n as number;
  const since = row.since as string;
  const due = row.due as string;
  const action = row.action as string;
  const days = (Date.parse(now) - Date.parse(since)) / 86_400_000;
  return {
    record: row.record as string,
    kind,
    href: `/v1/${kind}s/${row.record as string}`,
    action,
    ...(n === 0 ? {} : { n }),
    since,
    due: due === '' ? null : due,
    ...(action === 'confirm' ? { reminders: REMINDER_DAYS.filter((day) => days >= day).length } : {}),
  };
};
