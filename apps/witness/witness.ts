import {
  type AddCheckpoint,
  type Checkpoint,
  EMPTY_ROOT,
  type NoteSigner,
  openCheckpoint,
  parseAddCheckpoint,
  parseCheckpoint,
  parseNote,
  signatureLine,
  TlogRefusal,
  verifyConsistency,
  type VerifierKey,
} from '#tlog';
import type { Cosigned, CosignedCheckpoints } from './cosigned-checkpoints.js';

/** An answer to `add-checkpoint`, as C2SP tlog-witness says. */
export interface Answer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  /** Cosignature lines (200), a size (409), else the reason. */
  readonly body: string;
  /** A checkpoint that the log signed and this witness cannot reconcile with what it cosigned: evidence against the log. */
  readonly evidence?: string;
}

/** How far a witness has followed a log. */
export interface Seen {
  readonly origin: string;
  readonly size: number;
  /** When it cosigned that, and which checkpoint, as the log had signed it; absent where it never did. */
  readonly at?: string;
  readonly checkpoint?: string;
}

const NOTHING: Pick<Cosigned, 'size' | 'root'> = { size: 0, root: EMPTY_ROOT };

/** Cosigns the checkpoints of logs it knows, each only where it continues the one it cosigned before. */
export class Witness {
  private readonly logs: ReadonlyMap<string, readonly VerifierKey[]>;

  /**
   * @param logs keys of the logs that are witnessed; a log's origin is the name of its key
   * @param now milliseconds since 1970
   */
  constructor(
    private readonly signer: NoteSigner,
    logs: readonly VerifierKey[],
    private readonly cosigned: CosignedCheckpoints,
    private readonly now: () => number = Date.now,
  ) {
    this.logs = byOrigin(logs);
  }

  get verifierKey(): string {
    return this.signer.verifier.toString();
  }

  /** What it cosigned last of each log it knows. @throws where its memory cannot be read */
  seen(): readonly Seen[] {
    return [...this.logs.keys()].map((origin) => {
      const last = this.cosigned.of(origin);
      if (last === undefined) return { origin, size: 0 };
      const { size, checkpoint, at } = last;
      return { origin, size, at: new Date(at).toISOString(), checkpoint };
    });
  }

  /** Judges one request; what it cosigns is on disk when this returns. @throws where it cannot be kept */
  add(body: Uint8Array): Answer {
    let asked: AddCheckpoint;
    let checkpoint: Checkpoint;
    try {
      asked = parseAddCheckpoint(body);
      checkpoint = parseCheckpoint(Buffer.from(asked.checkpoint));
    } catch (error) {
      return { status: 400, body: reasonOf(error) };
    }
    const { origin, size } = checkpoint;
    const keys = this.logs.get(origin);
    if (keys === undefined) return { status: 404, body: `this witness does not know the log ${origin}\n` };
    try {
      openCheckpoint(Buffer.from(asked.checkpoint), origin, keys);
    } catch (error) {
      return { status: 403, body: reasonOf(error) };
    }
    if (asked.old > size) return { status: 400, body: `the old size ${asked.old} is larger than ${size}\n` };
    return this.cosigned.next(origin, (last) => this.judge(asked, checkpoint, last));
  }

  private judge(
    { old, proof, checkpoint: note }: AddCheckpoint,
    { size, root }: Checkpoint,
    last: Cosigned | undefined,
  ): { readonly keep?: Cosigned; readonly answer: Answer } {
    const { size: reached, root: known } = last ?? NOTHING;
    if (old !== reached) return { answer: { status: 409, body: `${reached}\n` } };
    if (size === reached && !Buffer.from(known).equals(root))
      return { answer: { status: 409, body: `${reached}\n`, evidence: note } };
    try {
      verifyConsistency(old, known, size, root, proof);
    } catch (error) {
      return { answer: { status: 422, body: reasonOf(error), evidence: note } };
    }
    const at = this.now();
    const { text } = parseNote(Buffer.from(note));
    const line = signatureLine(this.signer.sign(text, Math.floor(at / 1_000)));
    return { keep: { size, root, checkpoint: note, at }, answer: { status: 200, body: line } };
  }
}

const byOrigin = (keys: readonly VerifierKey[]): ReadonlyMap<string, readonly VerifierKey[]> => {
  const byName = new Map<string, VerifierKey[]>();
  for (const key of keys) byName.set(key.name, [...(byName.get(key.name) ?? []), key]);
  return byName;
};

/** @throws what is no refusal */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof TlogRefusal)) throw error;
  return `${error.message}\n`;
};
