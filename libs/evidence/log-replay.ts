import {
  type Checkpoint,
  CompactRange,
  EMPTY_ROOT,
  entryHashOf,
  leafEntry,
  leafHash,
  type Opening,
  subtreesOf,
} from '#tlog';
import { about, Refusal, type Report } from './report.js';
import { openReceipt, openSeen, type Trust } from './trust.js';

/** The newest event of every stream, as far as a log has been read. */
export interface NewestOfStreams {
  get(stream: string): NewestEvent | undefined;
  set(stream: string, newest: NewestEvent): void;
}

export interface NewestEvent {
  readonly revision: number;
  readonly entryHash: string;
}

/** An event as a store holds it. */
export type StoredEvent = Omit<Opening, 'prevInStream'> & { readonly salt: string };

/** An event as an export hands it out: its leaf, and its opening where the reader may see it. */
export interface ExportedEvent {
  readonly seq: number;
  readonly entryHash: string;
  readonly opened?: { readonly opening: Opening; readonly salt: string };
}

/** A run of events that an export leaves out: hashes of the whole subtrees that their leaves consist of. */
export interface LeftOutEvents {
  readonly seq: number;
  readonly count: number;
  readonly hashes: readonly Uint8Array[];
}

/** What must hold of the log at a size. */
interface Anchor {
  readonly name: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** An event that must stand at a place. */
interface Held {
  readonly name: string;
  readonly seq: number;
  readonly entryHash: string;
}

/**
 * A whole log, read once from its start: leaves and tree are made anew, and held against every checkpoint that was signed of it and what
 * others were handed out. Takes as much memory as a tree has levels, however long the log is.
 */
export class LogReplay {
  private readonly tree = CompactRange.empty();
  private readonly anchors: readonly Anchor[];
  private readonly held: readonly Held[];
  private recorded: Checkpoint | undefined;
  private recordedCount = 0;
  private nextAnchor = 0;
  private nextHeld = 0;
  private openings = 0;
  private leftOut = 0;
  /** What falls into a run that was left out. */
  private readonly untold = new Set<Anchor | Held>();

  /** @throws {Refusal} where a checkpoint or a receipt is not of this log's key */
  constructor(
    private readonly report: Report,
    private readonly newest: NewestOfStreams,
    private readonly trust: Trust,
  ) {
    const { key, checkpoints, receipts } = trust;
    if (key === undefined && receipts.length > 0)
      throw new Refusal('a receipt is verified with the key of the log: say --key', '--receipt');
    if (key === undefined) report.doubt('whose log this is: signatures are not verified without its key (--key)');
    const opened = key === undefined ? [] : receipts.map((given) => openReceipt(given, trust));
    const seen = checkpoints.map((given) => ({ ...openSeen(given, trust), name: given.name }));
    const then = opened.map((receipt) => ({ ...receipt.then, name: receipt.name }));
    this.anchors = [...seen, ...then].sort((a, b) => a.size - b.size);
    this.held = opened.sort((a, b) => a.seq - b.seq);
    this.compareAnchors();
  }

  get size(): number {
    return this.tree.size;
  }

  /** Takes the next event of a store. @throws {Refusal} where it cannot stand there */
  takeStored({ salt, ...event }: StoredEvent): void {
    const { stream, revision } = event;
    const where = `event ${this.size}`;
    const before = this.newest.get(stream);
    const expected = before === undefined ? 0 : before.revision + 1;
    if (revision !== expected)
      throw new Refusal(`revision ${revision} of ${stream} stands where revision ${expected} should`, where);
    const opening = { ...event, prevInStream: before?.entryHash ?? null };
    const entryHash = about(where, () => entryHashOf(opening, salt));
    this.openings += 1;
    this.newest.set(stream, { revision, entryHash });
    this.append(entryHash);
  }

  /** Takes the next event of an export. @throws {Refusal} where it cannot stand there */
  takeExported({ seq, entryHash, opened }: ExportedEvent): void {
    const where = this.requireNext(seq);
    if (opened !== undefined) {
      const { opening, salt } = opened;
      const { stream, revision, prevInStream } = opening;
      const found = about(where, () => entryHashOf(opening, salt));
      if (found !== entryHash)
        throw new Refusal(`with its salt it hashes to ${found}, its leaf holds ${entryHash}`, where);
      const before = this.newest.get(stream);
      const isNext = before === undefined ? revision === 0 : revision === before.revision + 1;
      if (before !== undefined && revision <= before.revision)
        throw new Refusal(`revision ${revision} of ${stream} stands behind revision ${before.revision}`, where);
      // Events between may be masked: then the signed tree alone says that they are there.
      if (isNext && prevInStream !== (before?.entryHash ?? null))
        throw new Refusal(
          `it does not follow the event before it in ${stream}: prevInStream is the hash of another`,
          where,
        );
      this.openings += 1;
      this.newest.set(stream, { revision, entryHash });
    }
    this.append(entryHash);
  }

  /** Takes the next events of an export, of which it says nothing. @throws {Refusal} where they cannot stand there */
  takeLeftOut({ seq, count, hashes }: LeftOutEvents): void {
    const where = this.requireNext(seq);
    const subtrees = subtreesOf(seq, seq + count);
    if (subtrees.length !== hashes.length)
      throw new Refusal(
        `${count} events that are left out make ${subtrees.length} subtrees, not ${hashes.length}`,
        where,
      );
    for (const [index, [level]] of subtrees.entries()) this.tree.appendSubtree(level, hashes[index] ?? EMPTY_ROOT);
    this.leftOut += count;
    for (let at = this.held[this.nextHeld]; at !== undefined && at.seq < this.size;) {
      this.untold.add(at);
      at = this.held[(this.nextHeld += 1)];
    }
    for (let at = this.anchors[this.nextAnchor]; at !== undefined && at.size < this.size;) {
      this.untold.add(at);
      at = this.anchors[(this.nextAnchor += 1)];
    }
    this.compareAnchors();
  }

  private requireNext(seq: number): string {
    const where = `event ${this.size}`;
    if (seq !== this.size)
      throw new Refusal(`the export goes on with event ${seq}: events are missing or not in order`, where);
    return where;
  }

  /** A checkpoint that the log recorded, or an export ends with; they come in the order of their sizes, none before its size is reached. */
  takeCheckpoint(checkpoint: Checkpoint, name: string): void {
    this.compare({ ...checkpoint, name });
    this.recorded = checkpoint;
    this.recordedCount += 1;
  }

  /** A checkpoint, before it is taken. @throws {Refusal} where the log did not sign it with a key that it had then */
  read(note: Uint8Array, name: string): Checkpoint {
    return openSeen({ name, bytes: note }, this.trust);
  }

  /**
   * The log has come to its end: what was not reached is missing.
   * @param unsigned what events behind the last checkpoint are: `open` of a log that is signed as it grows, `doubt` of a finished export
   * @throws {Refusal}
   */
  end(unsigned: 'open' | 'doubt'): void {
    const { report, size, recorded } = this;
    const anchor = this.anchors[this.nextAnchor];
    if (anchor !== undefined) throw this.cutOff(anchor);
    report.proved(
      `${size} events in order${this.leftOut === 0 ? '' : `, ${this.leftOut} of them left out`}; what ${this.openings} of them say hashes to their leaves, and no revision of a stream is out of order among them`,
    );
    if (recorded !== undefined)
      report.proved(
        `the first ${recorded.size} are those that ${recorded.origin} signed, in ${this.recordedCount} checkpoints that are with the log`,
      );
    for (const anchor of this.anchors) {
      const { name, size: at } = anchor;
      if (this.untold.has(anchor))
        report.doubt(
          `whether the log begins with the ${at} events of ${name}: they end within events that are left out`,
        );
      else report.proved(`the log begins with the ${at} events of ${name}, unchanged`);
    }
    for (const held of this.held) {
      const { name, seq } = held;
      if (this.untold.has(held))
        report.doubt(`whether the event of the receipt ${name} is in the log (at ${seq}): it is among those left out`);
      else report.proved(`the event of the receipt ${name} is in the log (at ${seq})`);
    }
    const told = this.anchors.filter((anchor) => !this.untold.has(anchor));
    const signed = Math.max(recorded?.size ?? 0, told.at(-1)?.size ?? 0);
    if (signed === 0 && size > 0)
      report.doubt('that these are the events that were signed: there is no checkpoint of them');
    else if (signed < size) report[unsigned](`the last ${size - signed} events: no checkpoint covers them`);
    if (this.anchors.length === 0)
      report.open(
        'that the end of the log was not cut off together with its checkpoints: none from outside is given (--checkpoint, --receipt)',
      );
  }

  /** @throws {Refusal} where less is there than was signed */
  requireReached(checkpoint: Checkpoint, name: string): void {
    if (checkpoint.size > this.size) throw this.cutOff({ ...checkpoint, name });
  }

  private cutOff({ size, name }: Pick<Anchor, 'size' | 'name'>): Refusal {
    return new Refusal(
      `${size} events were signed, the log holds ${this.size}: its end was cut off, or it was put back in time`,
      name,
    );
  }

  private append(entryHash: string): void {
    const seq = this.size;
    for (let at = this.held[this.nextHeld]; at?.seq === seq; at = this.held[(this.nextHeld += 1)])
      if (at.entryHash !== entryHash)
        throw new Refusal(`another event stood at ${seq} when it was handed out`, at.name);
    this.tree.append(leafHash(leafEntry({ seq, entryHash })));
    this.compareAnchors();
  }

  private compareAnchors(): void {
    for (let at = this.anchors[this.nextAnchor]; at?.size === this.size; at = this.anchors[(this.nextAnchor += 1)])
      this.compare(at);
  }

  private compare({ name, size, root }: Anchor): void {
    if (size !== this.size) throw new Refusal(`it is of ${size} events and stands behind ${this.size}`, name);
    if (Buffer.compare(this.tree.root(), root) !== 0)
      throw new Refusal(
        `the first ${size} events are not those that were signed: one was altered, removed, put in or moved`,
        name,
      );
  }
}
