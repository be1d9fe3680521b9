import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KafkaBroker, KafkaMessageBus } from '#bus-kafka';
import { lineageOf, LogSigning } from '#audit';
import { DocumentStore, FileDocumentStore } from '#documents';
import type { Adapters, Opened, Variables } from '#hosting';
import {
  alarmsTo,
  configuredIssuer,
  configuredSealKeys,
  configuredWitnesses,
  logSigners,
  requiredLogKey,
} from '#hosting';
import { SystemClock } from '#kernel';
import { SqliteReadDatabase } from '#read-database';
import { categories } from '#services';
import { KurrentEventStore } from '#store-kurrent';
import { documentFolders } from '#store-sqlite';
import { RemoteSubjectRegister } from '#web';
import type { Logger } from 'pino';
import type { InstanceSettings } from './settings.js';

/** What an instance stands on, with the broker that the relay needs as it is. */
export interface InstanceAdapters extends Adapters {
  readonly store: KurrentEventStore;
  readonly broker: KafkaBroker;
  readonly subjects: RemoteSubjectRegister;
}

/**
 * Opens the log on KurrentDB, the bus on Kafka, this instance's read models, the shared documents and the key store elsewhere.
 * @throws {StoreUnavailableError} where the log cannot be reached @throws {SettingError} for keys that are none
 */
export const openInstance = async (
  name: string,
  { servers, readFolder, documentFolder, documentLimit, keys, variables }: InstanceSettings,
  logger: Logger,
  opened: Opened,
): Promise<InstanceAdapters> => {
  const seals = configuredSealKeys(variables);
  const issuer = configuredIssuer(variables);
  // Only who serves the log signs it.
  const signing = name === 'audit' ? signingOf(variables, logger) : undefined;
  const { eventStore, kafka, prefix } = servers;
  const { bus: alarm } = alarmsTo(logger);
  const store = opened.add(
    await KurrentEventStore.open({
      url: eventStore,
      prefix,
      broken: (error, attempt) => {
        alarm({ kind: `the log's subscription broke, attempt ${attempt}`, error });
      },
    }),
  );
  const lineage = await lineageOf(store);
  const broker = opened.add(new KafkaBroker({ ...kafka, clientId: `${prefix}-${name}` }));
  const bus = opened.add(new KafkaMessageBus(store, broker, { prefix, categories, alarm }));
  mkdirSync(readFolder, { recursive: true });
  const readDatabase = opened.add(
    new SqliteReadDatabase(join(readFolder, 'read'), {
      origin: lineage.id,
      discarded: ({ name: model, version, reason }) => {
        logger.warn({ name: model, version, reason }, 'a read model is built anew');
      },
    }),
  );
  const documents = opened.add(FileDocumentStore.open(documentFolders(documentFolder), documentLimit));
  const subjects = opened.add(new RemoteSubjectRegister(keys.address, keys.secret));
  return {
    store,
    lineage,
    broker,
    bus,
    readDatabase,
    subjects,
    seals,
    issuer,
    ports: [
      { provide: DocumentStore, useValue: documents },
      ...(signing === undefined ? [] : [{ provide: LogSigning, useValue: signing }]),
    ],
  };
};

const signingOf = (variables: Variables, logger: Logger): LogSigning => {
  const copyTo = variables.text('PLEDGEBOOK_LOG_COPY');
  const witnesses = configuredWitnesses(variables);
  if (copyTo === undefined && witnesses === undefined)
    logger.warn(
      'no checkpoint is kept outside the log, and no witness cosigns it: one that is put back in time would not be noticed',
    );
  return new LogSigning({
    signer: logSigners(requiredLogKey(variables), new SystemClock(), variables.text('PLEDGEBOOK_LOG_ORIGIN')),
    copyTo: copyTo === undefined ? undefined : resolve(copyTo),
    witnesses,
    alarm: (trouble) => {
      const copy = copyTo === undefined ? {} : { copy: copyTo };
      logger.error({ trouble, ...copy }, 'the signed log needs its operator');
    },
  });
};
