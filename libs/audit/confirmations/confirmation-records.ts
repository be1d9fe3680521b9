import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { Clock } from '#kernel';
import { dateOf } from '#vocabulary';
import type { CommandAccess, PastView, RecordKind } from '#web';
import { hasAuthority, RecordKinds } from '#web';
import { speaks } from '../findings/finding.js';
import { Grounds } from '../findings/grounds.js';
import { ANSWERING_ROLES, isOfficeOf } from '../findings/owners-sight.js';
import type { ConfirmationEvent, ConfirmationLine } from './confirmation.contract.js';
import type { Confirmation, ConfirmationCommand, ConfirmationRejection, ConfirmationState } from './confirmation.js';
import { confirmationDecider, isOverdue, outcomesOf } from './confirmation.js';

/** Commands that people send, by the route they are sent to. */
export type ConfirmationRoute = 'answer' | 'close';

/** Who may ever send what. */
export const CONFIRMATION_ACCESS = {
  request: { action: 'confirmation.request', roles: ['auditor'] },
  answer: { action: 'confirmation.answer', roles: ANSWERING_ROLES },
  close: { action: 'confirmation.close', roles: ['auditor'] },
} as const satisfies Readonly<Record<ConfirmationRoute | 'request', CommandAccess>>;

const ROUTE_OF = {
  RequestConfirmation: undefined,
  PassDeadline: undefined,
  AnswerConfirmation: 'answer',
  CloseConfirmation: 'close',
} as const satisfies Readonly<Record<ConfirmationCommand['type'], ConfirmationRoute | undefined>>;

const isAuthor = (caller: Caller, { auditor }: Pick<Confirmation, 'auditor'>): boolean =>
  hasRole(caller, 'auditor') && caller.party === auditor;

const mayEver = (caller: Caller, route: ConfirmationRoute, confirmation: Confirmation): boolean =>
  route === 'close'
    ? isAuthor(caller, confirmation)
    : isOfficeOf(caller, confirmation.party) && caller.roles.some((role) => speaks(role, caller.powers));

const actionsOf = (caller: Caller, confirmation: Confirmation): readonly ConfirmationRoute[] =>
  (['answer', 'close'] as const).filter(
    (route) =>
      confirmation.status !== 'closed' &&
      hasAuthority(caller, CONFIRMATION_ACCESS[route]) &&
      mayEver(caller, route, confirmation),
  );

/** The commitments that a request is about, as findings name records. */
export const recordsOf = ({
  lines,
}: Pick<Confirmation, 'lines'>): readonly { readonly kind: 'commitment'; readonly id: string }[] =>
  [...new Set(lines.map(({ commitment }) => commitment))].map((id) => ({ kind: 'commitment', id }));

/**
 * How confirmation requests are served: to the party that is asked, and to the auditor's own party for as long as one of its mandates in
 * force covers every commitment that is asked about; to either only while it sees them all. The party is told neither the mandate nor the
 * sample, and of a request that leaves the figures to it, not those of the books.
 */
@Injectable()
export class ConfirmationRecords implements RecordKind<
  ConfirmationState,
  ConfirmationCommand,
  ConfirmationEvent,
  ConfirmationRejection
> {
  readonly decider = confirmationDecider;
  readonly path = '/v1/confirmation-requests';

  constructor(
    private readonly grounds: Grounds,
    private readonly clock: Clock,
    kinds: RecordKinds,
  ) {
    kinds.add(this);
  }

  exists({ confirmation }: ConfirmationState): boolean {
    return confirmation !== undefined;
  }

  async sees(caller: Caller, _id: string, { confirmation }: ConfirmationState): Promise<boolean> {
    if (confirmation === undefined) return false;
    const records = recordsOf(confirmation);
    const concerned =
      isOfficeOf(caller, confirmation.party) ||
      (isAuthor(caller, confirmation) && (await this.grounds.mandateOver(caller, records)) !== undefined);
    if (!concerned) return false;
    for (const record of records) if (!(await this.grounds.sees(caller, record))) return false;
    return true;
  }

  permits(caller: Caller, command: ConfirmationCommand['type'], { confirmation }: ConfirmationState): boolean {
    const route = ROUTE_OF[command];
    return confirmation !== undefined && route !== undefined && mayEver(caller, route, confirmation);
  }

  view(caller: Caller, id: string, { state: { confirmation } }: Folded<ConfirmationState>): object {
    return confirmation === undefined ? {} : this.shown(caller, id, confirmation);
  }

  /** What has fallen due is of today. */
  lookBack(caller: Caller, id: string): PastView<ConfirmationState> {
    return {
      of: async (then) =>
        then.confirmation !== undefined && (await this.sees(caller, id, then))
          ? stood(caller, id, then.confirmation)
          : null,
    };
  }

  /** The request of a board row as `GET` shows it, without `revision`. */
  shown(caller: Caller, id: string, confirmation: Confirmation): object {
    return { ...stood(caller, id, confirmation), overdue: isOverdue(confirmation, dateOf(this.clock.now())) };
  }

  maskEvent(caller: Caller, { confirmation }: ConfirmationState, { data }: RecordedEvent<ConfirmationEvent>): object {
    if (confirmation === undefined || isAuthor(caller, confirmation)) return data;
    const { mandate: _mandate, sample: _sample, ...shown } = data as Partial<Confirmation>;
    return shown.lines === undefined ? shown : { ...shown, lines: linesFor(caller, confirmation, shown.lines) };
  }
}

/** The lines as they are asked: where the party is to state its figures, without those of the books. */
const linesFor = (caller: Caller, confirmation: Confirmation, lines: readonly ConfirmationLine[]): readonly object[] =>
  confirmation.blank === true && !isAuthor(caller, confirmation)
    ? lines.map(({ books: _books, ...line }) => line)
    : lines;

const stood = (caller: Caller, id: string, confirmation: Confirmation): object => {
  const { mandate, sample, lines, answer, passed, ...rest } = confirmation;
  const isOfAuthor = isAuthor(caller, confirmation);
  const outcomes = outcomesOf(confirmation);
  return {
    id,
    ...rest,
    ...(isOfAuthor ? { mandate, ...(sample === undefined ? {} : { sample }) } : {}),
    lines: linesFor(caller, confirmation, lines).map((line, index) => {
      const { line: _line, ...said } = answer?.answers[index] ?? { line: 0 };
      return {
        line: index + 1,
        ...line,
        ...(answer === undefined ? {} : { answer: said }),
        ...(isOfAuthor ? { outcome: outcomes[index] } : {}),
      };
    }),
    answeredAt: answer?.at ?? null,
    reminded: passed.reminder === true,
    actions: actionsOf(caller, confirmation),
  };
};
