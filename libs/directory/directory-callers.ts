import type { Transactor } from '#kernel';
import { stateOfParty, sovereignOf, ROLE_POWERS } from '#vocabulary';
import type { Power } from '#vocabulary';
import type { CallerClaims } from '#web';
import { CallerDirectory } from '#web';
import type { Caller, MandateInForce } from './caller.js';
import type { Mandate, PartyState } from './party.js';
import { designationsOf, keepsDesignations, mandateHolds, mayBeParty, partyDecider } from './party.js';

/** Roles whose parties act without being registered (API, callers). */
const UNREGISTERED_ROLES: readonly string[] = ['coordinator', 'operator'];

const inForce = ({ mandate, scope, sealed, appointedBy }: Mandate): MandateInForce => ({
  mandate,
  everything: 'everything' in scope,
  parties: new Set('parties' in scope ? scope.parties : []),
  records: new Set('records' in scope ? scope.records : []),
  sealed,
  appointedBy,
});

/** The State a party belongs to, as its registration has it: parties of one sovereign are one side. */
export const sovereignOfParty = (id: string, state: PartyState): string | undefined => {
  const alpha3 = stateOfParty(id) ?? state.content?.ofState;
  return alpha3 === undefined ? undefined : sovereignOf(alpha3);
};

/** Callers as the party's own stream knows them at this moment. */
export class FoldedCallers extends CallerDirectory {
  constructor(private readonly transactor: Transactor) {
    super();
  }

  override async resolve({ party, roles, issuer, subject }: CallerClaims, at: Date, signedAt?: Date): Promise<Caller> {
    const { state } = await this.transactor.load(partyDecider, party);
    const now = at.toISOString();
    const instants = signedAt === undefined ? [now] : [now, signedAt.toISOString()];
    const claimed = new Set<Power>(roles.flatMap((role) => ROLE_POWERS[role]));
    const keeps = keepsDesignations(state);
    const designations = new Map<Power, string>();
    for (const { designation, powers } of keeps ? designationsOf(state, subject, instants) : []) {
      for (const power of powers) if (!designations.has(power)) designations.set(power, designation);
    }
    const sovereign = sovereignOfParty(party, state);
    return {
      anonymous: false,
      party,
      roles,
      issuer,
      subject,
      ...(sovereign === undefined ? {} : { sovereign }),
      registered:
        mayBeParty(state, party) || (!state.retired && roles.some((role) => UNREGISTERED_ROLES.includes(role))),
      keepsDesignations: keeps,
      // A designation narrows what the office may do, it never widens it.
      powers: keeps ? new Set([...designations.keys()].filter((power) => claimed.has(power))) : claimed,
      designations,
      mandates: roles.includes('auditor')
        ? state.mandates.filter((mandate) => mandateHolds(mandate, now)).map(inForce)
        : [],
    };
  }
}
