import type { RecordedEvent } from './events.js';

/** Lifts the data of one event type from schema `from` to `from + 1`. */
export interface Upcaster {
  readonly type: string;
  readonly from: number;
  up(data: object): object;
}

/** Applies every upcaster that fits, one version after the other: to folds and to subscriptions alike. */
export class Upcasting {
  private readonly byType = new Map<string, Map<number, Upcaster>>();

  constructor(upcasters: readonly Upcaster[] = []) {
    for (const upcaster of upcasters) {
      const versions = this.byType.get(upcaster.type) ?? new Map<number, Upcaster>();
      if (versions.has(upcaster.from)) throw new Error(`two upcasters for ${upcaster.type} from ${upcaster.from}`);
      this.byType.set(upcaster.type, versions.set(upcaster.from, upcaster));
    }
  }

  lift(event: RecordedEvent): RecordedEvent {
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
