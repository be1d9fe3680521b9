import type { Readable } from 'node:stream';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { Actor, CommandContext } from '#kernel';
import { Clock, derivedId, StoreUnavailableError, Transactor } from '#kernel';
import { Problem } from '#web';
import type { DocumentCommand } from './document.js';
import { documentDecider } from './document.js';
import type { Declaration, Upload } from './document-store.js';
import { DocumentStore } from './document-store.js';

/** An upload that nobody touched for a week is given up. */
const UPLOAD_LIFE_MS = 7 * 24 * 60 * 60 * 1000;
const SWEEP_MS = 60 * 60 * 1000;
/** Files that one party may have on their way at once. */
export const MAX_UPLOADS = 100;

/** How far a file of the caller's is. */
export interface UploadProgress {
  readonly sha256: string;
  readonly size: number;
  readonly received: number;
  /** Every byte is here, and the file is recorded as the caller's. */
  readonly complete: boolean;
}

/** A step of an upload: how far it is, and the position of the event that ended it. */
export interface UploadStep {
  readonly progress: UploadProgress;
  readonly position?: bigint;
}

/**
 * Brings files in. What an uploader is told depends on its own uploads alone: that somebody else holds the same file shows nowhere,
 * not even in what has to be sent.
 */
@Injectable()
export class DocumentUploads implements OnApplicationBootstrap {
  private readonly busy = new Set<string>();
  private sweptAt = 0;

  constructor(
    private readonly store: DocumentStore,
    private readonly transactor: Transactor,
    private readonly clock: Clock,
  ) {}

  /** Finishes what a crash left between the last byte and its event, and gives up what was left lying. */
  async onApplicationBootstrap(): Promise<void> {
    // The service starts on a disk that cannot be written too: reads go on, and the sender's next attempt finishes the file.
    await unlessRefused(async () => {
      for (const upload of await this.store.uploads()) {
        if (upload.received === upload.size) await unlessRefused(() => this.finish(upload));
      }
      await this.sweep();
    });
  }

  /** @throws {Problem} 413 over the limit, 409 */
  async declare(actor: Actor, declaration: Declaration, correlationId: string): Promise<UploadStep> {
    const { sha256, size } = declaration;
    if (size > this.store.limit) {
      throw Problem.of(
        'payload-too-large',
        `A document may have ${this.store.limit} bytes at most, this one has ${size}.`,
      );
    }
    await this.sweep();
    return this.alone(actor.party, sha256, async () => {
      const held = await this.held(actor.party, sha256);
      if (held !== undefined) return held;
      const mine = (await this.store.uploads()).filter(({ party }) => party === actor.party);
      if (mine.length >= MAX_UPLOADS && !mine.some((upload) => upload.sha256 === sha256)) {
        throw Problem.of('too-many-uploads', `${MAX_UPLOADS} files of yours are on their way: finish them first.`);
      }
      const upload = await this.store.declare(actor, declaration, this.clock.now());
      return upload.received === size ? this.finish(upload, correlationId) : { progress: progressOf(upload) };
    });
  }

  /** How far the caller's own upload is; undefined where it has none, whatever others have. */
  async progress(party: string, sha256: string): Promise<UploadStep | undefined> {
    const held = await this.held(party, sha256);
    if (held !== undefined) return held;
    const upload = await this.store.upload(party, sha256);
    return upload === undefined ? undefined : { progress: progressOf(upload) };
  }

  /**
   * Takes a chunk; with the last byte the hash is checked and the file recorded. Undefined: the caller declared no such file.
   * @throws {Problem} 409 `offset-mismatch`, `hash-mismatch`, `upload-busy`; 413 beyond the declared size
   */
  append(
    { party, sha256, offset, length }: Chunk,
    bytes: Readable,
    correlationId: string,
  ): Promise<UploadStep | undefined> {
    return this.alone(party, sha256, async () => {
      const standing = await this.progress(party, sha256);
      if (standing === undefined) return undefined;
      const { received, size, complete } = standing.progress;
      if (offset !== received) throw offsetMismatch(received);
      if (length !== undefined && offset + length > size) throw tooLong(size);
      if (complete) return standing;
      const appended = await this.store.append(party, sha256, offset, bytes, this.clock.now());
      switch (appended.kind) {
        case 'absent':
          return undefined;
        case 'offset-mismatch':
          throw offsetMismatch(appended.received);
        case 'too-long':
          throw tooLong(size);
        case 'broken':
        case 'kept': {
          const upload = await this.store.upload(party, sha256);
          if (upload?.received !== size) return { progress: { ...standing.progress, received: appended.received } };
          return this.finish(upload, correlationId);
        }
      }
    });
  }

  /** Every byte is here: checks, places, records, in an order in which a crash anywhere is made good at the next start. */
  private async finish(upload: Upload, correlationId = 'start'): Promise<UploadStep> {
    const { party, sha256, size, mediaType, name, actor } = upload;
    if (!(await this.store.place(party, sha256))) {
      throw Problem.of(
        'hash-mismatch',
        'The SHA-256 of the bytes is not the one declared: nothing was kept. Declare the file again and send it anew.',
      );
    }
    const outcome = await this.transactor.transact(
      documentDecider,
      sha256,
      (by: CommandContext): DocumentCommand => ({
        type: 'StoreDocument',
        by,
        sha256,
        size,
        mediaType,
        ...(name === undefined ? {} : { name }),
      }),
      { commandId: derivedId('document', party, sha256), correlationId, causationId: null, actor },
    );
    if (outcome.kind === 'refused') throw Problem.of(outcome.rejection.code, outcome.rejection.detail);
    await this.store.forget(party, sha256);
    const progress = { sha256, size, received: size, complete: true };
    return 'position' in outcome ? { progress, position: outcome.position } : { progress };
  }

  private async held(party: string, sha256: string): Promise<UploadStep | undefined> {
    const { state } = await this.transactor.load(documentDecider, sha256);
    if (!state.holders.has(party)) return undefined;
    return { progress: { sha256, size: state.size, received: state.size, complete: true } };
  }

  private async alone<T>(party: string, sha256: string, work: () => Promise<T>): Promise<T> {
    const key = `${sha256} ${party}`;
    if (this.busy.has(key)) {
      throw Problem.of('upload-busy', 'Another chunk of this upload is being written: ask for its offset and go on.', {
        headers: { 'retry-after': '1' },
      });
    }
    this.busy.add(key);
    try {
      return await work();
    } finally {
      this.busy.delete(key);
    }
  }

  private async sweep(): Promise<void> {
    const now = this.clock.now().getTime();
    if (now - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = now;
    for (const { party, sha256, touchedAt } of await this.store.uploads()) {
      if (now - Date.parse(touchedAt) >= UPLOAD_LIFE_MS) await this.store.forget(party, sha256);
    }
  }
}

/** What a `PATCH` brings. `length` is undefined where the sender does not say. */
export interface Chunk {
  readonly party: string;
  readonly sha256: string;
  readonly offset: number;
  readonly length: number | undefined;
}

const unlessRefused = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailableError || error instanceof Problem)) throw error;
  }
};

const progressOf = ({ sha256, size, received }: Upload): UploadProgress => ({
  sha256,
  size,
  received,
  complete: false,
});

const offsetMismatch = (received: number): Problem =>
  Problem.of('offset-mismatch', `The upload stands at byte ${received}: go on from there.`, {
    headers: { 'upload-offset': String(received) },
  });

const tooLong = (size: number): Problem =>
  Problem.of('payload-too-large', `The file was declared with ${size} bytes: nothing beyond them is taken.`);
