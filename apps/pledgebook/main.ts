import 'reflect-metadata';
import { destination, pino } from 'pino';
import { messageOf, ReadModelUnavailableError, StoreUnavailableError } from '#kernel';
import { faultOf } from '#sqlite';
import { DataFolderInUseError, NewerLogFormatError } from '#store-sqlite';
import { createApp } from './app.js';
import { readSettings, SettingError } from './settings.js';

// Exit codes of sysexits.h, for whoever supervises the process.
const EXIT = { data: 65, unavailable: 69, software: 70, busy: 75, config: 78 } as const;
/** A stop that takes longer than this is forced. */
const STOP_MS = 15_000;

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const reasonFor = (error: unknown): readonly [code: number, message: string] => {
  if (error instanceof SettingError) return [EXIT.config, error.message];
  if (error instanceof DataFolderInUseError) return [EXIT.busy, error.message];
  if (error instanceof NewerLogFormatError) return [EXIT.data, error.message];
  if (error instanceof StoreUnavailableError || error instanceof ReadModelUnavailableError)
    return [EXIT.data, error.message];
  const fault = faultOf(error);
  if (fault !== undefined) return [EXIT.data, `a file of the data folder cannot be used (${fault}): check its disk`];
  if (hasCode(error, 'EADDRINUSE'))
    return [EXIT.unavailable, 'the port is taken by another program: set PORT to a free one'];
  if (hasCode(error, 'EACCES')) return [EXIT.unavailable, `not allowed: ${messageOf(error)}`];
  return [EXIT.software, error instanceof Error ? (error.stack ?? error.message) : String(error)];
};

const fail = (error: unknown): never => {
  const [code, message] = reasonFor(error);
  process.stderr.write(`pledgebook: ${message}\n`);
  process.exit(code);
};

const start = async (): Promise<void> => {
  const { dataFolder, host, port, rate, logLevel, audience, documentLimit, oidc } = readSettings(process.env);
  const sink = destination({ fd: 1, sync: false });
  const logger = pino({ level: logLevel, base: null }, sink);
  const app = await createApp({ dataFolder, rate: rate ?? 'off', logger, audience, documentLimit, oidc });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      sink.flushSync();
      process.exit(EXIT.software);
    }, STOP_MS).unref();
    app.close().then(() => {
      logger.info('stopped');
      sink.flushSync();
      process.exit(0);
    }, fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    const address = await app.listen(port, host);
    process.stdout.write(`Pledgebook is ready on ${address} (routes at ${address}/docs, data in ${dataFolder})\n`);
  } catch (error) {
    await app.close();
    throw error;
  }
};

start().catch(fail);
