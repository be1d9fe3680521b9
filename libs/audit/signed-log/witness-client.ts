import { formatAddCheckpoint, type NoteSignature, parseNote, TlogRefusal, type VerifierKey } from '#tlog';

/** A witness of the log: where it is asked, and what its cosignatures are verified with. */
export interface WitnessAddress {
  /** What comes before `/add-checkpoint`. */
  readonly address: string;
  readonly key: VerifierKey;
}

/** Which witnesses cosign the log, and how many of them have to. */
export interface WitnessPolicy {
  readonly witnesses: readonly WitnessAddress[];
  readonly quorum: number;
}

/** What a witness said of a checkpoint. `says` is for an operator. */
export type Cosigning =
  | { readonly kind: 'cosigned'; readonly signature: NoteSignature }
  /** It has cosigned a larger tree. */
  | { readonly kind: 'ahead'; readonly size: number }
  /** It holds another tree than the log. */
  | { readonly kind: 'fork'; readonly says: string }
  /** It does not cosign this log, or not as a witness should. */
  | { readonly kind: 'refused'; readonly says: string }
  /** No answer that says anything. */
  | { readonly kind: 'silent'; readonly says: string }
  /** It has a smaller tree, from which there is no proof yet. */
  | { readonly kind: 'unproven' };

/** The proof that the first `old` leaves are those of the checkpoint; undefined where the tree is not built so far. */
export type ProofFrom = (old: number) => readonly Uint8Array[] | undefined;

interface Asked {
  readonly size: number;
  readonly note: string;
}

const ANSWER_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** A witness that several instances ask at once may have moved on between two questions. */
const ATTEMPTS = 4;

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'calls the request malformed',
  403: "does not know the log's key: its operator enters what GET /log/verifier-key says",
  404: 'does not know this log (or is not at this address): its operator enters what GET /log/verifier-key says',
};

/** One witness, asked over HTTP as C2SP tlog-witness says. */
export class WitnessClient {
  /** The size that it cosigned last, as far as it told. */
  private reached = 0;

  /** @param answerMs how long an answer is waited for, in milliseconds */
  constructor(
    readonly witness: WitnessAddress,
    private readonly stopped: AbortSignal,
    private readonly answerMs = ANSWER_TIMEOUT_MS,
  ) {}

  get name(): string {
    return this.witness.key.name;
  }

  get size(): number {
    return this.reached;
  }

  /** Asks it to cosign a checkpoint. @throws what `proofFrom` throws */
  async ask(asked: Asked, proofFrom: ProofFrom): Promise<Cosigning> {
    const signal = AbortSignal.any([AbortSignal.timeout(this.answerMs), this.stopped]);
    // Where it was ahead it is asked anew: its operator may have put it in order.
    let old = this.reached > asked.size ? 0 : this.reached;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const proof = proofFrom(old);
      if (proof === undefined) return { kind: 'unproven' };
      const answer = await this.post(formatAddCheckpoint({ old, proof, checkpoint: asked.note }), signal);
      if (answer === undefined) return { kind: 'silent', says: 'does not answer' };
      const { status, body } = answer;
      if (status === 200) return this.cosignedBy(asked, body);
      if (status === 422)
        return {
          kind: 'fork',
          says: `holds another tree than the log: of its first ${old} events, others stand in the log`,
        };
      const refusal = REFUSALS[status];
      if (refusal !== undefined) return { kind: 'refused', says: refusal };
      if (status !== 409) return { kind: 'silent', says: `answers ${status}` };
      const size = sizeIn(body);
      if (old === asked.size && (size === undefined || size === old))
        return { kind: 'fork', says: `holds another tree of the same ${old} events as the log` };
      if (size === undefined || size === old)
        return { kind: 'refused', says: 'answers 409 without a size that helps: it is no witness of this kind' };
      this.reached = size;
      if (size > asked.size) return { kind: 'ahead', size };
      old = size;
    }
    return { kind: 'silent', says: 'changes the size it has while it is asked' };
  }

  private cosignedBy({ note, size }: Asked, lines: string): Cosigning {
    const { key } = this.witness;
    try {
      const { text, signatures } = parseNote(Buffer.from(`${note}${lines}`));
      const signature = signatures.find((each) => key.signed(each) && key.verify(text, each) !== undefined);
      if (signature !== undefined && text === parseNote(Buffer.from(note)).text) {
        this.reached = size;
        return { kind: 'cosigned', signature };
      }
    } catch (error) {
      if (!(error instanceof TlogRefusal)) throw error;
    }
    return {
      kind: 'refused',
      says: `answers what its key (${key.toString()}) did not sign: compare it with the witness's own`,
    };
  }

  private async post(body: string, signal: AbortSignal): Promise<{ status: number; body: string } | undefined> {
    try {
      const response = await fetch(`${this.witness.address.replace(/\/$/, '')}/add-checkpoint`, {
        ...{
          method: 'POST',
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body,
          redirect: 'error',
          signal,
        },
      });
      return { status: response.status, body: await textOf(response) };
    } catch {
      return undefined;
    }
  }
}

/** @throws where it is longer than any answer of a witness */
const textOf = async ({ body }: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

const sizeIn = (body: string): number | undefined => {
  const size = /^(0|[1-9]\d{0,15})\n?$/.exec(body)?.[1];
  return size !== undefined && Number.isSafeInteger(Number(size)) ? Number(size) : undefined;
};
