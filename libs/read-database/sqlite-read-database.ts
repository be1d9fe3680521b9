import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, type Projection, ReadDatabase, type ReadModel } from '#kernel';
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

const COMPANIONS = ['', '-wal', '-shm'];

/**
 * One SQLite file per projection and version, `<folder>/<name>-v<version>.sqlite`, with `.r<n>` after the n-th rebuild: disposable,
 * never worth a backup.
 */
export class SqliteReadDatabase extends ReadDatabase {
  private readonly opened = new Map<ReadModel, string>();

  constructor(
    private readonly folder: string,
    private readonly options: SqliteReadDatabaseOptions = {},
  ) {
    super();
    mkdirSync(folder, { recursive: true });
  }

  override open(projection: ModelOf): ReadModel {
    const files = this.filesOf(projection).filter(({ version }) => version === projection.version);
    let current: ReadModel | undefined;
    for (const { path } of files.sort((a, b) => b.rebuild - a.rebuild)) {
      current ??= this.currentIn(path, projection);
      // Older builds, and what was being built when the process ended.
      if (current === undefined || this.opened.get(current) !== path) remove(path);
    }
    return current ?? this.openAt(this.path(projection, 0), projection, false);
  }

  override openBeside(projection: ModelOf): ReadModel {
    const rebuilds = this.filesOf(projection).map(({ rebuild }) => rebuild);
    return this.openAt(this.path(projection, Math.max(0, ...rebuilds) + 1), projection, true);
  }

  /** The built model takes over as it is: the switch is one committed flag, then the other file goes. */
  override switchTo(projection: ModelOf, current: ReadModel, built: ReadModel): ReadModel {
    if (built instanceof SqliteReadModel) built.promote();
    this.discard(current);
    this.dropOlder(projection);
    return built;
  }

  override dropOlder({ name, version }: Pick<Projection, 'name' | 'version'>): void {
    for (const file of this.filesOf({ name })) if (file.version !== version) remove(file.path);
  }

  override close(): void {
    for (const model of this.opened.keys()) model.close();
    this.opened.clear();
  }

  private currentIn(path: string, projection: ModelOf): ReadModel | undefined {
    try {
      const model = this.openAt(path, projection, true);
      if (model.isCurrent) return model;
      this.discard(model);
    } catch (error) {
      this.options.discarded?.({ name: projection.name, version: projection.version, reason: messageOf(error) });
    }
    return undefined;
  }

  private openAt(path: string, projection: ModelOf, beside: boolean): SqliteReadModel {
    const model = SqliteReadModel.open(path, projection, this.options.origin ?? '', beside);
    this.opened.set(model, path);
    return model;
  }

  private discard(model: ReadModel): void {
    const path = this.opened.get(model);
    model.close();
    this.opened.delete(model);
    if (path !== undefined) remove(path);
  }

  private filesOf({
    name,
  }: Pick<Projection, 'name'>): { readonly path: string; readonly version: number; readonly rebuild: number }[] {
    return modelFiles(readdirSync(this.folder), name).map(({ file, ...of }) => ({
      path: join(this.folder, file),
      ...of,
    }));
  }

  private path({ name, version }: ModelOf, rebuild: number): string {
    return join(this.folder, `${name}-v${version}${rebuild === 0 ? '' : `.r${rebuild}`}.sqlite`);
  }
}

/** Which of a folder's files are models of this name, of which version and after how many rebuilds. */
export const modelFiles = (
  files: readonly string[],
  name: string,
): { readonly file: string; readonly version: number; readonly rebuild: number }[] =>
  files.flatMap((file) => {
    const match = /^(.+)-v(\d+)(?:\.r(\d+))?\.sqlite$/.exec(file);
    return match?.[1] === name ? [{ file, version: Number(match[2]), rebuild: Number(match[3] ?? 0) }] : [];
  });

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
