import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { temporaryFolder } from '../support/app.js';
import type { Ended, Program } from '../support/program.js';
import { buildProgram, runScript } from '../support/program.js';

/** `pledgebook-verify` as a program of its own: its exit codes, what it loads, and how `npx` finds it. */
const MAIN = 'apps/verify/main.js';
/** Writes the address of every module that a process loads to a file. */
const WATCH = `
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';
if (process.env.LOADED) register('data:text/javascript,' + encodeURIComponent(\`
import { appendFileSync } from 'node:fs';
export const load = (url, context, next) => {
  appendFileSync(process.env.LOADED, url + '\\\\n');
  return next(url, context);
};\`));
`;
/** Makes a bundle in the folder that it is told: its files, its key, and a receipt of its last event. */
const MAKE = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
const { EvidenceLog, frozenEvents, leavesOf, SIGNER } = await import('../libs/evidence/bundle.fixture.js');
const [folder, repository] = process.argv.slice(2);
process.chdir(repository);
const log = new EvidenceLog(leavesOf(frozenEvents()));
const { stream, revision } = log.leaves.findLast(({ opening }) => opening.type === 'CommitmentClosed').opening;
const write = (path, bytes) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
};
for (const [path, bytes] of log.bundle({ stream })) write(join('bundle', path), bytes);
write('key', SIGNER.verifier.toString() + '\\n');
write('receipt.tlog-proof', log.receipt(log.seqOf(stream, revision)));
write('old', log.checkpoint(100));
`;

let program: Program;
const scratch = temporaryFolder();
const inScratch = (name: string): string => join(scratch.path, name);
const verify = (...parameters: readonly string[]): Promise<Ended> => runScript(program, MAIN, parameters, {});
const PINNED = ['--key', inScratch('key')] as const;

beforeAll(async () => {
  program = buildProgram();
  mkdirSync(join(program.folder, 'dist', 'test'));
  writeFileSync(join(program.folder, 'dist', 'test', 'make.js'), MAKE);
  const made = await runScript(program, 'test/make.js', [scratch.path, process.cwd()], {});
  if (made.code !== 0) throw new Error(made.stderr);
});
afterAll(() => {
  program.remove();
  scratch.remove();
});

const lastLine = ({ stdout }: Ended): string => stdout.trimEnd().split('\n').at(-1)!;

const zipOf = async (folder: string, paths: readonly string[]): Promise<Uint8Array> => {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const path of paths) await writer.add(path, new Uint8ArrayReader(readFileSync(join(folder, path))));
  return writer.close();
};

describe('pledgebook-verify', () => {
  it('verifies a folder and a zip offline, and exits with 0 where nothing is in doubt', async () => {
    const { files } = JSON.parse(readFileSync(inScratch('bundle/manifest.json'), 'utf8')) as {
      readonly files: readonly { readonly path: string }[];
    };
    const zip = await zipOf(inScratch('bundle'), ['manifest.json', ...files.map(({ path }) => path)]);
    writeFileSync(inScratch('bundle.zip'), zip);
    for (const subject of ['bundle', 'bundle.zip']) {
      const ended = await verify(inScratch(subject), ...PINNED, '--receipt', inScratch('receipt.tlog-proof'));
      expect([ended.code, lastLine(ended), ended.stderr]).toEqual([0, `${inScratch(subject)}: verified`, '']);
    }
  });

  it('exits with 1 where something is in doubt or refused, and names it', async () => {
    const unpinned = await verify(inScratch('bundle'));
    expect([unpinned.code, lastLine(unpinned)]).toEqual([1, `${inScratch('bundle')}: in doubt`]);
    expect((await verify(inScratch('bundle'), ...PINNED, '--since', inScratch('old'))).code).toBe(1);
    cpSync(inScratch('bundle'), inScratch('changed'), { recursive: true });
    writeFileSync(inScratch('changed/record.json'), '{}');
    const changed = await verify(inScratch('changed'), ...PINNED);
    expect([changed.code, lastLine(changed)]).toEqual([1, `${inScratch('changed')}: refused`]);
    expect(changed.stdout).toContain('refused: record.json: its SHA-256 is');
    writeFileSync(inScratch('bundle.broken'), 'no zip');
    expect((await verify(inScratch('bundle.broken'), ...PINNED)).code).toBe(1);
    expect((await verify('http://127.0.0.1:1', ...PINNED)).stdout).toContain('the server cannot be asked');
  });

  it('exits with 64 and how it is used, where it is used wrongly', async () => {
    for (const wrong of [
      [],
      [inScratch('nothing')],
      [inScratch('bundle'), 'more'],
      [inScratch('bundle'), '--key', 'none'],
      [inScratch('bundle'), '--need', '1'],
      [inScratch('bundle'), '--receipt', inScratch('nothing')],
      [inScratch('bundle'), '--trust'],
    ]) {
      const { code, stdout, stderr } = await verify(...wrong);
      expect([wrong, code, stdout]).toEqual([wrong, 64, '']);
      expect(stderr).toContain('Exit codes: 0 verified, 1 refused or in doubt, 64 wrong usage.');
    }
    expect((await verify('--help')).code).toBe(0);
  });

  it('loads nothing of the server but formats, deciders and event schemas', async () => {
    const [watch, loaded] = [inScratch('watch.mjs'), inScratch('loaded')];
    writeFileSync(watch, WATCH);
    writeFileSync(loaded, '');
    const ended = await runScript(program, MAIN, [inScratch('bundle.zip'), ...PINNED], {
      NODE_OPTIONS: `--import=${watch}`,
      LOADED: loaded,
    });
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    const urls = [...new Set(readFileSync(loaded, 'utf8').trimEnd().split('\n'))];
    const packages = urls
      .map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1])
      .filter((name) => name !== undefined);
    expect([...new Set(packages)].sort()).toEqual(['@zip.js/zip.js', 'ajv', 'lru-cache', 'uuid']);
    const parts = urls
      .map((url) => /\/dist\/((?:libs|apps|infra)\/[^/]+)\//.exec(url)?.[1])
      .filter((name) => name !== undefined);
    expect([...new Set(parts)].sort()).toEqual([
      'apps/verify',
      'libs/audit',
      'libs/commitments',
      'libs/directory',
      'libs/evidence',
      'libs/kernel',
      'libs/needs',
      'libs/offers',
      'libs/tlog',
      'libs/vocabulary',
    ]);
    expect(urls.filter((url) => url.includes('/libs/audit/'))).toEqual([
      expect.stringContaining('event-schemas.data.js'),
    ]);
    expect(urls.filter((url) => /\.(controller|module|dto|projection|process|view|problems)\.js$/.test(url))).toEqual(
      [],
    );
  });

  it('is found by npx in the package itself, without the network', () => {
    const launcher = 'apps/verify/pledgebook-verify.js';
    mkdirSync(dirname(join(program.folder, launcher)), { recursive: true });
    cpSync(join(process.cwd(), launcher), join(program.folder, launcher));
    const manifest = JSON.parse(readFileSync(join(program.folder, 'package.json'), 'utf8')) as object;
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly bin: object };
    writeFileSync(
      join(program.folder, 'package.json'),
      JSON.stringify({ name: 'pledgebook', version: '0.0.0', ...manifest, bin }),
    );
    const npx = (...parameters: readonly string[]) =>
      spawnSync('npx', ['pledgebook-verify', ...parameters], {
        cwd: program.folder,
        env: { PATH: process.env.PATH, npm_config_offline: 'true', npm_config_cache: inScratch('npm') },
        encoding: 'utf8',
      });
    const pinned = npx(inScratch('bundle.zip'), ...PINNED);
    expect([pinned.status, pinned.stdout.trimEnd().split('\n').at(-1)]).toEqual([
      0,
      `${inScratch('bundle.zip')}: verified`,
    ]);
    expect(npx(inScratch('bundle.zip')).status).toBe(1);
    expect(npx().status).toBe(64);
  });
});
