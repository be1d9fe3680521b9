import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { CHECKPOINT_STREAM, type Report, type Trust } from '#evidence';
import { type RecordedEvent, technicalEvent } from '#kernel';
import {
  CompactRange,
  entryHashOf,
  formatProofFile,
  leafEntry,
  leafHash,
  nodeHash,
  NoteSigner,
  type Opening,
  signCheckpoint,
} from '#tlog';
import { type LogSource, verifyExport, verifyStoredLog } from '../../infra/log-verification.js';

const SIGNER = NoteSigner.generate('log.example/commitments');
const PINNED: Trust = { key: SIGNER.verifier, witnesses: [], receipts: [], checkpoints: [] };

const EVENTS: readonly RecordedEvent[] = readFileSync('test/history/log-5.ndjson', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line, at) => ({ ...(JSON.parse(line) as RecordedEvent), position: BigInt(2 * at + 1) }));

interface Leaf {
  readonly opening: Opening;
  readonly salt: string;
  readonly entryHash: string;
}

const leavesOf = (events: readonly RecordedEvent[]): Leaf[] => {
  const newest = new Map<string, string>();
  return events.map(({ id, stream, revision, type, data, metadata: { salt, ...metadata } }) => {
    const prevInStream = newest.get(stream) ?? null;
    const opening = { stream, revision, eventId: id, type, schema: metadata.schema, data, metadata, prevInStream };
    const entryHash = entryHashOf(opening, salt);
    newest.set(stream, entryHash);
    return { opening, salt, entryHash };
  });
};

const LEAVES = leavesOf(EVENTS);

/** Signed at each of these sizes, ascending: of one tree that grows. */
const signedAtAll = (sizes: readonly number[], leaves = LEAVES, signer = SIGNER): readonly string[] => {
  const tree = CompactRange.empty();
  return sizes.map((size) => {
    for (const { entryHash } of leaves.slice(tree.size, size))
      tree.append(leafHash(leafEntry({ seq: tree.size, entryHash })));
    return signCheckpoint(signer, size, tree.root());
  });
};
const signedAt = (size: number, leaves = LEAVES, signer = SIGNER): string => signedAtAll([size], leaves, signer)[0]!;

const SIZES = [1, 2, 130, 256, 640, 690];
const NOTES = signedAtAll(SIZES);

/** A log of these events, with these notes on its record. */
const sourceOf = (events: readonly RecordedEvent[], notes: readonly string[] = NOTES): LogSource => ({
  readAll: async (after, limit) => events.filter(({ position }) => position > after).slice(0, limit),
  readStream: async (stream, from, limit) =>
    (stream === CHECKPOINT_STREAM ? notes : [])
      .map((note, revision) => ({
        ...technicalEvent(String(revision), 'CheckpointSigned', { note }, new Date(0)),
        ...{ stream, revision, position: 0n },
      }))
      .slice(from, from + limit),
});

const outcomeOf = (report: Report): string => {
  const refused = report.findings.find(({ kind }) => kind === 'refused');
  return refused === undefined ? report.verdict : `${refused.file ?? '-'}: ${refused.text}`;
};

const stored = async (source: LogSource, trust: Partial<Trust> = {}): Promise<string> =>
  outcomeOf(await verifyStoredLog(source, { ...PINNED, ...trust }));

/** Positions go on as they did. */
const renumbered = (events: readonly RecordedEvent[]): RecordedEvent[] =>
  events.map((event, at) => ({ ...event, position: BigInt(2 * at + 1) }));

const given = (note: string): Pick<Trust, 'checkpoints'> => ({
  checkpoints: [{ name: 'outside', bytes: Buffer.from(note) }],
});

/** A receipt of the newest of so many events: a power of two and one. */
const receiptOf = (size: number, leaves = LEAVES): Pick<Trust, 'receipts'> => {
  const hashes = leaves.slice(0, size).map(({ entryHash }, seq) => leafHash(leafEntry({ seq, entryHash })));
  // Of one leaf more than a power of two, the newest has the root of all before it as its path.
  const before = CompactRange.empty();
  hashes.slice(0, -1).forEach((hash) => before.append(hash));
  const bytes = formatProofFile({
    extra: leafEntry({ seq: size - 1, entryHash: leaves[size - 1]!.entryHash }),
    index: size - 1,
    proof: [before.root()],
    checkpoint: signedAt(size, leaves),
  });
  return { receipts: [{ name: 'receipt', bytes: Buffer.from(bytes) }] };
};

const at = (place: number): RecordedEvent => EVENTS[place]!;
const without = (place: number): RecordedEvent[] => EVENTS.filter((_, index) => index !== place);
const changed = (place: number, change: (event: RecordedEvent) => RecordedEvent): RecordedEvent[] =>
  EVENTS.map((event, index) => (index === place ? change(event) : event));
const lastOf = (stream: string): number => EVENTS.findLastIndex((event) => event.stream === stream);
/** An event behind which its stream goes on, and one at the end of a stream. */
const WITHIN = EVENTS.findIndex(({ stream }, index) => index > 300 && lastOf(stream) > index);
const ENDS = EVENTS.findIndex(({ stream, revision }, index) => index > 300 && revision > 0 && lastOf(stream) === index);

describe('a whole log', () => {
  it('is proved to be the one that was signed, and what cannot be is said', async () => {
    const report = await verifyStoredLog(sourceOf(EVENTS), { ...PINNED, ...given(signedAt(650)) });
    expect(report.findings.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'proved: 700 events in order; what 700 of them say hashes to their leaves, and no revision of a stream is out of order among them',
      'proved: the first 690 are those that log.example/commitments signed, in 6 checkpoints that are with the log',
      'proved: the log begins with the 650 events of outside, unchanged',
      'open: the last 10 events: no checkpoint covers them',
    ]);
    expect(report.verdict).toBe('verified');
    expect(await stored(sourceOf(EVENTS), receiptOf(513))).toBe('verified');
  });

  it('may grow, and be signed, while it is read', async () => {
    const held = EVENTS.slice(0, 690);
    // As many as are read at once: the next ones are read in the middle of the last page of events.
    const notes = [...signedAtAll(Array.from({ length: 500 }, (_, at) => at + 101))];
    const source: LogSource = {
      readAll: (after, limit) => sourceOf(held).readAll(after, limit),
      readStream: (stream, from, limit) => {
        if (from === 500 && held.length === 690) {
          held.push(...EVENTS.slice(690));
          notes.push(signedAt(700));
        }
        return sourceOf([], notes).readStream(stream, from, limit);
      },
    };
    const report = await verifyStoredLog(source, PINNED);
    expect(report.findings[1]?.text).toContain(
      'the first 700 are those that log.example/commitments signed, in 501 checkpoints',
    );
  });

  it('stays in doubt without a key, and without a checkpoint', async () => {
    const { key: _key, ...unpinned } = PINNED;
    expect((await verifyStoredLog(sourceOf(EVENTS), unpinned)).verdict).toBe('in doubt');
    expect(await stored(sourceOf(EVENTS, []))).toBe('in doubt');
  });

  it.each<[string, () => LogSource, Partial<Trust>, string]>([
    [
      'an event altered',
      () => sourceOf(changed(300, (event) => ({ ...event, data: { ...event.data, more: 1 } }))),
      {},
      'the first 640 events are not those that were signed',
    ],
    [
      'an event back-dated',
      () =>
        sourceOf(
          changed(300, (event) => ({
            ...event,
            metadata: { ...event.metadata, recordedAt: '2020-01-01T00:00:00.000Z' },
          })),
        ),
      {},
      'the first 640 events are not those that were signed',
    ],
    ['an event removed from within its stream', () => sourceOf(without(WITHIN)), {}, 'stands where revision'],
    [
      'an event removed from the end of its stream',
      () => sourceOf(without(ENDS)),
      {},
      'the first 640 events are not those that were signed',
    ],
    [
      'an event inserted',
      () =>
        sourceOf(
          renumbered([...EVENTS.slice(0, 300), { ...at(300), stream: 'need-new', revision: 0 }, ...EVENTS.slice(300)]),
        ),
      {},
      'the first 640 events are not those that were signed',
    ],
    [
      'an event inserted twice',
      () => sourceOf(renumbered([...EVENTS.slice(0, 301), ...EVENTS.slice(300)])),
      {},
      'stands where revision',
    ],
    [
      'two events swapped',
      () => {
        const place = EVENTS.findIndex((event, index) => index > 300 && event.stream !== at(index + 1).stream);
        return sourceOf(renumbered([...EVENTS.slice(0, place), at(place + 1), at(place), ...EVENTS.slice(place + 2)]));
      },
      {},
      'the first 640 events are not those that were signed',
    ],
    [
      'its end cut off',
      () => sourceOf(EVENTS.slice(0, 660)),
      {},
      "checkpoint 5 of the log's own record: 690 events were signed, the log holds 660: its end was cut off",
    ],
    [
      'its end cut off with its record, where a checkpoint is kept outside',
      () => sourceOf(EVENTS.slice(0, 660), NOTES.slice(0, 5)),
      given(NOTES[5]!),
      'outside: 690 events were signed, the log holds 660: its end was cut off',
    ],
    [
      'its end cut off with its record, where a party holds a receipt',
      () => sourceOf(EVENTS.slice(0, 400), NOTES.slice(0, 4)),
      receiptOf(513),
      'receipt: 513 events were signed, the log holds 400: its end was cut off',
    ],
    [
      'another history signed anew, where a checkpoint is kept outside',
      () => {
        const events = changed(300, (event) => ({ ...event, data: {} }));
        return sourceOf(
          events,
          SIZES.map((size) => signedAt(size, leavesOf(events))),
        );
      },
      given(signedAt(650)),
      'outside: the first 650 events are not those that were signed',
    ],
    [
      'another history signed anew, where a party holds a receipt',
      () => {
        const events = changed(512, (event) => ({ ...event, data: {} }));
        return sourceOf(
          events,
          SIZES.map((size) => signedAt(size, leavesOf(events))),
        );
      },
      receiptOf(513),
      'receipt: another event stood at 512 when it was handed out',
    ],
    [
      'a checkpoint of another key on its record',
      () =>
        sourceOf(EVENTS, [
          ...NOTES.slice(0, 3),
          signedAt(256, LEAVES, NoteSigner.generate(SIGNER.verifier.name)),
          ...NOTES.slice(4),
        ]),
      {},
      "checkpoint 3 of the log's own record: the note is signed by none of the keys",
    ],
    [
      'its checkpoints out of order',
      () => sourceOf(EVENTS, [NOTES[1]!, NOTES[0]!]),
      {},
      "checkpoint 1 of the log's own record: it is of 1 events and stands behind 2",
    ],
    [
      'an event that has no canonical form',
      () => sourceOf(changed(300, (event) => ({ ...event, data: { half: 0.5 } }))),
      {},
      'event 300: "/data/half" is not a whole number below 2^53',
    ],
  ])('with %s is refused', async (_what, source, trust, reason) => {
    expect(await stored(source(), trust)).toContain(reason);
  });
});

type Line = Readonly<Record<string, unknown>>;

/** The export of the first events; `masked` are those whose openings the reader does not get. */
const exported = (size: number, masked: (place: number) => boolean = () => false): Line[] => [
  ...LEAVES.slice(0, size).map(({ opening, salt, entryHash }, seq) => ({
    ...{ position: String(2 * seq + 1), seq, entryHash },
    ...(masked(seq) ? { masked: true } : { opening, salt }),
  })),
  { end: true, after: String(2 * size - 1), checkpoint: signedAt(size) },
];

const LEAF_HASHES = LEAVES.map(({ entryHash }, seq) => leafHash(leafEntry({ seq, entryHash })));

/** Of the subtree over so many leaves, a power of two. */
const hashOver = (from: number, width: number): Buffer =>
  width === 1 ? LEAF_HASHES[from]! : nodeHash(hashOver(from, width / 2), hashOver(from + width / 2, width / 2));

/** The same with a filter: what is not `opened` is left out, a run of events in one line. */
const filtered = (size: number, opened: (place: number) => boolean): Line[] => {
  const lines: Line[] = [];
  let first = 0;
  const leaveOut = (end: number): void => {
    if (end === first) return;
    const hashes: string[] = [];
    // The largest subtree that begins here, again and again.
    for (let at = first; at < end;) {
      const width = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1].find((each) => at % each === 0 && at + each <= end) ?? 1;
      hashes.push(hashOver(at, width).toString('hex'));
      at += width;
    }
    lines.push({ position: String(2 * end - 1), seq: first, leftOut: end - first, hashes });
  };
  const whole = exported(size);
  for (let seq = 0; seq < size; seq += 1) {
    if (!opened(seq)) continue;
    leaveOut(seq);
    lines.push(whole[seq]!);
    first = seq + 1;
  }
  leaveOut(size);
  return [...lines, whole.at(-1)!];
};
const FILTERED = filtered(640, (seq) => seq === 199 || seq === 300);

const linesOf = async function* (lines: readonly (Line | string)[]): AsyncGenerator<string> {
  for (const line of lines) yield typeof line === 'string' ? line : JSON.stringify(line);
};

const read = async (lines: readonly (Line | string)[], trust: Partial<Trust> = {}): Promise<string> =>
  outcomeOf(await verifyExport(linesOf(lines), { ...PINNED, ...trust }));

describe('an export of the whole log', () => {
  const whole = exported(640);
  const swap = (lines: readonly Line[], a: number, b: number): Line[] =>
    lines.map((line, index) => (index === a ? lines[b]! : index === b ? lines[a]! : line));
  const edit = (place: number, change: (line: Line) => Line): Line[] =>
    whole.map((line, index) => (index === place ? change(line) : line));
  const openingOf = (line: Line): Opening => line.opening as Opening;

  it('is proved to be the log that was signed, also masked, and in parts', async () => {
    expect(await read(whole)).toBe('verified');
    expect(await read(exported(640, (seq) => seq % 3 === 0))).toBe('verified');
    expect(await read([...exported(300), ...whole.slice(300)], given(signedAt(512)))).toBe('verified');
  });

  it('is proved also where runs of events are left out, each as the hashes of its subtrees', async () => {
    for (const size of [1, 2, 300, 640])
      for (const every of [1, 2, 7, 100, 640])
        expect([size, every, await read(filtered(size, (seq) => seq % every === every - 1))]).toEqual([
          ...[size, every, 'verified'],
        ]);
    const report = await verifyExport(linesOf(FILTERED), { ...PINNED, ...given(signedAt(200)) });
    expect(report.findings.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'proved: 640 events in order, 638 of them left out; what 2 of them say hashes to their leaves, and no revision of a stream is out of order among them',
      'proved: the first 640 are those that log.example/commitments signed, in 1 checkpoints that are with the log',
      'proved: the log begins with the 200 events of outside, unchanged',
    ]);
  });

  it('stays in doubt about what was known before and falls into a run that is left out', async () => {
    expect(await read(FILTERED, given(signedAt(512)))).toBe('in doubt');
    expect(await read(FILTERED.slice(0, -1), given(signedAt(640)))).toBe('verified');
    expect(await read(FILTERED, receiptOf(513))).toBe('in doubt');
    expect(await read(FILTERED, receiptOf(257))).toBe('in doubt');
    // As far as it is told, it is held against what it tells.
    expect(
      await read(
        filtered(640, (seq) => seq === 512),
        receiptOf(513),
      ),
    ).toBe('verified');
  });

  it('stays in doubt without its checkpoint, unless one is known that covers all of it', async () => {
    expect(await read(whole.slice(0, -1))).toBe('in doubt');
    expect(await read(whole.slice(0, -1), given(signedAt(512)))).toBe('in doubt');
    expect(await read(whole.slice(0, -1), given(signedAt(640)))).toBe('verified');
  });

  it.each<[string, () => readonly (Line | string)[], Partial<Trust>, string]>([
    [
      'an event altered',
      () => edit(300, (line) => ({ ...line, opening: { ...openingOf(line), data: {} } })),
      {},
      'event 300: with its salt it hashes to',
    ],
    [
      'an event altered with its hash',
      () =>
        edit(ENDS, (line) => {
          const opening = { ...openingOf(line), data: {} };
          return { ...line, opening, entryHash: entryHashOf(opening, line.salt as string) };
        }),
      {},
      'not those that were signed',
    ],
    [
      'an event back-dated',
      () =>
        edit(300, (line) => ({
          ...line,
          opening: {
            ...openingOf(line),
            metadata: { ...openingOf(line).metadata, recordedAt: '2020-01-01T00:00:00.000Z' },
          },
        })),
      {},
      'event 300: with its salt it hashes to',
    ],
    [
      'an event removed',
      () => whole.filter((_, index) => index !== 300),
      {},
      'event 300: the export goes on with event 301',
    ],
    [
      'an event removed, and those behind it renumbered',
      () => whole.filter((_, index) => index !== ENDS).map((line, seq) => ('seq' in line ? { ...line, seq } : line)),
      {},
      'it is of 640 events and stands behind 639',
    ],
    [
      'an event inserted',
      () => [...whole.slice(0, 301), ...whole.slice(300)],
      {},
      'event 301: the export goes on with event 300',
    ],
    ['two events swapped', () => swap(whole, 300, 301), {}, 'event 300: the export goes on with event 301'],
    [
      'a masked event exchanged',
      () =>
        [...exported(640, () => true)].map((line, index) =>
          index === 300 ? { ...line, entryHash: 'ab'.repeat(32) } : line,
        ),
      {},
      'not those that were signed',
    ],
    [
      'an opening that does not follow the one before',
      () =>
        edit(WITHIN, (line) => {
          const opening = { ...openingOf(line), prevInStream: 'ab'.repeat(32) };
          return { ...line, opening, entryHash: entryHashOf(opening, line.salt as string) };
        }),
      {},
      `event ${WITHIN}: it does not follow the event before it`,
    ],
    [
      'its tail cut off, with a checkpoint kept outside',
      () => exported(512),
      given(signedAt(640)),
      'outside: 640 events were signed, the log holds 512',
    ],
    [
      'its tail cut off before its checkpoint',
      () => [...whole.slice(0, 600), whole.at(-1)!],
      {},
      'it is of 640 events and stands behind 600',
    ],
    [
      'a checkpoint of another key',
      () => [
        ...whole.slice(0, -1),
        { end: true, after: '1', checkpoint: signedAt(640, LEAVES, NoteSigner.generate(SIGNER.verifier.name)) },
      ],
      {},
      'line 641: the note is signed by none of the keys',
    ],
    [
      'a line that is cut off',
      () => [...whole.slice(0, 300), '{"seq":300,"entr'],
      {},
      'line 301: it is no JSON object',
    ],
    ['a run left out that is dropped', () => FILTERED.slice(1), {}, 'the export goes on with event 199'],
    [
      'a run left out that is longer by one',
      () => FILTERED.map((line) => (line.seq === 301 ? { ...line, leftOut: 340 } : line)),
      {},
      'subtrees, not',
    ],
    [
      'an event left out that was altered',
      () =>
        FILTERED.map((line) =>
          line.seq === 301 ? { ...line, hashes: (line.hashes as string[]).with(3, 'ab'.repeat(32)) } : line,
        ),
      {},
      'not those that were signed',
    ],
    [
      'an opened event altered among events that are left out',
      () => FILTERED.map((line) => (line.seq === 300 ? { ...whole[300]!, ...{ ...whole[301]!, seq: 300 } } : line)),
      {},
      'not those that were signed',
    ],
    [
      'events left out, and no number of them',
      () => [{ ...FILTERED[0], leftOut: 0 }],
      {},
      'line 1: it says of events that are left out neither how many nor their hashes',
    ],
    [
      'more events left out than can be counted',
      () => FILTERED.map((line) => (line.seq === 301 ? { ...line, leftOut: Number.MAX_SAFE_INTEGER } : line)),
      {},
      'it says of events that are left out neither how many nor their hashes',
    ],
    ['lines without hashes', () => [{ position: '1', stream: 'need-1' }], {}, 'line 1: it has no seq and entryHash'],
  ])('with %s is refused', async (_what, lines, trust, reason) => {
    expect(await read(lines(), trust)).toContain(reason);
  });

  it('is refused whichever byte of a line is flipped', async () => {
    const short = exported(40);
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.nat(), fc.integer({ min: 1, max: 127 }), async (line, place, flip) => {
        const bytes = Buffer.from(JSON.stringify(short[line]));
        bytes[place % bytes.length]! ^= flip;
        const text = bytes.toString('utf8');
        const flipped = short.map((each, index) => (index === line ? text : each));
        const outcome = await read(flipped);
        // Members that prove nothing may say what they like: the position, and where the export may be resumed.
        const told = JSON.stringify({ ...short[line], position: '', after: '' });
        if (same(text, told)) expect(outcome).toBe('verified');
        else expect(outcome).not.toBe('verified');
      }),
      { numRuns: 150 },
    );
  });
});

/** Whether a line says the same but for members that nothing rests on. */
const same = (text: string, told: string): boolean => {
  try {
    const { position: _position, after: _after, ...said } = JSON.parse(text) as Line;
    const { position: _told, after: _end, ...meant } = JSON.parse(told) as Line;
    const proving = ['seq', 'entryHash', 'opening', 'salt', 'end', 'checkpoint'];
    return proving.every((name) => JSON.stringify(said[name]) === JSON.stringify(meant[name])) && !('masked' in said);
  } catch {
    return false;
  }
};
