import fc from 'fast-check';
import { readBody } from './body-reader.js';

const read = (text: string): ReturnType<typeof readBody> => readBody(Buffer.from(text));
const faultsIn = (text: string): readonly string[] => {
  const body = read(text);
  return body.ok ? body.faults.map(({ path }) => path) : ['not read'];
};

describe('a body', () => {
  it('is read as JSON reads it, whatever is sound in it', () => {
    const sound = fc
      .jsonValue({ noUnicodeString: false, maxDepth: 8 })
      .filter((value) => faultsIn(JSON.stringify(value)).length === 0);
    fc.assert(
      fc.property(sound, (value) => {
        const text = JSON.stringify(value);
        expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown, faults: [] });
      }),
    );
  });

  it('is never a reason to throw, whatever bytes it has', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof readBody(bytes).ok === 'boolean'));
  });

  it('names the place of every value no field could hold', () => {
    expect(faultsIn('{"a":[1.5,{"b":"\\u0000"}],"c":"\\ud800","d":1e400,"e":-9007199254740993}')).toEqual([
      'a[0]',
      'a[1].b',
      'c',
      'd',
      'e',
    ]);
  });

  it('has no field that reaches into a prototype, at any depth', () => {
    expect(faultsIn('{"a":{"__proto__":{}},"constructor":1,"b":[{"toString":1}]}')).toEqual([
      'a.__proto__',
      'constructor',
      'b[0].toString',
    ]);
    const body = read('{"a":{"constructor":1,"c":2}}');
    expect(body.ok && body.value).toEqual({ a: { c: 2 } });
  });

  it('is not echoed where a field’s name itself is at fault', () => {
    const body = read('{"a":{"\\u0007":1}}');
    expect(body.ok && body.faults).toEqual([
      { path: 'a', message: expect.stringContaining('a field whose name') as unknown },
    ]);
  });

  it('nests at most 32 levels', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(read(nested(32)).ok).toBe(true);
    expect(read(nested(33)).ok).toBe(false);
    expect(read(nested(200_000)).ok).toBe(false);
  });

  it('nests no deeper beside a name at fault, or after more faults than are told', () => {
    const deep = `${'['.repeat(50)}${']'.repeat(50)}`;
    const many = `[${Array.from({ length: 120 }, () => '1.5').join(',')}]`;
    expect(read(`{"\\u0001":${deep}}`).ok).toBe(false);
    expect(read(`{"a":${many},"b":${deep}}`).ok).toBe(false);
    const body = read(`{"a":${many},"b":{"constructor":1}}`);
    expect(body.ok && body.value).toHaveProperty('b', {});
    expect(body.ok && body.faults.length).toBe(100);
  });
});
