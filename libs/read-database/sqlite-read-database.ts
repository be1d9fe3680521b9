import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Projection, ReadDatabase, type ReadModel } from '#kernel';
import { type ModelOf, SqliteReadModel } from './sqlite-read-model.js';

/** A model's file was thrown away; the model is built again from the log. */
export interface DiscardedModel {
  readonly name: string;
  readonly version: number;
  readonly reason: string;
}

export interface SqliteReadDatabaseOptions {
  /** Identifies the log the models are built from (`EventStore.storeId`); a model of another log is discarded. */
  readonly origin?: string;
  readonly discarded?: (model: DiscardedModel) => void;
}

const COMPANIONS = ['', '-wal', '-shm', '-journal'];

/** One SQLite file per projection and version, `<folder>/<name>-v<version>.sqlite`: disposable, never worth a backup. */
export class SqliteReadDatabase extends ReadDatabase {
  private readonly opened = new Set<ReadModel>();

  constructor(
    private readonly folder: string,
    private readonly options: SqliteReadDatabaseOptions = {},
  ) {
    super();
    mkdirSync(folder, { recursive: true });
  }

  override open(projection: ModelOf): ReadModel {
    // What was being built when the process ended is built anew.
    remove(this.besidePath(projection));
    const path = this.path(projection);
    try {
      return this.openAt(path, projection);
    } catch (error) {
      if (!existsSync(path)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.options.discarded?.({ name: projection.name, version: projection.version, reason });
      remove(path);
      return this.openAt(path, projection);
    }
  }

  override openBeside(projection: ModelOf): ReadModel {
    const path = this.besidePath(projection);
    remove(path);
    return this.openAt(path, projection);
  }

  override switchTo(projection: ModelOf, current: ReadModel, built: ReadModel): ReadModel {
    this.closed(built);
    this.closed(current);
    const path = this.path(projection);
    // A write-ahead log left beside the new file would belong to the old one.
    remove(path);
    renameSync(this.besidePath(projection), path);
    this.dropOlder(projection);
    return this.openAt(path, projection);
  }

  override dropOlder({ name, version }: Pick<Projection, 'name' | 'version'>): void {
    for (const file of readdirSync(this.folder)) {
      const match = /^(.+)-v(\d+)(?:\.beside)?\.sqlite$/.exec(file);
      if (match?.[1] === name && Number(match[2]) !== version) remove(join(this.folder, file));
    }
  }

  override close(): void {
    for (const model of this.opened) model.close();
    this.opened.clear();
  }

  private closed(model: ReadModel): void {
    model.close();
    this.opened.delete(model);
  }

  private openAt(path: string, projection: ModelOf): SqliteReadModel {
    const model = SqliteReadModel.open(path, projection, this.options.origin ?? '');
    this.opened.add(model);
    return model;
  }

  private path({ name, version }: ModelOf): string {
    return join(this.folder, `${name}-v${version}.sqlite`);
  }

  private besidePath({ name, version }: ModelOf): string {
    return join(this.folder, `${name}-v${version}.beside.sqlite`);
  }
}

/** Models in memory, for tests: gone when closed. */
export class MemoryReadDatabase extends ReadDatabase {
  private readonly opened = new Set<ReadModel>();

  override open(projection: ModelOf): ReadModel {
    const model = SqliteReadModel.open(':memory:', projection, '');
    this.opened.add(model);
    return model;
  }

  override openBeside(projection: ModelOf): ReadModel {
    return this.open(projection);
  }

  override switchTo(_projection: ModelOf, current: ReadModel, built: ReadModel): ReadModel {
    current.close();
    return built;
  }

  override dropOlder(): void {
    // Every version is its own database and none outlives the process.
  }

  override close(): void {
    for (const model of this.opened) model.close();
    this.opened.clear();
  }
}

const remove = (path: string): void => {
  for (const companion of COMPANIONS) rmSync(path + companion, { force: true });
};
