import type { Database } from '#sqlite';
import { integrityFaults } from '#sqlite';
import type { EventRow } from './log-file.js';
import { arrays, checksumOf } from './log-file.js';

/** The part of a log that a fault usually hits: its newest events, and with `structure` the file's pages. Empty where sound. */
export const tailFaults = (database: Database, events: number, structure: boolean): string[] => {
  const faults = structure ? integrityFaults(database, 'quick') : [];
  if (faults.length > 0) return faults;
  const rows = arrays(
    database.prepare(
      'SELECT position, stream, revision, id, type, data, metadata, checksum FROM events ORDER BY position DESC LIMIT ?',
    ),
  ).all(events) as CheckedRow[];
  const check = new RowCheck();
  for (const row of rows.reverse()) check.see(row);
  return check.faults;
};

export type CheckedRow = readonly [...EventRow, checksum: number];

const MAX_FAULTS = 20;

/** Checks rows seen in the order of their positions. */
export class RowCheck {
  readonly faults: string[] = [];
  private readonly revisions = new Map<string, number>();

  see(row: CheckedRow): void {
    const [position, stream, revision, id, type, data, metadata, checksum] = row;
    if (checksumOf(position, stream, revision, id, type, data, metadata) !== checksum) {
      this.fault(`event at position ${position} does not match its checksum`);
    } else if (!isJsonObject(data) || !isJsonObject(metadata)) {
      this.fault(`event at position ${position} is not JSON`);
    }
    const before = this.revisions.get(stream);
    if (before !== undefined && revision !== before + 1) {
      this.fault(`event at position ${position} of ${stream} has revision ${revision}, not ${before + 1}`);
    }
    this.revisions.set(stream, revision);
  }

  private fault(message: string): void {
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
