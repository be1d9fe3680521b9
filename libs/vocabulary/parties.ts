import { isState } from './states.js';

export const PARTY_KINDS = ['state', 'authority', 'donor', 'fund', 'agency', 'network', 'auditor'] as const;
export type PartyKind = (typeof PARTY_KINDS)[number];

/** A party's id: `state:<alpha-3>` or `<kind>:<slug>`. Secretariats are agencies: a coordinator acts for `agency:<slug>`. */
export type PartyId = `${PartyKind}:${string}`;

const SLUGGED = /^(authority|donor|fund|agency|network|auditor):[a-z0-9][a-z0-9-]{0,62}$/;

/** True for a well-formed party id; a State must be on the ISO 3166-1 list. Whether it is registered is not judged here. */
export function isPartyId(value: unknown): value is PartyId {
  if (typeof value !== 'string') return false;
  return value.startsWith('state:') ? isState(value.slice('state:'.length)) : SLUGGED.test(value);
}

/** What is wrong with a party id, naming the fix; undefined when it is fine. */
export function partyFault(value: unknown, kinds: readonly PartyKind[] = PARTY_KINDS): string | undefined {
  const forms = kinds.map((kind) => (kind === 'state' ? 'state:<ISO alpha-3>' : `${kind}:<slug>`)).join(', ');
  return isPartyId(value) && kinds.includes(partyKind(value)) ? undefined : `must be a party id: ${forms}`;
}

/** The kind of a well-formed party id. */
export function partyKind(id: PartyId): PartyKind {
  return id.slice(0, id.indexOf(':')) as PartyKind;
}

/** The alpha-3 code of a `state:` party; undefined for others, whose sovereign is their registration's `ofState`. */
export function stateOfParty(id: string): string | undefined {
  return id.startsWith('state:') ? id.slice('state:'.length) : undefined;
}

/** The party id of a State. */
export function stateParty(alpha3: string): PartyId {
  return `state:${alpha3}`;
}
