import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { LogRecord } from './log.js';

/** Window where the client names none. */
const DEFAULT_WINDOW = 32;

/** Which records a filtered subscription wants, and after how many considered ones it is told how far it has come. */
export class Filter {
  /** @throws {SyntaxError} for a regular expression that is none */
  static of(options: ReadReq.Options.FilterOptions): Filter {
    const expression = options.getStreamIdentifier() ?? options.getEventType();
    const part: (record: LogRecord) => string = options.hasStreamIdentifier()
      ? ({ stream }) => stream
      : ({ type }) => type;
    const regex = expression?.getRegex() ?? '';
    const prefixes = expression?.getPrefixList() ?? [];
    const matches = regex === '' ? undefined : new RegExp(regex, 'u');
    return new Filter(
      (record) => matches?.test(part(record)) ?? prefixes.some((prefix) => part(record).startsWith(prefix)),
      (options.hasMax() ? options.getMax() : DEFAULT_WINDOW) * options.getCheckpointintervalmultiplier(),
    );
  }

  private constructor(
    readonly matches: (record: LogRecord) => boolean,
    readonly every: number,
  ) {}
}
