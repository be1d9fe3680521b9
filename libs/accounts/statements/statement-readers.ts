import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';

/**
 * Whether this caller reads the books of a party: the party itself, for a fund its administrator too, the coordinator, and auditors
 * whose mandate covers it. A mandate for sealed parts reaches the books of its giver alone.
 */
export const readsBooks = (caller: Caller, holder: string, administrator: string | undefined): boolean => {
  if (caller.anonymous) return false;
  const { party, mandates } = caller;
  if (hasRole(caller, 'auditor')) {
    return mandates.some(
      ({ everything, parties, sealed, appointedBy }) =>
        (everything || parties.has(holder)) && (!sealed || appointedBy === holder),
    );
  }
  if (hasRole(caller, 'coordinator')) return true;
  // A token without an office reads what members read, and nobody's books.
  return caller.roles.length > 0 && !hasRole(caller, 'operator') && (party === holder || party === administrator);
};
