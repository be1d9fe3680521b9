const PREFIX = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

/** The names of topics and groups under one prefix. */
export class TopicNames {
  /** @throws {RangeError} for a prefix that no topic can begin with */
  constructor(readonly prefix = 'pledgebook') {
    if (!PREFIX.test(prefix)) {
      throw new RangeError(
        `"${prefix}" is no prefix of topics: take up to 100 letters, digits, dots, dashes and underscores, a letter or digit at both ends`,
      );
    }
  }

  /** Every event of the category, as a wake-up without data: for the services alone. */
  restricted(category: string): string {
    return `${this.prefix}.${category}.restricted`;
  }

  /** Public events of the category with their data: for partners. */
  partner(category: string): string {
    return `${this.prefix}.${category}`;
  }

  get deadLetters(): string {
    return `${this.prefix}.dead-letters`;
  }

  /** The consumer group of a process. */
  group(process: string): string {
    return `${this.prefix}.${process}`;
  }

  /** `ce_source` of the events of one log. */
  source(storeId: string): string {
    return `/${this.prefix}/logs/${storeId}`;
  }

  /** `ce_type` of the message that asks a process to take up a dead stream again. */
  get replayType(): string {
    return `${this.prefix}.replay`;
  }
}

/** A category of streams and the types of its events. */
export interface Category {
  readonly name: string;
  readonly types: readonly string[];
}
