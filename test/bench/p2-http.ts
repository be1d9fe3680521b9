import { Body, Controller, HttpCode, Module, Post, RequestMethod } from '@nestjs/common';
import { commitmentsContext } from '#commitments';
import { needsContext } from '#needs';
import type { Context, RequestContext, RouteActionOptions } from '#web';
import { Ctx, HttpAnswer, RouteAction } from '#web';
import { COORDINATOR, deskOf, needBody, npcOf, offerBody, SEATS } from './content.js';
import type { Folders } from './folders.js';
import { LoadGenerator } from './load.js';
import type { Turn } from './measure.js';
import { cpuClock, interleaved, median, rateOf, ratioOf } from './measure.js';
import type { Figure } from './report.js';
import type { BenchedService } from './service.js';
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
  const { context, answerAs } = nothing(needsContext, '/', 201);
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

/** Commitments that share the load: many enough that two transfers seldom meet in one stream, as in life. */
const COMMITMENTS = 2_000;
/** A need asks for twenty seats, a commitment takes one. */
const PER_NEED = 20;

/** `POST /v1/commitments/{id}/transfers` to bound commitments, against a route that does all the pipeline does and then nothing. */
export const transferringOverHttp = async (
  folders: Folders,
  {
    rounds,
    seconds,
    commitments = COMMITMENTS,
  }: { readonly rounds: number; readonly seconds: number; readonly commitments?: number },
): Promise<readonly Figure[]> => {
  const { context, answerAs } = nothing(commitmentsContext, ':id/transfers', 200);
  const service = await serve(folders.fresh('transfers'), [context]);
  const { app, url, post, tokenOf } = service;
  const generator = new LoadGenerator();
  try {
    const donor = deskOf(0);
    const ids = await boundCommitments(service, commitments);
    const body = {
      kind: 'disbursement',
      from: donor.party,
      to: npcOf(0).party,
      amount: { measure: 'money', currency: 'USD', amount: '1250.00' },
      date: '2026-01-15',
      reference: 'Payment order 4711',
    };
    const sample = await post(`/v1/commitments/${ids[0] ?? ''}/transfers`, body, donor);
    answerAs(sample.headers, sample.body);
    const order = {
      url,
      token: await tokenOf(donor),
      bodies: [JSON.stringify(body)],
      connections: CONNECTIONS,
      seconds,
    };
    const paths = ids.map((id) => `/v1/commitments/${id}/transfers`);
    const load = async (path: string, spread?: readonly string[]): Promise<Turn> => {
      const cpu = cpuClock();
      const sent = { ...order, path, ...(spread === undefined ? {} : { paths: spread }) };
      const { answered, failed, seconds: took } = await generator.run(sent);
      if (failed > 0 || answered === 0) throw new Error(`${path}: ${failed} of ${failed + answered} requests failed`);
      await app.settled(SETTLE_MS);
      return { done: answered, seconds: took, cpuSeconds: cpu() };
    };
    const turns = await interleaved(rounds, {
      transfer: () => load('transfers', paths),
      nothing: () => load(NOTHING),
    });
    return [
      { name: 'POST …/transfers, 50 connections', value: rateOf(turns.transfer), unit: '/s' },
      { name: 'no-op POST, same token, DTO and answer', value: rateOf(turns.nothing), unit: '/s' },
      {
        name: 'POST …/transfers : no-op',
        value: ratioOf(turns.transfer, turns.nothing),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.7 },
      },
      {
        name: '… by processor time, until every read model has caught up',
        value: ratioOf(turns.transfer, turns.nothing, 'cpuSeconds'),
        unit: 'ratio',
      },
    ];
  } finally {
    generator.stop();
    await app.close();
  }
};

/** Commitments of one donor and one State, signed by both. */
export const boundCommitments = async (
  { app, post, url, tokenOf }: BenchedService,
  count: number,
): Promise<readonly string[]> => {
  const [donor, filer] = [deskOf(0), npcOf(0)];
  const { body: offer } = await post('/v1/offers', offerBody(0), donor);
  const ids: string[] = [];
  let needId = '';
  for (let n = 0; n < count; n += 1) {
    if (n % PER_NEED === 0) {
      const { body: need } = await post('/v1/needs', needBody(0), filer);
      const consent = { circulate: true, publish: true };
      const { body: submitted } = await post(`/v1/needs/${need.id}/submit`, { consent }, filer, need.revision);
      await post(`/v1/needs/${need.id}/open`, {}, COORDINATOR, submitted.revision);
      await app.settled();
      needId = need.id;
    }
    const legs = [{ ...SEATS, drawn: { measure: 'seats', amount: '1' } }];
    const { body } = await post('/v1/commitments', { offerId: offer.id, needId, legs }, donor);
    ids.push(body.id);
  }
  const each = async (command: string, as: typeof donor): Promise<void> => {
    await app.settled(SETTLE_MS);
    for (const id of ids) {
      const headers = { authorization: `Bearer ${await tokenOf(as)}` };
      const { revision } = (await (await fetch(`${url}/v1/commitments/${id}`, { headers })).json()) as {
        revision: number;
      };
      await post(`/v1/commitments/${id}/${command}`, {}, as, revision);
    }
  };
  await each('accept', filer);
  await each('sign', donor);
  await each('sign', filer);
  await app.settled(SETTLE_MS);
  return ids;
};

interface Nothing {
  readonly context: Context;
  /** From now on it answers so. */
  readonly answerAs: (headers: Headers, body: object) => void;
}

/** A route with the body class and the permission of `POST /v1/needs`, that answers what that once answered. */
const nothing = ({ controllers }: Context, path: string, status: number): Nothing => {
  const { body, action } = routeOf(controllers, path);
  let answer = new HttpAnswer(status, {}, {});
  @Controller(NOTHING)
  class NothingController {
    @Post()
    @HttpCode(status)
    @RouteAction(action)
    take(@Ctx() _ctx: RequestContext, @Body() _body: object): HttpAnswer {
      return answer;
    }
  }
  Reflect.defineMetadata('design:paramtypes', [Object, body], NothingController.prototype, 'take');
  @Module({})
  class NothingModule {}
  return {
    context: { name: 'bench', module: NothingModule, controllers: [NothingController], streams: {} },
    answerAs: (headers, view) => {
      const sent = ['location', 'etag', 'consistency-token'].flatMap((name) => {
        const value = headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      answer = new HttpAnswer(status, Object.fromEntries(sent), view);
    },
  };
};

/** Body class and declared action of a module's route to post to, as its controllers declare them. */
const routeOf = (
  controllers: Context['controllers'],
  path: string,
): { readonly body: unknown; readonly action: RouteActionOptions } => {
  for (const { prototype } of controllers as readonly { readonly prototype: object }[]) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const handler = (prototype as Record<string, unknown>)[name];
      if (typeof handler !== 'function' || Reflect.getMetadata('method', handler) !== RequestMethod.POST) continue;
      if (Reflect.getMetadata('path', handler) !== path) continue;
      const types = Reflect.getMetadata('design:paramtypes', prototype, name) as readonly unknown[];
      const body = types.find((type) => typeof type === 'function' && type !== Object && type !== String);
      return { body, action: Reflect.getMetadata('pledgebook:action', handler) as RouteActionOptions };
    }
  }
  throw new Error(`the context has no route to post to at ${path}`);
};
