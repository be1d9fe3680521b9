import { emptyFold, foldOnto, messageOf, type ReadQueries, type RecordedEvent } from '#kernel';
import { nodeHash, TILE_WIDTH, TlogRefusal, type VerifierKey } from '#tlog';
import { CHECKPOINT_STREAM } from '#evidence/format';
import { historyOf, openSigned } from './key-history.js';
import { LOG_KEYS_STREAM, logKeysDecider, type LogKeysState } from './log-keys.js';
import { storedSize } from './log-tree.projection.js';
import { eventsOf, type LogReading, Reckoning, streamOf } from './reckoning.js';

/** What the whole log is held against. */
export interface SignedLogParts {
  readonly log: LogReading;
  /** The rows of the tree, where there are any: as they stand while this runs. */
  readonly tree?: ReadQueries | undefined;
  /** The keys that are configured, the one in use last; without any, and none in the log's record, signatures are not verified. */
  readonly configured: readonly VerifierKey[];
  /** The checkpoint outside, as a note. */
  readonly copy?: string | undefined;
}

export interface SignedLogReport {
  readonly events: number;
  readonly root: Buffer;
  /** Checkpoints of the log's record that were held against it. */
  readonly checkpoints: number;
  /** Leaves of the tree that were. */
  readonly leaves: number;
  /** What is wrong, in words; at most twenty. */
  readonly faults: readonly string[];
}

const HASH_BYTES = 32;
const MAX_FAULTS = 20;

/**
 * Reckons the tree of the whole log again, from its events alone, and holds every leaf and tile of the tree against it, every checkpoint
 * recorded, and the one outside. In memory it keeps a hash per stream.
 */
export const checkSignedLog = async ({ log, tree, configured, copy }: SignedLogParts): Promise<SignedLogReport> => {
  const faults: string[] = [];
  const fault = (text: string): void => {
    if (faults.length < MAX_FAULTS) faults.push(text);
  };
  const history = historyOf(await recordedKeys(log), configured);
  const reckoning = new Reckoning();
  const rows = tree === undefined ? undefined : new TreeRows(tree, fault);
  const signed = new SignedSizes(recordedCheckpoints(log, history, fault), reckoning, fault);
  const outside = copyOf(copy, history, fault);
  await signed.reached();
  for await (const event of eventsOf(log)) {
    try {
      const { entryHash, leaf } = reckoning.add(event);
      rows?.see(event, reckoning.size - 1, entryHash, leaf);
    } catch (error) {
      if (!(error instanceof TlogRefusal)) throw error;
      fault(`${placeOf(event)} has no form that proves it: ${error.message}`);
      break;
    }
    await signed.reached();
    if (outside?.size === reckoning.size) requireRoot(outside, reckoning.root(), 'in the copy outside', fault);
  }
  const { size } = reckoning;
  await signed.ended();
  if (outside !== undefined && outside.size > size) fault(aheadOf(outside.size, 'in the copy outside', size));
  rows?.ended(size);
  return { events: size, root: reckoning.root(), checkpoints: signed.seen, leaves: rows?.size ?? 0, faults };
};

interface Stated {
  readonly size: number;
  readonly root: Uint8Array;
  readonly revision?: number;
}

const recordedKeys = async (log: LogReading): Promise<LogKeysState> => {
  let folded = emptyFold(logKeysDecider.initial);
  for await (const event of streamOf(log, LOG_KEYS_STREAM)) folded = foldOnto(logKeysDecider, folded, [event]);
  return folded.state;
};

const recordedCheckpoints = async function* (
  log: LogReading,
  history: LogKeysState,
  fault: (text: string) => void,
): AsyncGenerator<Stated, undefined> {
  for await (const { data, revision } of streamOf(log, CHECKPOINT_STREAM)) {
    const { note } = data as { readonly note: string };
    const stated = opened(note, history, `checkpoint ${revision} of the record`, fault);
    if (stated !== undefined) yield { ...stated, revision };
  }
  return undefined;
};

const copyOf = (copy: string | undefined, history: LogKeysState, fault: (text: string) => void): Stated | undefined =>
  copy === undefined ? undefined : opened(copy, history, 'the copy outside', fault);

const opened = (
  note: string,
  history: LogKeysState,
  what: string,
  fault: (text: string) => void,
): Stated | undefined => {
  try {
    return openSigned(note, history).checkpoint;
  } catch (error) {
    if (!(error instanceof TlogRefusal)) throw error;
    fault(`${what}: ${messageOf(error)}`);
    return undefined;
  }
};

const requireRoot = ({ size, root }: Stated, found: Buffer, where: string, fault: (text: string) => void): void => {
  if (!found.equals(root)) fault(`the first ${size} events are not those that were signed (${where})`);
};

const aheadOf = (size: number, where: string, held: number): string =>
  `${size} events were signed (${where}), the log holds ${held}: it was put back in time`;

/** The checkpoints recorded, each held against the tree when that has come to its size. */
class SignedSizes {
  seen = 0;
  private next: Stated | undefined;
  private begun = false;

  constructor(
    private readonly stated: AsyncGenerator<Stated, undefined>,
    private readonly reckoning: Reckoning,
    private readonly fault: (text: string) => void,
  ) {}

  async reached(): Promise<void> {
    if (!this.begun) await this.advance();
    while (this.next !== undefined && this.next.size <= this.reckoning.size) {
      const { next } = this;
      if (next.size < this.reckoning.size) this.fault(`${whereOf(next)} is of fewer events than the one before it`);
      else requireRoot(next, this.reckoning.root(), whereOf(next), this.fault);
      this.seen += 1;
      await this.advance();
    }
  }

  async ended(): Promise<void> {
    while (this.next !== undefined) {
      this.fault(aheadOf(this.next.size, whereOf(this.next), this.reckoning.size));
      await this.advance();
    }
  }

  private async advance(): Promise<void> {
    this.begun = true;
    const next = await this.stated.next();
    this.next = next.done === true ? undefined : next.value;
  }
}

const whereOf = ({ revision }: Stated): string => `checkpoint ${revision ?? ''} of the record`;

/** The rows of the tree, held against what the log gives. */
class TreeRows {
  readonly size: number;
  /** Of each level the hashes of the tile that is growing. */
  private readonly growing: Buffer[][] = [];
  private readonly full: number[] = [];

  constructor(
    private readonly rows: ReadQueries,
    private readonly fault: (text: string) => void,
  ) {
    this.size = storedSize(rows);
  }

  see(event: RecordedEvent, seq: number, entryHash: string, leaf: Buffer): void {
    // The tree may be behind the log.
    if (seq >= this.size) return;
    const row = this.rows.get('SELECT stream, revision, hex(entry_hash) AS hash FROM leaf WHERE seq = ?', seq);
    const { stream, revision } = event;
    if (row?.stream !== stream || Number(row.revision) !== revision || String(row.hash).toLowerCase() !== entryHash)
      this.fault(`leaf ${seq} of the tree is not of ${placeOf(event)}`);
    this.grow(0, leaf);
  }

  ended(events: number): void {
    if (this.size > events) this.fault(`the tree has ${this.size} leaves, the log holds ${events} events`);
    this.growing.forEach((hashes, level) => {
      if (hashes.length > 0) this.compare(level, this.full[level] ?? 0, Buffer.concat(hashes));
    });
  }

  private grow(level: number, hash: Buffer): void {
    const hashes = (this.growing[level] ??= []);
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const n = this.full[level] ?? 0;
    const sixteenths = fourUp(hashes);
    this.compare(level, n, Buffer.concat(hashes), Buffer.concat(sixteenths));
    this.full[level] = n + 1;
    this.growing[level] = [];
    this.grow(level + 1, Buffer.concat(fourUp(sixteenths)));
  }

  /** @param sixteenths of a full tile: the roots over each 16 of its hashes */
  private compare(level: number, n: number, expected: Buffer, sixteenths?: Buffer): void {
    const row = this.rows.get('SELECT sixteenths, hashes FROM tile WHERE level = ? AND n = ?', level, n);
    // The tile may have grown since: what was there stays in front.
    if (!(row?.hashes instanceof Uint8Array) || !expected.equals(row.hashes.subarray(0, expected.length)))
      this.fault(`tile ${n} at level ${level} of the tree is not of its ${expected.length / HASH_BYTES} hashes`);
    if (sixteenths !== undefined && !(row?.sixteenths instanceof Uint8Array && sixteenths.equals(row.sixteenths)))
      this.fault(`beside tile ${n} at level ${level} of the tree stand other roots than over each 16 of its hashes`);
  }
}

/** Four levels further up: one hash for each 16. */
const fourUp = (hashes: readonly Buffer[]): Buffer[] => {
  let level = [...hashes];
  for (let up = 0; up < 4; up += 1)
    level = level.flatMap((hash, at) => (at % 2 === 0 ? [nodeHash(hash, level[at + 1] ?? hash)] : []));
  return level;
};

const placeOf = ({ type, stream, revision }: RecordedEvent): string => `${type} (revision ${revision} of ${stream})`;
