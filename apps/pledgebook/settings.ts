import { resolve } from 'node:path';
import type { CallerSettings, ListenSettings } from '#hosting';
import {
  callerSettings,
  configuredLogKey,
  configuredWitnesses,
  documentLimitOf,
  listenSettings,
  Variables,
} from '#hosting';
import type { LogSettings } from './app.js';

/** How the service is set up by its environment. */
export interface Settings extends ListenSettings, CallerSettings {
  readonly dataFolder: string;
  /** Largest document in bytes; undefined: 50 MiB. */
  readonly documentLimit: number | undefined;
  /** The file of the master key; undefined: in the data folder. */
  readonly masterKey: string | undefined;
  readonly log: LogSettings;
}

/** @throws {SettingError} */
export const readSettings = (environment: NodeJS.ProcessEnv): Settings => {
  const variables = new Variables(environment);
  return {
    ...listenSettings(variables, 3000),
    ...callerSettings(variables),
    dataFolder: resolve(variables.text('PLEDGEBOOK_DATA') ?? 'data'),
    documentLimit: documentLimitOf(variables),
    masterKey: variables.text('PLEDGEBOOK_MASTER_KEY_FILE'),
    log: logSettings(variables, environment),
  };
};

const logSettings = (variables: Variables, environment: NodeJS.ProcessEnv): LogSettings => {
  const copyTo = variables.text('PLEDGEBOOK_LOG_COPY');
  return {
    origin: variables.text('PLEDGEBOOK_LOG_ORIGIN'),
    key: configuredLogKey(variables),
    production: environment.NODE_ENV === 'production',
    copyTo: copyTo === undefined ? undefined : resolve(copyTo),
    witnesses: configuredWitnesses(variables),
  };
};
