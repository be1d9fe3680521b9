import { throws } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { Sealed } from '#kernel';
import { masterKeyOf, openText, SealBrokenError, sealText, unwrapKey, wrapKey } from './sealing.js';

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
/** Every code point that may stand in a text. fast-check's own `binary` makes a table of all of them first. */
const character = fc.nat({ max: 0x10f7ff }).map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));
const words = fc.string({ unit: character, maxLength: 300 });
const places = fc.array(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 4 });
const SUBJECT = '7b1e1c1e-0000-4000-8000-000000000001';

describe('a sealed text', () => {
  it('opens to what it was, and says the same of the same text at the same place', () => {
    fc.assert(
      fc.property(keys, places, words, (key, place, text) => {
        const sealed = sealText(key, SUBJECT, place, text);
        expect(openText(key, place, sealed)).toBe(text);
        expect(sealText(key, SUBJECT, place, text)).toEqual(sealed);
      }),
    );
  });

  it('with any bit of it changed does not open', () => {
    const bit = fc.tuple(fc.constantFrom('iv' as const, 'ct' as const, 'tag' as const), fc.nat());
    fc.assert(
      fc.property(keys, places, words, bit, (key, place, text, [part, at]) => {
        const sealed = sealText(key, SUBJECT, place, text);
        const bytes = Buffer.from(sealed[part], 'base64url');
        const index = at % (bytes.length * 8);
        bytes[index >> 3] = (bytes[index >> 3] ?? 0) ^ (1 << (index & 7));
        expect(() => openText(key, place, { ...sealed, [part]: bytes.toString('base64url') })).toThrow(SealBrokenError);
      }),
    );
  });

  it('with any character of it changed does not open, also where both decode to the same bytes', () => {
    const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ';
    fc.assert(
      fc.property(keys, words, fc.nat(), (key, text, at) => {
        const sealed = sealText(key, SUBJECT, ['here'], text);
        for (const part of ['iv', 'ct', 'tag'] as const) {
          // The last one has bits that no byte needs.
          for (const index of [at % sealed[part].length, sealed[part].length - 1]) {
            for (const letter of LETTERS) {
              const altered = sealed[part].slice(0, index) + letter + sealed[part].slice(index + 1);
              if (altered === sealed[part]) continue;
              // Of thousands of refusals, faster than `toThrow`, which writes out where each comes from.
              throws(() => openText(key, ['here'], { ...sealed, [part]: altered }), SealBrokenError);
            }
          }
          expect(() => openText(key, ['here'], { ...sealed, [part]: `${sealed[part]}=` })).toThrow(SealBrokenError);
        }
      }),
      { numRuns: 10 },
    );
    const sealed = sealText(randomBytes(32), SUBJECT, ['here'], 'Ruth');
    for (const broken of [{ alg: 'none' }, { iv: '' }, { tag: '' }, { ct: 1 }])
      expect(() => openText(randomBytes(32), ['here'], { ...sealed, ...broken } as Sealed)).toThrow(SealBrokenError);
  });

  it('opens with its own key, at its own place and for its own subject alone', () => {
    fc.assert(
      fc.property(keys, keys, places, places, words, (key, other, place, elsewhere, text) => {
        fc.pre(!key.equals(other) && JSON.stringify(place) !== JSON.stringify(elsewhere));
        const sealed = sealText(key, SUBJECT, place, text);
        expect(() => openText(other, place, sealed)).toThrow(SealBrokenError);
        expect(() => openText(key, elsewhere, sealed)).toThrow(SealBrokenError);
        expect(() => openText(key, place, { ...sealed, subject: `${SUBJECT}0` })).toThrow(SealBrokenError);
      }),
    );
  });

  it('never shares its vector with another text or place, and hides how long short texts are', () => {
    const key = randomBytes(32);
    const all = ['Ruth', 'Ruth ', 'Rut'].flatMap((text) =>
      [['a'], ['b']].map((place) => sealText(key, SUBJECT, place, text)),
    );
    expect(new Set(all.map(({ iv }) => iv)).size).toBe(all.length);
    expect(new Set(all.map(({ ct }) => ct.length)).size).toBe(1);
    expect(JSON.stringify(all)).not.toContain('Ruth');
  });
});

test('a wrapped key is unwrapped by its own master key, for its own subject, unaltered', () => {
  fc.assert(
    fc.property(keys, keys, keys, fc.nat(), (one, other, key, at) => {
      fc.pre(!one.equals(other));
      const master = masterKeyOf(one);
      const wrapped = wrapKey(master, SUBJECT, key, randomBytes(12));
      expect(unwrapKey(master, SUBJECT, wrapped).equals(key)).toBe(true);
      expect(wrapped.includes(key)).toBe(false);
      expect(() => unwrapKey(masterKeyOf(other), SUBJECT, wrapped)).toThrow(SealBrokenError);
      expect(() => unwrapKey({ ...master, id: 'another' }, SUBJECT, wrapped)).toThrow(SealBrokenError);
      expect(() => unwrapKey(master, `${SUBJECT}0`, wrapped)).toThrow(SealBrokenError);
      const altered = Buffer.from(wrapped);
      altered[at % altered.length] = (altered[at % altered.length] ?? 0) ^ 1;
      expect(() => unwrapKey(master, SUBJECT, altered)).toThrow(SealBrokenError);
    }),
  );
});
