import { createReadStream } from 'node:fs';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasRole } from '#directory/contract';
import { ApiDocument } from './api-document.js';
import { docsAsset, docsPage, docsStart, PAGE_POLICY, problemPage } from './pages.js';
import { Health, type Readiness } from './health.js';
import { HttpAnswer } from './http-answer.js';
import { isLoopback, Metrics } from './metrics.js';
import { forbidden, knownProblems, notFound } from './problem.js';
import { Ctx, type RequestContext } from './request-context.js';
import { RouteAction } from './route-action.js';

/** What a host, an operator and a developer ask of the service itself. */
@Controller()
export class ServiceController {
  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
    private readonly document: ApiDocument,
  ) {}

  @Get('healthz')
  @RouteAction({ action: 'service.health', anonymous: true, example: { status: 'ok' } })
  alive(): object {
    return { status: 'ok' };
  }

  @Get('readyz')
  @RouteAction({
    action: 'service.ready',
    anonymous: true,
    example: { ready: true, checks: [{ name: 'log', ok: true }] },
  })
  async ready(): Promise<HttpAnswer> {
    const readiness: Readiness = await this.health.readiness();
    return new HttpAnswer(readiness.ready ? 200 : 503, readiness.ready ? {} : { 'retry-after': '1' }, readiness);
  }

  @Get('metrics')
  @RouteAction({ action: 'service.metrics', anonymous: true, produces: ['text/plain'] })
  async figures(
    @Ctx() { caller }: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!isLoopback(request.ip) && !hasRole(caller, 'operator')) {
      throw forbidden('Figures are for this machine and for operators.');
    }
    await reply.header('content-type', this.metrics.mediaType).send(await this.metrics.text());
  }

  @Get('openapi.json')
  @RouteAction({ action: 'service.openapi', anonymous: true })
  openApi(): object {
    return this.document.value;
  }

  @Get('docs')
  @ApiExcludeEndpoint()
  @RouteAction({ action: 'service.docs', anonymous: true, produces: ['text/html'] })
  async docs(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(docsPage);
  }

  @Get('docs/start.js')
  @ApiExcludeEndpoint()
  @RouteAction({ action: 'service.docs', anonymous: true, produces: ['text/javascript'] })
  async docsStart(@Res() reply: FastifyReply): Promise<void> {
    await reply.type('text/javascript; charset=utf-8').send(docsStart);
  }

  @Get('docs/assets/:file')
  @ApiExcludeEndpoint()
  @RouteAction({ action: 'service.docs', anonymous: true })
  async docsAsset(@Param('file') file: string, @Res() reply: FastifyReply): Promise<void> {
    const asset = docsAsset(file);
    if (asset === undefined) throw notFound();
    await reply
      .header('cache-control', 'public, max-age=3600')
      .type(asset.mediaType)
      .send(createReadStream(asset.path));
  }

  @Get('problems/:code')
  @RouteAction({ action: 'service.problem', anonymous: true, produces: ['text/html'] })
  async problem(@Param('code') code: string, @Res() reply: FastifyReply): Promise<void> {
    const info = knownProblems().get(code);
    if (info === undefined) throw notFound();
    await reply
      .header('content-security-policy', PAGE_POLICY)
      .type('text/html; charset=utf-8')
      .send(problemPage(code, info));
  }
}
