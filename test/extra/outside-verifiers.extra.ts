import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readZip } from '#evidence';
import { eventPath, MANIFEST, type Manifest } from '#evidence/format';
import { canonicalForm, NoteSigner, parseCheckpoint, tilePath, tileWidth } from '#tlog';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp, temporaryFolder } from '../support/app.js';
import { dealIn, VANUATU } from '../support/deal.js';
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

/** What each program is asked for a bundle with; the folder and the key follow. */
const OF_BUNDLES: Readonly<Record<string, Pick<Verifier, 'command' | 'folder' | 'probe'>>> = {
  Go: { ...VERIFIERS.Go!, command: ['go', 'run', './bundle'] },
  Python: { ...VERIFIERS.Python!, command: ['python3', 'verify-bundle.py'] },
  OpenSSL: { ...VERIFIERS.OpenSSL!, command: ['sh', 'verify-bundle.sh'] },
};

describe('outside verifiers of a bundle of evidence', () => {
  const scratch = temporaryFolder();
  const folderOf = (name: string): string => join(scratch.path, name);
  let app: EmbeddedTestApp;
  let key: string;
  let commitment: string;
  beforeAll(async () => {
    app = await embeddedApp();
    ({ commitment } = await dealIn(app));
    await keep('state', VANUATU);
    await keep('anyone');
    key = (await app.get('/log/verifier-key')).text.trimEnd();
  });
  afterAll(async () => {
    await app.close();
    scratch.remove();
  });

  const keep = async (name: string, as?: As): Promise<void> => {
    const { status, bytes } = await app.get(`/v1/commitments/${commitment}/evidence`, {
      ...WAIT,
      ...(as === undefined ? {} : { as }),
    });
    expect(status).toBe(200);
    for (const [path, content] of await readZip(bytes)) {
      mkdirSync(dirname(join(folderOf(name), path)), { recursive: true });
      writeFileSync(join(folderOf(name), path), content);
    }
  };

  /** The bundle of the State with something else in it. */
  const touched = (change: (folder: string) => void): string => {
    const folder = folderOf('touched');
    rmSync(folder, { recursive: true, force: true });
    cpSync(folderOf('state'), folder, { recursive: true });
    change(folder);
    return folder;
  };

  const flip = (file: string, at: number): void => {
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(file, bytes);
  };

  /** The manifest lists the files as they are now. */
  const listAnew = (folder: string, change = (manifest: Manifest): Manifest => manifest): void => {
    const manifest = change(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Manifest);
    const files = filesOf(folder)
      .filter((path) => path !== MANIFEST)
      .sort()
      .map((path) => ({
        path,
        sha256: createHash('sha256')
          .update(readFileSync(join(folder, path)))
          .digest('hex'),
      }));
    writeFileSync(join(folder, MANIFEST), canonicalForm({ ...manifest, files }));
  };

  test.each(Object.entries(OF_BUNDLES))('%s verifies it, and refuses it with a byte changed', (name, program) => {
    const { command, folder, probe } = program;
    if (!run(probe).ok) {
      process.stderr.write(`skipped: ${name} is not here\n`);
      return;
    }
    const verify = (bundle: string, by = key): { ok: boolean; said: string } => run([...command, bundle, by], folder);
    const opened = filesOf(folderOf('state')).filter((path) => path.endsWith('.salt')).length;
    const events = filesOf(folderOf('anyone')).filter((path) => path.endsWith('.tlog-proof')).length;
    const openedToAnyone = filesOf(folderOf('anyone')).filter((path) => path.endsWith('.salt')).length;
    expect([opened > openedToAnyone, openedToAnyone > 5]).toEqual([true, true]);
    const verified = (full: number): RegExp => new RegExp(`^verified: ${events} events.*, ${full} of them in full`);
    expect(verify(folderOf('state'))).toEqual({ ok: true, said: expect.stringMatching(verified(opened)) });
    expect(verify(folderOf('anyone'))).toEqual({ ok: true, said: expect.stringMatching(verified(openedToAnyone)) });

    // One file of each sort: what lies at the root, and of every folder one with each ending.
    const sortOf = (file: string): string => (file.includes('/') ? file.replace(/\/.*\./, '/*.') : file);
    const files = filesOf(folderOf('state'));
    const some = files.filter((file, at) => files.findIndex((each) => sortOf(each) === sortOf(file)) === at);
    expect(some.length).toBeGreaterThan(10);
    const accepted = some.filter(
      (file) =>
        verify(
          touched((at) => {
            flip(join(at, file), Math.floor(readFileSync(join(at, file)).length / 2));
          }),
        ).ok,
    );
    expect(accepted).toEqual([]);
  });

  test.each(Object.entries(OF_BUNDLES))(
    '%s refuses what was changed with the manifest, what has a gap, and what another key signed',
    (name, { command, folder, probe }) => {
      if (!run(probe).ok) {
        process.stderr.write(`skipped: ${name} is not here\n`);
        return;
      }
      const verify = (bundle: string, by = key): boolean => run([...command, bundle, by], folder).ok;
      const stream = `commitment-${commitment}`;
      const event = eventPath(stream, 3);
      const forged = ['checkpoint', 'verifier-key', `${event}.json`, `${event}.salt`, `${event}.tlog-proof`];
      const accepted = forged.filter((file) =>
        verify(
          touched((at) => {
            flip(join(at, file), 20);
            listAnew(at);
          }),
        ),
      );
      expect(accepted).toEqual([]);
      // Numbers of the manifest and what they count stay as they were; then the rest moves up.
      const without = (renumber: boolean): string =>
        touched((at) => {
          for (const ending of ['json', 'salt', 'tlog-proof']) rmSync(join(at, `${event}.${ending}`));
          if (renumber) moveUp(at, stream, 4);
          listAnew(at, (manifest) => ({
            ...manifest,
            streams: manifest.streams.map((each) =>
              each.stream === stream
                ? {
                    ...each,
                    events: each.events - 1,
                    revisions: each.revisions
                      .filter(({ revision }) => revision !== 3)
                      .map((one, index) => (renumber ? { ...one, revision: index } : one)),
                  }
                : each,
            ),
          }));
        });
      expect([verify(without(false)), verify(without(true))]).toEqual([false, false]);
      const other = 'log.example/commitments+6a15cb5d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4';
      expect(verify(folderOf('state'), other)).toBe(false);
    },
  );
});

/** Names the events from a revision on as if the one before them had never been. */
const moveUp = (folder: string, stream: string, from: number): void => {
  const files = filesOf(folder);
  for (let revision = from; files.includes(`${eventPath(stream, revision)}.tlog-proof`); revision += 1)
    for (const ending of ['json', 'salt', 'tlog-proof'])
      renameSync(
        join(folder, `${eventPath(stream, revision)}.${ending}`),
        join(folder, `${eventPath(stream, revision - 1)}.${ending}`),
      );
};
