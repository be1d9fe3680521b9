import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Projection, ReadQueries, SqlRow } from '#kernel';
import { type Database, openDatabase } from '#sqlite';
import { modelFiles } from './sqlite-read-database.js';

/** The rows of a read model as they stood at one moment. */
export interface ModelRows {
  readonly rows: ReadQueries;
  close(): void;
}

/** Opens a read model of a folder for reading only, also while a service keeps it: for tools. Undefined where there is none that counts. */
export const openModelRows = (
  folder: string,
  { name, version }: Pick<Projection, 'name' | 'version'>,
): ModelRows | undefined => {
  if (!existsSync(folder)) return undefined;
  const files = modelFiles(readdirSync(folder), name).filter((file) => file.version === version);
  for (const { file } of files.sort((a, b) => b.rebuild - a.rebuild)) {
    const database = openDatabase(join(folder, file), { readOnly: true });
    // One transaction: what is written meanwhile is not seen.
    database.exec('BEGIN');
    const model = database.prepare('SELECT current FROM _model').get() as { readonly current: number } | undefined;
    if (model?.current === 1) return rowsOf(database);
    database.close();
  }
  return undefined;
};

const rowsOf = (database: Database): ModelRows => {
  const statements = new Map<string, ReturnType<Database['prepare']>>();
  const statement = (sql: string): ReturnType<Database['prepare']> => {
    const prepared = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, prepared);
    return prepared;
  };
  return {
    rows: {
      get: (sql, ...parameters) => statement(sql).get(...parameters) as SqlRow | undefined,
      all: (sql, ...parameters) => statement(sql).all(...parameters) as SqlRow[],
    },
    close: () => {
      database.close();
    },
  };
};
