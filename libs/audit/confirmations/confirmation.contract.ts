import type { ConfirmationAnswer, ConfirmationClosing, ConfirmedFigure, Quantity } from '#vocabulary';

/** One figure of the books that a party is asked about; lines count from 1. */
export interface ConfirmationLine {
  readonly commitment: string;
  readonly figure: ConfirmedFigure;
  /** Number of the leg, transfer or delivery within the commitment. */
  readonly n: number;
  /** What the books said when it was asked. */
  readonly books: Quantity;
}

/** What the party says to one line. */
export interface LineAnswer {
  readonly line: number;
  readonly says: ConfirmationAnswer;
  /** Its own figure. */
  readonly figure?: Quantity;
  readonly note?: string;
}

/** What the timer has to tell: that the day comes near, or that it is over. */
export type ConfirmationDeadline = 'reminder' | 'due';

/** Stream `confirmation-<uuid>`. Days are inclusive, UTC. `mandate`: the audit mandate under which the auditor acts. */
export type ConfirmationEvent =
  | {
      readonly type: 'ConfirmationRequested';
      readonly data: {
        readonly auditor: string;
        readonly mandate: string;
        /** Who is asked. */
        readonly party: string;
        readonly lines: readonly ConfirmationLine[];
        /** The party states its figures without being shown those of the books. */
        readonly blank?: true;
        /** The sample whose items are asked about. */
        readonly sample?: string;
        readonly note?: string;
        readonly due: string;
      };
    }
  | {
      readonly type: 'ConfirmationAnswered';
      readonly data: { readonly party: string; readonly answers: readonly LineAnswer[] };
    }
  /** By the timer, a week before the day. */
  | { readonly type: 'ConfirmationReminded'; readonly data: { readonly due: string } }
  /** By the timer: the day passed without an answer. */
  | { readonly type: 'ConfirmationFellOverdue'; readonly data: { readonly due: string } }
  | {
      readonly type: 'ConfirmationClosed';
      readonly data: {
        readonly as: ConfirmationClosing;
        readonly auditor: string;
        readonly mandate: string;
        /** What was examined instead of an answer, or upon one that differs. */
        readonly procedure?: string;
        readonly reason?: string;
      };
    };
