import type { Actor } from '#kernel';
import type { Caller } from '#directory/contract';
import type { Role } from '#vocabulary';
import { ROLE_POWERS } from '#vocabulary';
import { forbidden, Problem } from './problem.js';
import type { CommandAccess } from './record-kind.js';

export type Asked = Pick<CommandAccess, 'action' | 'power'> & { readonly roles?: readonly Role[] };

/**
 * Whether this caller may ever do this: role, registration, power. Said before any record is read.
 * @throws {Problem} 403 `forbidden` or `party-not-registered`
 */
export const requireAuthority = (caller: Caller, asked: Asked): void => {
  if (asked.roles === undefined) return;
  const role = roleFor(caller, asked);
  if (role === undefined) {
    throw forbidden(
      `${asked.action} is done by ${asked.roles.join(', ')}; your token says ${caller.roles.join(', ') || 'no role'}.`,
    );
  }
  if (!caller.registered) {
    throw Problem.of(
      'party-not-registered',
      `${caller.party} is not registered (or has been retired): ask the coordinator to register it.`,
    );
  }
  if (!mayAct(caller, role, asked)) {
    throw forbidden(
      asked.power === undefined
        ? `${caller.party} keeps designations, and you hold none that is in force.`
        : `${asked.action} needs the power "${asked.power}", which ${caller.keepsDesignations ? 'no designation of yours in force gives' : `the role ${role} does not give`}.`,
    );
  }
};

/** True where `requireAuthority` would let the caller pass: what `actions` in a view starts from. */
export const hasAuthority = (caller: Caller, asked: Asked): boolean => {
  if (asked.roles === undefined) return true;
  const role = roleFor(caller, asked);
  return role !== undefined && caller.registered && mayAct(caller, role, asked);
};

/** Who acts, as events name it. Call after `requireAuthority`. */
export const actorOf = (caller: Caller, asked: Asked): Actor => {
  const role = roleFor(caller, asked);
  if (role === undefined) throw forbidden(`${asked.action} is not yours to do.`);
  const designation =
    asked.power === undefined ? caller.designations.values().next().value : caller.designations.get(asked.power);
  return {
    party: caller.party,
    role,
    subject: caller.subject,
    designation: caller.keepsDesignations && designation !== undefined ? designation : 'role-claim',
    ...(caller.sovereign === undefined ? {} : { sovereign: caller.sovereign }),
  };
};

// The role that allows it: where several do, one whose own powers hold the power asked for.
const roleFor = (caller: Caller, { roles = [], power }: Asked): Role | undefined => {
  const fitting = caller.roles.filter((role) => roles.includes(role));
  return fitting.find((role) => power === undefined || ROLE_POWERS[role].includes(power)) ?? fitting[0];
};

const mayAct = (caller: Caller, role: Role, { power }: Asked): boolean => {
  if (power !== undefined) return caller.powers.has(power);
  // Hosting staff are nobody's designation; every other role of a party that designates rests on one.
  return !caller.keepsDesignations || role === 'operator' || caller.designations.size > 0;
};
