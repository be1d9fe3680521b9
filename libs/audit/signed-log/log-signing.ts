import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkpointText, formatNote, NoteSigner, type VerifierKey } from '#tlog';
import type { WitnessPolicy } from './witness-client.js';

export interface LogSigningOptions {
  /** The key in use; or all that sign now, the one in use first, asked each time: former ones go on beside it for a while. */
  readonly signer: NoteSigner | (() => readonly NoteSigner[]);
  /** A file outside the data folder that holds the newest checkpoint: what a store put back in time does not take with it. */
  readonly copyTo?: string | undefined;
  /** Milliseconds between looks at how far the tree has grown: 1,000 unless told; `manual`: only where somebody waits for it. */
  readonly everyMs?: number | 'manual';
  /** Who cosigns what is signed; nobody unless told. */
  readonly witnesses?: WitnessPolicy | undefined;
  /** Told when signing stops working, or a witness does not cosign, and why. */
  readonly alarm?: (trouble: string) => void;
}

/** How this service signs the log: its injection token, too. */
export class LogSigning {
  readonly everyMs: number | 'manual';
  readonly alarm: (trouble: string) => void;
  readonly copyTo: string | undefined;
  readonly witnesses: WitnessPolicy | undefined;
  private readonly all: () => readonly NoteSigner[];

  constructor({ signer, copyTo, witnesses, everyMs = 1_000, alarm = () => undefined }: LogSigningOptions) {
    this.all = typeof signer === 'function' ? signer : () => [signer];
    this.copyTo = copyTo;
    this.witnesses = witnesses;
    this.everyMs = everyMs;
    this.alarm = alarm;
  }

  /** With a key that is gone with the process, where somebody waits for it: for a log that nobody outlives. */
  static passing(): LogSigning {
    return new LogSigning({ signer: NoteSigner.generate('pledgebook/passing'), everyMs: 'manual' });
  }

  /** The key in use. */
  get signer(): NoteSigner {
    const [signer] = this.all();
    if (signer === undefined) throw new Error('the log is signed with no key');
    return signer;
  }

  /** The keys that sign now, the one in use first. */
  get verifiers(): readonly VerifierKey[] {
    return this.all().map(({ verifier }) => verifier);
  }

  /** The log's name, that of its key. */
  get origin(): string {
    return this.signer.verifier.name;
  }

  /** A checkpoint of this log, signed by every key that signs now. */
  sign(size: number, root: Uint8Array): string {
    const { origin } = this;
    const text = checkpointText({ origin, size, root, extensions: [] });
    const signers = this.all().filter(({ verifier }) => verifier.name === origin);
    return formatNote({ text, signatures: signers.map((signer) => signer.sign(text)) });
  }

  /** The checkpoint outside as a note, where one is kept: nothing of it is verified. */
  copy(): string | undefined {
    if (this.copyTo === undefined || !existsSync(this.copyTo)) return undefined;
    return readFileSync(this.copyTo, 'utf8');
  }

  /** Writes the checkpoint outside: whoever reads the file finds the old one or this one, whole. @throws where the disk does not take it */
  keepCopy(note: string): void {
    if (this.copyTo === undefined) return;
    const draft = `${this.copyTo}.next`;
    writeFileSync(draft, note, { flush: true });
    renameSync(draft, this.copyTo);
    const folder = openSync(dirname(this.copyTo), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}
