import type { AuditedKind, FindingClosing, FindingResponse, FindingSeverity } from '#vocabulary';

/** A record that a finding is about. */
export interface AuditedRecord {
  readonly kind: AuditedKind;
  readonly id: string;
}

/** An event that a finding rests on, and where it stands: a revision is the same in every store that the log is moved to. */
export interface FindingGround extends AuditedRecord {
  readonly eventId: string;
  readonly revision: number;
}

/** What an auditor says. The elements of a finding (criteria, condition, cause, effect) as auditors' standards name them; `text` is the condition. */
export interface FindingContent {
  readonly severity: FindingSeverity;
  readonly title: string;
  readonly text: string;
  /** What should have been. */
  readonly criteria?: string;
  readonly cause?: string;
  readonly effect?: string;
  readonly recommendation: string;
}

/** What the owner will do, and by which day. */
export interface PlannedAction {
  readonly text: string;
  readonly by: string;
}

/** A paper that shows that something was done. */
export interface FindingEvidence {
  readonly title: string;
  readonly uri?: string;
  readonly sha256: string;
}

/** What the owner owes: its answer, or what it was asked to do. */
export type OwedOnFinding = 'answer' | 'implementation';

/** Stream `finding-<uuid>`. Days are inclusive, UTC. `mandate`: the audit mandate under which the auditor acts. */
export type FindingEvent =
  | {
      readonly type: 'FindingWritten';
      readonly data: {
        readonly auditor: string;
        readonly mandate: string;
        /** The party that must answer. */
        readonly owner: string;
        readonly records: readonly AuditedRecord[];
        readonly events: readonly FindingGround[];
        readonly content: FindingContent;
        readonly answerBy: string;
        /** When what is recommended is to be done. */
        readonly due: string;
      };
    }
  | {
      readonly type: 'FindingAmended';
      readonly data: {
        readonly mandate: string;
        readonly changes: Partial<FindingContent>;
        readonly answerBy?: string;
        readonly due?: string;
        readonly reason: string;
      };
    }
  | {
      readonly type: 'FindingAnswered';
      readonly data: {
        readonly party: string;
        readonly response: FindingResponse;
        readonly text: string;
        readonly action?: PlannedAction;
        /** The owner does not do what is recommended, and bears what may come of it. */
        readonly acceptsRisk?: true;
      };
    }
  | {
      readonly type: 'ImplementationClaimed';
      readonly data: {
        readonly party: string;
        readonly text: string;
        readonly evidence: readonly FindingEvidence[];
      };
    }
  | {
      readonly type: 'ImplementationVerified';
      readonly data: {
        readonly auditor: string;
        readonly mandate: string;
        /** What was examined, and what was found. */
        readonly note: string;
      };
    }
  | {
      readonly type: 'ImplementationRejected';
      readonly data: {
        readonly auditor: string;
        readonly mandate: string;
        readonly note: string;
        readonly due?: string;
      };
    }
  | {
      readonly type: 'FindingClosed';
      readonly data: {
        readonly as: FindingClosing;
        readonly auditor: string;
        readonly mandate: string;
        readonly reason?: string;
      };
    }
  /** By the timer: a day passed without what the owner owed. */
  | {
      readonly type: 'FindingFellOverdue';
      readonly data: { readonly owed: OwedOnFinding; readonly due: string };
    };
