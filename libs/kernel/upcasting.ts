import { categoryOfStream } from './decider.js';
import type { RecordedEvent } from './events.js';

/** Lifts the data of one event type from schema `from` to `from + 1`. */
export interface Upcaster {
  readonly type: string;
  readonly from: number;
  up(data: object): object;
}

/** Every event type, by category of stream, with the newest schema known of it: `{ need: { NeedOpened: 1, … } }`. */
export type StreamSchemas = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A stream holds an event type or schema newer than this code knows: deciding would be guessing, and so would showing. */
export class NewerEventError extends Error {
  override readonly name = 'NewerEventError';
  constructor(stream: string, type: string, schema: number) {
    super(`stream ${stream} holds ${type} in schema ${schema}, which is newer than this version knows`);
  }
}

/** Applies every upcaster that fits, one version after the other: to folds and to subscriptions alike. Knows what it cannot lift. */
export class Upcasting {
  private readonly byType = new Map<string, Map<number, Upcaster>>();
  private readonly known: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined;
  private readonly types: ReadonlySet<string>;

  /** @param known everything that this version knows; where absent no event is taken to be of a newer one */
  constructor(upcasters: readonly Upcaster[] = [], known?: StreamSchemas) {
    for (const upcaster of upcasters) {
      const versions = this.byType.get(upcaster.type) ?? new Map<number, Upcaster>();
      if (versions.has(upcaster.from)) throw new Error(`two upcasters for ${upcaster.type} from ${upcaster.from}`);
      this.byType.set(upcaster.type, versions.set(upcaster.from, upcaster));
    }
    this.known =
      known === undefined
        ? undefined
        : new Map(Object.entries(known).map(([category, types]) => [category, new Map(Object.entries(types))]));
    this.types = new Set(Object.values(known ?? {}).flatMap((types) => Object.keys(types)));
  }

  /** True where it was told everything that this version knows. */
  get knowsAll(): boolean {
    return this.known !== undefined;
  }

  /** True for an event that a newer version wrote: this one knows its type or its schema not. */
  isNewer({ stream, type, metadata }: Pick<RecordedEvent, 'stream' | 'type' | 'metadata'>): boolean {
    if (this.known === undefined) return false;
    const newest = this.known.get(categoryOfStream(stream))?.get(type);
    return newest === undefined || metadata.schema > newest;
  }

  /** True for a type that this version knows in no stream. */
  isUnknown(type: string): boolean {
    return this.knowsAll && !this.types.has(type);
  }

  /** The categories in whose streams these types occur. */
  categoriesOf(types: readonly string[]): ReadonlySet<string> {
    const found = [...(this.known ?? [])].filter(([, known]) => types.some((type) => known.has(type)));
    return new Set(found.map(([category]) => category));
  }

  /** @throws {NewerEventError} */
  lift(event: RecordedEvent): RecordedEvent {
    if (this.isNewer(event)) throw new NewerEventError(event.stream, event.type, event.metadata.schema);
    const versions = this.byType.get(event.type);
    if (versions === undefined) return event;
    let { data } = event;
    let { schema } = event.metadata;
    for (let next = versions.get(schema); next !== undefined; next = versions.get(schema)) {
      data = next.up(data);
      schema += 1;
    }
    return schema === event.metadata.schema ? event : { ...event, data, metadata: { ...event.metadata, schema } };
  }
}
