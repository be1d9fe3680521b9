import { ANONYMOUS } from '#directory/contract';
import type { EventStore, Folded, RecordedEvent, Upcasting } from '#kernel';
import { categoryOfStream, emptyFold, foldOnto, idOfStream, NewerEventError } from '#kernel';
import type { AnyRecordKind, RecordKinds } from '#web';
import { showsWhole } from '#web';
import { LRUCache } from 'lru-cache';

/** What is known of a stream up to a revision. */
interface Walked {
  readonly folded: Folded<unknown>;
  /** It was hidden from the anonymous reader at some revision, and not merely for being ahead of its time. */
  readonly restricted: boolean;
}

const PAGE = 200;
const STREAMS = 10_000;

/**
 * Which events partners may read: those of a record that anyone could read at every revision since it was there for others to see, with
 * nothing in them masked for the anonymous reader. A record once restricted stays so, also where its label is widened later.
 */
export class PublicRecords {
  private readonly walked = new LRUCache<string, Walked>({ max: STREAMS });

  constructor(
    private readonly store: EventStore,
    private readonly kinds: RecordKinds,
    private readonly upcasting: Upcasting,
  ) {}

  /** @throws {NewerEventError} where a newer version wrote it, or something before it @throws {StoreUnavailableError} */
  async isPublic(event: RecordedEvent): Promise<boolean> {
    const kind = this.kinds.of(categoryOfStream(event.stream));
    if (kind === undefined) return false;
    const before = await this.walk(kind, event.stream, event.revision - 1);
    const { folded, restricted } = await this.after(kind, before, event);
    const { state } = folded;
    this.walked.set(event.stream, { folded, restricted });
    const id = idOfStream(event.stream);
    if (restricted || kind.isBeforehand?.(state) === true || !(await sees(kind, id, state))) return false;
    for (const stream of kind.under?.(state) ?? []) {
      if (await this.wasRestricted(stream)) return false;
    }
    const lifted = this.upcasting.lift(event);
    return showsWhole(await kind.maskEvent(ANONYMOUS, state, lifted), lifted.data);
  }

  private async wasRestricted(stream: string): Promise<boolean> {
    const kind = this.kinds.of(categoryOfStream(stream));
    return kind === undefined || (await this.walk(kind, stream, Number.MAX_SAFE_INTEGER)).restricted;
  }

  /** Up to `revision`, or the end of the stream. */
  private async walk(kind: AnyRecordKind, stream: string, revision: number): Promise<Walked> {
    const cached = this.walked.get(stream);
    let at =
      cached === undefined || cached.folded.revision > revision
        ? { folded: emptyFold(kind.decider.initial), restricted: false }
        : cached;
    while (at.folded.revision < revision) {
      const from = at.folded.revision + 1;
      const page = await this.store.readStream(stream, from, Math.min(PAGE, revision - from + 1));
      for (const event of page) at = await this.after(kind, at, event);
      if (page.length < PAGE) break;
    }
    this.walked.set(stream, at);
    return at;
  }

  private async after(kind: AnyRecordKind, { folded, restricted }: Walked, event: RecordedEvent): Promise<Walked> {
    const next = foldOnto(kind.decider, folded, [event], this.upcasting);
    if (next.newer !== undefined) throw new NewerEventError(event.stream, next.newer.type, next.newer.schema);
    const { state } = next;
    const isHidden =
      kind.exists(state) && kind.isBeforehand?.(state) !== true && !(await sees(kind, idOfStream(event.stream), state));
    return { folded: next, restricted: restricted || isHidden };
  }
}

const sees = async (kind: AnyRecordKind, id: string, state: unknown): Promise<boolean> =>
  kind.exists(state) && (await kind.sees(ANONYMOUS, id, state));
