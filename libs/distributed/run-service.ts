import { Opened, run } from '#hosting';
import type { ServiceName } from '#services';
import { contexts, ROUTE_TABLE } from '#services';
import { openInstance } from './instance.js';
import { createService } from './service.js';
import { readInstanceSettings } from './settings.js';

/** Runs one instance of a service until it is told to stop. @param port where it listens unless PORT says otherwise */
export const runService = (service: ServiceName, port: number): void => {
  run(`pledgebook-${service}`, () => {
    const settings = readInstanceSettings(process.env, service, port);
    return {
      logLevel: settings.logLevel,
      start: (logger) =>
        Opened.orClosed(async (opened) => {
          const { audience, oidc } = settings;
          const adapters = await openInstance(service, settings, logger, opened);
          const app = await createService(
            {
              ...{ service, table: ROUTE_TABLE, contexts, adapters, logger, audience, oidc },
              checks: async () => [{ name: 'key store', ok: await adapters.subjects.reachable() }],
            },
            opened,
          );
          const address = await app.listen(settings.port, settings.host);
          return { app, ready: `Pledgebook ${service} is ready on ${address}` };
        }),
    };
  });
};
