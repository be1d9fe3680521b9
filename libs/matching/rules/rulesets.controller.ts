import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Transactor } from '#kernel';
import type { CommandAccess, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  HttpAnswer,
  ListQuery,
  notFound,
  Problem,
  RecordEndpoints,
  RouteAction,
} from '#web';
import { rulesetView, RulesetRecords } from './ruleset-records.js';
import type { SetWeights } from './ruleset-weights.js';
import { rulesetDecider } from './ruleset-weights.js';
import type { RulesetVersion } from './rulesets.js';
import { isRulesetVersion, RULESETS, RULESET_VERSIONS } from './rulesets.js';
import type { WeightsDto } from './rulesets.dto.js';
import { SetWeightsDto } from './rulesets.dto.js';
import { RULESET_PROBLEMS } from './rulesets.problems.js';
import type { Weights } from './weighted-parts.js';
import { PARTS } from './weighted-parts.js';

const SET = { action: 'ruleset.set-weights', roles: ['coordinator'] } as const satisfies CommandAccess;

@ApiTags('matches')
@Controller('v1/rulesets')
export class RulesetsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: RulesetRecords,
    private readonly transactor: Transactor,
    private readonly cursors: Cursors,
  ) {}

  /** Every version that matches can be asked by, the newest last. */
  @Get()
  @RouteAction({ action: 'ruleset.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() { limit = DEFAULT_LIMIT, cursor }: ListQuery): Promise<HttpAnswer> {
    const after = cursor === undefined ? '' : String(this.cursors.decode(ctx, {}, cursor)[0]);
    const rows = RULESET_VERSIONS.filter((version) => version > after).slice(0, limit + 1);
    const { page, next } = this.cursors.page(ctx, {}, rows, limit, (version) => [version]);
    const items = await Promise.all(
      page.map(async (version) => {
        const { state, revision } = await this.transactor.load(rulesetDecider, version);
        return { ...rulesetView(version, state), revision: revision < 0 ? null : revision };
      }),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  /** One version, as a table of its rules and weighted parts. */
  @Get(':id')
  @RouteAction({ action: 'ruleset.read', anonymous: true })
  async one(@Ctx() ctx: RequestContext, @Param('id') given: string): Promise<HttpAnswer> {
    const version = rulesetVersionOf(given);
    const { state, revision } = await this.transactor.load(rulesetDecider, version);
    // Nothing is written of it: there is no revision to name.
    if (revision < 0) return new HttpAnswer(200, {}, { ...rulesetView(version, state), revision: null });
    return this.endpoints.one(ctx, this.records, version);
  }

  @Post(':id/weights')
  @RouteAction({ ...SET, problems: RULESET_PROBLEMS, ifMatch: 'optional' })
  setWeights(
    @Ctx() ctx: RequestContext,
    @Param('id') given: string,
    @Body() { weights, reason }: SetWeightsDto,
  ): Promise<HttpAnswer> {
    const version = rulesetVersionOf(given);
    return this.endpoints.command(ctx, this.records, version, {
      access: SET,
      type: 'SetWeights',
      ifMatch: 'optional',
      prepare: () => {
        if (!RULESETS[version].weighted) {
          throw Problem.of(
            'weights-fixed',
            `The weights of ruleset ${version} are part of it: set those of a later version, and ask matches by it.`,
          );
        }
        return (by): SetWeights => ({ type: 'SetWeights', by, weights: weightsOf(weights), reason });
      },
    });
  }
}

/** A version of the rules by its name. @throws {Problem} 404 */
export const rulesetVersionOf = (id: string): RulesetVersion => {
  if (!isRulesetVersion(id)) throw notFound();
  return id;
};

const weightsOf = (dto: WeightsDto): Weights =>
  Object.fromEntries(PARTS.map((part) => [part, dto[part]])) as unknown as Weights;
