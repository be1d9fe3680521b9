import type { CallerSettings, ListenSettings } from '#hosting';
import { callerSettings, listenSettings, SettingError, Variables } from '#hosting';
import type { ServiceName } from '#services';
import { SERVICES } from '#services';

/** How the gateway is set up by its environment. */
export interface GatewaySettings extends ListenSettings, CallerSettings {
  readonly variables: Variables;
  /** The addresses of each service's instances. */
  readonly services: Readonly<Record<ServiceName, readonly string[]>>;
}

/** @throws {SettingError} */
export const readGatewaySettings = (environment: NodeJS.ProcessEnv): GatewaySettings => {
  const variables = new Variables(environment);
  const addressesOf = (service: ServiceName): readonly string[] => {
    const name = `PLEDGEBOOK_${service.toUpperCase()}_URLS`;
    const addresses = variables.addresses(name);
    if (addresses.length === 0)
      throw new SettingError(`${name} must be set: the addresses of the instances of ${service}, with commas between`);
    return addresses;
  };
  return {
    ...listenSettings(variables, 3000),
    ...callerSettings(variables),
    variables,
    services: Object.fromEntries(
      SERVICES.map((service) => [service, addressesOf(service)]),
    ) as GatewaySettings['services'],
  };
};
