import type { NetworkMember } from './party.contract.js';

/** True for full and associate members; observers are not of the network. */
export const counts = ({ as }: Pick<NetworkMember, 'as'>): boolean => as !== 'observer';

/** Memberships of regional networks on a day: what parties registered, else the reference table of organisations. */
export abstract class Networks {
  /** Members of a network on a UTC day (`YYYY-MM-DD`); empty for an unknown one. */
  abstract membersOf(network: string, on: string): readonly NetworkMember[];
  /** Parties that count as of the network on a UTC day: full and associate members, not observers. */
  countedMembers(network: string, on: string): readonly string[] {
    return this.membersOf(network, on)
      .filter(counts)
      .map(({ party }) => party);
  }
  /** Ids of the networks that a party is a full or associate member of on a UTC day. */
  abstract networksOf(party: string, on: string): readonly string[];
}
