import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalForm, entryHashOf, leafEntry, type Opening, parseCanonical, parseLeafEntry } from './index.js';

describe('canonical JSON', () => {
  it('is that of RFC 8785: members by UTF-16 code units, no spaces, the shortest escapes', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.values(JSON.parse(canonicalForm(value)) as object)[0]).toBe('One');
    expect([...canonicalForm(value).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
    expect(canonicalForm({ b: [1, true, null, -0], a: '\u20ac$\u000f\nA\'B"\\/\u007f' })).toBe(
      '{"a":"\u20ac$\\u000f\\nA\'B\\"\\\\/\u007f","b":[1,true,null,0]}',
    );
    expect(canonicalForm({ here: 1, gone: undefined })).toBe('{"here":1}');
  });

  it('writes every character of a text as JSON does', () => {
    const characters = Array.from({ length: 0x10000 }, (_, code) => `a${String.fromCharCode(code)}`);
    const written = characters.filter((each) => each.isWellFormed());
    expect(written.filter((each) => canonicalForm(each) !== JSON.stringify(each))).toEqual([]);
    expect(written).toHaveLength(0x10000 - 0x800);
  });

  it.each([
    [{ a: [0.5] }, '"/a/0" is not a whole number below 2^53: 0.5'],
    [2 ** 53, 'the value is not a whole number'],
    [{ a: Number.NaN }, '"/a" is not a whole number'],
    [{ a: 'x\ud800' }, '"/a" holds a lone surrogate'],
    [{ '\udc00': 1 }, 'holds a lone surrogate'],
    [{ a: 1n }, '"/a" has no JSON form'],
    [[undefined], '"/0" has no JSON form'],
    [() => 1, 'the value has no JSON form'],
    [{ b: [1, { y: 0.5, x: 'z\udfff' }], a: undefined }, '"/b/1/x" holds a lone surrogate'],
  ])('refuses what readers could read in two ways', (value, reason) => {
    expect(() => canonicalForm(value)).toThrow(reason);
  });

  it.each([
    ['{"a":1,"a":1}', 'is not canonical'],
    ['{"b":1,"a":1}', 'is not canonical'],
    ['{"a": 1}', 'is not canonical'],
    ['{"a":1.0}', 'is not canonical'],
    ['{"a":1e2}', 'is not canonical'],
    ['{"a":-0}', 'is not canonical'],
    ['{"a":"\\u0041"}', 'is not canonical'],
    ['{"a":9007199254740993}', 'is not a whole number'],
    ['{"a":"\\ud800"}', 'lone surrogate'],
    ['{"a":1', 'is not JSON'],
    ['', 'is not JSON'],
  ])('reads no other text: %s', (text, reason) => {
    expect(() => parseCanonical(text, 'it')).toThrow(reason);
  });

  it('is read back as it was, whatever the order of members', () => {
    // Every code point that may stand in a text. fast-check's own `binary` makes a table of all of them first.
    const character = fc.nat({ max: 0x10f7ff }).map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));
    const text = fc.oneof(
      { arbitrary: fc.string({ unit: character }), weight: 9 },
      { arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'length'), weight: 1 },
    );
    const json = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.maxSafeInteger(),
        text,
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value;
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([name, member]) => [name, reversed(member)]),
            )
          : value;
    fc.assert(
      fc.property(json, (value) => {
        const form = canonicalForm(value);
        expect(parseCanonical(form, 'it')).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalForm(reversed(value))).toBe(form);
      }),
      { numRuns: 200 },
    );
  });
});

const SALT = '0f'.repeat(32);
const opening: Opening = {
  stream: 'need-1',
  revision: 1,
  eventId: '01a205c2-a0f5-73ff-9766-8ac76f4efd8a',
  type: 'NeedOpened',
  schema: 1,
  data: { title: 'Clearance', lines: [{ line: 1 }] },
  metadata: { recordedAt: '2026-01-05T09:00:00.000Z' },
  prevInStream: 'ab'.repeat(32),
};

describe('the hash of an event', () => {
  it('is that of salt and opening', () => {
    const form =
      '{"data":{"lines":[{"line":1}],"title":"Clearance"},"eventId":"01a205c2-a0f5-73ff-9766-8ac76f4efd8a",' +
      '"metadata":{"recordedAt":"2026-01-05T09:00:00.000Z"},"prevInStream":"' +
      `${'ab'.repeat(32)}","revision":1,"schema":1,"stream":"need-1","type":"NeedOpened"}`;
    const expected = createHash('sha256').update(Buffer.from(SALT, 'hex')).update(form).digest('hex');
    expect(entryHashOf(opening, SALT)).toBe(expected);
    expect(entryHashOf({ ...opening, prevInStream: null }, SALT)).not.toBe(expected);
  });

  it('needs a salt of 32 bytes', () => {
    for (const salt of ['', '0f', SALT.toUpperCase()])
      expect(() => entryHashOf(opening, salt)).toThrow('the salt is not 32 bytes');
  });
});

describe('the entry of a leaf', () => {
  const entry = { seq: 7, entryHash: 'cd'.repeat(32) };

  it('says its place and a hash, nothing of whom or what', () => {
    expect(leafEntry(entry).toString()).toBe(`{"entryHash":"${'cd'.repeat(32)}","seq":7,"v":1}`);
    expect(parseLeafEntry(leafEntry(entry))).toEqual(entry);
  });

  it.each([
    ['null', 'is not of version 1'],
    ['{"entryHash":"cd","seq":7,"v":2}', 'is not of version 1'],
    ['{"entryHash":"cd","seq":"7","v":1}', 'has no place'],
    ['{"entryHash":"cd","seq":-1,"v":1}', 'has no place'],
    ['{"entryHash":"cd","seq":7,"v":1}', 'is not a place and a SHA-256'],
    [`{"entryHash":"${'CD'.repeat(32)}","seq":7,"v":1}`, 'is not a place and a SHA-256'],
    [`{"entryHash":"${'cd'.repeat(32)}","more":1,"seq":7,"v":1}`, 'is not a place and a SHA-256'],
    [`{"seq":7,"entryHash":"${'cd'.repeat(32)}","v":1}`, 'is not canonical'],
    ['{', 'is not JSON'],
  ])('is refused in any other form: %s', (text, reason) => {
    expect(() => parseLeafEntry(Buffer.from(text))).toThrow(reason);
  });
});
