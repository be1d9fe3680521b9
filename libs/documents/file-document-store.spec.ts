import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import type { Actor } from '#kernel';
import { FileDocumentStore } from './file-document-store.js';

const VANUATU: Actor = { party: 'state:VUT', role: 'npc' };
const NOW = new Date('2026-11-22T10:00:00Z');
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let root: string;
let store: FileDocumentStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'documents-'));
  store = reopened();
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});
const reopened = (): FileDocumentStore =>
  FileDocumentStore.open({ documents: join(root, 'documents'), uploads: join(root, 'uploads') });

const declared = (bytes: Buffer, more: object = {}) =>
  store.declare(VANUATU, { sha256: hashOf(bytes), size: bytes.length, mediaType: 'text/plain', ...more }, NOW);
const append = (sha256: string, offset: number, chunk: Readable) =>
  store.append(VANUATU.party, sha256, offset, chunk, NOW);

test('however a file is cut, and however often its sender breaks off or the service starts anew, it arrives whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
      fc.infiniteStream(
        fc.record({ length: fc.integer({ min: 1, max: 800 }), breaks: fc.boolean(), restarts: fc.boolean() }),
      ),
      async (content, steps) => {
        const bytes = Buffer.from(content);
        const sha256 = hashOf(bytes);
        await declared(bytes);
        for (const { length, breaks, restarts } of steps) {
          const { received = -1 } = (await store.upload(VANUATU.party, sha256)) ?? {};
          if (received === bytes.length) break;
          const chunk = bytes.subarray(received, received + length);
          const half = chunk.subarray(0, Math.ceil(chunk.length / 2));
          const appended = await append(sha256, received, breaks ? breaking(half) : Readable.from([chunk]));
          expect(appended).toEqual({
            kind: breaks ? 'broken' : 'kept',
            received: received + (breaks ? half : chunk).length,
          });
          if (restarts) store = reopened();
        }
        expect(await store.place(VANUATU.party, sha256)).toBe(true);
        await store.forget(VANUATU.party, sha256);
        expect(await store.sizeOf(sha256)).toBe(bytes.length);
        const chunks: Buffer[] = [];
        for await (const chunk of await store.read(sha256)) chunks.push(chunk as Buffer);
        expect(Buffer.concat(chunks)).toEqual(bytes);
        expect(await store.uploads()).toEqual([]);
      },
    ),
    { numRuns: 15 },
  );
});

const breaking = (bytes: Buffer): Readable =>
  Readable.from(
    (function* () {
      yield bytes;
      throw new Error('the line went dead');
    })(),
  );

test('a chunk starts where the upload stands, and ends within the size that was declared', async () => {
  const bytes = randomBytes(100);
  const sha256 = hashOf(bytes);
  expect(await append(sha256, 0, Readable.from([bytes]))).toEqual({ kind: 'absent' });
  await declared(bytes);
  expect(await append(sha256, 1, Readable.from([bytes]))).toEqual({ kind: 'offset-mismatch', received: 0 });
  expect(await append(sha256, 0, Readable.from([bytes, bytes]))).toEqual({ kind: 'too-long', received: 0 });
  expect(await append(sha256, 0, Readable.from([bytes.subarray(0, 60)]))).toEqual({ kind: 'kept', received: 60 });
});

test('a file is placed only whole and under its own hash; the rest leaves nothing', async () => {
  const bytes = randomBytes(100);
  const sha256 = hashOf(bytes);
  expect(await store.place(VANUATU.party, sha256)).toBe(false);
  await declared(bytes);
  await append(sha256, 0, Readable.from([randomBytes(100)]));
  expect(await store.place(VANUATU.party, sha256)).toBe(false);
  expect([await store.uploads(), await store.sizeOf(sha256)]).toEqual([[], undefined]);
  await declared(bytes);
  await append(sha256, 0, Readable.from([bytes.subarray(0, 99)]));
  expect(await store.place(VANUATU.party, sha256)).toBe(false);
});

test('a file that was placed is found placed after a crash before its event', async () => {
  const bytes = Buffer.from('a note verbale');
  const sha256 = hashOf(bytes);
  await declared(bytes);
  await append(sha256, 0, Readable.from([bytes]));
  await store.place(VANUATU.party, sha256);
  store = reopened();
  expect(await store.uploads()).toMatchObject([{ sha256, received: bytes.length, actor: VANUATU }]);
  expect(await store.place(VANUATU.party, sha256)).toBe(true);
  expect(await text(await store.read(sha256, { start: 2, end: 5 }))).toBe('note');
});

test('a declaration of another name keeps what came, of another size begins anew', async () => {
  const bytes = randomBytes(100);
  const sha256 = hashOf(bytes);
  await declared(bytes);
  await append(sha256, 0, Readable.from([bytes.subarray(0, 60)]));
  expect(await declared(bytes)).toMatchObject({ received: 60 });
  expect(await declared(bytes, { name: 'note.txt' })).toMatchObject({ received: 60, name: 'note.txt' });
  expect(await declared(bytes, { size: 90 })).toMatchObject({ received: 0, size: 90 });
});

test('what is no hash names no file', async () => {
  await expect(store.sizeOf('../../log.sqlite')).rejects.toThrow(/SHA-256/);
});

test('a store without a folder makes one when it needs it, and takes it away', async () => {
  const temporary = FileDocumentStore.temporary(10);
  await temporary.close();
  const used = FileDocumentStore.temporary(10);
  expect(used.limit).toBe(10);
  expect(await used.sizeOf('a'.repeat(64))).toBeUndefined();
  await used.declare(VANUATU, { sha256: 'a'.repeat(64), size: 1, mediaType: 'text/plain' }, NOW);
  await used.close();
  expect(await used.uploads()).toEqual([]);
});
