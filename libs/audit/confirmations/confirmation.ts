import type { CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_TIMER } from '#kernel';
import type { ConfirmationClosing, Quantity, Role } from '#vocabulary';
import { addDays, compare, dateOf, isRole, periodEnd, ROLE_POWERS, sameMeasure } from '#vocabulary';
import { speaks } from '../findings/finding.js';
import type { ConfirmationDeadline, ConfirmationEvent, ConfirmationLine, LineAnswer } from './confirmation.contract.js';

export type ConfirmationRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-requested'
  | 'dates-do-not-fit'
  | 'nothing-to-confirm'
  | 'answers-do-not-fit'
  | 'figure-does-not-fit'
  | 'confirmation-closed'
  | 'not-confirmed'
  | 'answer-awaited'
  | 'not-due';
export type ConfirmationRejection = Rejection<ConfirmationRejectionCode>;

type DataOf<T extends ConfirmationEvent['type']> = Extract<ConfirmationEvent, { type: T }>['data'];

/** What is asked of a party. */
export type NewConfirmation = Omit<DataOf<'ConfirmationRequested'>, 'auditor'>;

export type ConfirmationCommand =
  | { readonly type: 'RequestConfirmation'; readonly by: CommandContext; readonly request: NewConfirmation }
  | { readonly type: 'AnswerConfirmation'; readonly by: CommandContext; readonly answers: readonly LineAnswer[] }
  | ({ readonly type: 'CloseConfirmation'; readonly by: CommandContext } & Omit<
      DataOf<'ConfirmationClosed'>,
      'auditor'
    >)
  /** By the timer. */
  | { readonly type: 'PassDeadline'; readonly by: CommandContext; readonly deadline: ConfirmationDeadline };

export const CONFIRMATION_STATUSES = ['open', 'answered', 'closed'] as const;
/** `open`: the party has not answered. */
export type ConfirmationStatus = (typeof CONFIRMATION_STATUSES)[number];

export type Confirmation = DataOf<'ConfirmationRequested'> & {
  readonly requestedAt: string;
  readonly status: ConfirmationStatus;
  /** The answer that stands. */
  readonly answer?: { readonly answers: readonly LineAnswer[]; readonly at: string };
  readonly closing?: {
    readonly as: ConfirmationClosing;
    readonly procedure?: string;
    readonly reason?: string;
    readonly at: string;
  };
  /** What the timer has told. */
  readonly passed: Readonly<Partial<Record<ConfirmationDeadline, true>>>;
};

export interface ConfirmationState {
  readonly confirmation?: Confirmation;
}

/** A party is reminded this many days before its answer is due, where it was asked earlier than that. */
const REMINDER_DAYS = 7;

/** Lines that one request has room for. */
export const MOST_LINES = 200;

/** What a line came to. An `exception` is a figure that differs from the books (ISA 505.6); silence confirms nothing. */
export type LineOutcome = 'confirmed' | 'exception' | 'no-record' | 'unanswered';

const isAs = (figure: Quantity, books: Quantity): boolean => sameMeasure(figure, books) && compare(figure, books) === 0;

/** What each line came to, in the order of the lines. Pure. */
export const outcomesOf = ({ lines, answer }: Pick<Confirmation, 'lines' | 'answer'>): readonly LineOutcome[] =>
  lines.map((line, index) => {
    const given = answer?.answers.find((each) => each.line === index + 1);
    if (given === undefined) return 'unanswered';
    if (given.says === 'agrees') return 'confirmed';
    if (given.says === 'no-record') return 'no-record';
    return given.figure !== undefined && isAs(given.figure, line.books) ? 'confirmed' : 'exception';
  });

const reminderDay = (due: string): string => addDays(due, -REMINDER_DAYS);

/** The next deadline that the timer has to tell, and the day whose end it is; undefined where there is none. */
export const nextToTell = ({
  status,
  due,
  requestedAt,
  passed,
}: Confirmation): { readonly deadline: ConfirmationDeadline; readonly day: string } | undefined => {
  if (status !== 'open' || passed.due === true) return undefined;
  const day = reminderDay(due);
  return passed.reminder === true || day <= dateOf(requestedAt)
    ? { deadline: 'due', day: due }
    : { deadline: 'reminder', day };
};

/** Whether an answer is owed past its day. */
export const isOverdue = ({ status, due }: Confirmation, today: string): boolean => status === 'open' && due < today;

const request = (
  { by, request: asked }: Extract<ConfirmationCommand, { type: 'RequestConfirmation' }>,
  known: Confirmation | undefined,
): Decision<ConfirmationEvent, ConfirmationRejection> => {
  if (by.actor.role !== 'auditor' || by.actor.party === asked.party) {
    return refuse('forbidden', 'A confirmation is requested by an auditor, of another party.');
  }
  const data = { auditor: by.actor.party, ...asked };
  if (known !== undefined) {
    const { requestedAt: _at, status: _status, answer: _answer, closing: _closing, passed: _passed, ...sent } = known;
    return canonicalJson(sent) === canonicalJson(data)
      ? accept()
      : refuse('already-requested', 'This confirmation was requested otherwise: ask the other under a new id.');
  }
  if (asked.lines.length === 0) {
    return refuse('nothing-to-confirm', 'The books have no such figure of which the party is shown anything.');
  }
  const today = dateOf(by.at);
  return asked.due < today
    ? refuse('dates-do-not-fit', `due has passed: name today (${today}) or a later day.`, 'due')
    : accept<ConfirmationEvent>({ type: 'ConfirmationRequested', data });
};

/** What is wrong with the answer to one line; undefined where it fits. */
const misfit = (
  { blank }: Confirmation,
  { books }: ConfirmationLine,
  { line, says, figure }: LineAnswer,
): Decision<never, ConfirmationRejection> | undefined => {
  const fits = says === 'no-record' || (says === 'states') === (blank === true);
  if (!fits) {
    const forms = blank === true ? 'states or no-record' : 'agrees, disagrees or no-record';
    return refuse('answers-do-not-fit', `Line ${line} is answered by ${forms}.`, 'answers');
  }
  if (figure === undefined) return undefined;
  if (!sameMeasure(figure, books)) {
    return refuse(
      'figure-does-not-fit',
      `The figure of line ${line} is of another measure than the one asked.`,
      'answers',
    );
  }
  return says === 'disagrees' && isAs(figure, books)
    ? refuse('figure-does-not-fit', `The figure of line ${line} is that of the books: say agrees.`, 'answers')
    : undefined;
};

const answer = (
  { answers }: Extract<ConfirmationCommand, { type: 'AnswerConfirmation' }>,
  confirmation: Confirmation,
): Decision<ConfirmationEvent, ConfirmationRejection> => {
  const { party, lines, answer: standing } = confirmation;
  const inOrder = [...answers].sort((a, b) => a.line - b.line);
  if (inOrder.length !== lines.length || inOrder.some(({ line }, index) => line !== index + 1)) {
    return refuse('answers-do-not-fit', `Answer each of the lines 1 to ${lines.length} once.`, 'answers');
  }
  const [refusal] = lines.flatMap((line, index) =>
    inOrder.slice(index, index + 1).flatMap((given) => misfit(confirmation, line, given) ?? []),
  );
  if (refusal !== undefined) return refusal;
  return standing !== undefined && canonicalJson(standing.answers) === canonicalJson(inOrder)
    ? accept()
    : accept<ConfirmationEvent>({ type: 'ConfirmationAnswered', data: { party, answers: inOrder } });
};

const close = (
  { by, as, mandate, procedure, reason }: Extract<ConfirmationCommand, { type: 'CloseConfirmation' }>,
  confirmation: Confirmation,
): Decision<ConfirmationEvent, ConfirmationRejection> => {
  if (as === 'confirmed' && outcomesOf(confirmation).some((outcome) => outcome !== 'confirmed')) {
    return refuse(
      'not-confirmed',
      'Not every line is confirmed: close with alternative-procedure, saying what was examined instead.',
    );
  }
  if (as === 'alternative-procedure' && confirmation.status === 'open' && periodEnd(confirmation.due) > by.at) {
    return refuse(
      'answer-awaited',
      `The party has until ${confirmation.due} to answer: wait, or withdraw the request.`,
    );
  }
  return accept<ConfirmationEvent>({
    type: 'ConfirmationClosed',
    data: {
      ...{ as, auditor: by.actor.party, mandate },
      ...(procedure === undefined ? {} : { procedure }),
      ...(reason === undefined ? {} : { reason }),
    },
  });
};

const passDeadline = (
  { by, deadline }: Extract<ConfirmationCommand, { type: 'PassDeadline' }>,
  confirmation: Confirmation,
): Decision<ConfirmationEvent, ConfirmationRejection> => {
  if (by.actor.party !== SYSTEM_TIMER.party)
    return refuse('forbidden', 'That a day has passed is for the timer to say.');
  if (confirmation.passed[deadline] === true) return accept();
  const next = nextToTell(confirmation);
  if (next?.deadline !== deadline || periodEnd(next.day) > by.at) {
    return refuse('not-due', 'Nothing of this request has fallen due.');
  }
  const { due } = confirmation;
  return accept<ConfirmationEvent>(
    deadline === 'due'
      ? { type: 'ConfirmationFellOverdue', data: { due } }
      : { type: 'ConfirmationReminded', data: { due } },
  );
};

const powersOf = (role: string): (typeof ROLE_POWERS)[Role] => (isRole(role) ? ROLE_POWERS[role] : []);

const decide = (
  command: ConfirmationCommand,
  { confirmation }: ConfirmationState,
): Decision<ConfirmationEvent, ConfirmationRejection> => {
  if (command.type === 'RequestConfirmation') return request(command, confirmation);
  if (confirmation === undefined) return refuse('not-found', 'There is no such request.');
  if (command.type === 'PassDeadline') return passDeadline(command, confirmation);
  const { party, role } = command.by.actor;
  const isAnswer = command.type === 'AnswerConfirmation';
  if (isAnswer && !(party === confirmation.party && speaks(role, powersOf(role)))) {
    return refuse('forbidden', 'This is for the party that is asked.');
  }
  if (!isAnswer && !(role === 'auditor' && party === confirmation.auditor)) {
    return refuse('forbidden', 'A request is closed by the auditor who sent it.');
  }
  if (confirmation.status === 'closed') {
    return !isAnswer && command.as === confirmation.closing?.as
      ? accept()
      : refuse('confirmation-closed', 'The request is closed: nothing more is asked.');
  }
  return isAnswer ? answer(command, confirmation) : close(command, confirmation);
};

const changed = (confirmation: Confirmation, event: RecordedEvent<ConfirmationEvent>): Confirmation => {
  // The event's type and data belong together; the envelope's type lost that.
  const fact = { type: event.type, data: event.data } as ConfirmationEvent;
  const at = event.metadata.recordedAt;
  switch (fact.type) {
    case 'ConfirmationAnswered':
      return { ...confirmation, status: 'answered', answer: { answers: fact.data.answers, at } };
    case 'ConfirmationReminded':
      return { ...confirmation, passed: { ...confirmation.passed, reminder: true } };
    case 'ConfirmationFellOverdue':
      return { ...confirmation, passed: { ...confirmation.passed, due: true } };
    case 'ConfirmationClosed': {
      const { auditor: _auditor, mandate: _mandate, ...closing } = fact.data;
      return { ...confirmation, status: 'closed', closing: { ...closing, at } };
    }
    default:
      return confirmation;
  }
};

const evolve = (state: ConfirmationState, event: RecordedEvent<ConfirmationEvent>): ConfirmationState => {
  const { confirmation } = state;
  if (confirmation !== undefined) {
    const next = changed(confirmation, event);
    return next === confirmation ? state : { confirmation: next };
  }
  if (event.type !== 'ConfirmationRequested') return state;
  const data = event.data as DataOf<'ConfirmationRequested'>;
  return { confirmation: { ...data, requestedAt: event.metadata.recordedAt, status: 'open', passed: {} } };
};

/** What auditors ask parties to confirm, what these answer, and what the auditor did where no answer could be relied on. */
export const confirmationDecider: Decider<
  ConfirmationState,
  ConfirmationCommand,
  ConfirmationEvent,
  ConfirmationRejection
> = {
  category: 'confirmation',
  initial: {},
  schemas: {
    ConfirmationRequested: 1,
    ConfirmationAnswered: 1,
    ConfirmationReminded: 1,
    ConfirmationFellOverdue: 1,
    ConfirmationClosed: 1,
  },
  decide,
  evolve,
};
