/** Bytes of the cache, and what an entry takes beside its stream's name: by these some 120,000 ids of short streams are known. */
const CAPACITY = 8 * 1024 * 1024;
const ENTRY = 56;

/** Where an id was written: one place only, the newest. */
interface Place {
  readonly stream: string;
  readonly revision: number;
}

/** The server's memory of event ids, for appends that name no revision: bounded, and empty after a restart. */
export class KnownIds {
  private readonly places = new Map<string, Place>();
  private size = 0;

  remember(id: string, stream: string, revision: number): void {
    this.forget(id);
    this.places.set(id, { stream, revision });
    this.size += ENTRY + stream.length;
    for (const oldest of this.places.keys()) {
      if (this.size <= CAPACITY) return;
      this.forget(oldest);
    }
  }

  /** Revision at which this stream holds the id, as far as is remembered. */
  revisionOf(id: string, stream: string): number | undefined {
    const place = this.places.get(id);
    return place?.stream === stream ? place.revision : undefined;
  }

  private forget(id: string): void {
    const place = this.places.get(id);
    if (place === undefined) return;
    this.places.delete(id);
    this.size -= ENTRY + place.stream.length;
  }
}
