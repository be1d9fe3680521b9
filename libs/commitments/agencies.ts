import type { PartyEvent } from '#directory/contract';
import { EventStore, streamOf, Upcasting } from '#kernel';
import type { PartyCategory } from '#vocabulary';
import { Injectable } from '@nestjs/common';

export interface Agency {
  readonly category?: PartyCategory;
}

const PAGE = 500;

/** Registered agencies, read from their own streams: never behind. */
@Injectable()
export class Agencies {
  constructor(
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
  ) {}

  /** undefined where none is named, no such party is registered, or it was retired. */
  async find(party: string | undefined): Promise<Agency | undefined> {
    if (party === undefined) return undefined;
    let found: Agency | undefined;
    for (let from = 0; ; from += PAGE) {
      const page = await this.store.readStream(streamOf('party', party), from, PAGE);
      for (const event of page) found = after(found, this.upcasting.lift(event) as unknown as PartyEvent);
      if (page.length < PAGE) return found;
    }
  }
}

const after = (agency: Agency | undefined, { type, data }: PartyEvent): Agency | undefined => {
  if (type === 'PartyRetired') return undefined;
  if (type !== 'PartyRegistered' && (type !== 'PartyAmended' || agency === undefined)) return agency;
  return data.category === undefined ? (agency ?? {}) : { category: data.category };
};
