import type { PartyEvent } from '#directory/contract';
import { EventStore, streamOf, Upcasting } from '#kernel';
import { Injectable } from '@nestjs/common';

const PAGE = 500;

/** Which parties the directory holds, read from their own streams: never behind. States need no registration. */
@Injectable()
export class RegisteredParties {
  constructor(
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
  ) {}

  /** Those of the parties that are not registered, or were retired. */
  async missing(parties: readonly string[]): Promise<readonly string[]> {
    const held = await Promise.all(parties.map((party) => this.holds(party)));
    return parties.filter((_, index) => held[index] !== true);
  }

  private async holds(party: string): Promise<boolean> {
    if (party.startsWith('state:')) return true;
    let held = false;
    for (let from = 0; ; from += PAGE) {
      const page = await this.store.readStream(streamOf('party', party), from, PAGE);
      for (const event of page) {
        const { type } = this.upcasting.lift(event) as unknown as PartyEvent;
        if (type === 'PartyRegistered') held = true;
        if (type === 'PartyRetired') held = false;
      }
      if (page.length < PAGE) return held;
    }
  }
}
