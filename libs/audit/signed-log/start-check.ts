import { Injectable } from '@nestjs/common';
import { EventStore, type RecordedEvent } from '#kernel';
import { type Checkpoint, leafEntry, leafHash, TlogRefusal } from '#tlog';
import { entryHashOfEvent } from './log-tree.projection.js';
import { LogTree } from './log-tree.js';

/** Events before the last checkpoint that are reckoned again, too. */
const TAIL = 1_000;
const PAGE = 500;

/** What was signed: the newest checkpoint of the log's own record. */
type SignedTree = Pick<Checkpoint, 'size' | 'root'>;

/** Holds the end of the log against its tree and what was signed, event by event: once, at start. All of it is for `npm run check`. */
@Injectable()
export class StartCheck {
  constructor(
    private readonly store: EventStore,
    private readonly tree: LogTree,
  ) {}

  /**
   * Reckons again every leaf since the last checkpoint, and a thousand before it: with them the tree has the root that was signed, and
   * each is the leaf that the tree has. The tree has come to the end of the log.
   * @throws {TlogRefusal} naming the first event that is another, and where root or number differ
   */
  async run(signed: SignedTree | undefined): Promise<void> {
    const { size } = this.tree;
    const base = Math.max(0, Math.min(signed?.size ?? size, size) - TAIL);
    const range = this.tree.rangeAt(base);
    for await (const event of this.eventsAfter(base, size)) {
      if (range.size === signed?.size) requireRoot(signed, range.root());
      const leaf = this.tree.leafAt(range.size);
      const { stream, revision } = event;
      const before = revision === 0 ? null : this.tree.entryHash(stream, revision - 1);
      if (before === undefined) throw new TlogRefusal(`the event before ${placeOf(event)} is missing`);
      const entryHash = entryHashOfEvent(event, before);
      if (leaf?.stream !== stream || leaf.revision !== revision || leaf.entryHash !== entryHash)
        throw new TlogRefusal(`${placeOf(event)}, event ${range.size} of the log, is not what its leaf says`);
      range.append(leafHash(leafEntry({ seq: range.size, entryHash })));
    }
    if (range.size < size)
      throw new TlogRefusal(`the tree has ${size} leaves, the log ends after ${range.size} events`);
    if (range.size === signed?.size) requireRoot(signed, range.root());
    if (!range.root().equals(this.tree.rootAt(size)))
      throw new TlogRefusal(`the last of ${size} leaves are not those that the tree's tiles are of`);
  }

  /** The events of the leaves from `base` to before `end`. */
  private async *eventsAfter(base: number, end: number): AsyncGenerator<RecordedEvent> {
    let position = await this.positionOf(base - 1);
    for (let left = end - base; left > 0;) {
      const page = await this.store.readAll(position, Math.min(PAGE, left));
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      position = last.position;
      left -= page.length;
    }
  }

  /** Where in the log the event of a leaf stands. */
  private async positionOf(seq: number): Promise<bigint> {
    if (seq < 0) return 0n;
    const leaf = this.tree.leafAt(seq);
    const [event] = leaf === undefined ? [] : await this.store.readStream(leaf.stream, leaf.revision, 1);
    if (event === undefined) throw new TlogRefusal(`event ${seq} of the log is missing`);
    return event.position;
  }
}

const requireRoot = ({ size, root }: SignedTree, found: Buffer): void => {
  if (!found.equals(root)) throw new TlogRefusal(`the first ${size} events are not those that were signed`);
};

const placeOf = ({ type, stream, revision }: RecordedEvent): string => `${type} (revision ${revision} of ${stream})`;
