import { existsSync, readFileSync } from 'node:fs';
import { forkLog, lastSigner } from '#audit';
import { exchangeLogKey, type LogKeyPlace, putAside, SettingError } from '#hosting';
import type { Actor, Clock, EventStore } from '#kernel';
import { SharedWriteGate, WriteGate } from '#kernel';
import { NoteSigner, parseCheckpoint } from '#tlog';

export interface ForkParts {
  readonly store: EventStore;
  readonly clock: Clock;
  /** Where the log's key is, and the new one goes. */
  readonly place: LogKeyPlace;
  /** Where the newest checkpoint is kept outside. */
  readonly copyTo: string | undefined;
  readonly by: Actor;
  readonly reason: string;
  /** The new name; the former one and the moment unless told. */
  readonly origin: string | undefined;
}

/** What an operator is told of a fork. */
export interface ForkReport {
  readonly origin: string;
  readonly formerOrigin: string;
  readonly verifierKey: string;
  readonly size: number;
  /** Files that were put aside. */
  readonly aside: readonly string[];
}

/** What a name of an earlier fork ends with. */
const MOMENT = /\/\d{8}T\d{6}Z$/;

/**
 * Has the log go on from the events that it holds, under a new name and a new key: recorded in the log, the former key and the checkpoint
 * outside put aside. Nobody else writes meanwhile. Cut off half-way it is run again.
 * @throws {ForkRefusedError} @throws {SettingError} where the key is configured as a text
 */
export const acceptFork = async (parts: ForkParts): Promise<ForkReport> => {
  const { store, clock, place, copyTo, by, reason } = parts;
  if ('text' in place)
    throw new SettingError(
      'the new key of the log needs a file: set PLEDGEBOOK_LOG_KEY_FILE in place of PLEDGEBOOK_LOG_KEY',
    );
  const now = clock.now();
  const signer = NoteSigner.generate(parts.origin ?? (await nextOrigin(store, now)));
  const signed = signedOutside(copyTo);
  const { size, formerOrigin } = await forkLog(store, clock, {
    ...{ by, reason, key: signer.verifier },
    ...(signed === undefined ? {} : { signed }),
  });
  const aside = [...exchangeLogKey(place.file, signer, now)];
  if (copyTo !== undefined && existsSync(copyTo)) aside.push(putAside(copyTo, now));
  await new SharedWriteGate(new WriteGate(), store, clock, { everyMs: 'manual' }).allow();
  return { origin: signer.verifier.name, formerOrigin, verifierKey: signer.verifier.toString(), size, aside };
};

export const printFork = ({ origin, formerOrigin, verifierKey, size, aside }: ForkReport): void => {
  console.log(`the log goes on as ${origin} behind its first ${size} events, which were signed as ${formerOrigin}`);
  console.log(`verifier key: ${verifierKey}`);
  for (const path of aside) console.log(`put aside: ${path}`);
  console.log(
    'Where PLEDGEBOOK_LOG_ORIGIN is set, set it to the new name. Tell whoever verifies the log, and its witnesses.',
  );
};

const nextOrigin = async (store: EventStore, now: Date): Promise<string> => {
  const former = (await lastSigner(store))?.origin ?? 'pledgebook';
  return `${former.replace(MOMENT, '')}/${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
};

const signedOutside = (copyTo: string | undefined): number | undefined => {
  if (copyTo === undefined || !existsSync(copyTo)) return undefined;
  return parseCheckpoint(readFileSync(copyTo)).size;
};
