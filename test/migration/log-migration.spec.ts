import type { EventStore, EventToAppend, RecordedEvent } from '#kernel';
import { NO_STREAM, StoreUnavailableError } from '#kernel';
import { InMemoryEventStore, sampleEvent } from '#kernel-testing';
import type { SourceLog } from '../../infra/log-migration.js';
import { migrateLog, MigrationError } from '../../infra/log-migration.js';

/** A log of 60 events in five streams, by appends of one to three, and a technical one between. */
const writeLog = async (store: EventStore): Promise<void> => {
  const revisions = new Map<string, number>();
  for (let n = 0, written = 0; written < 60; n += 1) {
    const stream = n % 11 === 10 ? '_lease' : `need-${(n * 7) % 5}`;
    const events = Array.from({ length: Math.min(1 + (n % 3), 60 - written) }, () => sampleEvent({ n, ключ: 'é' }));
    const receipt = await store.append(stream, revisions.get(stream) ?? NO_STREAM, events);
    revisions.set(stream, receipt.revision);
    if (!stream.startsWith('_')) written += events.length;
  }
};

const sourceOf = (store: EventStore): SourceLog => ({
  storeId: store.storeId,
  readChecked: (after, limit) => store.readAll(after, limit),
});

const written = async (): Promise<{ readonly log: InMemoryEventStore; readonly source: SourceLog }> => {
  const log = new InMemoryEventStore();
  await writeLog(log);
  return { log, source: sourceOf(log) };
};

/** All of a log in its order, but for positions. */
const contentOf = async (store: EventStore): Promise<readonly Omit<RecordedEvent, 'position'>[]> =>
  (await store.readAll(0n, 10_000)).map(({ position: _, ...event }) => event);

const eventsOf = async (store: EventStore): Promise<readonly RecordedEvent[]> => store.readAll(0n, 10_000);

const toAppend = ({ id, type, data, metadata }: RecordedEvent): EventToAppend => ({ id, type, data, metadata });

/** Its appends fail from a certain one on: as if the migration were cut there, before or after it was stored. */
class Cut extends InMemoryEventStore {
  private appends = 0;
  failAt = Infinity;
  storedFirst = false;

  override async append(...args: Parameters<InMemoryEventStore['append']>) {
    this.appends += 1;
    if (this.appends < this.failAt) return super.append(...args);
    if (this.appends === this.failAt && this.storedFirst) await super.append(...args);
    throw new StoreUnavailableError('cut');
  }

  again(failAt: number): void {
    this.appends = 0;
    this.failAt = failAt;
  }
}

/** A target that a migration has begun and was cut in, holding these events. */
const begunWith = async (source: SourceLog, events: readonly RecordedEvent[]): Promise<InMemoryEventStore> => {
  const target = new Cut();
  target.again(2);
  await expect(migrateLog(source, target)).rejects.toThrow('cut');
  target.again(Infinity);
  const revisions = new Map<string, number>();
  for (const event of events) {
    const { revision } = await target.append(event.stream, revisions.get(event.stream) ?? NO_STREAM, [toAppend(event)]);
    revisions.set(event.stream, revision);
  }
  return target;
};

describe('a log that is moved', () => {
  it('is the same, event by event and in its order, under an id of its own', async () => {
    const { log, source } = await written();
    const target = new InMemoryEventStore();
    expect(await migrateLog(source, target)).toEqual({ events: 60, moved: 60, hasGoneOn: false });
    expect(await contentOf(target)).toEqual(await contentOf(log));
    expect(await target.readStream('_lease', 0, 10)).toEqual([]);
    expect(target.storeId).not.toBe(log.storeId);
  });

  it('is moved once, however often it is asked for', async () => {
    const { log, source } = await written();
    const target = new InMemoryEventStore();
    await migrateLog(source, target);
    expect(await migrateLog(source, target)).toEqual({ events: 60, moved: 0, hasGoneOn: false });
    expect(await contentOf(target)).toEqual(await contentOf(log));
    expect(await target.readStream('_migration', 0, 10)).toHaveLength(2);
  });

  it.each([[false], [true]])(
    'goes on where it was cut, at every append (cut after it was stored: %s)',
    async (storedFirst) => {
      const { log, source } = await written();
      const content = await contentOf(log);
      let cuts = 0;
      for (let failAt = 1; ; failAt += 1) {
        const target = new Cut();
        target.storedFirst = storedFirst;
        target.again(failAt);
        const cut = await migrateLog(source, target).catch((error: unknown) => error);
        if (!(cut instanceof Error)) break;
        expect(cut).toBeInstanceOf(StoreUnavailableError);
        cuts += 1;
        const held = await contentOf(target);
        expect(held).toEqual(content.slice(0, held.length));
        target.again(Infinity);
        expect(await migrateLog(source, target)).toEqual({ events: 60, moved: 60 - held.length, hasGoneOn: false });
        expect(await contentOf(target)).toEqual(content);
      }
      // The two notes, and every append of events.
      expect(cuts).toBeGreaterThan(25);
    },
  );

  it('may be cut again and again', async () => {
    const { log, source } = await written();
    const target = new Cut();
    let runs = 0;
    for (let cut: unknown = new Error(); cut instanceof Error && runs < 60; runs += 1) {
      target.again(4);
      cut = await migrateLog(source, target).catch((error: unknown) => error);
    }
    expect(runs).toBeGreaterThan(8);
    expect(await contentOf(target)).toEqual(await contentOf(log));
  });

  it('is followed by what its folder wrote since, as long as nothing else was written', async () => {
    const { log, source } = await written();
    const target = new InMemoryEventStore();
    await migrateLog(source, target);
    await log.append('offer-1', NO_STREAM, [sampleEvent(), sampleEvent()]);
    expect(await migrateLog(source, target)).toEqual({ events: 62, moved: 2, hasGoneOn: false });
    expect(await contentOf(target)).toEqual(await contentOf(log));
  });

  it('is still verified after services have written behind it', async () => {
    const { source } = await written();
    const target = new InMemoryEventStore();
    await migrateLog(source, target);
    await target.append('offer-1', NO_STREAM, [sampleEvent()]);
    expect(await migrateLog(source, target)).toEqual({ events: 60, moved: 0, hasGoneOn: true });
  });
});

describe('a migration refuses', () => {
  it('a target that holds another log, and writes nothing to it', async () => {
    const { source } = await written();
    const target = new InMemoryEventStore();
    await target.append('need-1', NO_STREAM, [sampleEvent()]);
    await expect(migrateLog(source, target)).rejects.toThrow(/^the target holds another log .*\(need-1@0\)/);
    expect(await eventsOf(target)).toHaveLength(1);
    expect(await target.readStream('_migration', 0, 1)).toEqual([]);
  });

  it('a target that takes the log of another folder', async () => {
    const { source, log } = await written();
    const target = new InMemoryEventStore();
    await migrateLog((await written()).source, target);
    await expect(migrateLog(source, target)).rejects.toThrow(
      new RegExp(`^the target takes the log of another data folder \\(store .*, not ${log.storeId}\\)`),
    );
    expect(await eventsOf(target)).toHaveLength(60);
  });

  it('events of another hand behind what it has moved so far, and adds nothing to them', async () => {
    const { log, source } = await written();
    const events = await eventsOf(log);
    const target = await begunWith(source, events.slice(0, 30));
    await target.append('offer-1', NO_STREAM, [sampleEvent()]);
    await expect(migrateLog(source, target)).rejects.toThrow(/^event 31 .*: stream is offer-1 in the target, need-/);
    expect(await eventsOf(target)).toHaveLength(31);
  });

  it('events of another hand behind all of its own, before it was verified', async () => {
    const { log, source } = await written();
    const events = await eventsOf(log);
    const target = await begunWith(source, events);
    await target.append('offer-1', NO_STREAM, [sampleEvent()]);
    await expect(migrateLog(source, target)).rejects.toThrow(/\(offer-1@0\), which is not of this source/);
  });

  it('events of another hand that come while it writes', async () => {
    const { source } = await written();
    class Shared extends InMemoryEventStore {
      private appends = 0;
      override async append(...args: Parameters<InMemoryEventStore['append']>) {
        this.appends += 1;
        if (this.appends === 20) await super.append('offer-1', NO_STREAM, [sampleEvent()]);
        return super.append(...args);
      }
    }
    const target = new Shared();
    await expect(migrateLog(source, target)).rejects.toThrow(/^event \d+ .*: stream is offer-1 in the target/);
    expect(await target.readStream('_migration', 0, 10)).toHaveLength(1);
  });

  it('a stream of the target that somebody else has continued', async () => {
    const { source } = await written();
    class Shared extends InMemoryEventStore {
      private appends = 0;
      override async append(...args: Parameters<InMemoryEventStore['append']>) {
        this.appends += 1;
        if (this.appends === 20) await super.append(args[0], args[1], [sampleEvent()]);
        return super.append(...args);
      }
    }
    const found = await migrateLog(source, new Shared()).catch((error: unknown) => error);
    expect(found).toBeInstanceOf(MigrationError);
    expect(String(found)).toMatch(/the stream need-\d of the target is at revision \d+, not at -?\d+/);
  });

  it('two logs that have both gone on since', async () => {
    const { log, source } = await written();
    const target = new InMemoryEventStore();
    await migrateLog(source, target);
    await target.append('offer-1', NO_STREAM, [sampleEvent()]);
    await log.append('offer-2', NO_STREAM, [sampleEvent()]);
    await expect(migrateLog(source, target)).rejects.toThrow(
      /^event 61 .* Both logs have gone on since the first 60 events were moved/,
    );
  });
});

describe('the verification finds', () => {
  const altered: readonly (readonly [what: string, alter: (event: RecordedEvent) => RecordedEvent, named: RegExp])[] = [
    ['another id', (event) => ({ ...event, id: sampleEvent().id }), /^event 20 .*: id is /],
    ['another type', (event) => ({ ...event, type: 'Forged' }), /^event 20 .*: type is Forged in the target, /],
    ['other data', (event) => ({ ...event, data: { ...event.data, n: -1 } }), /^event 20 .*: data\.n of .* differs$/],
    [
      'another time of recording',
      (event) => ({ ...event, metadata: { ...event.metadata, recordedAt: '2020-01-01T00:00:00.000Z' } }),
      /^event 20 .*: metadata\.recordedAt of .* differs$/,
    ],
    [
      'another actor',
      (event) => ({ ...event, metadata: { ...event.metadata, actor: { ...event.metadata.actor, party: 'x' } } }),
      /^event 20 .*: metadata\.actor\.party of .* differs$/,
    ],
    [
      'a field that is gone',
      (event) => ({ ...event, data: { n: (event.data as { readonly n: number }).n } }),
      /^event 20 .*: data\.ключ of .* differs$/,
    ],
  ];

  it.each(altered)('%s, and names the first event that has it', async (_what, alter, named) => {
    const { log, source } = await written();
    const events = await eventsOf(log);
    const target = await begunWith(
      source,
      events.map((event, index) => (index === 19 || index === 40 ? alter(event) : event)),
    );
    await expect(migrateLog(source, target)).rejects.toThrow(named);
  });

  it('another order across streams', async () => {
    const { log, source } = await written();
    const events = [...(await eventsOf(log))];
    const at = events.findIndex((event, index) => index > 20 && event.stream !== events[index + 1]?.stream);
    events.splice(at, 2, events[at + 1]!, events[at]!);
    await expect(migrateLog(source, await begunWith(source, events))).rejects.toThrow(
      new RegExp(`^event ${at + 1} .*: stream is ${events[at]!.stream} in the target`),
    );
  });

  it('a target that takes an event and does not show it', async () => {
    const { source } = await written();
    class Losing extends InMemoryEventStore {
      override async readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
        return (await super.readAll(after, limit)).filter(({ position }) => position < 50n);
      }
    }
    await expect(migrateLog(source, new Losing())).rejects.toThrow(/^the target lacks .*, event \d+ of the source$/);
  });
});
