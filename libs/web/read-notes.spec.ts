import { describe, expect, it } from '@jest/globals';
import { ANONYMOUS, ANY_PARTY } from '#directory/contract';
import { ManualClock } from '#kernel';
import { ReadNotes } from './read-notes.js';
import type { RequestContext } from './request-context.js';

const PERSON = { issuer: 'i', subject: 's' };
const request = (more: Partial<RequestContext> = {}): RequestContext => ({
  ...{ caller: ANY_PARTY, person: PERSON, correlationId: 'c', method: 'GET', path: '/v1/needs/n1', body: undefined },
  ...{ query: {}, again: () => Promise.reject(new Error('not asked')) },
  ...more,
});
const summary = (notes: ReadNotes, now?: Date): readonly unknown[] =>
  notes
    .take(now)
    .map(({ minute, records, unnamed }) => [
      minute % 60,
      Object.fromEntries([...records].map(([stream, ways]) => [stream, [...ways].sort()])),
      unnamed,
    ]);
const clockAt = (minute: number): ManualClock =>
  new ManualClock(`2026-11-29T10:${String(minute).padStart(2, '0')}:30.000Z`);

describe('what is noted of reads', () => {
  it('is one note for each person and minute, however often it reads, taken once the minute is over', () => {
    const clock = clockAt(5);
    const notes = new ReadNotes(clock);
    for (let n = 0; n < 100; n += 1) notes.note(request(), 'need', ['n1']);
    notes.note(request({ path: '/v1/needs' }), 'need', ['n1']);
    notes.note(request({ path: '/v1/needs/n1/history' }), 'need', ['n1']);
    notes.note(request({ path: '/v1/documents/abc' }), 'offer', ['o1']);
    notes.note(request({ path: '/v1/audit/events' }), 'offer', ['o1']);
    notes.note(request({ path: '/v1/totals/events' }), 'commitment', ['c1']);
    notes.note(request({ path: '/v1/offers/o2/matches' }), 'need', ['n1']);
    expect(summary(notes, clock.now())).toEqual([]);
    clock.set('2026-11-29T10:06:00.000Z');
    notes.note(request(), 'need', ['n2']);
    expect(summary(notes, clock.now())).toEqual([
      [
        5,
        {
          'need-n1': ['history', 'list', 'matches', 'record'],
          'offer-o1': ['document', 'log'],
          'commitment-c1': ['totals'],
        },
        0,
      ],
    ]);
    expect(summary(notes, clock.now())).toEqual([]);
    expect(summary(notes)).toEqual([[6, { 'need-n2': ['record'] }, 0]]);
  });

  it('is nothing of who has no token, and nothing of commands', () => {
    const notes = new ReadNotes(clockAt(5));
    const { person: _person, ...anonymous } = request({ caller: ANONYMOUS });
    notes.note(anonymous, 'need', ['n1']);
    notes.note(request({ method: 'POST' }), 'need', ['n1']);
    expect(summary(notes)).toEqual([]);
  });

  it('never grows beyond its bound: what has no room is counted, and so it is when it could not be written', () => {
    const notes = new ReadNotes(clockAt(5));
    for (let n = 0; n < 20_005; n += 1) notes.note(request(), 'need', [`n${n}`]);
    notes.note(request(), 'need', ['n1']);
    const [first] = notes.take();
    expect([first?.records.size, first?.unnamed]).toEqual([20_000, 5]);
    notes.note(request(), 'need', ['other']);
    notes.giveBack(first!);
    expect(notes.take().map(({ records, unnamed }) => [records.size, unnamed])).toEqual([
      [0, 20_005],
      [1, 0],
    ]);
    notes.giveBack(first!);
    expect(notes.take().map(({ records, unnamed }) => [records.size, unnamed])).toEqual([[20_000, 5]]);
  });

  it('keeps apart what is read for different purposes: each is told to the parties of its own records alone', () => {
    const notes = new ReadNotes(clockAt(5));
    notes.note(request({ purpose: 'audit' }), 'need', ['n1', 'n2']);
    notes.note(request(), 'need', ['n2']);
    notes.note(request({ purpose: 'review' }), 'need', ['n3']);
    expect(notes.take().map(({ purpose, records }) => [purpose, [...records.keys()]])).toEqual([
      ['audit', ['need-n1', 'need-n2']],
      [undefined, ['need-n2']],
      ['review', ['need-n3']],
    ]);
  });

  it('keeps a few purposes of a minute, and what is read for others without', () => {
    const notes = new ReadNotes(clockAt(5));
    for (let n = 0; n < 50; n += 1) notes.note(request({ purpose: `p${n % 25}` }), 'need', [`n${n % 25}`]);
    const taken = notes.take();
    expect(taken.map(({ purpose, records }) => [purpose, records.size])).toEqual([
      ...Array.from({ length: 20 }, (_, n) => [`p${n}`, 1]),
      [undefined, 5],
    ]);
  });
});
