import type { AppendReceipt, EventToAppend, ExpectedRevision, RecordedEvent, Subscription } from '#kernel';
import { EventStore, LocalDelivery, newId, serialisedAppend, StoreUnavailableError, WrongRevisionError } from '#kernel';

interface Row {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly revision: number;
  readonly position: bigint;
}

/** A whole event store in memory, under the same contract as the durable ones: used instead of mocks. */
export class InMemoryEventStore extends EventStore {
  override readonly storeId = newId();
  private readonly streams = new Map<string, Row[]>();
  private readonly all: Row[] = [];
  private readonly delivery = new LocalDelivery((after, limit) => this.page(after, limit), 0n);
  private last = 0n;
  private closing: Promise<void> | undefined;
  private closed = false;

  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EventToAppend[],
  ): Promise<AppendReceipt> {
    this.assertOpen();
    const serialised = serialisedAppend(stream, expected, events);
    // A real store answers in a later turn: callers that race here must race there too.
    await Promise.resolve();
    this.assertOpen();
    const rows = this.streams.get(stream) ?? [];
    if (rows.length - 1 !== expected) {
      const earlier = rows.slice(expected + 1, expected + 1 + serialised.length);
      const last = earlier.at(-1);
      if (last === undefined || !serialised.every((event, index) => event.id === earlier[index]?.id)) {
        throw new WrongRevisionError(stream, expected, rows.length - 1);
      }
      return { revision: last.revision, position: last.position };
    }
    this.streams.set(stream, rows);
    for (const event of serialised) {
      this.last += 1n;
      const row: Row = { ...event, stream, revision: rows.length, position: this.last };
      rows.push(row);
      if (!stream.startsWith('_')) this.all.push(row);
    }
    const receipt = { revision: rows.length - 1, position: this.last };
    this.delivery.advance(this.headNow());
    return receipt;
  }

  override async readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    const start = Math.max(from, 0);
    return (this.streams.get(stream) ?? []).slice(start, start + Math.max(limit, 0)).map(recorded);
  }

  override async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    this.assertOpen();
    return this.page(after, limit);
  }

  override async head(): Promise<bigint> {
    this.assertOpen();
    return this.headNow();
  }

  override subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    options: { readonly maxBatch?: number } = {},
  ): Subscription {
    this.assertOpen();
    return this.delivery.subscribe(after, handler, options.maxBatch);
  }

  override close(): Promise<void> {
    this.closing ??= this.delivery.stop().then(() => {
      this.closed = true;
    });
    return this.closing;
  }

  private headNow(): bigint {
    return this.all.at(-1)?.position ?? 0n;
  }

  private page(after: bigint, limit: number): RecordedEvent[] {
    // First row whose position is greater: positions ascend, but technical streams leave gaps.
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.all[middle]?.position ?? 0n) <= after) low = middle + 1;
      else high = middle;
    }
    return this.all.slice(low, low + Math.max(limit, 0)).map(recorded);
  }

  private assertOpen(): void {
    if (this.closed) throw new StoreUnavailableError('the store is closed');
  }
}

/** Parsed anew for every reader: no reader can change what the next one sees. */
const recorded = (row: Row): RecordedEvent => ({
  id: row.id,
  stream: row.stream,
  type: row.type,
  data: JSON.parse(row.data) as object,
  metadata: JSON.parse(row.metadata) as RecordedEvent['metadata'],
  revision: row.revision,
  position: row.position,
});
