import 'reflect-metadata';
import type { Reason } from '#hosting';
import { EXIT, run } from '#hosting';
import { faultOf } from '#sqlite';
import { DataFolderInUseError, NewerLogFormatError } from '#store-sqlite';
import { createApp } from './app.js';
import { readSettings } from './settings.js';

const reasonFor = (error: unknown): Reason | undefined => {
  if (error instanceof DataFolderInUseError) return [EXIT.busy, error.message];
  if (error instanceof NewerLogFormatError) return [EXIT.data, error.message];
  const fault = faultOf(error);
  return fault === undefined
    ? undefined
    : [EXIT.data, `a file of the data folder cannot be used (${fault}): check its disk`];
};

run('pledgebook', () => {
  const { host, port, rate, logLevel, ...settings } = readSettings(process.env);
  return {
    logLevel,
    reasonFor,
    start: async (logger) => {
      const app = await createApp({ ...settings, rate: rate ?? 'off', logger });
      try {
        const address = await app.listen(port, host);
        return {
          app,
          ready: `Pledgebook is ready on ${address} (routes at ${address}/docs, data in ${settings.dataFolder})`,
        };
      } catch (error) {
        await app.close();
        throw error;
      }
    },
  };
});
