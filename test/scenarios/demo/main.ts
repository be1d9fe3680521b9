import 'reflect-metadata';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LocalIssuer } from '#web';
import { createApp } from '../../../apps/pledgebook/app.js';
import type { TokenFor } from './client.js';
import { UnexpectedAnswerError } from './client.js';
import type { DemoOptions } from './demo.js';
import { runDemo } from './demo.js';
import type { WorldRequest } from './world.js';
import { fileWorld } from './world.js';
import type { Say } from './printing.js';

const USAGE = `npm run demo [-- --world] [--url http://127.0.0.1:3000]
Loads the published cases into a fresh data folder and walks one need from filing to confirmed delivery, and to evidence of it in that folder.
With --world it files the published needs and offers, and a generated world of 2,000 needs and 1,000 offers beside them, instead.
PLEDGEBOOK_DATA names the folder (a new one below ./data unless set). With --url a running service is used that holds no reported records:
PLEDGEBOOK_DATA is then its data folder, whose key signs the tokens.`;

/** What the person at the keyboard can put right. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

const say: Say = (line = '') => {
  process.stdout.write(`${line}\n`);
};

/** The project's folder, from the sources and from the compiled demo alike. */
const projectFolder = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json is nowhere above the demo');
    folder = parent;
  }
  return folder;
};

const CASES = join(projectFolder(), 'test', 'data', 'arms-control-assistance');

const givenFolder = (): string | undefined => {
  const folder = process.env.PLEDGEBOOK_DATA?.trim();
  return folder === undefined || folder === '' ? undefined : resolve(folder);
};

const freshFolder = (): string => {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const folder = givenFolder() ?? resolve('data', `demo-${stamp}`);
  if (existsSync(join(folder, 'log.sqlite'))) {
    throw new UsageError(`${folder} holds a log already: name a fresh folder with PLEDGEBOOK_DATA, or none`);
  }
  mkdirSync(folder, { recursive: true });
  return folder;
};

type Play = (request: WorldRequest & Pick<DemoOptions, 'evidence'>) => Promise<unknown>;

const evidenceIn = (folder: string): string => join(folder, 'port-vila.evidence.zip');

const against = async (baseUrl: string, play: Play): Promise<void> => {
  const folder = givenFolder() ?? resolve('data');
  if (!existsSync(folder))
    throw new UsageError(`${folder} does not exist: PLEDGEBOOK_DATA must be the data folder of ${baseUrl}`);
  const issuer = LocalIssuer.open(folder);
  const tokenFor: TokenFor = ({ party, role }) => issuer.token({ party, roles: [role] });
  say(`Pledgebook demo, on the service at ${baseUrl}.`);
  await play({ baseUrl: baseUrl.replace(/\/$/, ''), tokenFor, cases: CASES, say, evidence: evidenceIn(folder) });
  say();
  say('Done: every answer was as expected.');
};

const alone = async (play: Play): Promise<void> => {
  const dataFolder = freshFolder();
  say(`Pledgebook demo. Everything is kept in ${dataFolder}.`);
  const app = await createApp({ dataFolder, rate: 'off' });
  try {
    const baseUrl = await app.listen(0);
    const tokenFor: TokenFor = ({ party, role }) => app.token({ party, roles: [role] });
    await play({ baseUrl, tokenFor, cases: CASES, say, evidence: evidenceIn(dataFolder) });
  } finally {
    await app.close();
  }
  say();
  say('Done: every answer was as expected. To look around in it:');
  say(`  PLEDGEBOOK_DATA=${dataFolder} npm start`);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { url: { type: 'string' }, world: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const play: Play = values.world === true ? fileWorld : runDemo;
  if (values.help === true) say(USAGE);
  else await (values.url === undefined ? alone(play) : against(values.url, play));
};

main().catch((error: unknown) => {
  const known = error instanceof UsageError || error instanceof UnexpectedAnswerError;
  const message = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`demo: ${message}\n`);
  process.exitCode = 1;
});
