import type { Fault } from '#vocabulary';

/** A class-validator message is one text per check: several faults with paths travel in it, in letters that the library leaves alone. */
export const faultMessage = (faults: readonly Fault[]): string =>
  MARK + Buffer.from(JSON.stringify(faults)).toString('base64url');

const MARK = 'faults:';

/** The faults in a message of `faultMessage`; any other message is one fault of the value itself. */
export const faultsIn = (message: string): readonly Fault[] =>
  message.startsWith(MARK)
    ? (JSON.parse(Buffer.from(message.slice(MARK.length), 'base64url').toString()) as readonly Fault[])
    : [{ path: '', message }];
