import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { treeRoot } from './tree.js';

const run = promisify(execFile);

/** Kafka 4 runs on Java 17 and later. */
const OLDEST_JAVA = 17;
const OTHERWISE = 'or set KAFKA_BROKERS to the addresses of a running broker';

/** A broker cannot be had on this machine; the text says what is missing and what to do. */
export class LocalBrokerError extends Error {
  override readonly name = 'LocalBrokerError';
}

/** The broker's jars and the command that runs them. */
export interface KafkaProgram {
  readonly version: string;
  readonly java: string;
  /** Folder of the jars. */
  readonly jars: string;
}

/** Where the jars are kept unless a folder is given. */
const cacheFolder = (): string => join(treeRoot(), 'node_modules', '.cache', 'local-brokers');

/**
 * The Kafka broker named in `pom.xml`, fetched by Maven once and kept under `cache`.
 * @throws {LocalBrokerError} where Java or Maven is missing, or Maven cannot fetch it
 */
export const kafkaProgram = async (cache: string = cacheFolder()): Promise<KafkaProgram> => {
  const java = await usableJava();
  const pom = join(treeRoot(), 'infra', 'local-brokers', 'pom.xml');
  const text = readFileSync(pom, 'utf8');
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(text)?.[1];
  if (version === undefined) throw new LocalBrokerError(`${pom} names no version of kafka_2.13`);
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const jars = join(cache, `kafka-${version}-${mark}`);
  if (!existsSync(jars)) await fetchInto(jars, pom, version);
  return { version, java, jars };
};

const usableJava = async (): Promise<string> => {
  const home = process.env.JAVA_HOME;
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const told = await run(java, ['-version']).catch(() => undefined);
  if (told === undefined) {
    throw new LocalBrokerError(
      `A Kafka broker needs Java ${OLDEST_JAVA} or newer, and "${java}" does not run: install a Java runtime (Debian: openjdk-17-jre-headless), ${OTHERWISE}.`,
    );
  }
  const said = /version "(\d+)/.exec(told.stderr)?.[1];
  if (said !== undefined && Number(said) < OLDEST_JAVA) {
    throw new LocalBrokerError(
      `A Kafka broker needs Java ${OLDEST_JAVA} or newer, and "${java}" is Java ${said}: install a newer one or set JAVA_HOME, ${OTHERWISE}.`,
    );
  }
  return java;
};

const fetchInto = async (jars: string, pom: string, version: string): Promise<void> => {
  if ((await run('mvn', ['-version']).catch(() => undefined)) === undefined) {
    throw new LocalBrokerError(
      `Kafka ${version} is fetched by Maven, and "mvn" does not run: install Maven (Debian: maven), ${OTHERWISE}.`,
    );
  }
  const parent = dirname(jars);
  mkdirSync(parent, { recursive: true });
  const scratch = mkdtempSync(join(parent, 'fetching-'));
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${scratch}`];
    await run('mvn', ['-q', '-B', '-f', pom, ...goal], { maxBuffer: 16 * 1024 * 1024 });
    if (!readdirSync(scratch).some((file) => file.startsWith('kafka_')))
      throw new Error('no broker was among the jars');
    renameSync(scratch, jars);
  } catch (error) {
    // Another run was faster: its jars are the same.
    if (existsSync(jars)) return;
    const { stdout = '', message } = error as { readonly stdout?: string; readonly message: string };
    const why = stdout.split('\n').find((line) => line.includes('ERROR')) ?? message;
    throw new LocalBrokerError(
      `Maven could not fetch Kafka ${version} (${why.trim()}): see that it reaches its registry, ${OTHERWISE}.`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};
