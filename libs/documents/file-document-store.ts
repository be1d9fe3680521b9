import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Actor } from '#kernel';
import { StoreUnavailableError } from '#kernel';
import { isSha256 } from '#vocabulary';
import type { Appended, ByteRange, Declaration, Upload } from './document-store.js';
import { DocumentStore } from './document-store.js';

/** 50 MiB. */
export const DEFAULT_DOCUMENT_LIMIT = 52_428_800;

const PRIVATE = 0o700;
const OWN_FILE = 0o600;

/** The folders of a store: whole files under their hash, and what is still coming in. Both on one file system. */
export interface DocumentFolders {
  readonly documents: string;
  readonly uploads: string;
}

/** An upload as its own small file holds it: `received` counts only bytes that were on disk when it was written. */
interface Standing extends Upload {
  /** The bytes were found to have the hash. */
  readonly verified: boolean;
}

/** Documents as files: `documents/ab/cdef…` by hash, and per party what it is uploading. */
export class FileDocumentStore extends DocumentStore {
  private constructor(
    private readonly folders: () => Promise<DocumentFolders>,
    readonly limit: number,
    private readonly atClose: () => Promise<void>,
  ) {
    super();
  }

  static open(folders: DocumentFolders, limit = DEFAULT_DOCUMENT_LIMIT): FileDocumentStore {
    return new FileDocumentStore(
      () => Promise.resolve(folders),
      limit,
      () => Promise.resolve(),
    );
  }

  /** For a service without a data folder: a folder of its own, made when it is first needed and gone at the end. */
  static temporary(limit = DEFAULT_DOCUMENT_LIMIT): FileDocumentStore {
    let root: Promise<string> | undefined;
    const folders = async (): Promise<DocumentFolders> => {
      root ??= mkdtemp(join(tmpdir(), 'pledgebook-documents-'));
      return { documents: join(await root, 'documents'), uploads: join(await root, 'uploads') };
    };
    return new FileDocumentStore(folders, limit, async () => {
      if (root !== undefined) await rm(await root, { recursive: true, force: true });
    });
  }

  declare(actor: Actor, declaration: Declaration, at: Date): Promise<Upload> {
    return guarded(async () => {
      const { party } = actor;
      const { sha256, size } = declaration;
      const standing = await this.standing(party, sha256);
      if (standing !== undefined && isSame(standing, declaration)) return standing;
      const begun: Standing = {
        ...declaration,
        party,
        actor,
        // Bytes sent under another name of the same file are not sent again.
        received: standing?.size === size ? standing.received : 0,
        verified: standing?.size === size && standing.verified,
        touchedAt: at.toISOString(),
      };
      const { note } = await this.paths(party, sha256);
      await mkdir(dirname(note), { recursive: true, mode: PRIVATE });
      await this.write(begun);
      return begun;
    });
  }

  upload(party: string, sha256: string): Promise<Upload | undefined> {
    return guarded(() => this.standing(party, sha256));
  }

  uploads(): Promise<readonly Upload[]> {
    return guarded(async () => {
      const { uploads } = await this.folders();
      const found: Upload[] = [];
      for (const folder of await namesIn(uploads)) {
        for (const name of await namesIn(join(uploads, folder))) {
          if (!name.endsWith('.json')) continue;
          const upload = await this.readNote(join(uploads, folder, name));
          if (upload !== undefined) found.push(upload);
        }
      }
      return found;
    });
  }

  append(party: string, sha256: string, offset: number, chunk: Readable, at: Date): Promise<Appended> {
    return guarded(async (): Promise<Appended> => {
      const standing = await this.standing(party, sha256);
      if (standing === undefined) return { kind: 'absent' };
      if (offset !== standing.received) return { kind: 'offset-mismatch', received: standing.received };
      const { part } = await this.paths(party, sha256);
      const file = await open(part, 'a+', OWN_FILE);
      let written: Written;
      try {
        // Bytes that came after the last acknowledgement are nobody's word.
        await file.truncate(offset);
        written = await writeChunk(file, offset, standing.size, chunk);
        await file.datasync();
      } finally {
        await file.close();
      }
      const received = written.end;
      await this.write({ ...standing, received, verified: false, touchedAt: at.toISOString() });
      return { kind: written.kind, received };
    });
  }

  place(party: string, sha256: string): Promise<boolean> {
    return guarded(async () => {
      const standing = await this.standing(party, sha256);
      if (standing === undefined) return false;
      const { part, note } = await this.paths(party, sha256);
      const target = await this.fileOf(sha256);
      if (!standing.verified) {
        if (standing.received !== standing.size || (await hashOf(part)) !== sha256) {
          await this.remove(party, sha256);
          return false;
        }
        await this.write({ ...standing, verified: true });
      }
      if ((await sizeOf(part)) !== undefined) {
        await mkdir(dirname(target), { recursive: true, mode: PRIVATE });
        await rename(part, target);
        await syncFolder(dirname(target));
        await syncFolder(dirname(dirname(target)));
        await syncFolder(dirname(note));
      }
      return true;
    });
  }

  forget(party: string, sha256: string): Promise<void> {
    return guarded(() => this.remove(party, sha256));
  }

  sizeOf(sha256: string): Promise<number | undefined> {
    return guarded(async () => sizeOf(await this.fileOf(sha256)));
  }

  async read(sha256: string, range?: ByteRange): Promise<Readable> {
    return createReadStream(await this.fileOf(sha256), range);
  }

  close(): Promise<void> {
    return this.atClose();
  }

  private async fileOf(sha256: string): Promise<string> {
    return join((await this.folders()).documents, ...placeOf(sha256));
  }

  private async paths(party: string, sha256: string): Promise<{ readonly part: string; readonly note: string }> {
    const { uploads } = await this.folders();
    const folder = join(uploads, createHash('sha256').update(party).digest('hex').slice(0, 32));
    const [first, rest] = placeOf(sha256);
    return { part: join(folder, `${first}${rest}.part`), note: join(folder, `${first}${rest}.json`) };
  }

  private async standing(party: string, sha256: string): Promise<Standing | undefined> {
    return this.readNote((await this.paths(party, sha256)).note);
  }

  /** What stands of an upload: never more than what is really on disk, whatever its note says. */
  private async readNote(path: string): Promise<Standing | undefined> {
    let noted: Standing;
    try {
      noted = JSON.parse(await readFile(path, 'utf8')) as Standing;
    } catch (error) {
      // A note that cannot be read is an upload that never began: its sender begins anew.
      if (isAbsent(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
    const onDisk = await sizeOf((await this.paths(noted.party, noted.sha256)).part);
    // Verified bytes may have gone to their place already.
    if (noted.verified && onDisk === undefined && (await sizeOf(await this.fileOf(noted.sha256))) === noted.size) {
      return noted;
    }
    const received = Math.min(noted.received, onDisk ?? 0);
    return { ...noted, received, verified: noted.verified && received === noted.size };
  }

  /** Replaces the upload's note as a whole: a crash leaves the old one or the new one. */
  private async write(standing: Standing): Promise<void> {
    const { note } = await this.paths(standing.party, standing.sha256);
    const next = `${note}.new`;
    const file = await open(next, 'w', OWN_FILE);
    try {
      await file.writeFile(JSON.stringify(standing));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(next, note);
    await syncFolder(dirname(note));
  }

  private async remove(party: string, sha256: string): Promise<void> {
    const { part, note } = await this.paths(party, sha256);
    await rm(part, { force: true });
    await rm(`${note}.new`, { force: true });
    await rm(note, { force: true });
  }
}

interface Written {
  readonly kind: 'kept' | 'broken' | 'too-long';
  /** Bytes of the upload that are in the file now. */
  readonly end: number;
}

/** Writes what comes, up to `size` bytes in all. A sender that stops leaves what it sent; one that sends too much leaves nothing. */
const writeChunk = async (file: FileHandle, offset: number, size: number, chunk: Readable): Promise<Written> => {
  let end = offset;
  const source = chunk[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = await source.next();
    } catch {
      return { kind: 'broken', end };
    }
    if (next.done === true) return { kind: 'kept', end };
    if (end + next.value.length > size) {
      await file.truncate(offset);
      return { kind: 'too-long', end: offset };
    }
    await file.appendFile(next.value);
    end += next.value.length;
  }
};

/** `documents/ab/cdef…`: no folder with a hundred thousand entries. @throws where the name is no hash, and so might be a path */
const placeOf = (sha256: string): readonly [folder: string, file: string] => {
  if (!isSha256(sha256)) throw new Error('a document is named by its SHA-256');
  return [sha256.slice(0, 2), sha256.slice(2)];
};

const isSame = (a: Declaration, b: Declaration): boolean =>
  a.size === b.size && a.mediaType === b.mediaType && a.name === b.name;

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));

const isAbsent = (error: unknown): boolean => hasCode(error, 'ENOENT', 'ENOTDIR');

/** A disk that is full, broken or read-only: the request is safe to repeat. */
const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EACCES', 'EMFILE', 'ENFILE')) {
      throw new StoreUnavailableError('the folder of documents cannot be written or read', { cause: error });
    }
    throw error;
  }
};

const sizeOf = async (path: string): Promise<number | undefined> => {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
};

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
};

const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};
