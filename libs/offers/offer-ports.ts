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

/** Port: full members of networks as the directory has them; where absent, the reference table of regional organisations. */
export abstract class NetworkMemberships {
  /** Networks that `party` is a member of at a moment (RFC 3339 UTC). */
  abstract networksOf(party: string, at: string): readonly string[];
  /** Party ids of the members at a moment. */
  abstract membersOf(network: string, at: string): readonly string[];
}
