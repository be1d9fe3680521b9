import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { SqlRow } from '#kernel';
import { Clock, ProjectionRunner } from '#kernel';
import type { CursorValue, RequestContext } from '#web';
import { Cursors, RecordSight } from '#web';
import { UNCONFIRMED_DAYS } from './desk.projection.js';
import { Suggestions } from './suggestions/suggestions.js';

/** Something that waits for the caller's party now. */
export interface DeskEntry {
  /** Id of the record. */
  readonly record: string;
  readonly kind: 'need' | 'commitment' | 'duplicate' | 'finding' | 'confirmation-request' | 'suggestion';
  readonly href: string;
  readonly action: string;
  /** The delivery or discrepancy meant, where a record has several. */
  readonly n?: number;
  readonly since: string;
  readonly due: string | null;
  /** How many of the reminders at 60, 120 and 150 days have come, for a delivery that waits for its confirmation. */
  readonly reminders?: number;
}

/** Kinds of entries of an audit, and the streams they are of. */
const OF_AUDIT: Readonly<Record<string, string>> = { finding: 'finding', 'confirmation-request': 'confirmation' };
const REMINDER_DAYS = [60, 120, 150];
/** Sorts entries without a due date behind all others. */
const NO_DUE = '9999';
/** Behind those. */
const LAST = '~';

/** What waits for a party: soonest due first. */
@Injectable()
export class Desk {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly clock: Clock,
    private readonly cursors: Cursors,
    private readonly sight: RecordSight,
    private readonly suggestions: Suggestions,
  ) {}

  async waiting(
    ctx: RequestContext,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ readonly items: readonly DeskEntry[]; readonly next: string | null }> {
    const { caller } = ctx;
    const now = this.clock.now().toISOString();
    const from = cursor === undefined ? ['', '', '', 0] : this.cursors.decode(ctx, { desk: true }, cursor);
    const seen = await this.seen(caller, now, limit + 1, from);
    const rows = seen.length > limit ? seen : [...seen, ...(await this.suggested(caller))];
    const { page, next } = this.cursors.page(ctx, { desk: true }, rows, limit, placeOf);
    return { items: page.map((row) => entryOf(row, now)), next };
  }

  /** The rows of the caller's desk behind `from` that it may see. */
  private async seen(
    caller: Caller,
    now: string,
    limit: number,
    from: readonly CursorValue[],
  ): Promise<readonly SqlRow[]> {
    const seen: SqlRow[] = [];
    for (let after = from; seen.length < limit;) {
      const rows = this.rows(caller, now, limit, after);
      for (const row of rows) if (await this.knows(caller, row)) seen.push(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) break;
      after = placeOf(last);
    }
    return seen;
  }

  /** All suggestions are one entry behind all others. */
  private async suggested(caller: Caller): Promise<readonly SqlRow[]> {
    const longest = await this.suggestions.longestOpen(caller);
    if (longest === undefined) return [];
    const { id, sharedAt } = longest;
    return [{ record: id, kind: 'suggestion', action: 'propose', n: 0, since: sharedAt, due: '', sort: LAST }];
  }

  /** A party sees what waits for it; an auditor's findings and requests are seen as their own routes show them. */
  private knows(caller: Caller, { kind, record }: SqlRow): Promise<boolean> | boolean {
    const category = OF_AUDIT[kind as string];
    return category === undefined || this.sight.sees(caller, category, record as string);
  }

  private rows(caller: Caller, now: string, limit: number, after: readonly CursorValue[]): readonly SqlRow[] {
    const coordinator = hasRole(caller, 'coordinator') ? 1 : 0;
    return this.runner.model('desk').all(
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
      limit,
    );
  }
}

const placeOf = ({ sort, record, action, n }: SqlRow): readonly CursorValue[] => [
  sort as string,
  record as string,
  action as string,
  n as number,
];

const entryOf = (row: SqlRow, now: string): DeskEntry => {
  const kind = row.kind as DeskEntry['kind'];
  const n = row.n as number;
  const since = row.since as string;
  const due = row.due as string;
  const action = row.action as string;
  // Of the silence that ends at the due date, not of the tranche: a later one gives its State the time again.
  const days = UNCONFIRMED_DAYS - (Date.parse(due) - Date.parse(now)) / 86_400_000;
  return {
    record: row.record as string,
    kind,
    href: kind === 'suggestion' ? '/v1/suggestions?status=open' : `/v1/${kind}s/${row.record as string}`,
    action,
    ...(n === 0 ? {} : { n }),
    since,
    due: due === '' ? null : due,
    ...(action === 'confirm' ? { reminders: REMINDER_DAYS.filter((day) => days >= day).length } : {}),
  };
};
