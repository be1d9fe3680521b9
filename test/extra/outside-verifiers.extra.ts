import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCheckpoint, tilePath, tileWidth } from '#tlog';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp, temporaryFolder } from '../support/app.js';

/** What the running server hands out is verified by programs that hold no code of ours, and refused by them once a byte of it is another. */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const SCRIPTS = join(process.cwd(), 'test', 'outside-verifiers');
const WAIT = { headers: { prefer: 'wait=10' } };

interface Verifier {
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  /** Whether this machine has what it needs. */
  readonly probe: readonly [string, ...string[]];
  /** What of the folder it reads: any byte of these counts. */
  readonly reads: RegExp;
}
const NOTES = 'verifier-key|checkpoint|older-checkpoint|proof\\.tlog-proof';
const VERIFIERS: Readonly<Record<string, Verifier>> = {
  Go: {
    command: ['go', 'run', '.'],
    folder: join(SCRIPTS, 'go'),
    probe: ['go', 'version'],
    reads: new RegExp(`^(${NOTES}|tile/[01]/.*)$`),
  },
  Python: {
    command: ['python3', 'verify.py'],
    folder: SCRIPTS,
    probe: ['python3', '-c', 'import cryptography'],
    reads: new RegExp(`^(${NOTES}|tile/entries/.*)$`),
  },
  OpenSSL: {
    command: ['sh', 'verify.sh'],
    folder: SCRIPTS,
    probe: ['openssl', 'version'],
    reads: new RegExp(`^(${NOTES})$`),
  },
};

const run = ([program, ...parameters]: readonly [string, ...string[]], cwd?: string): { ok: boolean; said: string } => {
  const { status, stdout, stderr } = spawnSync(program, parameters, { cwd, encoding: 'utf8', timeout: 100_000 });
  return { ok: status === 0, said: `${stdout}${stderr}`.trim() };
};

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

describe('outside verifiers', () => {
  const scratch = temporaryFolder();
  const handedOut = join(scratch.path, 'log');
  let app: EmbeddedTestApp;
  beforeAll(async () => {
    app = await embeddedApp();
    const register = (from: number, count: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: count }, (_, at) =>
          app.post(
            '/v1/parties',
            { id: `agency:a${from + at}`, name: 'A', category: 'multilateral' },
            { as: COORDINATOR },
          ),
        ),
      );
    const keep = async (path: string, name = path): Promise<Buffer> => {
      const { status, bytes } = await app.get(`${path.startsWith('/') ? '' : '/log/'}${path}`, WAIT);
      expect([path, status]).toEqual([path, 200]);
      mkdirSync(dirname(join(handedOut, name)), { recursive: true });
      writeFileSync(join(handedOut, name), bytes);
      return bytes;
    };
    await register(0, 200);
    await keep('checkpoint', 'older-checkpoint');
    await register(200, 117);
    const { size } = parseCheckpoint(await keep('checkpoint'));
    await keep('verifier-key');
    const [event] = await app.store.readStream('party-agency:a123', 0, 1);
    await keep(`/v1/audit/events/${event!.id}/proof`, 'proof.tlog-proof');
    for (const level of ['entries', 0, 1] as const)
      for (let n = 0; tileWidth(size, level === 'entries' ? 0 : level, n) > 0; n += 1)
        await keep(tilePath({ level, n, width: tileWidth(size, level === 'entries' ? 0 : level, n) }));
  });
  afterAll(async () => {
    await app.close();
    scratch.remove();
  });

  test.each(Object.entries(VERIFIERS))('%s verifies the log, and refuses it with a byte changed', (name, verifier) => {
    const { command, folder, probe, reads } = verifier;
    if (!run(probe).ok) {
      process.stderr.write(`skipped: ${name} is not here\n`);
      return;
    }
    expect(run([...command, handedOut], folder)).toEqual({ ok: true, said: expect.stringContaining('verified: ') });
    const files = filesOf(handedOut).filter((file) => reads.test(file));
    expect(files.length).toBeGreaterThan(3);
    const accepted = files.filter((file) => {
      const touched = join(scratch.path, 'touched');
      cpSync(handedOut, touched, { recursive: true });
      const bytes = readFileSync(join(handedOut, file));
      const at = Math.floor(bytes.length / 2);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(join(touched, file), bytes);
      return run([...command, touched], folder).ok;
    });
    expect(accepted).toEqual([]);
  });
});
