import { recordedEvent } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import { NewerEventError, Upcasting } from './upcasting.js';

const old = recordedEvent('counter-1', 0, { type: 'Raised', data: { a: 1 } });
const add = (from: number, key: string) => ({ type: 'Raised', from, up: (data: object) => ({ ...data, [key]: from }) });

describe('upcasting', () => {
  it('lifts one version after the other, in whatever order the steps were given', () => {
    const lifted = new Upcasting([add(2, 'c'), add(1, 'b')]).lift(old);
    expect(lifted.data).toEqual({ a: 1, b: 1, c: 2 });
    expect(lifted.metadata.schema).toBe(3);
    expect({ ...lifted, data: old.data, metadata: old.metadata }).toEqual(old);
    expect(old.data).toEqual({ a: 1 });
  });

  it('starts at the version the event was written in', () => {
    const newer = recordedEvent('counter-1', 0, { type: 'Raised', data: { a: 1 } }, { schema: 2 });
    expect(new Upcasting([add(1, 'b'), add(2, 'c')]).lift(newer).data).toEqual({ a: 1, c: 2 });
  });

  it('leaves an event alone that is new enough or that no step is for', () => {
    expect(new Upcasting([add(3, 'd')]).lift(old)).toBe(old);
    expect(new Upcasting([{ ...add(1, 'b'), type: 'Other' }]).lift(old)).toBe(old);
    expect(new Upcasting().lift(old)).toBe(old);
  });

  it('knows an event that a newer version wrote, and does not lift it', () => {
    const upcasting = new Upcasting([add(1, 'b')], { counter: { Raised: 2, Noted: 1 }, meter: { Read: 1 } });
    const event = (type: string, schema: number, stream = 'counter-1') =>
      recordedEvent(stream, 0, { type, data: {} }, { schema });
    const newer = [event('Raised', 3), event('Halved', 1), event('Read', 1), event('Raised', 1, 'gauge-1')];
    expect(newer.map((each) => upcasting.isNewer(each))).toEqual([true, true, true, true]);
    for (const each of newer) expect(() => upcasting.lift(each)).toThrow(NewerEventError);
    for (const each of [event('Raised', 1), event('Raised', 2), event('Noted', 1)])
      expect(upcasting.isNewer(each)).toBe(false);
    expect(['Raised', 'Read', 'Halved'].map((type) => upcasting.isUnknown(type))).toEqual([false, false, true]);
    expect(upcasting.categoriesOf(['Raised', 'Halved'])).toEqual(new Set(['counter']));
  });

  it('takes nothing for newer where it was not told what is known', () => {
    const upcasting = new Upcasting();
    expect([upcasting.isNewer(old), upcasting.isUnknown('Halved'), upcasting.knowsAll]).toEqual([false, false, false]);
  });

  it('refuses two steps from one version', () => {
    expect(() => new Upcasting([add(1, 'b'), add(1, 'c')])).toThrow('two upcasters for Raised from 1');
  });
});
