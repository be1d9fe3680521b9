import {
  type Checkpoint,
  consistencyProof,
  inclusionProof,
  leafEntry,
  leafHash,
  nodesOf,
  tilePath,
  type TileReader,
  tileWidth,
  type TreeNodes,
  verifyConsistency,
  verifyInclusion,
} from '#tlog';
import { about, Refusal, Report } from './report.js';
import type { Trust } from './trust.js';
import { checkSignatures, keyIn, openSeen, openReceipt, requireOneHistory, trustedKey } from './trust.js';

/** The bytes at an address below `/log/` of a server. @throws {Refusal} where it does not hand them out */
export type Fetch = (path: string) => Promise<Uint8Array>;

const HASH_BYTES = 32;

/**
 * Verifies what a server shows of its log now against what whoever verifies knows: signatures, that it only grew since checkpoints seen
 * before, and that it holds the events of receipts. Nothing is believed of the tiles but what leads to signed roots. Never rejects.
 */
export const verifyServer = async (fetch: Fetch, trust: Trust): Promise<Report> => {
  const report = new Report();
  try {
    const own = keyIn(await fetch('verifier-key'));
    const key = trustedKey(report, own, trust, 'verifier-key');
    const now = checkSignatures(report, { name: 'checkpoint', bytes: await fetch('checkpoint') }, key, trust);
    await new ServerVerification(fetch, now, report).run(trust);
  } catch (error) {
    const file = error instanceof Refusal ? error.file : undefined;
    report.refused(error instanceof Error ? error.message : String(error), file);
  }
  return report;
};

/** A tile that a proof needs and that has not been fetched. */
class Wanted extends Error {
  constructor(
    readonly level: number,
    readonly n: number,
  ) {
    super(`tile ${level}/${n} is wanted`);
  }
}

class ServerVerification {
  private readonly tiles = new Map<string, Uint8Array>();

  constructor(
    private readonly fetch: Fetch,
    private readonly now: Checkpoint,
    private readonly report: Report,
  ) {}

  async run(trust: Trust): Promise<void> {
    const { checkpoints, receipts } = trust;
    for (const given of checkpoints) await this.checkGrowth(openSeen(given, trust), given.name);
    if (checkpoints.length === 0)
      this.report.open('that the log only grew: no checkpoint seen before is given (--since <file>)');
    for (const given of receipts) {
      const { name, seq, entryHash, then } = openReceipt(given, trust);
      await this.checkGrowth(then, name);
      const proof = await this.proofFrom((nodes) => inclusionProof(nodes, seq, this.now.size));
      about(name, () => {
        verifyInclusion(leafHash(leafEntry({ seq, entryHash })), seq, this.now.size, proof, this.now.root);
      });
      this.report.proved(`the log holds the event of the receipt ${name} (at ${seq})`);
    }
    if (receipts.length === 0)
      this.report.open('that the log holds a certain event: no receipt is given (--receipt <file.tlog-proof>)');
    this.report.open('that the log shows everybody the same: compare this checkpoint with one that others were shown');
    this.report.open('what the events say: their openings are in bundles of evidence and in the export');
  }

  private async checkGrowth(before: Checkpoint, name: string): Promise<void> {
    const { now } = this;
    requireOneHistory(before, now, name);
    if (before.size > now.size)
      throw new Refusal(
        `the log shows ${now.size} events, ${before.size} were signed before (${name}): it was put back in time, or its end was cut off`,
        'checkpoint',
      );
    const proof = await this.proofFrom((nodes) => consistencyProof(nodes, before.size, now.size));
    about(name, () => {
      verifyConsistency(before.size, before.root, now.size, now.root, proof);
    });
    this.report.proved(`the log begins with the ${before.size} events of ${name}, unchanged`);
  }

  /** Fetches tiles until the proof has all that it needs. */
  private async proofFrom(make: (nodes: TreeNodes) => Uint8Array[]): Promise<Uint8Array[]> {
    const reader: TileReader = {
      tile: (level, n) => {
        const tile = this.tiles.get(`${level}/${n}`);
        if (tile === undefined) throw new Wanted(level, n);
        return tile;
      },
    };
    for (;;) {
      try {
        return make(nodesOf(reader));
      } catch (error) {
        if (!(error instanceof Wanted)) throw error;
        await this.take(error);
      }
    }
  }

  private async take({ level, n }: Wanted): Promise<void> {
    const width = tileWidth(this.now.size, level, n);
    const path = tilePath({ level, n, width });
    const tile = await this.fetch(path);
    if (tile.length !== width * HASH_BYTES)
      throw new Refusal(`the tile has ${tile.length} bytes, not ${width * HASH_BYTES}`, path);
    this.tiles.set(`${level}/${n}`, tile);
  }
}
