import { Body, Controller, Get, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Readable } from 'node:stream';
import { newId, ProjectionRunner, Transactor } from '#kernel';
import type { RequestContext } from '#web';
import {
  CSV,
  csvLine,
  Ctx,
  forbidden,
  HttpAnswer,
  ReadGate,
  RecordEndpoints,
  requireForward,
  RouteAction,
  uuidOf,
  wantsCsv,
} from '#web';
import { EVIDENCE_KINDS } from './evidence.js';
import { SAMPLE_BOARD, samplesOf } from './sample-board.projection.js';
import type { ItemShown } from './sample-records.js';
import { SAMPLE_ACCESS, SampleRecords, summaryOf } from './sample-records.js';
import type { SampleFilter } from './sample.contract.js';
import type { SampleCommand } from './sample.js';
import { MOST_ITEMS, sampleDecider } from './sample.js';
import { DrawSampleDto, SamplesQuery } from './samples.dto.js';
import { SAMPLE_PROBLEMS } from './samples.problems.js';
import { Sampling } from './sampling.js';
import { SeenList } from '../seen-list.js';

const SAYS =
  'The population is what the auditor sees of the commitments that one mandate of its own in force covers (the widest of them) and the filter lets ' +
  `through: ${MOST_ITEMS} items at most. At random: the items with the smallest SHA-256 of seed, line feed and key. By monetary units: fixed-interval ` +
  'selection, currency by currency, from a first unit that is the SHA-256 of seed, line feed and currency, modulo the interval, plus 1. ' +
  'The history of a sample holds its whole population with the keys. `evidence` is what stands behind an item now, `answers` what parties said to confirmation requests of the auditor. ' +
  '`coverage`: how much of the population was drawn; shares are cut to four places. `Accept: text/csv` gives the drawn items as a table.';

const USD = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const SUMMARY = {
  id: '019b8d00-0000-8000-8000-000000000010',
  auditor: 'auditor:court',
  mandate: '019b8d00-0000-8000-8000-000000000011',
  ...{ of: 'transfers', method: 'monetary-unit', size: 1, seed: '2026-11', filter: {} },
  drawnAt: '2026-11-22T10:00:00.000Z',
  population: 2,
  draws: [{ currency: 'USD', interval: '6500000', start: '512345', drawn: 1 }],
  coverage: [
    {
      currency: 'USD',
      items: { population: 2, drawn: 1 },
      amount: { population: USD('65000.00'), drawn: USD('60000.00'), share: '0.9230' },
    },
  ],
};
const SAMPLE = {
  ...SUMMARY,
  items: [
    {
      commitment: '019b8d00-0000-8000-8000-00000000000c',
      transfer: 1,
      amounts: [USD('60000.00')],
      currency: 'USD',
      hits: 1,
      evidence: [{ kind: 'receipt', present: false, found: [] }],
      answers: [],
    },
  ],
  revision: 0,
};

@ApiTags('samples')
@Controller('v1/samples')
export class SamplesController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: SampleRecords,
    private readonly sampling: Sampling,
    private readonly transactor: Transactor,
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly lists: SeenList,
  ) {}

  /** Draws a sample and records it with its seed and population: a draw that does not please is there like any other. */
  @Post()
  @RouteAction({ ...SAMPLE_ACCESS, problems: SAMPLE_PROBLEMS, says: SAYS, example: SAMPLE })
  draw(
    @Ctx() ctx: RequestContext,
    @Body() { of, method, size, seed, filter: given }: DrawSampleDto,
  ): Promise<HttpAnswer> {
    const filter = filterOf(given ?? {});
    return this.endpoints.create(ctx, this.records, {
      access: SAMPLE_ACCESS,
      prepare: async () => {
        await this.gate.ready(ctx, SAMPLE_BOARD);
        const order = { of, method, size, seed: seed ?? newId(), filter };
        const sample = await this.sampling.draw(ctx.caller, order);
        if (sample === undefined) throw forbidden('Samples are drawn by auditors with a mandate in force.');
        return (by): SampleCommand => ({ type: 'DrawSample', by, sample });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'sample.list', roles: ['auditor'], says: SAYS, example: { items: [SUMMARY], next: null } })
  list(@Ctx() ctx: RequestContext, @Query() query: SamplesQuery): Promise<HttpAnswer> {
    const { caller } = ctx;
    return this.lists.page(ctx, query, {
      board: SAMPLE_BOARD,
      read: (limit, after) => samplesOf(this.runner.model(SAMPLE_BOARD), caller.party, limit, after),
      shown: async ({ id }) => {
        const { state, revision } = await this.transactor.load(sampleDecider, id);
        return state.sample !== undefined && this.records.sees(caller, id, state)
          ? { ...summaryOf(id, state.sample), revision }
          : undefined;
      },
    });
  }

  @Get(':id')
  @RouteAction({ action: 'sample.read', roles: ['auditor'], says: SAYS, example: SAMPLE, produces: [CSV] })
  async one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer | StreamableFile> {
    if (!wantsCsv(ctx.accept)) return this.endpoints.one(ctx, this.records, uuidOf(id));
    const { state } = await this.endpoints.seen(ctx, this.records, uuidOf(id));
    const items = state.sample === undefined ? [] : await this.records.items(ctx.caller, state.sample);
    const lines = items.flatMap(rowsOf).map(csvLine);
    return new StreamableFile(Readable.from([csvLine(HEADER), ...lines]), { type: `${CSV}; charset=utf-8` });
  }
}

const HEADER = [
  ...['commitment', 'transfer', 'amount', 'currency', 'units'],
  ...EVIDENCE_KINDS.flatMap((kind) => [`evidence: ${kind}`, `found: ${kind}`]),
  ...['answers that agree', 'answers that differ'],
];

/** A drawn item as rows of a table: one for each currency in which it was drawn. */
const rowsOf = (item: ItemShown | { readonly masked: true }): readonly (readonly string[])[] => {
  if ('masked' in item) return [['masked', ...HEADER.slice(1).map(() => '')]];
  const { commitment, transfer, amounts, currency, hits, evidence, answers } = item;
  const answered = [true, false].map((agrees) =>
    answers
      .filter(({ confirmed }) => confirmed === agrees)
      .map(({ id }) => id)
      .join(' '),
  );
  const money = amounts.flatMap((amount) =>
    amount.measure === 'money' && (currency === undefined || amount.currency === currency)
      ? [[amount.amount, amount.currency]]
      : [],
  );
  const found = EVIDENCE_KINDS.flatMap((kind) => {
    const one = evidence.find((each) => each.kind === kind);
    return one === undefined ? ['', ''] : [one.present ? 'present' : 'absent', one.found.join(' ')];
  });
  return (money.length === 0 ? [['', '']] : money).map((amount) => [
    commitment,
    transfer === undefined ? '' : String(transfer),
    ...amount,
    String(hits),
    ...found,
    ...answered,
  ]);
};

/** @throws {Problem} 400 */
const filterOf = ({ donor, state, from, to }: SampleFilter): SampleFilter => {
  requireForward({ from, to }, 'filter.to');
  return {
    ...(donor === undefined ? {} : { donor }),
    ...(state === undefined ? {} : { state }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
};
