import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, derivedId, eventIdOf, isUuid, newId, newSalt, requestHashOf } from './ids.js';

describe('ids', () => {
  it('new ids are UUIDv7 and sort by creation', () => {
    const ids = Array.from({ length: 1_000 }, newId);
    expect(ids.every((id) => isUuid(id) && id[14] === '7')).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1_000);
  });

  it('derived ids are UUIDv8: the same for the same parts, another for any other', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.array(fc.string(), { minLength: 1 }), (a, b) => {
        const id = derivedId(...a);
        expect(isUuid(id)).toBe(true);
        expect(id[14]).toBe('8');
        expect('89ab').toContain(id[19]);
        expect(derivedId(...b) === id).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    expect(derivedId('a', 'bc')).not.toBe(derivedId('ab', 'c'));
  });

  it('event ids derive from stream, command and index', () => {
    expect(eventIdOf('need-1', 'c', 0)).toBe(eventIdOf('need-1', 'c', 0));
    expect(new Set([eventIdOf('need-1', 'c', 0), eventIdOf('need-1', 'c', 1), eventIdOf('need-2', 'c', 0)]).size).toBe(
      3,
    );
  });

  it.each([
    '',
    'abc',
    '018F3C6E-0000-7000-8000-000000000000',
    '018f3c6e-0000-7000-8000-00000000000',
    `${derivedId('x')}\n`,
  ])('does not take %j for an id', (text) => {
    expect(isUuid(text)).toBe(false);
  });

  it('a salt is 32 random bytes', () => {
    expect(newSalt()).toMatch(/^[0-9a-f]{64}$/);
    expect(newSalt()).not.toBe(newSalt());
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order in which keys were written, and says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  });

  it('the hash of a request depends on salt and text', () => {
    expect(requestHashOf('s', 'r')).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set([requestHashOf('s', 'r'), requestHashOf('s', 'q'), requestHashOf('t', 'r')]).size).toBe(3);
  });
});

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
};
