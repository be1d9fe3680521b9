import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { openDatabase } from '#sqlite';
import {
  CompactRange,
  consistencyProof,
  cosign,
  formatAddCheckpoint,
  formatNote,
  leafHash,
  nodeHash,
  NoteSigner,
  openCheckpoint,
  parseNote,
  rootOf,
  signCheckpoint,
  type TreeNodes,
  VerifierKey,
} from '#tlog';
import { CosignedCheckpoints, STATE_FILE } from './cosigned-checkpoints.js';
import { createServer } from './server.js';
import { readWitnessSettings } from './settings.js';
import { Witness } from './witness.js';
import { openWitness } from './witness-key.js';

const ORIGIN = 'log.example/commitments';
const NOW = Date.UTC(2026, 10, 29, 9);

/** A tree in memory whose leaves are texts. */
const treeOf = (leaves: readonly string[]): TreeNodes => ({
  node: (level, index) => {
    if (level > 0) {
      const below = treeOf(leaves);
      return nodeHash(below.node(level - 1, 2 * index), below.node(level - 1, 2 * index + 1));
    }
    return leafHash(Buffer.from(leaves[index]!));
  },
});

/** A log, as a client sees it; another `kind` of leaves is another tree. */
class Log {
  readonly signer = NoteSigner.generate(ORIGIN);
  readonly tree: TreeNodes;

  constructor(kind: string, signer?: NoteSigner) {
    if (signer !== undefined) this.signer = signer;
    this.tree = treeOf(Array.from({ length: 200 }, (_, at) => (at < 3 ? `entry ${at}` : `${kind} ${at}`)));
  }

  note(size: number): string {
    return signCheckpoint(this.signer, size, rootOf(this.tree, size));
  }

  body(old: number, size: number): string {
    return formatAddCheckpoint({ old, proof: consistencyProof(this.tree, old, size), checkpoint: this.note(size) });
  }
}

describe('a witness', () => {
  const log = new Log('entry');
  const fork = new Log('other', log.signer);
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const open: FastifyInstance[] = [];
  const evidence: unknown[] = [];
  let clock = 0;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pledgebook-witness-'));
    environment = {
      WITNESS_DATA: folder,
      WITNESS_NAME: 'witness.example/w1',
      WITNESS_LOGS: log.signer.verifier.toString(),
      WITNESS_RATE: 'off',
    };
    evidence.length = 0;
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
    rmSync(folder, { recursive: true });
  });

  /** What runs on this folder from now on; others that run on it stay. */
  const start = async (): Promise<FastifyInstance> => {
    const settings = readWitnessSettings(environment);
    const { signer, cosigned } = openWitness(settings);
    const witness = new Witness(signer, settings.logs, cosigned, () => NOW);
    const logger = pino(
      { level: 'warn' },
      { write: (line) => evidence.push((JSON.parse(line) as { evidence: string }).evidence) },
    );
    const server = createServer({ witness, logger, rate: settings.rate, now: () => clock });
    server.addHook('onClose', async () => cosigned.close());
    open.push(server);
    await server.ready();
    return server;
  };
  const add = async (
    server: FastifyInstance,
    body: string | Buffer,
  ): Promise<{ status: number; type: unknown; body: string }> => {
    const answer = await server.inject({ method: 'POST', url: '/add-checkpoint', payload: body });
    return { status: answer.statusCode, type: answer.headers['content-type'], body: answer.body };
  };
  const keyOf = async (server: FastifyInstance): Promise<VerifierKey> =>
    VerifierKey.parse((await server.inject('/verifier-key')).body.trimEnd());
  const TEXT = 'text/plain; charset=utf-8';
  const conflict = (size: number): object => ({ status: 409, type: 'text/x.tlog.size', body: `${size}\n` });

  it('cosigns a checkpoint, the ones that continue it, and the same again', async () => {
    const server = await start();
    const key = await keyOf(server);
    expect([key.name, key.kind]).toEqual(['witness.example/w1', 'cosignature']);
    for (const [old, size] of [
      [0, 3],
      [3, 3],
      [3, 128],
      [128, 200],
    ] as const) {
      const answer = await add(server, log.body(old, size));
      expect([answer.status, answer.type]).toEqual([200, TEXT]);
      const cosigned = Buffer.from(`${log.note(size)}${answer.body}`);
      const { verified } = openCheckpoint(cosigned, ORIGIN, [log.signer.verifier, key]);
      expect(verified).toEqual([{ key: log.signer.verifier }, { key, seconds: NOW / 1_000 }]);
    }
    expect(JSON.parse((await server.inject('/')).body)).toEqual({
      verifierKey: key.toString(),
      logs: [{ origin: ORIGIN, size: 200, at: '2026-11-29T09:00:00.000Z', checkpoint: log.note(200) }],
    });
  });

  it('begins with any checkpoint, also one of a tree without leaves, and passes over signatures of others', async () => {
    const server = await start();
    expect((await add(server, log.body(0, 0))).status).toBe(200);
    const stranger = NoteSigner.generate('another.example/w9', 'cosignature');
    const checkpoint = cosign(Buffer.from(log.note(7)), stranger, 1);
    expect((await add(server, formatAddCheckpoint({ old: 0, proof: [], checkpoint }))).status).toBe(200);
  });

  it('answers 409 and the size it has where the old size is another', async () => {
    const server = await start();
    expect(await add(server, log.body(5, 9))).toEqual(conflict(0));
    await add(server, log.body(0, 100));
    expect(await add(server, log.body(0, 120))).toEqual(conflict(100));
    expect(await add(server, log.body(99, 120))).toEqual(conflict(100));
    expect(await add(server, log.body(101, 120))).toEqual(conflict(100));
    expect(evidence).toEqual([]);
  });

  it('does not cosign an older checkpoint that is replayed', async () => {
    const server = await start();
    const replayed = log.body(0, 50);
    await add(server, replayed);
    await add(server, log.body(50, 100));
    expect(await add(server, replayed)).toEqual(conflict(100));
    expect(await add(server, log.body(50, 50))).toEqual(conflict(100));
    expect((await add(server, formatAddCheckpoint({ old: 100, proof: [], checkpoint: log.note(50) }))).status).toBe(
      400,
    );
  });

  it('answers 409 to another tree of the same size, and says what the log signed', async () => {
    const server = await start();
    await add(server, log.body(0, 100));
    expect(await add(server, fork.body(100, 100))).toEqual(conflict(100));
    expect(evidence).toEqual([fork.note(100)]);
    const empty = signCheckpoint(log.signer, 0, Buffer.alloc(32, 1));
    rmSync(folder, { recursive: true });
    const fresh = await start();
    expect(await add(fresh, formatAddCheckpoint({ old: 0, proof: [], checkpoint: empty }))).toEqual(conflict(0));
  });

  it('answers 422 where the proof does not lead from what it cosigned, as in a log that forked', async () => {
    const server = await start();
    await add(server, log.body(0, 100));
    const good = consistencyProof(log.tree, 100, 120);
    const touched = good.map((hash, at) => (at === 1 ? Buffer.from(hash).fill(0, 5, 6) : hash));
    const refused = [
      fork.body(100, 120),
      formatAddCheckpoint({ old: 100, proof: touched, checkpoint: log.note(120) }),
      formatAddCheckpoint({ old: 100, proof: good.slice(1), checkpoint: log.note(120) }),
      formatAddCheckpoint({ old: 100, proof: [...good, Buffer.alloc(32)], checkpoint: log.note(120) }),
      formatAddCheckpoint({ old: 100, proof: [], checkpoint: log.note(120) }),
      formatAddCheckpoint({ old: 100, proof: good, checkpoint: log.note(100) }),
    ];
    const answers = await Promise.all(refused.map((body) => add(server, body)));
    expect(answers.map(({ status }) => status)).toEqual(refused.map(() => 422));
    expect(answers[0]!.body).toBe('the consistency proof does not lead to the older root\n');
    expect(evidence).toHaveLength(refused.length);
    const first = formatAddCheckpoint({ old: 0, proof: [Buffer.alloc(32)], checkpoint: log.note(9) });
    rmSync(folder, { recursive: true });
    expect((await add(await start(), first)).status).toBe(422);
    expect(await add(server, log.body(100, 120))).toMatchObject({ status: 200 });
  });

  it('answers 404 to a log it does not know, and 403 where no key of the log has signed', async () => {
    const server = await start();
    const other = NoteSigner.generate('another.example/log');
    const unknown = signCheckpoint(other, 1, rootOf(log.tree, 1));
    expect(await add(server, formatAddCheckpoint({ old: 0, proof: [], checkpoint: unknown }))).toEqual({
      status: 404,
      type: TEXT,
      body: 'this witness does not know the log another.example/log\n',
    });
    const text = parseNote(Buffer.from(log.note(3))).text;
    const forged = [
      formatNote({ text, signatures: [NoteSigner.generate(ORIGIN).sign(text)] }),
      formatNote({ text, signatures: [other.sign(text)] }),
      formatNote({ text, signatures: [log.signer.sign(`${text}more\n`)] }),
    ];
    for (const checkpoint of forged)
      expect((await add(server, formatAddCheckpoint({ old: 0, proof: [], checkpoint }))).status).toBe(403);
    expect(JSON.parse((await server.inject('/')).body).logs).toEqual([{ origin: ORIGIN, size: 0 }]);
  });

  it.each<[string, (body: string) => string | Buffer, string]>([
    ['nothing', () => '', 'no empty line'],
    ['no checkpoint', () => 'old 0\n\n', 'no empty line'],
    ['no old size', (body) => body.replace('old 3\n', ''), 'does not begin with "old "'],
    ['an old size with a zero in front', (body) => body.replace('old 3', 'old 03'), 'the old size is not a decimal'],
    ['an old size that is negative', (body) => body.replace('old 3', 'old -3'), 'the old size is not a decimal'],
    ['an old size that is larger', (body) => body.replace('old 3', 'old 65'), 'the old size 65 is larger than 64'],
    ['a hash of another length', (body) => body.replace(/\n.{44}\n/, '\nAAAA\n'), 'hash 1 of the proof has 3 bytes'],
    ['a hash that is none', (body) => body.replace(/\n.{44}\n/, '\n!\n'), 'hash 1 of the proof is not canonical'],
    ['64 hashes', (body) => body.replace('old 3\n', `old 3\n${`${'A'.repeat(43)}=\n`.repeat(60)}`), 'more than 63'],
    ['line feeds of another system', (body) => body.replace(/\n/g, '\r\n'), 'no empty line'],
    ['a size that is none', (body) => body.replace('\n64\n', '\n6x\n'), "the checkpoint's size is not"],
    ['no signature', (body) => body.replace(/—.*\n/, ''), 'do not end with a line feed'],
    ['bytes that are no text', () => Buffer.from([0x6f, 0xff, 0x0a, 0x0a]), 'is not UTF-8'],
  ])('answers 400 to a request with %s', async (_what, touch, reason) => {
    const server = await start();
    const answer = await add(server, touch(log.body(3, 64)));
    expect([answer.status, answer.type]).toEqual([400, TEXT]);
    expect(answer.body).toContain(reason);
  });

  it('takes 63 hashes, and no request that is longer than any can be', async () => {
    const server = await start();
    const checkpoint = log.note(64);
    const proof = Array.from({ length: 63 }, () => Buffer.alloc(32));
    expect((await add(server, formatAddCheckpoint({ old: 0, proof, checkpoint }))).status).toBe(422);
    expect((await add(server, Buffer.alloc(70_000, 'a'))).status).toBe(413);
  });

  it('tells where it lives and what it does not do', async () => {
    const server = await start();
    expect(JSON.parse((await server.inject('/healthz')).body)).toEqual({ status: 'ok' });
    expect((await server.inject('/add-checkpoint')).statusCode).toBe(404);
  });

  it('lets one of two requests from the same size through, over connections and over servers on one folder', async () => {
    const servers = [await start(), await start()];
    await add(servers[0]!, log.body(0, 10));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => add(servers[at % 2]!, log.body(10, 11 + at))),
    );
    const [won, ...more] = answers.flatMap(({ status }, at) => (status === 200 ? [11 + at] : []));
    expect(more).toEqual([]);
    expect(answers.filter(({ status }) => status === 409)).toEqual(Array.from({ length: 19 }, () => conflict(won!)));
  });

  it('lets no other process between what it compares and what it keeps', () => {
    const [one, other] = [CosignedCheckpoints.open(folder), CosignedCheckpoints.open(folder)];
    const keep = { size: 1, root: Buffer.alloc(32), checkpoint: '', at: NOW };
    one.next(ORIGIN, () => {
      expect(() => other.next(ORIGIN, () => ({ keep: { ...keep, size: 2 }, answer: '' }))).toThrow('locked');
      return { keep, answer: '' };
    });
    expect(other.of(ORIGIN)?.size).toBe(1);
    one.close();
    other.close();
  });

  it('remembers what it cosigned where it dies before it has answered, and after a restart', async () => {
    const first = await start();
    // The answer is lost; the one that answered is not closed, as a process that was killed is not.
    await add(first, log.body(0, 40));
    const second = await start();
    expect(await add(second, log.body(0, 40))).toEqual(conflict(40));
    expect((await add(second, log.body(40, 40))).status).toBe(200);
    await second.close();
    const third = await start();
    expect(await keyOf(third)).toEqual(await keyOf(first));
    expect(await add(third, fork.body(40, 40))).toEqual(conflict(40));
    expect((await add(third, log.body(40, 60))).status).toBe(200);
  });

  it('cosigns nothing that it cannot keep', async () => {
    const server = await start();
    await add(server, log.body(0, 10));
    const beside = openDatabase(join(folder, STATE_FILE));
    beside.exec(`CREATE TRIGGER full BEFORE INSERT ON cosigned BEGIN SELECT RAISE(FAIL, 'the disk is full'); END`);
    expect(await add(server, log.body(10, 20))).toEqual({
      status: 500,
      type: TEXT,
      body: 'this witness cannot keep what it cosigns: its operator is told\n',
    });
    beside.exec('DROP TRIGGER full');
    beside.close();
    expect(await add(server, log.body(20, 30))).toEqual(conflict(10));
  });

  it('limits the requests of an address within a second', async () => {
    environment.WITNESS_RATE = '3';
    const server = await start();
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.inject('/verifier-key')));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429, 429]);
    expect(answers[4]!.headers['retry-after']).toBe('1');
    clock += 1_000;
    expect((await server.inject('/verifier-key')).statusCode).toBe(200);
  });

  it('keeps its key for itself, and starts neither without its memory nor without its key', async () => {
    const server = await start();
    const keyFile = join(folder, 'witness.key');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    await add(server, log.body(0, 10));
    await server.close();
    const key = readFileSync(keyFile, 'utf8');
    unlinkSync(keyFile);
    await expect(start()).rejects.toThrow('witness.key is gone: logs know this witness by it');
    writeFileSync(keyFile, key);
    unlinkSync(join(folder, STATE_FILE));
    await expect(start()).rejects.toThrow('but not witness.sqlite, what it cosigned');
  });

  it('is called as its key is, which may be given', async () => {
    const given = join(folder, 'given.key');
    const signer = NoteSigner.generate('witness.example/given', 'cosignature');
    writeFileSync(given, `${signer.privateKey()}\n`);
    environment.WITNESS_KEY_FILE = given;
    await expect(start()).rejects.toThrow('WITNESS_NAME is witness.example/w1, but the key in');
    delete environment.WITNESS_NAME;
    expect((await keyOf(await start())).toString()).toBe(signer.verifier.toString());
    writeFileSync(given, log.signer.privateKey());
    await expect(start()).rejects.toThrow('holds the key of a log, not of a witness');
    environment.WITNESS_KEY_FILE = join(folder, 'nowhere');
    await expect(start()).rejects.toThrow('cannot be read (ENOENT)');
  });

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['no log', { WITNESS_LOGS: '' }, 'set either WITNESS_LOGS or WITNESS_LOGS_FILE'],
    ['logs twice', { WITNESS_LOGS_FILE: '/dev/null' }, 'set either WITNESS_LOGS or WITNESS_LOGS_FILE'],
    ['only comments', { WITNESS_LOGS: '# later' }, 'WITNESS_LOGS names no log'],
    ['a key that is none', { WITNESS_LOGS: 'log.example' }, 'WITNESS_LOGS: "log.example": the verifier key is not'],
    [
      'the key of a witness as that of a log',
      { WITNESS_LOGS: NoteSigner.generate('w', 'cosignature').verifier.toString() },
      'is the key of a witness, not of a log',
    ],
    ['a port that is none', { PORT: '70000' }, 'PORT must be a whole number from 0 to 65535'],
    ['a rate that is none', { WITNESS_RATE: '0' }, 'WITNESS_RATE must be a whole number from 1'],
    ['no name', { WITNESS_NAME: '' }, 'WITNESS_NAME must be set for the first start'],
    ['a name that none may have', { WITNESS_NAME: 'a b' }, 'WITNESS_NAME: "a b" is no name of a key'],
  ])('does not start with %s, and says why', async (_what, settings, reason) => {
    Object.assign(environment, settings);
    await expect(start()).rejects.toThrow(reason);
  });

  it('follows a log from one key to the next, where it knows both', async () => {
    const next = new Log('entry', NoteSigner.generate(ORIGIN));
    environment.WITNESS_LOGS = `${log.signer.verifier.toString()}\n${next.signer.verifier.toString()}`;
    const server = await start();
    expect((await add(server, log.body(0, 10))).status).toBe(200);
    expect((await add(server, next.body(10, 20))).status).toBe(200);
  });

  it('is told of its logs by a file, one key a line', async () => {
    const file = join(folder, 'logs');
    const other = NoteSigner.generate('another.example/log');
    writeFileSync(file, `# ministries\n${log.signer.verifier.toString()}\n\n${other.verifier.toString()}\n`);
    Object.assign(environment, { WITNESS_LOGS: '', WITNESS_LOGS_FILE: file });
    const server = await start();
    const range = CompactRange.empty();
    const checkpoint = signCheckpoint(other, 0, range.root());
    expect((await add(server, formatAddCheckpoint({ old: 0, proof: [], checkpoint }))).status).toBe(200);
    expect((await add(server, log.body(0, 3))).status).toBe(200);
  });
});
