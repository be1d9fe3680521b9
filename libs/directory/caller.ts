import type { Power, Role } from '#vocabulary';

/** A mandate in force now for the auditor who calls. */
export interface MandateInForce {
  readonly mandate: string;
  readonly everything: boolean;
  readonly parties: ReadonlySet<string>;
  readonly records: ReadonlySet<string>;
  /** The mandate opens sealed parts of the appointing owner's records. */
  readonly sealed: boolean;
  readonly appointedBy: string;
}

/** Who asks, as every rule of access sees it. The anonymous public reader has neither party nor roles. */
export interface Caller {
  readonly anonymous: boolean;
  /** Party id; empty for the anonymous reader. */
  readonly party: string;
  readonly roles: readonly Role[];
  /** `iss` of the token; scope of idempotency keys. Never logged, never in events. */
  readonly issuer: string;
  /** Opaque reference of the person; never `sub`. */
  readonly subject: string;
  /** Alpha-3 code of the State the party belongs to. */
  readonly sovereign?: string;
  /** States, coordinators and operators need none; for others whether the directory holds the party, not retired. */
  readonly registered: boolean;
  /** True once the party has recorded designations: then only its designated subjects act. */
  readonly keepsDesignations: boolean;
  /** What this person may do for the party now: by designation, or by role while the party keeps none. */
  readonly powers: ReadonlySet<Power>;
  /** The designations of this person in force now, by power. */
  readonly designations: ReadonlyMap<Power, string>;
  readonly mandates: readonly MandateInForce[];
}

export const ANONYMOUS: Caller = {
  anonymous: true,
  party: '',
  roles: [],
  issuer: '',
  subject: '',
  registered: false,
  keepsDesignations: false,
  powers: new Set(),
  designations: new Map(),
  mandates: [],
};

/** A party that has no part in anything: what it sees, every party sees. */
export const ANY_PARTY: Caller = {
  ...ANONYMOUS,
  anonymous: false,
  party: 'agency:any-party-at-all',
  roles: ['implementer'],
  registered: true,
};

export const hasRole = (caller: Caller, ...roles: readonly Role[]): boolean =>
  caller.roles.some((role) => roles.includes(role));
