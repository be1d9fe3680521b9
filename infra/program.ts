import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Ended with us, whatever ends us. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const STOP_WITHIN_MS = 20_000;
const ADDRESS = / is ready on (http:\/\/[^\s,]+)/;
const LINES = 5;

/** One of our apps as a process of its own, its log in a file. */
export class Program {
  /** Resolves when it ends without having been told to, with a sentence that says so. */
  readonly ended: Promise<string>;
  private stopping = false;

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
    /** Where it listens. */
    readonly address: string,
    private readonly exited: Promise<void>,
  ) {
    this.ended = new Promise((resolve) => {
      void exited.then(() => {
        if (!this.stopping) resolve(`${name} ended by itself with ${String(child.exitCode ?? child.signalCode)}`);
      });
    });
  }

  /** Resolves once it says where it is ready. @throws with its last words where it ends before */
  static async start(name: string, script: string, environment: NodeJS.ProcessEnv, log: string): Promise<Program> {
    const child = spawn(process.execPath, [script], {
      env: environment,
      // A group of its own: Ctrl-C reaches whoever started it, and that stops one after the other.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    running.add(child);
    void exited.then(() => running.delete(child));
    const file = createWriteStream(log, { flags: 'a' });
    const last: string[] = [];
    const address = await new Promise<string | undefined>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on('line', (line) => {
          file.write(`${line}\n`);
          last.push(line);
          if (last.length > LINES) last.shift();
          const found = ADDRESS.exec(line)?.[1];
          if (found !== undefined) resolve(found);
        });
      void exited.then(() => resolve(undefined));
    });
    if (address === undefined) throw new Error(`${name} did not start:\n  ${last.join('\n  ')}`);
    return new Program(name, child, address, exited);
  }

  /** Lets it finish what is under way; one that takes too long is ended. */
  async close(): Promise<void> {
    this.stopping = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const patience = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
    await this.exited;
    clearTimeout(patience);
  }
}
