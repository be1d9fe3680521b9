import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf, pause } from '#kernel';

/** Ended with us, whatever ends us. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const STOP_WITHIN_MS = 20_000;
const ADDRESS = / is ready on (http:\/\/[^\s,]+)/;
const LINES = 5;
/** One that lasted so long is worth another start. */
const LASTED_MS = 10_000;
const RESTARTS = 3;
const PAUSE_MS = 500;

export interface ProgramOptions {
  readonly name: string;
  /** The compiled program. */
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where `<name>.log` and `<name>.pid` are written. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** One of our apps as a process of its own, its log in a file; where it dies it is started again on the same port. */
export class Program {
  /** Where it listens. */
  readonly address: string;
  /** Resolves where it ends soon after each of several starts, with a sentence that says so. */
  readonly failed: Promise<string>;
  private readonly ending = new AbortController();
  /** Settles when no start is under way. */
  private starting: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly options: ProgramOptions,
    private run: Run,
  ) {
    this.address = run.address;
    this.failed = this.keep();
  }

  /** Resolves once it says where it is ready. @throws with its last words where it ends before */
  static async start(options: ProgramOptions): Promise<Program> {
    return new Program(options, await begin(options));
  }

  /** Lets it finish what is under way; one that takes too long is ended. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.starting;
    const { child, exited } = this.run;
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(patience);
    rmSync(pidFile(this.options), { force: true });
  }

  private async keep(): Promise<string> {
    const { name, environment, say } = this.options;
    const { signal } = this.ending;
    const { port } = new URL(this.address);
    for (let soon = 0; ;) {
      const began = performance.now();
      await this.run.exited;
      const { exitCode, signalCode } = this.run.child;
      const why = `${name} ended with ${String(exitCode ?? signalCode)}`;
      soon = performance.now() - began > LASTED_MS ? 1 : soon + 1;
      if (soon > RESTARTS) return why;
      await pause(PAUSE_MS, signal);
      // Told to stop: nobody waits for this any more.
      if (signal.aborted) return new Promise(() => undefined);
      say(`${why} and is started again`);
      const started = begin({ ...this.options, environment: { ...environment, PORT: port } });
      this.starting = started.catch(() => undefined);
      try {
        this.run = await started;
      } catch (error) {
        return messageOf(error);
      }
    }
  }
}

interface Run {
  readonly child: ChildProcess;
  readonly address: string;
  readonly exited: Promise<void>;
}

const pidFile = ({ folder, name }: ProgramOptions): string => join(folder, `${name}.pid`);

const begin = async (options: ProgramOptions): Promise<Run> => {
  const { name, script, environment, folder } = options;
  const child = spawn(process.execPath, [script], {
    env: environment,
    // A group of its own: Ctrl-C reaches whoever started it, and that stops one after the other.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(() => running.delete(child));
  writeFileSync(pidFile(options), `${child.pid ?? ''}\n`);
  const file = createWriteStream(join(folder, `${name}.log`), { flags: 'a' });
  void exited.then(() => file.end());
  const last: string[] = [];
  const address = await new Promise<string | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (!file.writableEnded) file.write(`${line}\n`);
        last.push(line);
        if (last.length > LINES) last.shift();
        const found = ADDRESS.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    void exited.then(() => resolve(undefined));
  });
  if (address === undefined) throw new Error(`${name} did not start:\n  ${last.join('\n  ')}`);
  return { child, address, exited };
};
