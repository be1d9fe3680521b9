import { createReadStream } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { HealthCheck, ProblemInfo } from '#web';
import { docsAsset, docsPage, docsStart, forbidden, isLoopback, notFound, PAGE_POLICY, problemPage } from '#web';
import type { RequestMetrics } from '#web';
import type { Instances } from './instances.js';
import { probe } from './instances.js';

/** The interface's document, and every refusal it knows by its code: made from the contexts when the apps are built. */
export interface Published {
  readonly document: object;
  readonly problems: Readonly<Record<string, ProblemInfo>>;
}

/** What the gateway answers of itself: whether it and the services live, figures, and what the interface is. */
export const servePages = (
  fastify: FastifyInstance,
  { document, problems }: Published,
  services: readonly Instances[],
  metrics: RequestMetrics,
): void => {
  // As text, once: a megabyte is not turned into JSON for every reader.
  const text = JSON.stringify(document);
  fastify.get('/healthz', async () => ({ status: 'ok' }));
  fastify.get('/readyz', async (_request, reply) => {
    const checks = await Promise.all(services.map(checkOf));
    const ready = checks.every(({ ok }) => ok);
    await reply
      .code(ready ? 200 : 503)
      .headers(ready ? {} : { 'retry-after': '1' })
      .send({ ready, checks });
  });
  fastify.get('/metrics', async (request, reply) => {
    if (!isLoopback(request.ip) && request.pledgebook.token?.roles.includes('operator') !== true)
      throw forbidden('Figures are for this machine and for operators.');
    await reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  fastify.get('/openapi.json', async (_request, reply) => {
    await reply.header('content-type', 'application/json; charset=utf-8').send(text);
  });
  fastify.get('/docs', async (_request, reply) => {
    await reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(docsPage);
  });
  fastify.get('/docs/start.js', async (_request, reply) => {
    await reply.type('text/javascript; charset=utf-8').send(docsStart);
  });
  fastify.get<{ Params: { file: string } }>('/docs/assets/:file', async (request, reply) => {
    const asset = docsAsset(request.params.file);
    if (asset === undefined) throw notFound();
    await reply
      .header('cache-control', 'public, max-age=3600')
      .type(asset.mediaType)
      .send(createReadStream(asset.path));
  });
  fastify.get<{ Params: { code: string } }>('/problems/:code', async (request, reply) => {
    const { code } = request.params;
    const info = Object.hasOwn(problems, code) ? problems[code] : undefined;
    if (info === undefined) throw notFound();
    await reply
      .header('content-security-policy', PAGE_POLICY)
      .type('text/html; charset=utf-8')
      .send(problemPage(code, info));
  });
};

/** A service is ready while one of its instances is. */
const checkOf = async ({ service, all }: Instances): Promise<HealthCheck> => {
  const standings = await Promise.all(all.map(async (instance) => [instance.name, await probe(instance)] as const));
  return {
    name: `service ${service}`,
    ok: standings.some(([, standing]) => standing === 'ready'),
    detail: Object.fromEntries(standings),
  };
};
