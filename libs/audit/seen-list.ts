import { Injectable } from '@nestjs/common';
import type { HttpAnswer, ListQuery, RequestContext } from '#web';
import { Cursors, DEFAULT_LIMIT, ReadGate, RecordEndpoints } from '#web';

/** Where a row stands in its list: a page goes on after the last one of the page before. */
interface Place {
  readonly seq: number;
}

interface Listed<Row extends Place> {
  /** The read model that the rows are of. */
  readonly board: string;
  /** The next rows after a place, `limit` of them unless the list ends. */
  readonly read: (limit: number, after: number | undefined) => readonly Row[];
  /** What the caller is shown of a row; undefined where it does not see it. */
  readonly shown: (row: Row) => Promise<object | undefined>;
}

/** Lists of which each caller sees some rows: those that it may not see take no room on a page. */
@Injectable()
export class SeenList {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  async page<Row extends Place>(
    ctx: RequestContext,
    { limit = DEFAULT_LIMIT, cursor, ...filter }: ListQuery,
    { board, read, shown }: Listed<Row>,
  ): Promise<HttpAnswer> {
    const from = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, board);
    const seen: (Place & { readonly item: object })[] = [];
    const wanted = limit + 1;
    for (let after = from; seen.length < wanted;) {
      const rows = read(wanted, after);
      for (const row of rows) {
        const item = seen.length < wanted ? await shown(row) : undefined;
        if (item !== undefined) seen.push({ seq: row.seq, item });
      }
      if (rows.length < wanted) break;
      after = rows.at(-1)?.seq;
    }
    const { page, next } = this.cursors.page(ctx, filter, seen, limit, ({ seq }) => [seq]);
    return this.endpoints.list(ctx, { items: page.map(({ item }) => item), next });
  }
}
