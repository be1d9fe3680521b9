import type { ReadQueries } from '#kernel';
import { ProjectionRunner } from '#kernel';
import type { AsOf } from '#web';
import { Injectable } from '@nestjs/common';
import type { StandingNeed, StandingOffer } from './line-history.projection.js';
import { LINE_HISTORY } from './line-history.projection.js';

/** A record as it counted, with the place where the reading of a long list goes on. */
export interface Standing<Doc> {
  readonly id: string;
  readonly since: bigint;
  readonly doc: Doc;
}

/** A cut of the log. `day`: the UTC date it was made on; absent where it is the present. */
export interface Cut {
  readonly position: bigint;
  readonly day?: string;
}

type DocOf = { readonly need: StandingNeed; readonly offer: StandingOffer };

/** Reads lines as they stood at a position. What it answers for a position that is reached never changes. */
@Injectable()
export class LineHistory {
  constructor(private readonly runner: ProjectionRunner) {}

  /** The cut that `at` names, at most the present; that of a time holds all that was recorded before anything later than it. */
  cut(at: AsOf | undefined): Cut {
    const { position: present } = this.runner.statuses().find(({ name }) => name === LINE_HISTORY) ?? { position: 0n };
    if (at === undefined) return { position: present };
    if ('time' in at) return { position: this.positionBefore(at.time) ?? present, day: at.time.slice(0, 10) };
    return at.position >= present ? { position: present } : { position: at.position, ...this.dayOf(at.position) };
  }

  /** Up to `limit` records of a kind that counted at the cut, behind `after`, in the order in which they came to stand so. */
  standing<Kind extends keyof DocOf>(
    kind: Kind,
    { position }: Cut,
    after: bigint,
    limit: number,
  ): readonly Standing<DocOf[Kind]>[] {
    return this.reads
      .all(
        'SELECT since, id, doc FROM standing WHERE kind = ? AND since > ? AND since <= ? AND until > ? ORDER BY since LIMIT ?',
        kind,
        after,
        position,
        position,
        limit,
      )
      .map((row) => ({
        id: row.id as string,
        since: BigInt(row.since as number | bigint),
        doc: JSON.parse(row.doc as string) as DocOf[Kind],
      }));
  }

  /** The two figures of a line at the cut, in minor units: binding and delivered of a need's, held and committed of an offer's. */
  figures(id: string, line: number, { position }: Cut): readonly [first: bigint, second: bigint] {
    const row = this.reads.get(
      'SELECT first, second FROM figure WHERE id = ? AND line = ? AND since <= ? ORDER BY since DESC LIMIT 1',
      id,
      line,
      position,
    );
    return row === undefined ? [0n, 0n] : [BigInt(row.first as number | bigint), BigInt(row.second as number | bigint)];
  }

  private positionBefore(time: string): bigint | undefined {
    const row = this.reads.get(
      'SELECT position FROM moment WHERE recorded_at > ? ORDER BY recorded_at, position LIMIT 1',
      time,
    );
    return row === undefined ? undefined : BigInt(row.position as number | bigint) - 1n;
  }

  private dayOf(position: bigint): { readonly day?: string } {
    const row = this.reads.get(
      'SELECT recorded_at FROM moment WHERE position <= ? ORDER BY position DESC LIMIT 1',
      position,
    );
    return row === undefined ? {} : { day: (row.recorded_at as string).slice(0, 10) };
  }

  private get reads(): ReadQueries {
    return this.runner.model(LINE_HISTORY);
  }
}
