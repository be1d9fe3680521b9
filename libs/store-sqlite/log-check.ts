import { existsSync } from 'node:fs';
import { isUuid, StoreUnavailableError } from '#kernel';
import type { Database } from '#sqlite';
import { faultOf, integrityFaults, openDatabase } from '#sqlite';
import { logPath } from './data-folder.js';
import type { CheckedRow } from './log-file.js';
import { arrays, checksumOf, LOG_SCHEMA, messageOf, storeIdOf, unavailable } from './log-file.js';

const COLUMNS = 'position, stream, revision, id, type, data, metadata, checksum';
const PAGE = 1_000;
const MAX_FAULTS = 20;

/** What a full check found. `faults` is empty for a sound log and holds at most some twenty of them. */
export interface LogReport {
  readonly storeId: string;
  readonly events: number;
  readonly streams: number;
  readonly position: bigint;
  readonly faults: readonly string[];
}

/** The part of a log that a fault usually hits: its newest events, and with `structure` the file's pages. Empty where sound. */
export const tailFaults = (database: Database, events: number, structure: boolean): string[] => {
  const faults = structure ? integrityFaults(database, 'quick') : [];
  if (faults.length > 0) return faults;
  const newest = database.prepare(`SELECT ${COLUMNS} FROM events ORDER BY position DESC LIMIT ?`);
  const check = new RowCheck();
  for (const row of (arrays(newest).all(events) as CheckedRow[]).reverse()) check.see(row);
  return check.faults;
};

/**
 * Checks a folder's whole log, also while a server writes to it: structure, indexes, schema with its guards, every row's
 * checksum and JSON, order of positions, revisions without gap from 0.
 * @throws {StoreUnavailableError} where there is no log, or too little of it to examine
 */
export const checkLog = (folder: string): LogReport => {
  const path = logPath(folder);
  if (!existsSync(path)) throw new StoreUnavailableError(`there is no log in ${folder}`);
  return checkLogFile(path);
};

/** As `checkLog`, for a log file by its path. */
export const checkLogFile = (path: string): LogReport => {
  let database: Database | undefined;
  try {
    database = openDatabase(path, { readOnly: true });
    const storeId = storeIdOf(database, path);
    return { storeId, ...examined(database) };
  } catch (error) {
    throw unavailable(error, path);
  } finally {
    database?.close();
  }
};

const examined = (database: Database): Omit<LogReport, 'storeId'> => {
  const faults = [...guarded(() => integrityFaults(database, 'full')), ...schemaFaults(database)];
  const page = arrays(database.prepare(`SELECT ${COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?`));
  const check = new RowCheck(0);
  let position = 0;
  let events = 0;
  try {
    for (let rows = page.all(position, PAGE) as CheckedRow[]; rows.length > 0;) {
      for (const row of rows) check.see(row);
      events += rows.length;
      position = rows.at(-1)?.[0] ?? position;
      rows = page.all(position, PAGE) as CheckedRow[];
    }
  } catch (error) {
    if (faultOf(error) !== 'corrupt') throw error;
    check.fault(`events after position ${position} cannot be read`);
  }
  return {
    events,
    streams: check.streams,
    position: BigInt(position),
    faults: [...faults, ...check.faults].slice(0, MAX_FAULTS),
  };
};

/** A file damaged beyond examination is a finding, not a failure of the check. */
const guarded = (faults: () => string[]): string[] => {
  try {
    return faults();
  } catch (error) {
    if (faultOf(error) !== 'corrupt') throw error;
    return [messageOf(error)];
  }
};

const schemaFaults = (database: Database): string[] => {
  const rows = arrays(database.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"));
  const found = new Map(rows.all() as [string, string][]);
  const faults: string[] = [];
  for (const [name, sql] of Object.entries(LOG_SCHEMA)) {
    if (found.get(name) !== sql) faults.push(`${name} is ${found.has(name) ? 'altered' : 'missing'} in the schema`);
    found.delete(name);
  }
  return [...faults, ...[...found.keys()].map((name) => `${name} does not belong in the schema`)];
};

/** Checks rows seen in the order of their positions; with `first`, every stream must start at that revision. */
class RowCheck {
  readonly faults: string[] = [];
  private readonly revisions = new Map<string, number>();
  private before = 0;

  constructor(private readonly first?: number) {}

  get streams(): number {
    return this.revisions.size;
  }

  see(row: CheckedRow): void {
    const [position, stream, revision, id, type, data, metadata, checksum] = row;
    const event = `event at position ${position}`;
    if (checksumOf(position, stream, revision, id, type, data, metadata) !== checksum) {
      this.fault(`${event} does not match its checksum`);
    } else if (!isJsonObject(data) || !isJsonObject(metadata) || !isUuid(id)) {
      this.fault(`${event} is not an event`);
    }
    if (position <= this.before) this.fault(`${event} stands after position ${this.before}`);
    const last = this.revisions.get(stream);
    const expected = last === undefined ? (this.first ?? revision) : last + 1;
    if (revision !== expected) this.fault(`${event} of ${stream} has revision ${revision}, not ${expected}`);
    this.revisions.set(stream, revision);
    this.before = position;
  }

  fault(message: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(message);
  }
}

const isJsonObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object';
  } catch {
    return false;
  }
};
