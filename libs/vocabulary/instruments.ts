import { isCodeOf } from './code-list.js';

export const INSTRUMENTS_VERSION = '1';

/** The global instruments; regional ones are `regional:<code>` from a register the coordinator keeps. */
export const INSTRUMENTS = ['ATT', 'UNPoA', 'ITI', 'firearms-protocol', 'UNSCR-1540', 'ammunition-framework'] as const;
export type GlobalInstrument = (typeof INSTRUMENTS)[number];
export const isGlobalInstrument = isCodeOf(INSTRUMENTS);

export type InstrumentCode = GlobalInstrument | `regional:${string}`;

/** What a code of an instrument may be, for messages. */
export const INSTRUMENT_WORDS = `one of ${INSTRUMENTS.join(', ')} or regional:<code>`;

const REGIONAL = /^regional:[A-Za-z0-9-]{1,40}$/;

/** True for a listed instrument or a well-formed `regional:<code>`; whether the code is registered is not judged here. */
export function isInstrument(value: unknown): value is InstrumentCode {
  return isGlobalInstrument(value) || (typeof value === 'string' && REGIONAL.test(value));
}
