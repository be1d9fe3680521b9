import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { readZip } from '#evidence';
import { type BundledFile, zipOf } from './evidence-zip.js';

async function* filesOf(
  count: number,
  made: { count: number } = { count: 0 },
  broken = Number.POSITIVE_INFINITY,
): AsyncGenerator<BundledFile> {
  for (; made.count < count; made.count += 1) {
    if (made.count === broken) throw new Error('the log broke off');
    yield { path: `events/${made.count}.json`, content: randomBytes(20_000) };
  }
}

const manifestOf = (files: readonly object[]): string => JSON.stringify(files);

const bytesOf = async (zip: Readable): Promise<Buffer> => Buffer.concat((await zip.toArray()) as Buffer[]);

test('the manifest comes last, and knows the hash of every file', async () => {
  const some: readonly BundledFile[] = [
    { path: 'a', content: 'plain text' },
    { path: 'b/c', content: Buffer.from([0, 255]) },
    {
      path: 'd',
      content: (async function* () {
        yield 'piece ';
        yield 'by piece';
      })(),
    },
  ];
  const files = await readZip(
    await bytesOf(
      zipOf(
        (async function* () {
          yield* some;
        })(),
        manifestOf,
      ),
    ),
  );
  expect([...files.keys()]).toEqual(['a', 'b/c', 'd', 'manifest.json']);
  expect(Buffer.from(files.get('d')!).toString()).toBe('piece by piece');
  const listed = ['a', 'b/c', 'd'].map((path) => ({
    path,
    sha256: createHash('sha256').update(files.get(path)!).digest('hex'),
  }));
  expect(JSON.parse(Buffer.from(files.get('manifest.json')!).toString())).toEqual(listed);
});

test('files are made as fast as they are taken, and no more once nobody takes them', async () => {
  const made = { count: 0 };
  const zip = zipOf(filesOf(10_000, made), manifestOf);
  await once(zip, 'readable');
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(made.count).toBeLessThan(50);
  zip.destroy();
  const then = made.count;
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(made.count - then).toBeLessThan(3);
});

test('where a file cannot be made the answer breaks off, and does not end as if it were whole', async () => {
  await expect(bytesOf(zipOf(filesOf(10, { count: 0 }, 3), manifestOf))).rejects.toThrow('the log broke off');
});
