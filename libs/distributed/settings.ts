import { resolve } from 'node:path';
import type { KafkaBrokerOptions } from '#bus-kafka';
import type { CallerSettings, ListenSettings } from '#hosting';
import { callerSettings, documentLimitOf, listenSettings, SettingError, Variables } from '#hosting';

/** Where the log and the bus are, and what stands before the names of streams and topics. */
export interface ServerSettings {
  /** Connection string of KurrentDB or EventStoreDB. */
  readonly eventStore: string;
  readonly kafka: KafkaBrokerOptions;
  readonly prefix: string;
}

/** How one instance of a service, or of the relay, is set up by its environment. */
export interface InstanceSettings extends ListenSettings, Omit<CallerSettings, 'rate'> {
  readonly servers: ServerSettings;
  readonly variables: Variables;
  /** Read models of this instance alone; built anew where they are gone. */
  readonly readFolder: string;
  /** Where the bytes of documents lie: shared by all instances of all services. */
  readonly documentFolder: string;
  readonly documentLimit: number | undefined;
  /** The key store, and the secret it is asked with. */
  readonly keys: { readonly address: string; readonly secret: string };
}

const DEFAULT_PREFIX = 'pledgebook';
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** Guessing it from outside is out of reach, and so is a word somebody thought of. */
const LEAST_SECRET = 32;

/** @throws {SettingError} */
export const readInstanceSettings = (
  environment: NodeJS.ProcessEnv,
  service: string,
  port: number,
): InstanceSettings => {
  const variables = new Variables(environment);
  const { audience, oidc } = callerSettings(variables);
  const folder = resolve(variables.text('PLEDGEBOOK_DATA') ?? `data-${service}`);
  return {
    ...listenSettings(variables, port),
    audience,
    oidc,
    variables,
    servers: serverSettings(variables),
    readFolder: folder,
    documentFolder: resolve(
      variables.required('PLEDGEBOOK_DOCUMENTS', 'the folder of documents that all instances of all services share'),
    ),
    documentLimit: documentLimitOf(variables),
    keys: {
      address: addressOfKeys(variables),
      secret: sharedSecret(variables),
    },
  };
};

/** @throws {SettingError} */
export const serverSettings = (variables: Variables): ServerSettings => {
  const prefix = variables.text('PLEDGEBOOK_PREFIX') ?? DEFAULT_PREFIX;
  if (!/^[A-Za-z0-9]{1,50}$/.test(prefix))
    throw new SettingError(`PLEDGEBOOK_PREFIX must be up to 50 letters and digits, not "${prefix}"`);
  const eventStore = variables.required(
    'EVENTSTORE_URL',
    'the connection string of the log, such as esdb://host:2113?tls=true',
  );
  if (!/^(esdb|kurrentdb)(\+discover)?:\/\//.test(eventStore))
    throw new SettingError('EVENTSTORE_URL must begin with esdb:// or esdb+discover://');
  return { eventStore, kafka: kafkaSettings(variables), prefix };
};

/** The secret that services ask the key store with. @throws {SettingError} where it is absent or could be guessed */
export const sharedSecret = (variables: Variables): string => {
  const secret = variables.secret('PLEDGEBOOK_KEYS_SECRET');
  if (secret === undefined || secret.length < LEAST_SECRET)
    throw new SettingError(
      `PLEDGEBOOK_KEYS_SECRET (or the file of PLEDGEBOOK_KEYS_SECRET_FILE) must be a secret of at least ${LEAST_SECRET} characters, the same for the key store and all services`,
    );
  return secret;
};

const addressOfKeys = (variables: Variables): string => {
  const address = variables.address('PLEDGEBOOK_KEYS_URL');
  if (address === undefined)
    throw new SettingError('PLEDGEBOOK_KEYS_URL must be set: the address of the key store, such as http://keys:3100');
  return address;
};

/** Where Kafka is, and who this process is to it. @throws {SettingError} */
export const kafkaSettings = (variables: Variables): KafkaBrokerOptions => {
  const brokers = variables
    .required('KAFKA_BROKERS', 'host:port of some brokers, with commas between')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  const malformed = brokers.find((broker) => !/^[^\s:/]+:[0-9]{1,5}$/.test(broker));
  if (malformed !== undefined) throw new SettingError(`KAFKA_BROKERS names "${malformed}", which is not host:port`);
  const mechanism = variables.oneOf('KAFKA_SASL_MECHANISM', MECHANISMS);
  const ssl = variables.oneOf('KAFKA_TLS', ['true', 'false']) === 'true';
  if (mechanism === undefined) return { brokers, ssl };
  const username = variables.required('KAFKA_SASL_USERNAME', 'who this process is to Kafka');
  const password = variables.secret('KAFKA_SASL_PASSWORD');
  if (password === undefined)
    throw new SettingError(
      'KAFKA_SASL_PASSWORD (or KAFKA_SASL_PASSWORD_FILE) must be set where KAFKA_SASL_MECHANISM is',
    );
  return { brokers, ssl, sasl: { mechanism, username, password } };
};
