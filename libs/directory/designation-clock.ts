import type { Transactor } from '#kernel';
import { partyDecider, standstillMs } from './party.js';

/** How long nobody could act for a party, though it keeps designations: as its own stream has it, never behind. */
export class DesignationClock {
  constructor(private readonly transactor: Transactor) {}

  /** Milliseconds of that between two RFC 3339 instants. */
  async standstillMs(party: string, from: string, to: string): Promise<number> {
    return standstillMs((await this.transactor.load(partyDecider, party)).state, from, to);
  }
}
