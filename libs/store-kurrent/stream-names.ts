import { InvalidAppendError } from '#kernel';

const PREFIX = /^[A-Za-z0-9]+$/;

/** How this log's streams are called on the server, where several logs may live. */
export class StreamNames {
  private readonly lead: string;

  /** @throws {RangeError} for a prefix that is not letters and digits */
  constructor(prefix?: string) {
    if (prefix !== undefined && !PREFIX.test(prefix)) {
      throw new RangeError(`a prefix of streams is letters and digits, not "${prefix}"`);
    }
    this.lead = prefix === undefined ? '' : `${prefix}.`;
  }

  /** Selects this log's domain streams on the server: its own, but neither technical ones nor the server's. */
  get domainRegex(): string {
    return this.lead === '' ? '^[^_$]' : `^${this.lead.replace('.', '\\.')}[^_]`;
  }

  /** @throws {InvalidAppendError} for a name that the server keeps for itself */
  stored(stream: string): string {
    if (this.lead === '' && stream.startsWith('$')) {
      throw new InvalidAppendError(`the stream ${stream} would be one of the server's own: call it otherwise`);
    }
    return this.lead + stream;
  }

  /** The name within this log; undefined for a stream of another log or of the server. */
  own(stored: string): string | undefined {
    if (!stored.startsWith(this.lead) || (this.lead === '' && stored.startsWith('$'))) return undefined;
    return stored.slice(this.lead.length);
  }

  /** As `own`, for domain streams alone. */
  ownDomain(stored: string): string | undefined {
    const own = this.own(stored);
    return own?.startsWith('_') === false ? own : undefined;
  }
}
