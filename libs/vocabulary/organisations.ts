import { firstInstant, lastInstant } from './moments.js';
import { ORGANISATION_ROWS } from './organisations.data.js';
import type { MemberRole } from './party-categories.js';

export const ORGANISATIONS_VERSION = '1';

/** One membership; a bound known to the year counts from that year's last instant, and an absent one is open. */
export interface Membership {
  /** `state:<alpha-3>`, or `authority:<slug>` for a member outside that list. */
  readonly party: string;
  readonly as: MemberRole;
  readonly from?: string;
  readonly to?: string;
}

export interface Organisation {
  /** `network:<slug>`. */
  readonly id: string;
  readonly name: string;
  readonly members: readonly Membership[];
}

type Row = readonly [party: string, as: MemberRole, from: string, to: string];

/** Regional organisations whose members we know from the reference table, by id. */
export const ORGANISATIONS: readonly Organisation[] = Object.entries<{ name: string; members: readonly Row[] }>(
  ORGANISATION_ROWS,
).map(([id, { name, members }]) => ({
  id,
  name,
  members: members.map(([party, as, from, to]) => ({
    party,
    as,
    ...(from === '' ? {} : { from }),
    ...(to === '' ? {} : { to }),
  })),
}));

const byId = new Map(ORGANISATIONS.map((organisation) => [organisation.id, organisation]));

/** The organisation of a `network:<slug>` id; undefined where the table has none. */
export function organisationOf(id: string): Organisation | undefined {
  return byId.get(id);
}

/** True when a membership holds on a UTC day: from the last instant of `from` to the last of `to`, that day included. */
export function membershipHolds({ from, to }: Pick<Membership, 'from' | 'to'>, on: string): boolean {
  const day = lastInstant(on);
  return (from === undefined || lastInstant(from) <= day) && (to === undefined || firstInstant(on) <= lastInstant(to));
}

/** The memberships that hold in an organisation on a day (`YYYY-MM-DD` or an instant); empty for an unknown one. */
export function membersOf(organisation: string, on: string): readonly Membership[] {
  return (byId.get(organisation)?.members ?? []).filter((membership) => membershipHolds(membership, on));
}

/** True when the State (alpha-3, or any party id) is in the organisation on that day; full members only unless `as` says more. */
export function isMemberOf(
  organisation: string,
  state: string,
  on: string,
  as: readonly MemberRole[] = ['member'],
): boolean {
  const party = state.includes(':') ? state : `state:${state}`;
  return membersOf(organisation, on).some((membership) => membership.party === party && as.includes(membership.as));
}

/** The organisations a State (alpha-3, or any party id) is in on that day, by id. */
export function organisationsOf(state: string, on: string, as: readonly MemberRole[] = ['member']): readonly string[] {
  return ORGANISATIONS.filter(({ id }) => isMemberOf(id, state, on, as)).map(({ id }) => id);
}
