import { describe, expect, it } from '@jest/globals';
import {
  type EntryDataOnprogressOptions,
  TextReader,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipWriter,
} from '@zip.js/zip.js';
import { LIMITS, readZip } from './zip.js';

type EntryOptions = NonNullable<Parameters<ZipWriter<unknown>['add']>[2]>;
type Written = readonly [
  name: string,
  content: string | Uint8Array,
  options?: EntryOptions & EntryDataOnprogressOptions,
];

const zipped = async (...entries: readonly Written[]): Promise<Uint8Array> => {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const [name, content, options] of entries) {
    const reader = typeof content === 'string' ? new TextReader(content) : new Uint8ArrayReader(content);
    await writer.add(name, reader, options ?? {});
  }
  return writer.close();
};

/** The archive with a name of the same length in place of another, wherever it stands. */
const renamed = (zip: Uint8Array, from: string, to: string): Uint8Array =>
  Buffer.from(Buffer.from(zip).toString('latin1').replaceAll(from, to), 'latin1');

const refusal = async (zip: Uint8Array, limits = LIMITS): Promise<string> => {
  try {
    const files = await readZip(zip, limits);
    return `read: ${[...files.keys()].join(', ')}`;
  } catch (error) {
    const { file, message } = error as { readonly file: string; readonly message: string };
    return `${file}: ${message}`;
  }
};

describe('a zip', () => {
  it('gives its files, stored and deflated', async () => {
    const files = await readZip(await zipped(['a/b.txt', 'hello'], ['c', 'there', { level: 0 }]));
    expect([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])).toEqual([
      ['a/b.txt', 'hello'],
      ['c', 'there'],
    ]);
  });

  it.each<[string, () => Promise<Uint8Array>, string]>([
    [
      'a path that leads out',
      async () => renamed(await zipped(['xx/outside', 'x']), 'xx/', '../'),
      '../outside: the path leads out of the bundle',
    ],
    [
      'one that leads out from within',
      async () => renamed(await zipped(['events/xx/xx/a', 'x']), 'xx/xx', '../..'),
      'events/../../a: the path leads out of the bundle',
    ],
    [
      'one that leads out by backslashes',
      async () => renamed(await zipped(['xxxa', 'x']), 'xxxa', '..\\a'),
      '..\\a: the path leads out of the bundle',
    ],
    [
      'an absolute path',
      async () => renamed(await zipped(['xetc/passwd', 'x']), 'xetc', '/etc'),
      '/etc/passwd: the path is absolute',
    ],
    ['a path on a drive', async () => renamed(await zipped(['Cx/a', 'x']), 'Cx/', 'C:/'), 'C:/a: the path is absolute'],
    [
      'a path with a control character',
      async () => renamed(await zipped(['axb', 'x']), 'axb', 'a\u0000b'),
      'a\u0000b: the path is not one that a bundle has',
    ],
    [
      'a bomb',
      () => zipped(['bomb', new Uint8Array(10 * 2 ** 20)]),
      'bomb: the entry unpacks to more than 200 times its size',
    ],
    [
      'two entries of one name',
      async () => renamed(await zipped(['one', 'x'], ['two', 'y']), 'two', 'one'),
      'one: the zip has two entries of this name',
    ],
    [
      'a link',
      () => zipped(['link', '/etc/passwd', { externalFileAttributes: (0o120777 << 16) >>> 0, versionMadeBy: 0x0314 }]),
      'link: the entry is no plain file but a link or a device',
    ],
    ['an encrypted entry', () => zipped(['secret', 'x', { password: 'known' }]), 'secret: the entry is encrypted'],
    ['a folder', () => zipped(['folder/', '', { directory: true }]), 'folder/: the zip has an entry for a folder'],
  ])('with %s is refused', async (_what, zip, reason) => {
    expect(await refusal(await zip())).toBe(reason);
  });

  it('with an entry packed by another method is refused', async () => {
    const zip = Buffer.from(await zipped(['a', 'hello', { level: 0 }]));
    // In the local header and in the central directory.
    zip.writeUInt16LE(12, 8);
    zip.writeUInt16LE(12, zip.indexOf('PK\u0001\u0002', 0, 'latin1') + 10);
    expect(await refusal(zip)).toBe('a: the entry is packed by method 12, neither stored nor deflated');
  });

  it('that says less of a bomb than it holds is refused while it is unpacked', async () => {
    const bomb = Buffer.from(await zipped(['bomb', new Uint8Array(10 * 2 ** 20), { dataDescriptor: false }]));
    const central = bomb.indexOf('PK\u0001\u0002', 0, 'latin1');
    bomb.writeUInt32LE(1_000, 22);
    bomb.writeUInt32LE(1_000, central + 24);
    expect(await refusal(bomb)).toMatch(/^bomb: the entry (unpacks to more than the 1000 bytes|cannot be read)/);
  });

  it('with more than the limits is refused before it is unpacked', async () => {
    const three = await zipped(['a', '12345'], ['b', '12345'], ['c', '12345']);
    expect(await refusal(three, { ...LIMITS, entries: 2 })).toBe('c: the bundle has more than 2 files');
    expect(await refusal(three, { ...LIMITS, entryBytes: 4 })).toBe('a: the file has more than 4 bytes');
    expect(await refusal(three, { ...LIMITS, totalBytes: 12 })).toBe('c: the bundle has more than 12 bytes in all');
  });

  it('with bytes before or behind it, or cut off, is refused', async () => {
    const zip = await zipped(['a', 'hello']);
    for (const other of [
      Buffer.concat([Buffer.from('MZ'), zip]),
      Buffer.concat([zip, Buffer.from('more')]),
      zip.subarray(0, -3),
      zip.subarray(20),
      Buffer.from('no zip'),
      Buffer.alloc(0),
    ])
      expect(await refusal(other)).toMatch(/^: the zip is damaged or ambiguous|^a: the entry cannot be read/);
  });

  it('whose local header names another file is refused', async () => {
    const zip = Buffer.from(await zipped(['aaaa', 'hello']));
    zip.write('bbbb', 30, 'latin1');
    expect(await refusal(zip)).toMatch(/^aaaa: the entry cannot be read/);
  });

  it('whose content does not have its checksum is refused', async () => {
    const zip = Buffer.from(await zipped(['aaaa', 'hello', { level: 0 }]));
    zip.write('HELLO', zip.indexOf('hello'), 'latin1');
    expect(await refusal(zip)).toMatch(/^aaaa: the entry cannot be read/);
  });
});
