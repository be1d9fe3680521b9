import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fault } from './faults.js';

/** TLS and an account, as in `StandInOptions`. */
interface Secured {
  readonly certificate: string;
  readonly account: string;
}

/** A stand-in in a process of its own: one that can be killed, stopped in its tracks and started again. */
export class StandInProcess {
  /**
   * @param folder of its log; in memory, so gone with the process, where undefined
   */
  static async start(folder?: string, port = 0, secured?: Secured): Promise<StandInProcess> {
    const given = { port: String(port), folder, ...secured };
    const args = [
      await program(),
      ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])),
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let control = '';
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('control on ')) control = line.slice('control on '.length);
      if (line.startsWith('ready on '))
        return new StandInProcess(child, folder, secured, line.slice('ready on '.length), control);
    }
    throw new Error('the stand-in ended before it was ready');
  }

  private constructor(
    private child: ChildProcess,
    private readonly folder: string | undefined,
    private readonly secured: Secured | undefined,
    /** Connection string for a client; the same after `restart`. */
    readonly url: string,
    private control: string,
  ) {}

  /** Adds a fault, or gives another command of the control address. */
  async tell(command: Fault | 'freeze' | 'thaw' | 'clear' | 'drop-connections'): Promise<void> {
    const [path, body] = typeof command === 'string' ? [command, ''] : ['fault', JSON.stringify(command)];
    const { status } = await fetch(`${this.control}/${path}`, { method: 'POST', body });
    if (status !== 204) throw new Error(`the stand-in answers ${status}`);
  }

  /** SIGKILL: nothing is tidied up. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  }

  /** Lets it end as told (SIGTERM). */
  async end(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }

  /** Starts it again on the same log and port. */
  async restart(): Promise<void> {
    const next = await StandInProcess.start(this.folder, Number(/:(\d+)\?/.exec(this.url)?.[1]), this.secured);
    this.child = next.child;
    this.control = next.control;
  }

  /** Stops the process in its tracks; its connections stay open. */
  stop(): void {
    this.child.kill('SIGSTOP');
  }

  continue(): void {
    this.child.kill('SIGCONT');
  }
}

let made: Promise<string> | undefined;

/** The program as JavaScript: beside this file where that is JavaScript already, else made of the sources. */
const program = (): Promise<string> => (made ??= makeProgram());

const makeProgram = async (): Promise<string> => {
  const here = dirname(fileURLToPath(import.meta.url));
  const sources = readdirSync(here).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  if (!sources.includes('main.ts')) return join(here, 'main.js');
  const { transformSync } = await import('@swc/core');
  const folder = mkdtempSync(join(tmpdir(), 'eventstore-stand-in-'));
  for (const name of sources) {
    const { code } = transformSync(readFileSync(join(here, name), 'utf8'), {
      swcrc: false,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), code);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'main.js');
};
