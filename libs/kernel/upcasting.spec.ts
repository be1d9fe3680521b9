import { recordedEvent } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import { Upcasting } from './upcasting.js';

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

  it('refuses two steps from one version', () => {
    expect(() => new Upcasting([add(1, 'b'), add(1, 'c')])).toThrow('two upcasters for Raised from 1');
  });
});
