import {
  type Checkpoint,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseLeafEntry,
  parseProofFile,
  TlogRefusal,
  verifyProofFile,
  VerifierKey,
} from '#tlog';
import { about, Refusal, type Report } from './report.js';

/** A file that whoever verifies has from elsewhere. */
export interface Given {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A key that the log had, and the sizes of the checkpoints that it signed. */
export interface FormerKey {
  readonly key: VerifierKey;
  readonly from: number;
  readonly to: number;
}

/** What whoever verifies knows, and did not get from what is verified. */
export interface Trust {
  /** The log's key, the one in use. */
  readonly key?: VerifierKey;
  /** Keys that were rotated out: what was signed before counts, nothing that came after. */
  readonly former?: readonly FormerKey[];
  /** Keys of those who cosign what they saw of the log. */
  readonly witnesses: readonly VerifierKey[];
  /** How many of the witnesses must have cosigned: all of them unless told. */
  readonly need?: number;
  /** `.tlog-proof` files handed to a party when it wrote. */
  readonly receipts: readonly Given[];
  /** Signed checkpoints seen before. */
  readonly checkpoints: readonly Given[];
}

/** The checkpoint of a note that the log's key signed, and who cosigned it: told to `report`. @throws {Refusal} */
export const checkSignatures = (report: Report, { name, bytes }: Given, key: VerifierKey, trust: Trust): Checkpoint =>
  about(name, () => {
    const { checkpoint } = openCheckpoint(bytes, key.name, [key]);
    report.proved(`the log ${key.name} signed its first ${checkpoint.size} events (key ${key.keyId})`);
    const { witnesses, need = witnesses.length } = trust;
    if (witnesses.length === 0) {
      report.open('that the log has shown nobody another history: no witness is named (--witness <key>)');
      return checkpoint;
    }
    // A witness that is the log itself sees nothing that the log does not.
    const others = witnesses.filter((each) => each.toString() !== key.toString());
    const cosigned = openNote(bytes, [key, ...others]).verified.filter(({ key: by }) => by !== key);
    if (cosigned.length < need)
      throw new Refusal(
        `${cosigned.length} of the ${witnesses.length} witnesses cosigned it, ${need} are needed`,
        name,
      );
    for (const { key: by, seconds } of cosigned)
      report.proved(
        seconds === undefined
          ? `${by.name} cosigned it`
          : `${by.name} saw it at ${new Date(seconds * 1_000).toISOString()} and had seen no other history`,
      );
    return checkpoint;
  });

/** A receipt that the log's key signed. */
export interface OpenedReceipt {
  readonly name: string;
  readonly seq: number;
  readonly entryHash: string;
  /** The log as it was signed then. */
  readonly then: Checkpoint;
}

/** @throws {Refusal} where it is none of this log, or proves nothing */
export const openReceipt = ({ name, bytes }: Given, trust: Trust): OpenedReceipt =>
  about(name, () => {
    const { extra, checkpoint: note } = parseProofFile(bytes);
    if (extra === undefined) throw new Refusal('the receipt lacks the bytes of its leaf (extra)', name);
    const { seq, entryHash } = parseLeafEntry(extra);
    const then = openSeen({ name, bytes: Buffer.from(note) }, trust);
    const { index } = verifyProofFile(bytes, extra, then.origin, keysThen(then, trust));
    if (index !== seq) throw new Refusal(`the receipt is of leaf ${index}, whose bytes say ${seq}`, name);
    return { name, seq, entryHash, then };
  });

/** A checkpoint seen before, that the log signed with the key that it had then; any, where no key is known. @throws {Refusal} */
export const openSeen = ({ name, bytes }: Given, trust: Trust): Checkpoint =>
  about(name, () => {
    const stated = parseCheckpoint(bytes);
    return trust.key === undefined ? stated : openCheckpoint(bytes, stated.origin, keysThen(stated, trust)).checkpoint;
  });

/** The keys that sign checkpoints of this size. @throws {TlogRefusal} where the log never was called so */
const keysThen = ({ origin, size }: Checkpoint, { key, former = [] }: Trust): VerifierKey[] => {
  const own = [...(key === undefined ? [] : [{ key, from: 0, to: Infinity }]), ...former];
  if (!own.some((each) => each.key.name === origin))
    throw new TlogRefusal(`it is of the log ${origin}, not of ${own.map((each) => each.key.name).join(' or ')}`);
  return own.filter((each) => each.key.name === origin && size >= each.from && size <= each.to).map((each) => each.key);
};

/** @throws {Refusal} where two checkpoints of one size differ: the log has shown two histories */
export const requireOneHistory = (then: Checkpoint, now: Checkpoint, name: string): void => {
  if (then.size === now.size && Buffer.compare(then.root, now.root) !== 0)
    throw new Refusal(`the log signed another history of ${now.size} events: it is forked`, name);
};

/** A key in its text form, with or without a line feed. @throws {TlogRefusal} */
export const keyIn = (bytes: Uint8Array): VerifierKey =>
  VerifierKey.parse(Buffer.from(bytes).toString('utf8').trimEnd());

const KEY_LINE = /^(\S+)(?: (\d{1,15}) (\d{1,15}|-))?$/;

/**
 * A log's keys, as `/log/verifier-keys` tells them: one a line, the one in use first; behind a key the first and the last size that it
 * signs. A single key will do. @throws {TlogRefusal}
 */
export const keysIn = (text: string): Required<Pick<Trust, 'key' | 'former'>> => {
  const [current, ...former] = text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, key = '', from = '0', to = '-'] = KEY_LINE.exec(line) ?? [];
      return { key: VerifierKey.parse(key), from: Number(from), to: to === '-' ? Infinity : Number(to) };
    });
  if (current === undefined) throw new TlogRefusal('there is no key');
  return { key: current.key, former };
};

const unpinned = (key: VerifierKey): string =>
  'whose log this is: its key came along with it, so all of it could be of somebody else’s making. It is consistent in itself; ' +
  `compare ${key.toString()} with what the operator publishes elsewhere, and say --key`;

/** The key to verify with: the one pinned, where one is. @throws {Refusal} naming `file` where what came along is of another log */
export const trustedKey = (report: Report, own: VerifierKey, { key: pinned }: Trust, file: string): VerifierKey => {
  if (pinned === undefined) {
    report.doubt(unpinned(own));
    return own;
  }
  if (pinned.name !== own.name)
    throw new Refusal(`it is the key of the log ${own.name}, the one pinned is of ${pinned.name}`, file);
  if (pinned.toString() === own.toString()) report.proved(`the key is the one pinned: ${own.name}, ${own.keyId}`);
  else
    report.open(
      `that the log's key is ${own.keyId} now, as it says: what follows is verified with the one pinned, ${pinned.keyId}, which signs beside a new one for a while`,
    );
  return pinned;
};
