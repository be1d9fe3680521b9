import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { LocalMessageBus } from '#bus-local';
import { lineageOf, LogSigning, type WitnessPolicy } from '#audit';
import { DocumentStore, FileDocumentStore } from '#documents';
import type { Host, LogKeyPlace, OidcSettings, Port, Rate } from '#hosting';
import { alarmsTo, DEFAULT_RATE, host, logKeyIn, logSigners, newLogKey, Opened, SettingError } from '#hosting';
import { type Clock, type EventStore, SystemClock } from '#kernel';
import { MemoryReadDatabase, SqliteReadDatabase } from '#read-database';
import { contexts as everyContext, ROUTE_SUMMARIES } from '#services';
import { documentFolders, isWithin, SqliteEventStore } from '#store-sqlite';
import type { Context } from '#web';
import { keyFolder, LocalIssuer, sealKeysOf, secretAt, SqliteSubjectRegister } from '#web';

export interface AppOptions {
  /** Where log, read models and keys live. Without `store` this is needed. */
  readonly dataFolder?: string;
  /** A store of its own (in memory, for tests): read models, checkpoints and keys are then in memory too. */
  readonly store?: EventStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly rate?: Rate;
  readonly audience?: string;
  /** The file of the master key that subjects' keys are wrapped with; in the data folder unless told. */
  readonly masterKey?: string | undefined;
  /** Largest document in bytes; 50 MiB unless told. */
  readonly documentLimit?: number | undefined;
  readonly oidc?: OidcSettings | undefined;
  /** What is served; every context unless told. */
  readonly contexts?: readonly Context[];
  /** Ports beside those that this app picks. */
  readonly ports?: readonly Port[];
  /** Milliseconds between ticks of the deadline ticker; `manual`: only `ticker.tickNow()`, and the log is signed only where somebody waits for it. */
  readonly tick?: number | 'manual';
  /** How the log is signed; with the key of the data folder unless told. */
  readonly log?: LogSettings;
}

/** What the log is signed with, and under which name. */
export interface LogSettings {
  /** The log's name, where its key is yet to be made. */
  readonly origin?: string | undefined;
  /** Where the key is, in place of the data folder; a file that is not there is made. */
  readonly key?: LogKeyPlace | undefined;
  /** A file outside the data folder that holds the newest checkpoint. */
  readonly copyTo?: string | undefined;
  /** Who cosigns what is signed, and how many have to; nobody unless told. */
  readonly witnesses?: WitnessPolicy | undefined;
  /** No key is made in the data folder, where it would be put back in time with the log, and stolen with it. */
  readonly production?: boolean;
}

/** The whole service in one process. */
export type PledgebookApp = Host;

/** Composes the whole service in one process. Throws what opening the data folder throws. */
export const createApp = (options: AppOptions): Promise<PledgebookApp> =>
  Opened.orClosed(async (opened) => {
    const { dataFolder, logger = pino({ level: 'silent' }), rate = DEFAULT_RATE, contexts = everyContext } = options;
    const folder = options.store === undefined ? folderOf(dataFolder) : undefined;
    const store = opened.add(options.store ?? SqliteEventStore.open(folderOf(dataFolder)));
    const lineage = await lineageOf(store);
    const documents = opened.add(
      folder === undefined
        ? FileDocumentStore.temporary(options.documentLimit)
        : FileDocumentStore.open(documentFolders(folder), options.documentLimit),
    );
    const readDatabase = opened.add(
      folder === undefined
        ? new MemoryReadDatabase()
        : new SqliteReadDatabase(join(folder, 'read'), {
            origin: lineage.id,
            discarded: ({ name, version, reason }) => {
              logger.warn({ name, version, reason }, 'a read model is built anew');
            },
          }),
    );
    const checkpoints = folder === undefined ? ':memory:' : join(folder, 'processes.sqlite');
    const bus = opened.add(new LocalMessageBus(store, checkpoints, { lineage, alarm: alarmsTo(logger).bus }));
    const subjects = opened.add(
      folder === undefined ? SqliteSubjectRegister.inMemory() : SqliteSubjectRegister.open(folder, options.masterKey),
    );
    return host(
      {
        ...options,
        logger,
        rate,
        contexts,
        summaries: ROUTE_SUMMARIES,
        adapters: {
          store,
          lineage,
          bus,
          readDatabase,
          subjects,
          seals: sealKeysOf(folder),
          issuer: folder === undefined ? LocalIssuer.inMemory() : LocalIssuer.open(folder),
          ports: [
            { provide: DocumentStore, useValue: documents },
            { provide: LogSigning, useValue: signingOf(folder, options, logger) },
            ...(options.ports ?? []),
          ],
        },
      },
      opened,
    );
  });

const signingOf = (folder: string | undefined, { log = {}, tick, clock }: AppOptions, logger: Logger): LogSigning => {
  if (folder !== undefined && log.copyTo === undefined && log.witnesses === undefined)
    logger.warn(
      'no checkpoint is kept outside the data folder, and no witness cosigns it: a folder put back in time would not be noticed',
    );
  return new LogSigning({
    signer: logSigners(placeOf(folder, log, logger), clock ?? new SystemClock(), log.origin),
    copyTo: log.copyTo,
    witnesses: log.witnesses,
    ...(tick === 'manual' ? { everyMs: tick } : {}),
    alarm: (trouble) => {
      const copy = log.copyTo === undefined ? {} : { copy: log.copyTo };
      logger.error({ trouble, ...copy }, 'the signed log needs its operator');
    },
  });
};

/** Where the key of the log is; it is made where there is none. */
const placeOf = (folder: string | undefined, log: LogSettings, logger: Logger): LogKeyPlace => {
  const place =
    log.key ?? (folder === undefined ? { text: newLogKey(log.origin) } : { file: logKeyIn(keyFolder(folder)) });
  if ('text' in place) return place;
  const within = folder !== undefined && isWithin(place.file, folder);
  const there = existsSync(place.file);
  if (within && log.production === true) {
    if (!there)
      throw new SettingError(
        'PLEDGEBOOK_LOG_KEY_FILE must name a file outside the data folder, which is made at the first start: whoever has folder and key could sign another log',
      );
    logger.warn('the key of the log lies in the data folder: move it out, and name it in PLEDGEBOOK_LOG_KEY_FILE');
  }
  if (!there) {
    const kept = folder === undefined ? undefined : logKeyIn(keyFolder(folder));
    if (kept !== undefined && kept !== place.file && existsSync(kept))
      throw new SettingError(`there is no key in ${place.file}: the log's is ${kept}, move it there`);
    mkdirSync(dirname(place.file), { recursive: true, mode: 0o700 });
    secretAt(place.file, () => newLogKey(log.origin));
  }
  return place;
};

const folderOf = (dataFolder: string | undefined): string => {
  if (dataFolder === undefined) throw new Error('an app needs a data folder, or a store of its own');
  return dataFolder;
};
