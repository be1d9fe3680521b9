import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of one run: on the disk that `TMPDIR` names, gone at its end. */
export class Folders {
  readonly root = mkdtempSync(join(tmpdir(), 'pledgebook-bench-'));

  /** A folder that does not exist yet. */
  fresh(name: string): string {
    return join(mkdtempSync(join(this.root, `${name}-`)), 'data');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
