import { describe, expect, it } from '@jest/globals';
import { accept, categoryOfStream, idOfStream, refuse, streamOf } from './decider.js';
import { isOfProcess, SYSTEM_PROCESS, SYSTEM_TIMER } from './events.js';

describe('decisions', () => {
  it('are data', () => {
    expect(accept()).toEqual({ kind: 'accepted', events: [] });
    expect(accept({ type: 'A', data: {} }, { type: 'B', data: {} })).toEqual({
      kind: 'accepted',
      events: [
        { type: 'A', data: {} },
        { type: 'B', data: {} },
      ],
    });
    expect(refuse('too-high', 'Ask for less.')).toEqual({
      kind: 'refused',
      rejection: { code: 'too-high', detail: 'Ask for less.' },
    });
    expect(refuse('too-high', 'Ask for less.', 'by')).toMatchObject({ rejection: { field: 'by' } });
  });
});

describe('stream names', () => {
  it('lead from record to stream and back, whatever the id', () => {
    const stream = streamOf('party', 'donor:some-desk');
    expect(stream).toBe('party-donor:some-desk');
    expect([categoryOfStream(stream), idOfStream(stream)]).toEqual(['party', 'donor:some-desk']);
  });
});

describe('principals', () => {
  it('only the process is of a process: the timer makes an If-Match stale', () => {
    expect([SYSTEM_PROCESS, SYSTEM_TIMER, { party: 'state:VUT', role: 'npc' }].map(isOfProcess)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
