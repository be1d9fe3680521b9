import type { Caller } from '#directory/contract';

/**
 * Port: offers labelled `eligible` that the caller could match, mirrored from the label's meaning for needs: those that an open need of
 * its party, older than 24 hours, could draw on. Where no context provides it such offers are shown to none but their owner,
 * the parties to their commitments and mandated auditors.
 */
export abstract class EligibleOffers {
  /** Ids of offers. */
  abstract for(caller: Caller): Promise<ReadonlySet<string>>;
}

/** Port: members of networks as the directory has them; where absent, the reference table of regional organisations. */
export abstract class NetworkMemberships {
  /** Members of a network on a UTC day (`YYYY-MM-DD`). */
  abstract membersOf(
    network: string,
    on: string,
  ): readonly { readonly party: string; readonly as: 'member' | 'associate' | 'observer' }[];
  /** Ids of the networks that a party belongs to on a UTC day, but for those it only observes. */
  abstract networksOf(party: string, on: string): readonly string[];
}
