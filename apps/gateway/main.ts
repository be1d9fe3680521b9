import 'reflect-metadata';
import { configuredIssuer, run } from '#hosting';
import { SystemClock } from '#kernel';
import { ROUTE_TABLE } from '#services';
import { TokenVerifier, trustLocal, trustOidc } from '#web';
import { createGateway } from './gateway.js';
import { publish } from './published.js';
import { readGatewaySettings } from './settings.js';

run('pledgebook-gateway', () => {
  const { host, port, logLevel, audience, oidc, rate = 'off', services, variables } = readGatewaySettings(process.env);
  const clock = new SystemClock();
  const trusted =
    oidc === undefined
      ? trustLocal(configuredIssuer(variables), audience, clock)
      : trustOidc(oidc.issuer, audience, oidc.jwksUri);
  return {
    logLevel,
    start: async (logger) => {
      const verifier = new TokenVerifier(trusted, clock);
      const published = await publish();
      const app = await createGateway({ table: ROUTE_TABLE, services, verifier, published, logger, rate });
      try {
        const address = await app.listen(port, host);
        return {
          app,
          ready: `Pledgebook is ready on ${address} (routes at ${address}/docs), in front of its services`,
        };
      } catch (error) {
        await app.close();
        throw error;
      }
    },
  };
});
