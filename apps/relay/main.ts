import 'reflect-metadata';
import { createRelaying, openInstance, readInstanceSettings } from '#distributed';
import { Opened, run } from '#hosting';
import { contexts } from '#services';

run('pledgebook-relay', () => {
  const settings = readInstanceSettings(process.env, 'relay', 3106);
  const { audience, oidc, servers, logLevel } = settings;
  return {
    logLevel,
    start: (logger) =>
      Opened.orClosed(async (opened) => {
        const adapters = await openInstance('relay', settings, logger, opened);
        const { broker, store } = adapters;
        const app = await createRelaying(
          {
            ...{ adapters, broker, contexts, logger, audience, oidc },
            prefix: servers.prefix,
            keepNewest: (stream, count) => store.keepNewest(stream, count),
          },
          opened,
        );
        const address = await app.listen(settings.port, settings.host);
        return { app, ready: `Pledgebook relay is ready on ${address}` };
      }),
  };
});
