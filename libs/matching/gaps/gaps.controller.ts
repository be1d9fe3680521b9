import { Readable } from 'node:stream';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { yieldToLoop } from '#kernel';
import type { Quantity } from '#vocabulary';
import type { RequestContext } from '#web';
import { CSV, csvLine, Ctx, readAsOf, ReadGate, RouteAction, wantsCsv } from '#web';
import type { Cell, Dimension } from './cells.js';
import { MOST_YEARS, OPEN_ENDED } from './cells.js';
import { dimensionsOf, GapsQuery, UnusedQuery } from './gaps.dto.js';
import type { CellList } from './gaps.js';
import { ANY, GAP_FIGURES, Gaps, NONE, UNUSED_FIGURES } from './gaps.js';
import { LINE_HISTORY } from './line-history.projection.js';

/** Records that a cell lists at the most; it says how many there are. */
const MOST_LISTED = 1000;

const USD = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const NEED = '019b8d00-0000-7000-8000-00000000000a';
const OFFER = '019b8d00-0000-7000-8000-00000000000b';

const CELLS =
  'Cells overlap and are no partition: a line stands in every region, instrument, network and year that its record does, so that figures of ' +
  'different cells are not to be added. Within a cell unlike measures, currencies and units are never added. Lines whose quantity nobody ' +
  'knows stand in cells of their own (`measure` `undetermined`) with their number in `lines` and without figures. ' +
  `\`period\` is each calendar year that the record's period touches; \`${OPEN_ENDED}\` where it states none or goes on for more than ` +
  `${MOST_YEARS} years, and beside the year of the other where one bound is missing. Filters choose lines; a line chosen still stands in each of its cells. ` +
  'With `at` the figures are those of that place of the log, of the records that the caller may see today; memberships of networks are those known ' +
  'today, on that day. `asOf` is the position answered for: as `at` it gives the same figures again. ' +
  `Of the records of a cell the first ${MOST_LISTED} are listed, by id.`;

@ApiTags('gaps')
@Controller('v1')
export class GapsController {
  constructor(
    private readonly view: Gaps,
    private readonly gate: ReadGate,
  ) {}

  /** What open needs ask for and what of it is binding, delivered and unmet, in the cells asked for. */
  @Get('gaps')
  @RouteAction({
    action: 'gaps.read',
    anonymous: true,
    produces: [CSV],
    says:
      'Lines of needs that are open to matching (neither dormant, merged into another nor closed) and whose body the caller sees. ' +
      "`kind` is the line's own. `unmet` is summed line by line: what one line has beyond what it asks serves no other. " +
      `\`${NONE}\` stands for a region or network where the need's beneficiaries lie in none. ${CELLS}`,
    example: {
      items: [
        {
          kind: 'legal',
          region: '054',
          measure: 'money',
          currency: 'USD',
          lines: 1,
          asked: USD('180000.00'),
          binding: USD('60000.00'),
          delivered: USD('0.00'),
          unmet: USD('120000.00'),
          needs: [NEED],
          needsCount: 1,
        },
      ],
      asOf: '4711',
    },
  })
  async gaps(@Ctx() ctx: RequestContext, @Query() query: GapsQuery): Promise<StreamableFile> {
    const { by, at, ...filter } = query;
    const dimensions = dimensionsOf(by);
    await this.gate.ready(ctx, LINE_HISTORY);
    const list = await this.view.unmet(ctx.caller, dimensions, filter, readAsOf(at));
    return answer(ctx, dimensions, list, GAP_FIGURES, 'needs');
  }

  /** What offers hold, and what of it is held, committed and available, in the cells asked for. */
  @Get('unused')
  @RouteAction({
    action: 'unused.read',
    anonymous: true,
    produces: [CSV],
    says:
      'Lines of offers that are open or suspended and that the caller sees. `kind`, `region`, `instrument` and `network` are the parts of the ' +
      `earmark as written, \`${ANY}\` where it says nothing; a line's kinds are those that it and the earmark both name. capacity = available + held + ` +
      `committed. Unlimited access stands in cells of its own. Filters by State, region, network and instrument keep the offers whose earmark admits them. ${CELLS}`,
    example: {
      items: [
        {
          kind: 'legal',
          measure: 'money',
          currency: 'USD',
          lines: 1,
          capacity: USD('100000.00'),
          held: USD('0.00'),
          committed: USD('60000.00'),
          available: USD('40000.00'),
          offers: [OFFER],
          offersCount: 1,
        },
      ],
      asOf: '4711',
    },
  })
  async unused(@Ctx() ctx: RequestContext, @Query() query: UnusedQuery): Promise<StreamableFile> {
    const { by, at, ...filter } = query;
    const dimensions = dimensionsOf(by);
    await this.gate.ready(ctx, LINE_HISTORY);
    const list = await this.view.unused(ctx.caller, dimensions, filter, readAsOf(at));
    return answer(ctx, dimensions, list, UNUSED_FIGURES, 'offers');
  }
}

const answer = <Figure extends string>(
  ctx: RequestContext,
  by: readonly Dimension[],
  list: CellList<Figure>,
  figures: readonly Figure[],
  name: 'needs' | 'offers',
): StreamableFile => {
  const csv = wantsCsv(ctx.accept);
  const text = csv ? csvOf(by, list, figures, name) : jsonOf(by, list, name);
  return new StreamableFile(Readable.from(text), { type: `${csv ? CSV : 'application/json'}; charset=utf-8` });
};

/** Cells written at a time: one request for everything has tens of thousands, and others have their turn in between. */
const BATCH = 100;

async function* inBatches<Figure extends string>(
  cells: Iterable<Cell<Figure>>,
  textOf: (cell: Cell<Figure>) => string,
): AsyncGenerator<string> {
  let batch: string[] = [];
  for (const cell of cells) {
    batch.push(textOf(cell));
    if (batch.length < BATCH) continue;
    yield batch.join('');
    batch = [];
    await yieldToLoop();
  }
  if (batch.length > 0) yield batch.join('');
}

async function* jsonOf<Figure extends string>(
  by: readonly Dimension[],
  { cells, asOf }: CellList<Figure>,
  name: 'needs' | 'offers',
): AsyncGenerator<string> {
  let before = '{"items":[';
  yield* inBatches(cells, ({ places, records, figures: sums, ...cell }) => {
    const item = {
      ...Object.fromEntries(by.map((dimension, at) => [dimension, places[at]])),
      ...cell,
      ...sums,
      [name]: records.slice(0, MOST_LISTED),
      [`${name}Count`]: records.length,
    };
    const text = before + JSON.stringify(item);
    before = ',';
    return text;
  });
  yield `${before === ',' ? '' : before}],"asOf":${JSON.stringify(asOf)}}`;
}

async function* csvOf<Figure extends string>(
  by: readonly Dimension[],
  { cells }: CellList<Figure>,
  figures: readonly Figure[],
  name: 'needs' | 'offers',
): AsyncGenerator<string> {
  yield csvLine([...by, 'measure', 'currency', 'unit', 'lines', ...figures, name, `${name}Count`]);
  yield* inBatches(cells, ({ places, measure, currency = '', unit = '', lines, figures: sums, records }) =>
    csvLine([
      ...places,
      ...[measure, currency, unit, String(lines)],
      ...figures.map((figure) => amountOf(sums?.[figure])),
      ...[records.slice(0, MOST_LISTED).join(' '), String(records.length)],
    ]),
  );
}

const amountOf = (quantity: Quantity | undefined): string =>
  quantity === undefined || quantity.measure === 'undetermined' ? '' : quantity.amount;
