import { destination, type Logger, pino } from 'pino';
import { messageOf, ReadModelUnavailableError, StoreUnavailableError } from '#kernel';
import type { Closing } from './opened.js';
import { SettingError } from './settings.js';

/** Exit codes of sysexits.h, for whoever supervises the process. */
export const EXIT = { data: 65, unavailable: 69, software: 70, busy: 75, config: 78 } as const;
/** A stop that takes longer than this is forced. */
const STOP_MS = 15_000;

/** Why a start failed: an exit code, and what to do in one sentence. */
export type Reason = readonly [code: number, message: string];

export interface Run {
  readonly logLevel: string;
  /** Reasons that only this app knows, because its adapters have them. */
  readonly reasonFor?: (error: unknown) => Reason | undefined;
  /** Opens and listens; answers what is closed at the end, and the line that says that it is ready. */
  readonly start: (logger: Logger) => Promise<{ readonly app: Closing; readonly ready: string }>;
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const reasonOf = (error: unknown, known: Run['reasonFor']): Reason => {
  if (error instanceof SettingError) return [EXIT.config, error.message];
  const reason = known?.(error);
  if (reason !== undefined) return reason;
  if (error instanceof StoreUnavailableError || error instanceof ReadModelUnavailableError)
    return [EXIT.data, error.message];
  if (hasCode(error, 'EADDRINUSE'))
    return [EXIT.unavailable, 'the port is taken by another program: set PORT to a free one'];
  if (hasCode(error, 'EACCES')) return [EXIT.unavailable, `not allowed: ${messageOf(error)}`];
  return [EXIT.software, error instanceof Error ? (error.stack ?? error.message) : String(error)];
};

/**
 * Runs an app until it is told to stop: SIGTERM and SIGINT let what is under way finish and end the process with code 0.
 * @param name how the program is called in what it says of itself
 * @param prepare reads the settings; what it throws ends the process like a failure to start
 */
export const run = (name: string, prepare: () => Run): void => {
  let known: Run['reasonFor'];
  const fail = (error: unknown): never => {
    const [code, message] = reasonOf(error, known);
    process.stderr.write(`${name}: ${message}\n`);
    process.exit(code);
  };
  const begin = async (): Promise<void> => {
    const { logLevel, reasonFor, start } = prepare();
    known = reasonFor;
    const sink = destination({ fd: 1, sync: false });
    const logger = pino({ level: logLevel, base: null }, sink);
    const { app, ready } = await start(logger);
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) return;
      stopping = true;
      logger.info({ signal }, 'stopping');
      setTimeout(() => {
        sink.flushSync();
        process.exit(EXIT.software);
      }, STOP_MS).unref();
      Promise.resolve(app.close()).then(() => {
        logger.info('stopped');
        sink.flushSync();
        process.exit(0);
      }, fail);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.stdout.write(`${ready}\n`);
  };
  begin().catch(fail);
};
