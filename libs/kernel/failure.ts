import { StoreUnavailableError, WrongRevisionError } from './event-store.js';
import { UnansweredRefusalError } from './process.js';
import { ReadModelUnavailableError } from './projection.js';
import { ContentionError } from './transact.js';
import { NewerEventError } from './upcasting.js';

/** Errors whose text is made here, of names and numbers alone. */
const OWN = [
  StoreUnavailableError,
  WrongRevisionError,
  ContentionError,
  NewerEventError,
  UnansweredRefusalError,
  ReadModelUnavailableError,
];
const CODE = /^[A-Za-z0-9_-]{1,60}$/;

/**
 * An error as status, logs and operators may see it: its class, with its code where it has one. Never its text, unless the kernel
 * wrote it: the text of any other error may quote what it broke on (`"Ammunition st"... is not valid JSON`), and that may be sealed.
 */
export const failureOf = (error: unknown): string => {
  if (OWN.some((kind) => error instanceof kind)) return (error as Error).message;
  if (typeof error !== 'object' || error === null) return typeof error;
  const name = 'name' in error && CODE.test(String(error.name)) ? String(error.name) : 'Error';
  return 'code' in error && CODE.test(String(error.code)) ? `${name} ${String(error.code)}` : name;
};

/** Where in the code an error arose: the frames of its stack without its text. */
export const framesOf = (error: unknown, count = 4): readonly string[] => {
  const { stack, message } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Error>;
  if (typeof stack !== 'string' || typeof message !== 'string') return [];
  const text = stack.indexOf(message);
  // Where the text was changed after the stack was taken nothing tells them apart.
  if (text === -1) return [];
  const frames = stack.slice(text + message.length).split('\n');
  return frames
    .filter((line) => line.startsWith('    at '))
    .map((line) => line.trim())
    .slice(0, count);
};
