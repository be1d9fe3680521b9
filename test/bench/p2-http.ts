import { Body, Controller, Module, Post, RequestMethod } from '@nestjs/common';
import { NeedsModule } from '#needs';
import type { Context, RequestContext, RouteActionOptions } from '#web';
import { Ctx, HttpAnswer, RouteAction } from '#web';
import { needBody, npcOf } from './content.js';
import type { Folders } from './folders.js';
import { LoadGenerator } from './load.js';
import type { Turn } from './measure.js';
import { cpuClock, interleaved, median, rateOf, ratioOf } from './measure.js';
import type { Figure } from './report.js';
import { serve } from './service.js';

const CONNECTIONS = 50;
const SETTLE_MS = 120_000;
const NEEDS = '/v1/needs';
const NOTHING = '/v1/bench/nothing';

/** `POST /v1/needs` against a route in the same app that does all the pipeline does and then nothing. */
export const creatingOverHttp = async (
  folders: Folders,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly Figure[]> => {
  const { context, answerAs } = nothing();
  const { app, url, post, tokenOf } = await serve(folders.fresh('http'), [context]);
  const generator = new LoadGenerator();
  try {
    const filer = npcOf(0);
    const sample = await post(NEEDS, needBody(0), filer);
    answerAs(sample.headers, sample.body);
    const order = {
      url,
      token: await tokenOf(filer),
      bodies: Array.from({ length: 200 }, (_, n) => JSON.stringify(needBody(n))),
      connections: CONNECTIONS,
      seconds,
    };
    const latencies: number[] = [];
    const load = async (path: string): Promise<Turn> => {
      const cpu = cpuClock();
      const { answered, failed, seconds: took, p50 } = await generator.run({ ...order, path });
      if (failed > 0 || answered === 0) throw new Error(`${path}: ${failed} of ${failed + answered} requests failed`);
      // What the read models still owe is paid before the other side begins.
      await app.settled(SETTLE_MS);
      if (path === NEEDS) latencies.push(p50);
      return { done: answered, seconds: took, cpuSeconds: cpu() };
    };
    const turns = await interleaved(rounds, { need: () => load(NEEDS), nothing: () => load(NOTHING) });
    return [
      { name: 'POST /v1/needs, 50 connections', value: rateOf(turns.need), unit: '/s' },
      { name: 'no-op POST, same token, DTO and answer', value: rateOf(turns.nothing), unit: '/s' },
      { name: 'POST /v1/needs, median latency', value: median(latencies), unit: 'ms' },
      {
        name: 'POST /v1/needs : no-op',
        value: ratioOf(turns.need, turns.nothing),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.7 },
      },
      {
        name: '… by processor time, until every read model has caught up',
        value: ratioOf(turns.need, turns.nothing, 'cpuSeconds'),
        unit: 'ratio',
      },
    ];
  } finally {
    generator.stop();
    await app.close();
  }
};

interface Nothing {
  readonly context: Context;
  /** From now on it answers so. */
  readonly answerAs: (headers: Headers, body: object) => void;
}

/** A route with the body class and the permission of `POST /v1/needs`, that answers what that once answered. */
const nothing = (): Nothing => {
  const { body, action } = creationOf(NeedsModule);
  let answer = new HttpAnswer(201, {}, {});
  @Controller(NOTHING)
  class NothingController {
    @Post()
    @RouteAction(action)
    take(@Ctx() _ctx: RequestContext, @Body() _body: object): HttpAnswer {
      return answer;
    }
  }
  Reflect.defineMetadata('design:paramtypes', [Object, body], NothingController.prototype, 'take');
  @Module({ controllers: [NothingController] })
  class NothingModule {}
  return {
    context: { name: 'bench', module: NothingModule, schemas: {} },
    answerAs: (headers, view) => {
      const sent = ['location', 'etag', 'consistency-token'].map((name) => [name, headers.get(name) ?? ''] as const);
      answer = new HttpAnswer(201, Object.fromEntries(sent), view);
    },
  };
};

/** Body class and declared action of a module's creating route, as its controller declares them. */
const creationOf = (module: object): { readonly body: unknown; readonly action: RouteActionOptions } => {
  const [controller] = Reflect.getMetadata('controllers', module) as readonly { readonly prototype: object }[];
  if (controller === undefined) throw new Error('the module has no controller');
  const { prototype } = controller;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler = (prototype as Record<string, unknown>)[name];
    if (typeof handler !== 'function' || Reflect.getMetadata('method', handler) !== RequestMethod.POST) continue;
    if (Reflect.getMetadata('path', handler) !== '/') continue;
    const types = Reflect.getMetadata('design:paramtypes', prototype, name) as readonly unknown[];
    const body = types.find((type) => typeof type === 'function' && type !== Object);
    return { body, action: Reflect.getMetadata('pledgebook:action', handler) as RouteActionOptions };
  }
  throw new Error('the controller creates nothing');
};
