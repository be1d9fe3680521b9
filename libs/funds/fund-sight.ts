import type { Caller, MandateInForce } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { SqlValue } from '#kernel';
import type { Visibility } from '#vocabulary';
import type { FundTerms } from './fund.contract.js';

/** Auditors without a mandate and operators see what anyone sees; every other token belongs to a member (DOMAIN, visibility). */
const isMember = ({ anonymous, party, roles }: Caller): boolean =>
  !anonymous &&
  !party.startsWith('auditor:') &&
  (roles.length === 0 || roles.some((role) => role !== 'auditor' && role !== 'operator'));

/** True where a mandate reaches one of these parties or records; one given for sealed parts reaches its giver's records alone. */
const reaches = (
  { everything, parties, records, sealed, appointedBy }: MandateInForce,
  { owners, ids }: { readonly owners: readonly string[]; readonly ids: readonly string[] },
): boolean =>
  (everything || owners.some((party) => parties.has(party)) || ids.some((id) => records.has(id))) &&
  (!sealed || owners.includes(appointedBy));

const isMandatedFor = ({ mandates }: Caller, fund: string): boolean =>
  mandates.some((mandate) => reaches(mandate, { owners: [fund], ids: [fund] }));

/** Funds are shown to members, and to auditors whose mandate covers them. */
export const seesFund = (caller: Caller, fund: string): boolean => isMember(caller) || isMandatedFor(caller, fund);

/** True for who keeps or steers the fund: its administrator and the members of its deciding body. */
export const isInsider = (
  caller: Caller,
  { administrator, decidingBody }: Pick<FundTerms, 'administrator' | 'decidingBody'>,
): boolean => isMember(caller) && (caller.party === administrator || decidingBody.members.includes(caller.party));

/** Bookings and capacity are shown to the fund, its administrator, its deciding body, the coordinator and mandated auditors. */
export const seesBook = (
  caller: Caller,
  fund: string,
  terms: Pick<FundTerms, 'administrator' | 'decidingBody'>,
): boolean =>
  (isMember(caller) && (caller.party === fund || hasRole(caller, 'coordinator'))) ||
  isInsider(caller, terms) ||
  isMandatedFor(caller, fund);

/** What of a contribution or a call says who sees it. */
export interface FundLabel {
  readonly id: string;
  readonly fund: string;
  /** Absent: a call, which is the fund's alone. */
  readonly donor?: string;
  readonly visibility: Visibility;
}

/** Whether the caller sees a contribution or a call; `insider` as `isInsider` says of its fund. */
export const seesLabelled = (
  caller: Caller,
  { id, fund, donor = fund, visibility }: FundLabel,
  insider: boolean,
): boolean => {
  if (visibility === 'public') return true;
  if (isMember(caller)) {
    if (caller.party === fund || caller.party === donor || hasRole(caller, 'coordinator')) return true;
    if (visibility === 'members') return true;
    if (visibility !== 'sealed' && insider) return true;
  }
  return caller.mandates.some(
    (mandate) =>
      (visibility !== 'sealed' || mandate.sealed) && reaches(mandate, { owners: [fund, donor], ids: [id, fund] }),
  );
};

interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

const listOf = (values: Iterable<string>): string => JSON.stringify([...values]);

/** `seesFund` over the rows of a board. */
export const seenFunds = (caller: Caller): Condition => {
  if (isMember(caller)) return { sql: '1', parameters: [] };
  const open = ['0'];
  const parameters: SqlValue[] = [];
  for (const { everything, parties, records, sealed, appointedBy } of caller.mandates) {
    const covered = everything
      ? '1'
      : '(r.id IN (SELECT value FROM json_each(?)) OR r.id IN (SELECT value FROM json_each(?)))';
    if (!everything) parameters.push(listOf(parties), listOf(records));
    open.push(`(${covered} AND ${sealed ? 'r.id = ?' : '1'})`);
    if (sealed) parameters.push(appointedBy);
  }
  return { sql: `(${open.join(' OR ')})`, parameters };
};

/** `seesLabelled` over the rows of a board with columns fund, donor and visibility: the two are tested against each other. */
export const seenLabelled = (caller: Caller, insiderOf: readonly string[]): Condition => {
  const open = ["r.visibility = 'public'"];
  const parameters: SqlValue[] = [];
  if (isMember(caller)) {
    if (hasRole(caller, 'coordinator')) return { sql: '1', parameters: [] };
    open.push(
      "r.visibility = 'members'",
      'r.fund = ?',
      'r.donor = ?',
      "(r.visibility <> 'sealed' AND r.fund IN (SELECT value FROM json_each(?)))",
    );
    parameters.push(caller.party, caller.party, listOf(insiderOf));
  }
  for (const { everything, parties, records, sealed, appointedBy } of caller.mandates) {
    const named = ['r.fund', 'r.donor'].map((column) => `${column} IN (SELECT value FROM json_each(?))`);
    const listed = ['r.id', 'r.fund'].map((column) => `${column} IN (SELECT value FROM json_each(?))`);
    const covered = everything ? '1' : `(${[...named, ...listed].join(' OR ')})`;
    if (!everything) parameters.push(listOf(parties), listOf(parties), listOf(records), listOf(records));
    open.push(`(${covered} AND ${sealed ? '(r.fund = ? OR r.donor = ?)' : "r.visibility <> 'sealed'"})`);
    if (sealed) parameters.push(appointedBy, appointedBy);
  }
  return { sql: `(${open.join(' OR ')})`, parameters };
};

/** An application is shown to the fund, to who filed it, to the coordinator and to auditors whose mandate covers the fund or the applicant. */
export const seesApplication = (caller: Caller, fund: string, { party }: { readonly party: string }): boolean =>
  (isMember(caller) && (caller.party === fund || caller.party === party || hasRole(caller, 'coordinator'))) ||
  caller.mandates.some((mandate) => reaches(mandate, { owners: [fund, party], ids: [fund] }));
