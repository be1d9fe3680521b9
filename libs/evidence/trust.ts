import {
  type Checkpoint,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseCheckpointText,
  parseLeafEntry,
  parseProofFile,
  verifyProofFile,
  VerifierKey,
} from '#tlog';
import { about, Refusal, type Report } from './report.js';

/** A file that whoever verifies has from elsewhere. */
export interface Given {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What whoever verifies knows, and did not get from what is verified. */
export interface Trust {
  /** The log's key. */
  readonly key?: VerifierKey;
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
export const openReceipt = ({ name, bytes }: Given, key: VerifierKey): OpenedReceipt =>
  about(name, () => {
    const { extra, checkpoint } = parseProofFile(bytes);
    if (extra === undefined) throw new Refusal('the receipt lacks the bytes of its leaf (extra)', name);
    const { seq, entryHash } = parseLeafEntry(extra);
    const { index } = verifyProofFile(bytes, extra, key.name, [key]);
    if (index !== seq) throw new Refusal(`the receipt is of leaf ${index}, whose bytes say ${seq}`, name);
    return { name, seq, entryHash, then: parseCheckpoint(Buffer.from(checkpoint)) };
  });

/** A checkpoint seen before, that the log's key signed. @throws {Refusal} */
export const openKnown = ({ name, bytes }: Given, key: VerifierKey): Checkpoint =>
  about(name, () => parseCheckpointText(openNote(bytes, [key]).text));

/** @throws {Refusal} where two checkpoints of one size differ: the log has shown two histories */
export const requireOneHistory = (then: Checkpoint, now: Checkpoint, name: string): void => {
  if (then.size === now.size && Buffer.compare(then.root, now.root) !== 0)
    throw new Refusal(`the log signed another history of ${now.size} events: it is forked`, name);
};

/** A key in its text form, with or without a line feed. @throws {TlogRefusal} */
export const keyIn = (bytes: Uint8Array): VerifierKey =>
  VerifierKey.parse(Buffer.from(bytes).toString('utf8').trimEnd());

/** What can be said of a key that came with what it is to verify. */
const unpinned = (key: VerifierKey): string =>
  'whose log this is: its key came along with it, so all of it could be of somebody else’s making. It is consistent in itself; ' +
  `compare ${key.toString()} with what the operator publishes elsewhere, and say --key`;

/** The key to verify with: the one pinned, which must be the one that came along. @throws {Refusal} naming `file` */
export const trustedKey = (report: Report, own: VerifierKey, { key: pinned }: Trust, file: string): VerifierKey => {
  if (pinned === undefined) {
    report.doubt(unpinned(own));
    return own;
  }
  if (pinned.toString() !== own.toString())
    throw new Refusal(
      pinned.name === own.name
        ? `it is another key of ${own.name} (${own.keyId}) than the one pinned (${pinned.keyId})`
        : `it is the key of the log ${own.name}, the one pinned is of ${pinned.name}`,
      file,
    );
  report.proved(`the key is the one pinned: ${own.name}, ${own.keyId}`);
  return pinned;
};
