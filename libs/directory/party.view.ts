import type { RecordedEvent } from '#kernel';
import { organisationOf, stateOf, stateOfParty } from '#vocabulary';
import { hasAuthority } from '#web';
import type { CommandAccess } from '#web';
import type { Caller } from './caller.js';
import type { ShownContact } from './contact-points.js';
import { hasRole } from './caller.js';
import type { PartyContent, PartyEvent } from './party.contract.js';
import type { Designation, Mandate, PartyCommandType, PartyState } from './party.js';
import { DESIGNATING_ROLES, designationHolds, mandateHolds, OWNING_ROLES } from './party.js';

/** Who may send a command at all; where a party and the coordinator both may, the one the caller is. */
export const accessTo = (command: PartyCommandType, own: boolean): CommandAccess => {
  const action = ACTIONS[command];
  if (!own) return { action, roles: ['coordinator'] };
  return command === 'GiveMandate' || command === 'EndMandate'
    ? { action, roles: OWNING_ROLES, power: 'consent' }
    : { action, roles: DESIGNATING_ROLES, power: 'designate' };
};

const ACTIONS: Readonly<Record<PartyCommandType, string>> = {
  RegisterParty: 'party.register',
  AmendParty: 'party.amend',
  RetireParty: 'party.retire',
  RecordDesignation: 'designation.record',
  RevokeDesignation: 'designation.revoke',
  SetContactPoint: 'designation.set-contact',
  RemoveContactPoint: 'designation.remove-contact',
  GiveMandate: 'mandate.give',
  EndMandate: 'mandate.end',
};

/** Who keeps the contact point of a designation: its holder, without any power, and whoever may record the designation. */
export const contactAccess = (
  command: 'SetContactPoint' | 'RemoveContactPoint',
  caller: Caller,
  party: string,
  holder: string | undefined,
): CommandAccess =>
  caller.party === party && caller.subject === holder
    ? { action: ACTIONS[command], roles: OWNING_ROLES }
    : accessTo(command, !hasRole(caller, 'coordinator'));

/** Name of a party that nobody registered but everybody knows: a State, or an organisation of the reference table. */
export const knownName = (id: string): string | undefined =>
  stateOf(stateOfParty(id) ?? '')?.name ?? organisationOf(id)?.name;

/** The register is public; what a party is not registered for is for itself and the coordinator. */
export const seesParty = (caller: Caller, id: string, { content }: PartyState): boolean =>
  content !== undefined || knownName(id) !== undefined || caller.party === id || hasRole(caller, 'coordinator');

/** The register is public, and so are its papers, but for those with a label: `members` for whoever is one, others for the party itself. */
const documentsFor = (caller: Caller, party: string, documents: NonNullable<PartyContent['documents']>): object => ({
  documents: documents.filter(({ label = 'public' }) => {
    if (label === 'public' || hasRole(caller, 'coordinator')) return true;
    const member = caller.roles.some((role) => role !== 'auditor' && role !== 'operator');
    return !caller.anonymous && member && (label === 'members' || caller.party === party);
  }),
});

/** A party as this caller sees it. The mailbox of an office is for members. */
export const partyView = (caller: Caller, id: string, { content, retired }: PartyState): object => {
  const state = stateOfParty(id);
  const { contact, members, documents, ...fields } = content ?? { name: knownName(id) };
  const listed = members ?? organisationOf(id)?.members;
  const actions =
    content !== undefined && !retired && hasAuthority(caller, accessTo('AmendParty', false)) ? ['amend', 'retire'] : [];
  return {
    id,
    ...fields,
    ...(state === undefined ? {} : { ofState: state }),
    ...(contact === undefined || caller.anonymous ? {} : { contact }),
    ...(listed === undefined ? {} : { members: listed }),
    ...(documents === undefined ? {} : documentsFor(caller, id, documents)),
    registered: content !== undefined && !retired,
    retired,
    actions,
  };
};

/** Designations are between the party and the coordinator. */
export const seesDesignations = (caller: Caller, party: string): boolean =>
  (!caller.anonymous && caller.party === party) || hasRole(caller, 'coordinator');

/** The person's own name at the identity provider, for an opaque reference; undefined where it was erased. */
export type NameOf = (reference: string) => Promise<string | undefined>;

/** What the key store alone knows of the holders of designations. */
export interface Holders {
  readonly nameOf: NameOf;
  /** @param designation one with contact data */
  readonly contactOf: (party: string, designation: Designation) => Promise<ShownContact>;
}

export const designationView = async (
  caller: Caller,
  party: string,
  designation: Designation,
  now: string,
  holders: Holders,
): Promise<object> => {
  const { designation: id, holder, revokedAt, recordedBy, recordedAt, contact, ...fields } = designation;
  const [name, shown] = await Promise.all([
    holders.nameOf(holder),
    contact === undefined ? undefined : holders.contactOf(party, designation),
  ]);
  const own = caller.party === party;
  const mayRevoke = revokedAt === undefined && hasAuthority(caller, accessTo('RevokeDesignation', own));
  const mayKeep = (command: 'SetContactPoint' | 'RemoveContactPoint'): boolean =>
    hasAuthority(caller, contactAccess(command, caller, party, holder));
  return {
    id,
    party,
    ...fields,
    ...(name === undefined ? {} : { holder: name }),
    subject: holder,
    ...(shown === undefined ? {} : { contact: shown }),
    recordedBy,
    recordedAt,
    ...(revokedAt === undefined ? {} : { revokedAt }),
    inForce: designationHolds(designation, now),
    actions: [
      ...(mayRevoke ? ['revoke'] : []),
      ...(revokedAt === undefined && mayKeep('SetContactPoint') ? ['contact'] : []),
      ...(contact !== undefined && mayKeep('RemoveContactPoint') ? ['remove-contact'] : []),
    ],
  };
};

/** A mandate is for the auditor, the coordinator, who gave it, and the parties it is about. */
export const seesMandate = (caller: Caller, auditor: string, { appointedBy, scope }: Mandate): boolean =>
  !caller.anonymous &&
  (caller.party === auditor ||
    hasRole(caller, 'coordinator') ||
    caller.party === appointedBy ||
    ('parties' in scope && scope.parties.includes(caller.party)));

export const mandateView = (caller: Caller, auditor: string, mandate: Mandate, now: string): object => {
  const { mandate: id, endedAt, ...fields } = mandate;
  const mine = mandate.sealed ? caller.party === mandate.appointedBy : hasRole(caller, 'coordinator');
  const mayEnd = mine && endedAt === undefined && hasAuthority(caller, accessTo('EndMandate', mandate.sealed));
  return {
    id,
    auditor,
    ...fields,
    ...(endedAt === undefined ? {} : { endedAt }),
    inForce: mandateHolds(mandate, now),
    actions: mayEnd ? ['end'] : [],
  };
};

/** An event of a party's history as this caller sees it; undefined where it may not know what it says. */
export const partyEventFor = async (
  caller: Caller,
  id: string,
  state: PartyState,
  recorded: RecordedEvent<PartyEvent>,
  nameOf: NameOf,
): Promise<object | undefined> => {
  const event = { type: recorded.type, data: recorded.data } as PartyEvent;
  switch (event.type) {
    case 'PartyRegistered':
    case 'PartyAmended': {
      const { contact, documents, ...data } = event.data;
      return {
        ...data,
        ...(caller.anonymous || contact === undefined ? {} : { contact }),
        ...(documents === undefined ? {} : documentsFor(caller, id, documents)),
      };
    }
    case 'PartyRetired':
      return event.data;
    case 'DesignationRecorded': {
      if (!seesDesignations(caller, id)) return undefined;
      const { holder, ...data } = event.data;
      const name = await nameOf(holder);
      return name === undefined ? data : { ...data, holder: name };
    }
    // What is sealed stays so here, as it stands in the log.
    case 'ContactPointSet':
    case 'ContactPointRemoved':
    case 'DesignationRevoked':
      return seesDesignations(caller, id) ? event.data : undefined;
    case 'MandateGiven':
    case 'MandateEnded': {
      const mandate = state.mandates.find((each) => each.mandate === event.data.mandate);
      return mandate !== undefined && seesMandate(caller, id, mandate) ? event.data : undefined;
    }
    default:
      return undefined;
  }
};
