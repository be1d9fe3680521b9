import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Turn } from './measure.js';
import { interleaved, median, turn } from './measure.js';
import type { Figure } from './report.js';

const SERVER = fileURLToPath(new URL('../../apps/pledgebook/main.js', import.meta.url));
const PATIENCE_MS = 120_000;
const BETWEEN_PROBES_MS = 5;

/** From starting the compiled server as its own process to `GET /readyz` answering 200. */
export const coldStart = async (
  log: string,
  events: number,
  { rounds }: { readonly rounds: number },
): Promise<readonly Figure[]> => {
  const read = join(log, 'read');
  const turns = await interleaved(rounds, {
    rebuilding: () => {
      rmSync(read, { recursive: true, force: true });
      return startOnce(log, 'SIGTERM');
    },
    checkpoints: () => startOnce(log, 'SIGKILL'),
    killed: () => startOnce(log, 'SIGTERM'),
  });
  const secondsOf = (side: readonly Turn[]): number => median(side.map(({ seconds }) => seconds));
  return [
    { name: 'events in the log', value: events, unit: '' },
    {
      name: 'ready, read models with checkpoints',
      value: secondsOf(turns.checkpoints),
      unit: 's',
      target: { bound: 'at most', value: 2 },
    },
    { name: 'ready, the same after a kill', value: secondsOf(turns.killed), unit: 's' },
    {
      name: 'ready, all read models rebuilt',
      value: secondsOf(turns.rebuilding),
      unit: 's',
      target: { bound: 'at most', value: 10 },
    },
  ];
};

/** Starts the server, measures until it is ready, and ends it by `signal`. */
const startOnce = async (folder: string, signal: NodeJS.Signals): Promise<Turn> => {
  const begun = performance.now();
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, PLEDGEBOOK_DATA: folder, PORT: '0', PLEDGEBOOK_LOG: 'error', PLEDGEBOOK_RATE: 'off' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    return await turn(async () => {
      const address = await addressOf(child);
      while (!(await isReady(address))) {
        if (performance.now() - begun > PATIENCE_MS) throw new Error('the server did not become ready');
        await pause(BETWEEN_PROBES_MS);
      }
      return 1;
    });
  } finally {
    child.kill(signal);
    await ended;
  }
};

const addressOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const address = /ready on (http:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => {
      reject(new Error(`the server ended with ${code ?? 'a signal'}: ${said}`));
    });
  });

const isReady = (address: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    get(`${address}/readyz`, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', reject);
  });
