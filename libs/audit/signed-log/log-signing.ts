import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Checkpoint, NoteSigner, openCheckpoint } from '#tlog';

export interface LogSigningOptions {
  readonly signer: NoteSigner;
  /** A file outside the data folder that holds the newest checkpoint: what a store put back in time does not take with it. */
  readonly copyTo?: string | undefined;
  /** Milliseconds between looks at how far the tree has grown: 1,000 unless told; `manual`: only where somebody waits for it. */
  readonly everyMs?: number | 'manual';
  /** Told when signing stops working, and why. */
  readonly alarm?: (trouble: string) => void;
}

/** How this service signs the log: its injection token, too. */
export class LogSigning {
  readonly signer: NoteSigner;
  readonly everyMs: number | 'manual';
  readonly alarm: (trouble: string) => void;
  readonly copyTo: string | undefined;

  constructor({ signer, copyTo, everyMs = 1_000, alarm = () => undefined }: LogSigningOptions) {
    this.signer = signer;
    this.copyTo = copyTo;
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
