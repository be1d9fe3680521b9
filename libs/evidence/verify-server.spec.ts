import { describe, expect, it } from '@jest/globals';
import { NoteSigner } from '#tlog';
import { EvidenceLog, frozenEvents, leavesOf, SIGNER } from './bundle.fixture.js';
import { Refusal } from './report.js';
import type { Trust } from './trust.js';
import { type Fetch, verifyServer } from './verify-server.js';

const LOG = new EvidenceLog(leavesOf(frozenEvents()));
const FORK = new EvidenceLog(
  leavesOf(frozenEvents().map((event, at) => (at === 5 ? { ...event, data: { ...event.data, forked: true } } : event))),
);
const PINNED: Trust = { key: SIGNER.verifier, witnesses: [], receipts: [], checkpoints: [] };

/** A server that shows this log at a size, with one answer changed where told. */
const serving =
  (log: EvidenceLog, size = log.leaves.length, change?: (path: string, bytes: Uint8Array) => Uint8Array): Fetch =>
  async (path) => {
    const found =
      path === 'checkpoint'
        ? Buffer.from(log.checkpoint(size))
        : path === 'verifier-key'
          ? Buffer.from(`${log.signer.verifier.toString()}\n`)
          : log.tileAt(path, size);
    if (found === undefined) throw new Refusal('the server answers 404', path);
    return change?.(path, found) ?? found;
  };

const outcome = async (fetch: Fetch, trust: Partial<Trust> = {}): Promise<string> => {
  const report = await verifyServer(fetch, { ...PINNED, ...trust });
  const refused = report.findings.find(({ kind }) => kind === 'refused');
  return refused === undefined ? report.verdict : `${refused.file ?? '-'}: ${refused.text}`;
};

const since = (log: EvidenceLog, size: number): Partial<Trust> => ({
  checkpoints: [{ name: 'old', bytes: Buffer.from(log.checkpoint(size)) }],
});

describe('a log as its server shows it', () => {
  it('is proved from its tiles to have only grown since any checkpoint', async () => {
    for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 699, 700])
      expect([size, await outcome(serving(LOG), since(LOG, size))]).toEqual([size, 'verified']);
  });

  it('is proved to hold the event of a receipt', async () => {
    for (const seq of [0, 255, 256, 600])
      expect(await outcome(serving(LOG), { receipts: [{ name: 'r', bytes: LOG.receipt(seq, seq + 1) }] })).toBe(
        'verified',
      );
  });

  it('stays in doubt where its key came from the server alone', async () => {
    const { key: _key, ...unpinned } = PINNED;
    expect((await verifyServer(serving(LOG), unpinned)).verdict).toBe('in doubt');
  });

  it('is refused where it was forked, put back in time, or is another log', async () => {
    expect(await outcome(serving(LOG), since(FORK, 300))).toBe(
      'old: the consistency proof does not lead to the older root',
    );
    expect(await outcome(serving(LOG), since(FORK, 700))).toBe(
      'old: the log signed another history of 700 events: it is forked',
    );
    expect(await outcome(serving(LOG, 400), since(LOG, 500))).toBe(
      'checkpoint: the log shows 400 events, 500 were signed before (old): it was put back in time, or its end was cut off',
    );
    expect(await outcome(serving(LOG), { receipts: [{ name: 'r', bytes: FORK.receipt(5) }] })).toContain('r: ');
    const other = new EvidenceLog(LOG.leaves, NoteSigner.generate('other.example'));
    expect(await outcome(serving(other))).toContain('verifier-key: it is the key of the log other.example');
    expect(await outcome(serving(LOG), since(other, 300))).toBe(
      'old: it is of the log other.example, not of log.example/commitments',
    );
  });

  it('is refused where a byte of the checkpoint or of a tile is flipped, or a tile is short', async () => {
    const flipped = (what: string): Fetch =>
      serving(LOG, 700, (path, bytes) => {
        const copy = Buffer.from(bytes);
        if (path.startsWith(what)) copy[what === 'tile' ? 40 : 30]! ^= 1;
        return copy;
      });
    expect(await outcome(flipped('checkpoint'), since(LOG, 300))).toContain('checkpoint: ');
    expect(await outcome(flipped('tile/0'), since(LOG, 300))).toContain('old: the consistency proof does not lead');
    const short = serving(LOG, 700, (path, bytes) => (path.startsWith('tile') ? bytes.subarray(32) : bytes));
    expect(await outcome(short, since(LOG, 300))).toMatch(/^tile\/\S+: the tile has \d+ bytes, not \d+$/);
  });
});
