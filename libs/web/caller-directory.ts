import type { Caller } from '#directory/contract';
import type { Role } from '#vocabulary';

/** What a verified token says, with the person already turned into an opaque reference. */
export interface CallerClaims {
  /** A well-formed party id. */
  readonly party: string;
  /** Known roles that fit the party's kind. */
  readonly roles: readonly Role[];
  /** `iss` of the token: scope of idempotency keys. Never logged, never in events. */
  readonly issuer: string;
  /** Reference from the subject register; never `sub`. */
  readonly subject: string;
}

/** Port: who a caller is to the directory. Implemented by the directory context; never behind. */
export abstract class CallerDirectory {
  /**
   * The caller with registration, powers, designations and mandates in force at `at` (now) and, where `signedAt` is given (an
   * `Effective-At` of the past), also then: I5 asks for a designation valid when signed and when recorded.
   */
  abstract resolve(claims: CallerClaims, at: Date, signedAt?: Date): Promise<Caller>;
}
