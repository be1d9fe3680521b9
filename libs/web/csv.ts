import { asksFor } from './accept.js';

/** Media type of a table of text (RFC 4180). */
export const CSV = 'text/csv';

/** True where `Accept` names CSV. */
export const wantsCsv = (accept: string | undefined): boolean => asksFor(accept, CSV);

/** One cell: quoted where it must be, and never read as a formula by a spreadsheet; a plain number stays one. */
const cell = (text: string): string => {
  const plain = /^-?[0-9]+(\.[0-9]+)?$/.test(text) || !/^[=+\-@\t\r]/.test(text) ? text : `'${text}`;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
};

/** A row of CSV with its line end. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;
