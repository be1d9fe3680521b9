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
