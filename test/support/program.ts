import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { transformSync } from '@swc/core';

/** The whole service as plain JavaScript in a folder of its own, so that a test can run (and kill) it as a process. */
export interface Program {
  readonly folder: string;
  remove(): void;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const REPOSITORY = process.cwd();
const MAIN = 'apps/pledgebook/main.js';

export const buildProgram = (): Program => {
  const folder = mkdtempSync(join(tmpdir(), 'pledgebook-program-'));
  for (const part of ['libs', 'apps', 'infra']) compile(part, folder);
  const { imports } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { imports: object };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    remove: () => {
      for (const child of alive) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const compile = (path: string, folder: string): void => {
  for (const entry of readdirSync(join(REPOSITORY, path), { withFileTypes: true })) {
    const file = join(path, entry.name);
    if (entry.isDirectory()) compile(file, folder);
    else if (/(?<!\.spec)\.ts$/.test(entry.name)) {
      const { code } = transformSync(readFileSync(join(REPOSITORY, file), 'utf8'), {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      });
      const to = join(folder, 'dist', file.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, code);
    }
  }
};

type Environment = Readonly<Record<string, string>>;

const alive = new Set<ChildProcess>();

/** Runs a script of a program; what still lives when the program is removed is killed. */
const run = (
  program: string,
  script: string,
  parameters: readonly string[],
  environment: Environment,
): ChildProcessByStdio<null, Readable, Readable> => {
  const child = spawn(process.execPath, [join(program, 'dist', script), ...parameters], {
    cwd: program,
    env: environmentOf(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return child;
};

const environmentOf = (more: Environment): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  PORT: '0',
  PLEDGEBOOK_RATE: 'off',
  ...more,
});

/** Runs a script of the program (`dist/infra/check.js`, say) to its end. */
export const runScript = async (
  { folder }: Program,
  script: string,
  parameters: readonly string[],
  environment: Environment,
): Promise<Ended> => {
  return endOf(run(folder, script, parameters, environment));
};

const endOf = async (child: ChildProcess): Promise<Ended> => {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => (written[name] += text));
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, ...written };
};

/** A server of its own process. */
export interface ServerProcess {
  readonly url: string;
  readonly port: string;
  readonly ended: Promise<Ended>;
  /** Resolves with the first log line for which `test` holds; rejects, with all that was logged, where none came in a minute. */
  readonly logged: (
    test: (line: Readonly<Record<string, unknown>>) => boolean,
  ) => Promise<Readonly<Record<string, unknown>>>;
  readonly kill: (signal: NodeJS.Signals) => Promise<Ended>;
}

/** Starts the service on a folder and kills it after `milliseconds`, wherever its start has come to. */
export const killWhileStarting = async (
  { folder: program }: Program,
  dataFolder: string,
  milliseconds: number,
): Promise<void> => {
  const child = run(program, MAIN, [], { PLEDGEBOOK_DATA: dataFolder, PLEDGEBOOK_LOG: 'silent' });
  child.stdout.resume();
  child.stderr.resume();
  setTimeout(() => child.kill('SIGKILL'), milliseconds);
  await once(child, 'close');
};

/** Starts the service on a folder; throws what it said where it ends before it is ready. */
export const startServer = (
  program: Program,
  dataFolder: string,
  environment: Environment = {},
): Promise<ServerProcess> =>
  startScript(program, MAIN, { PLEDGEBOOK_DATA: dataFolder, PLEDGEBOOK_LOG: 'warn', ...environment });

/** Starts a script that listens (`apps/witness/main.js`, say); throws what it said where it ends before it is ready. */
export const startScript = async (
  { folder: program }: Program,
  script: string,
  environment: Environment,
): Promise<ServerProcess> => {
  const child = run(program, script, [], environment);
  const ended = endOf(child);
  const lines: Readonly<Record<string, unknown>>[] = [];
  const watchers = new Set<() => void>();
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /ready on (http:\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
      else if (line.startsWith('{')) lines.push(JSON.parse(line) as Record<string, unknown>);
      for (const watcher of watchers) watcher();
    });
  });
  const url = await Promise.race([
    ready,
    ended.then(({ code, stderr }): never => {
      throw new Error(`the server ended with ${code}: ${stderr}`);
    }),
  ]);
  return {
    url,
    port: new URL(url).port,
    ended,
    logged: (test) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(timer);
          watchers.delete(look);
        };
        const look = (): void => {
          const line = lines.find(test);
          if (line === undefined) return;
          end();
          resolve(line);
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(`nothing of the kind was logged: ${JSON.stringify(lines)}`));
        }, 60_000);
        watchers.add(look);
        look();
      }),
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
};
