import type { DomainEvent, Sealed } from '#kernel';
import type { PartyCategory, Power, Visibility } from '#vocabulary';
import type { SubjectEvent } from './subjects/subject.contract.js';

/** Membership of a network. Dates are inclusive UTC days; an absent `to` means until further notice. */
export interface NetworkMember {
  readonly party: string;
  readonly as: 'member' | 'associate' | 'observer';
  readonly from?: string;
  readonly to?: string;
}

/** Office and mailbox of an institution: no person. */
export interface FunctionalContact {
  readonly office?: string;
  readonly mailbox?: string;
}

/** A paper that the register keeps of a party: its statutes, the letter that names its desk. */
export interface PartyDocument {
  readonly kind: string;
  readonly title: string;
  readonly sha256: string;
  /** `public` where absent, as the register is. */
  readonly label?: Visibility;
}

/** How the holder of a designation is reached: personal data, each field sealed with the holder's key for its stream, designation and name. */
export interface SealedContact {
  readonly name?: Sealed;
  readonly mailbox?: Sealed;
  readonly telephone?: Sealed;
}

export interface PartyContent {
  readonly name: string;
  readonly category?: PartyCategory;
  /** Alpha-3 code of the State the party belongs to: parties of one sovereign are one side. */
  readonly ofState?: string;
  /** Mandatory for `authority:` parties: no view on status is taken. */
  readonly footnote?: string;
  readonly contact?: FunctionalContact;
  readonly members?: readonly NetworkMember[];
  readonly documents?: readonly PartyDocument[];
}

/** What a mandate lets an auditor read. */
export type MandateScope =
  | { readonly everything: true }
  | { readonly parties: readonly string[] }
  /** Records by id, of any kind. */
  | { readonly records: readonly string[] };

/** Stream `party-<party id>`. A State's stream may start with a designation: States need no registration. */
export type PartyEvent =
  | { readonly type: 'PartyRegistered'; readonly data: { readonly id: string } & PartyContent }
  | { readonly type: 'PartyAmended'; readonly data: Partial<PartyContent> }
  | { readonly type: 'PartyRetired'; readonly data: Record<string, never> }
  | {
      readonly type: 'DesignationRecorded';
      readonly data: {
        readonly designation: string;
        readonly office: string;
        readonly powers: readonly Power[];
        /** Opaque subject reference of the key store; never an `iss` or `sub`. */
        readonly holder: string;
        readonly authorityRef: string;
        readonly from: string;
        readonly to?: string;
      };
    }
  /** By a process where the holder was erased. */
  | { readonly type: 'DesignationRevoked'; readonly data: { readonly designation: string } }
  /** Replaces what was set before, all of it. */
  | {
      readonly type: 'ContactPointSet';
      readonly data: { readonly designation: string; readonly contact: SealedContact };
    }
  | { readonly type: 'ContactPointRemoved'; readonly data: { readonly designation: string } }
  /** In the auditor's stream. */
  | {
      readonly type: 'MandateGiven';
      readonly data: {
        readonly mandate: string;
        readonly scope: MandateScope;
        /** Opens sealed parts; only by the owner, for its own records. */
        readonly sealed: boolean;
        readonly from: string;
        readonly to?: string;
        readonly appointedBy: string;
        readonly reference: string;
      };
    }
  | { readonly type: 'MandateEnded'; readonly data: { readonly mandate: string } };

export type PartyEventType = PartyEvent['type'];
// Checked here so that a contract whose events are not domain events does not compile.
export type AnyPartyEvent = PartyEvent extends DomainEvent ? PartyEvent : never;

/** Everything that the directory writes. */
export type DirectoryEvent = PartyEvent | SubjectEvent;

export type { Caller, MandateInForce } from './caller.js';
export { ANONYMOUS, ANY_PARTY, hasRole } from './caller.js';
export { DesignationClock } from './designation-clock.js';
export { Networks } from './networks.js';
