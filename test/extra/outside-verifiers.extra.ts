import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NoteSigner, parseCheckpoint, tilePath, tileWidth } from '#tlog';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp, temporaryFolder } from '../support/app.js';
import { RunningWitness } from '../support/running-witness.js';

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
    reads: new RegExp(`^(${NOTES}|witness-key|tile/entries/.*)$`),
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
  const signer = NoteSigner.generate('log.example/commitments');
  let app: EmbeddedTestApp;
  let witness: RunningWitness;
  beforeAll(async () => {
    witness = await new RunningWitness('witness.example/w1', join(scratch.path, 'witness'), signer.verifier).start();
    app = await embeddedApp({
      log: { key: { text: signer.privateKey() }, witnesses: { witnesses: [witness.policy], quorum: 1 } },
    });
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
    writeFileSync(join(handedOut, 'witness-key'), `${witness.key.toString()}\n`);
    const [event] = await app.store.readStream('party-agency:a123', 0, 1);
    await keep(`/v1/audit/events/${event!.id}/proof`, 'proof.tlog-proof');
    for (const level of ['entries', 0, 1] as const)
      for (let n = 0; tileWidth(size, level === 'entries' ? 0 : level, n) > 0; n += 1)
        await keep(tilePath({ level, n, width: tileWidth(size, level === 'entries' ? 0 : level, n) }));
  });
  afterAll(async () => {
    await app.close();
    await witness.close();
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
      // What stands behind the log's signature is another's, who is known to one verifier only.
      const own = bytes.indexOf(`\n— ${witness.key.name} `);
      const at = Math.floor((own < 0 ? bytes.length : own) / 2);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(join(touched, file), bytes);
      return run([...command, touched], folder).ok;
    });
    expect(accepted).toEqual([]);
  });

  it('verify the cosignature of a witness, which no other checkpoint and no other time has', () => {
    const { command, folder, probe } = VERIFIERS.Python!;
    if (!run(probe).ok) {
      process.stderr.write('skipped: Python is not here\n');
      return;
    }
    const note = readFileSync(join(handedOut, 'checkpoint'), 'utf8');
    const older = readFileSync(join(handedOut, 'older-checkpoint'), 'utf8');
    const lineIn = (text: string): string => /— witness\.example\/w1 (\S+)\n/.exec(text)![1]!;
    const time = Buffer.from(lineIn(note), 'base64');
    time.writeUInt8(time.readUInt8(11) ^ 1, 11);
    for (const [from, to] of [
      [`— witness.example/w1 ${lineIn(note)}\n`, ''],
      [lineIn(note), lineIn(older)],
      [lineIn(note), time.toString('base64')],
    ] as const) {
      const touched = join(scratch.path, 'touched');
      cpSync(handedOut, touched, { recursive: true });
      writeFileSync(join(touched, 'checkpoint'), note.replace(from, to));
      expect(run([...command, touched], folder).ok).toBe(false);
    }
  });
});
