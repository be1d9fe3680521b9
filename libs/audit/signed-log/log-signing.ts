import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Checkpoint, NoteSigner, openCheckpoint } from '#tlog';
import type { WitnessPolicy } from './witness-client.js';

export interface LogSigningOptions {
  readonly signer: NoteSigner;
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
  readonly signer: NoteSigner;
  readonly everyMs: number | 'manual';
  readonly alarm: (trouble: string) => void;
  readonly copyTo: string | undefined;
  readonly witnesses: WitnessPolicy | undefined;

  constructor({ signer, copyTo, witnesses, everyMs = 1_000, alarm = () => undefined }: LogSigningOptions) {
    this.signer = signer;
    this.copyTo = copyTo;
    this.witnesses = witnesses;
    this.everyMs = everyMs;
    this.alarm = alarm;
  }

  /** With a key that is gone with the process, where somebody waits for it: for a log that nobody outlives. */
  static passing(): LogSigning {
    return new LogSigning({ signer: NoteSigner.generate('pledgebook/passing'), everyMs: 'manual' });
  }

  /** The log's name, that of its key. */
  get origin(): string {
    return this.signer.verifier.name;
  }

  /** The checkpoint outside, where one is kept. @throws {TlogRefusal} where it is not one that this key signed */
  copy(): Checkpoint | undefined {
    if (this.copyTo === undefined || !existsSync(this.copyTo)) return undefined;
    return openCheckpoint(readFileSync(this.copyTo), this.origin, [this.signer.verifier]).checkpoint;
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
