import type { Actor, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_TIMER } from '#kernel';
import type { FindingClosing, FindingResponse, Power, Role, VerificationOutcome } from '#vocabulary';
import { addDays, dateOf, isRole, periodEnd, ROLE_POWERS } from '#vocabulary';
import type {
  AuditedRecord,
  FindingContent,
  FindingEvent,
  FindingEvidence,
  FindingGround,
  OwedOnFinding,
  PlannedAction,
} from './finding.contract.js';

export type FindingRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-written'
  | 'dates-do-not-fit'
  | 'finding-closed'
  | 'claim-pending'
  | 'not-answered'
  | 'not-agreed'
  | 'not-claimed'
  | 'not-verified'
  | 'risk-not-accepted'
  | 'not-due';
export type FindingRejection = Rejection<FindingRejectionCode>;

type DataOf<T extends FindingEvent['type']> = Extract<FindingEvent, { type: T }>['data'];

/** What is written of a new finding; without `answerBy` the owner has 30 days, or until `due` where that comes first. */
export type NewFinding = Omit<DataOf<'FindingWritten'>, 'auditor' | 'answerBy'> & { readonly answerBy?: string };

export type FindingCommand =
  | { readonly type: 'WriteFinding'; readonly by: CommandContext; readonly finding: NewFinding }
  | ({ readonly type: 'AmendFinding'; readonly by: CommandContext } & DataOf<'FindingAmended'>)
  | ({ readonly type: 'AnswerFinding'; readonly by: CommandContext } & Omit<DataOf<'FindingAnswered'>, 'party'>)
  | ({ readonly type: 'ClaimImplementation'; readonly by: CommandContext } & Omit<
      DataOf<'ImplementationClaimed'>,
      'party'
    >)
  | ({
      readonly type: 'VerifyImplementation';
      readonly by: CommandContext;
      readonly outcome: VerificationOutcome;
    } & Omit<DataOf<'ImplementationRejected'>, 'auditor'>)
  | ({ readonly type: 'CloseFinding'; readonly by: CommandContext } & Omit<DataOf<'FindingClosed'>, 'auditor'>)
  /** By the timer. */
  | { readonly type: 'FallOverdue'; readonly by: CommandContext; readonly owed: OwedOnFinding };

export const FINDING_STATUSES = ['open', 'answered', 'claimed', 'verified', 'closed'] as const;
/** `open`: the owner has not answered. `claimed`: it says that it did what was recommended. */
export type FindingStatus = (typeof FINDING_STATUSES)[number];

export interface Finding {
  readonly auditor: string;
  readonly mandate: string;
  readonly owner: string;
  readonly records: readonly AuditedRecord[];
  readonly events: readonly FindingGround[];
  readonly content: FindingContent;
  readonly answerBy: string;
  readonly due: string;
  readonly writtenAt: string;
  readonly status: FindingStatus;
  /** The answer that stands. */
  readonly answer?: {
    readonly response: FindingResponse;
    readonly text: string;
    readonly action?: PlannedAction;
    readonly acceptsRisk?: true;
    readonly at: string;
  };
  /** The owner's last claim. */
  readonly claim?: { readonly text: string; readonly evidence: readonly FindingEvidence[]; readonly at: string };
  /** What an auditor found of it. */
  readonly verification?: {
    readonly outcome: VerificationOutcome;
    readonly auditor: string;
    readonly note: string;
    readonly at: string;
  };
  readonly closing?: {
    readonly as: FindingClosing;
    readonly auditor: string;
    readonly reason?: string;
    readonly at: string;
  };
  /** The days whose passing the timer has recorded. */
  readonly passed: Readonly<Partial<Record<OwedOnFinding, string>>>;
}

export interface FindingState {
  readonly finding?: Finding;
}

/** Days that an owner is given for its answer where the auditor names no day. */
const DAYS_TO_ANSWER = 30;

/** Offices that may answer for a party: those that speak for it in any matter, and a secretariat's coordinator for the secretariat. */
const SPEAKING: readonly Power[] = ['file', 'offer', 'consent', 'accept', 'sign'];

/** Whether an office with this role and these powers answers for its party. */
export const speaks = (role: string, powers: Iterable<Power>): boolean =>
  role === 'coordinator' || [...powers].some((power) => SPEAKING.includes(power));

const answersFor = ({ party, role }: Actor, { owner }: Finding): boolean =>
  party === owner && speaks(role, isRole(role) ? ROLE_POWERS[role satisfies Role] : []);

/** Whoever audits; never the party that is asked to act. That its mandate covers the records is looked up before the command. */
const audits = ({ party, role }: Actor, { owner }: Pick<Finding, 'owner'>): boolean =>
  role === 'auditor' && party !== owner;

/** What the owner owes now, soonest first: its answer, and what is recommended unless it has said that it will not do it. */
export const owedBy = ({ status, answer, answerBy, due }: Finding): readonly [OwedOnFinding, string][] => {
  if (status === 'open') {
    return [
      ['answer', answerBy],
      ['implementation', due],
    ];
  }
  return status === 'answered' && answer?.response !== 'disagreed' ? [['implementation', due]] : [];
};

/** What fell due before `today` and is still owed. */
export const overdueOf = (finding: Finding, today: string): OwedOnFinding | undefined =>
  owedBy(finding).find(([, due]) => due < today)?.[0];

/** The next day whose passing the timer has to record; undefined where nothing is owed that was not recorded. */
export const nextToPass = (finding: Finding): { readonly owed: OwedOnFinding; readonly due: string } | undefined =>
  owedBy(finding)
    .map(([owed, due]) => ({ owed, due }))
    .find(({ owed, due }) => finding.passed[owed] !== due);

const CLOSED = refuse('finding-closed', 'The finding is closed: write a new one where there is more to say.');
const PENDING = refuse('claim-pending', 'An implementation was claimed: the auditor verifies it first.');
const NOT_AUDITOR = refuse('forbidden', 'This is for an auditor who is not of the party that must answer.');
const NOT_AUTHOR = refuse('forbidden', 'A finding is amended and withdrawn by the auditor who wrote it.');
const NOT_OWNER = refuse('forbidden', 'This is for the party that the finding asks to answer.');

/** Refuses days that have passed, and an answer that is due after everything else; undefined where they fit. */
const misfit = (
  at: string,
  { answerBy, due }: { readonly answerBy?: string | undefined; readonly due?: string | undefined },
): Decision<never, FindingRejection> | undefined => {
  const today = dateOf(at);
  for (const [field, day] of Object.entries({ due, answerBy })) {
    if (day !== undefined && day < today) {
      return refuse('dates-do-not-fit', `${field} has passed: name today (${today}) or a later day.`, field);
    }
  }
  return answerBy !== undefined && due !== undefined && answerBy > due
    ? refuse('dates-do-not-fit', `The answer is due before ${due}, when the rest is.`, 'answerBy')
    : undefined;
};

const firstOf = (a: string, b: string): string => (a < b ? a : b);

const write = (
  { by, finding }: Extract<FindingCommand, { type: 'WriteFinding' }>,
  known: Finding | undefined,
): Decision<FindingEvent, FindingRejection> => {
  if (!audits(by.actor, finding)) return NOT_AUDITOR;
  const answerBy = finding.answerBy ?? firstOf(addDays(dateOf(by.at), DAYS_TO_ANSWER), finding.due);
  const data: DataOf<'FindingWritten'> = { auditor: by.actor.party, ...finding, answerBy };
  if (known !== undefined) {
    const { auditor, mandate, owner, records, events, content, answerBy: until, due } = known;
    const written = { auditor, mandate, owner, records, events, content, answerBy: until, due };
    return canonicalJson(written) === canonicalJson(data)
      ? accept()
      : refuse('already-written', 'This finding was written with another content: write the other under a new id.');
  }
  return misfit(by.at, { answerBy, due: finding.due }) ?? accept<FindingEvent>({ type: 'FindingWritten', data });
};

/** The fields that say something else than the finding says already. */
const changesIn = (content: FindingContent, changes: Partial<FindingContent>): Partial<FindingContent> =>
  Object.fromEntries(
    Object.entries(changes).filter(([field, value]) => content[field as keyof FindingContent] !== value),
  );

const amend = (
  { by, ...asked }: Extract<FindingCommand, { type: 'AmendFinding' }>,
  finding: Finding,
): Decision<FindingEvent, FindingRejection> => {
  if (finding.status === 'claimed' || finding.status === 'verified') return PENDING;
  const changes = changesIn(finding.content, asked.changes);
  const reworded = Object.keys(changes).length > 0;
  const due = asked.due ?? finding.due;
  const asksAnew = reworded && finding.status === 'answered';
  const answerBy =
    asked.answerBy ?? (asksAnew ? firstOf(addDays(dateOf(by.at), DAYS_TO_ANSWER), due) : finding.answerBy);
  const moved = due !== finding.due || answerBy !== finding.answerBy;
  if (!reworded && !moved) return accept();
  const owesAnswer = finding.status === 'open' || asksAnew;
  const refusal = misfit(by.at, {
    due: asked.due,
    answerBy: asked.answerBy ?? (asksAnew ? answerBy : undefined),
  });
  if (refusal !== undefined) return refusal;
  if (owesAnswer && answerBy > due) {
    return refuse('dates-do-not-fit', `The answer is due by ${answerBy}: move answerBy, too, or leave due.`, 'due');
  }
  return accept<FindingEvent>({
    type: 'FindingAmended',
    data: {
      mandate: asked.mandate,
      changes,
      ...(answerBy === finding.answerBy ? {} : { answerBy }),
      ...(due === finding.due ? {} : { due }),
      reason: asked.reason,
    },
  });
};

const answer = (
  { by, response, text, action, acceptsRisk }: Extract<FindingCommand, { type: 'AnswerFinding' }>,
  { status, answer: standing }: Finding,
): Decision<FindingEvent, FindingRejection> => {
  if (status === 'claimed' || status === 'verified') return PENDING;
  const said = {
    response,
    text,
    ...(action === undefined ? {} : { action }),
    ...(acceptsRisk === undefined ? {} : { acceptsRisk }),
  };
  if (standing !== undefined) {
    const { at: _at, ...known } = standing;
    if (canonicalJson(known) === canonicalJson(said)) return accept();
  }
  return accept<FindingEvent>({ type: 'FindingAnswered', data: { party: by.actor.party, ...said } });
};

const claim = (
  { by, text, evidence }: Extract<FindingCommand, { type: 'ClaimImplementation' }>,
  { status, answer: standing, claim: claimed }: Finding,
): Decision<FindingEvent, FindingRejection> => {
  if (standing === undefined) {
    return refuse('not-answered', 'Answer the finding first: say whether you agree, and what you plan.');
  }
  if (standing.response === 'disagreed') {
    return refuse('not-agreed', 'You disagreed with the finding: answer it anew before you claim to have acted on it.');
  }
  if (status === 'answered' || claimed === undefined) {
    return accept<FindingEvent>({
      type: 'ImplementationClaimed',
      data: { party: by.actor.party, text, evidence },
    });
  }
  const { at: _at, ...known } = claimed;
  return canonicalJson(known) === canonicalJson({ text, evidence }) ? accept() : PENDING;
};

const verify = (
  { by, outcome, mandate, note, due }: Extract<FindingCommand, { type: 'VerifyImplementation' }>,
  { status, due: until }: Finding,
): Decision<FindingEvent, FindingRejection> => {
  if (status === 'verified' && outcome === 'implemented') return accept();
  if (status !== 'claimed') return refuse('not-claimed', 'The owner has claimed nothing that is not verified yet.');
  const data = { auditor: by.actor.party, mandate, note };
  if (outcome === 'implemented') return accept<FindingEvent>({ type: 'ImplementationVerified', data });
  return (
    misfit(by.at, { due }) ??
    accept<FindingEvent>({
      type: 'ImplementationRejected',
      data: { ...data, ...(due === undefined || due === until ? {} : { due }) },
    })
  );
};

const close = (
  { by, as, mandate, reason }: Extract<FindingCommand, { type: 'CloseFinding' }>,
  { auditor, status, answer: standing }: Finding,
): Decision<FindingEvent, FindingRejection> => {
  if (as === 'implemented' && status !== 'verified') {
    return refuse('not-verified', 'A finding closes as implemented once an auditor has verified it: use verify first.');
  }
  if (as === 'risk-accepted' && (status !== 'answered' || standing?.acceptsRisk !== true)) {
    return refuse(
      'risk-not-accepted',
      'The owner has not said that it accepts the risk: only its own answer, with acceptsRisk, says so.',
    );
  }
  if (as === 'withdrawn' && by.actor.party !== auditor) return NOT_AUTHOR;
  return accept<FindingEvent>({
    type: 'FindingClosed',
    data: { as, auditor: by.actor.party, mandate, ...(reason === undefined ? {} : { reason }) },
  });
};

const fallOverdue = (
  { by, owed }: Extract<FindingCommand, { type: 'FallOverdue' }>,
  finding: Finding,
): Decision<FindingEvent, FindingRejection> => {
  if (by.actor.party !== SYSTEM_TIMER.party)
    return refuse('forbidden', 'That a day has passed is for the timer to say.');
  const due = owedBy(finding).find(([each]) => each === owed)?.[1];
  if (due === undefined || periodEnd(due) > by.at) return refuse('not-due', 'Nothing of this finding has fallen due.');
  return finding.passed[owed] === due
    ? accept()
    : accept<FindingEvent>({ type: 'FindingFellOverdue', data: { owed, due } });
};

const decide = (command: FindingCommand, { finding }: FindingState): Decision<FindingEvent, FindingRejection> => {
  if (command.type === 'WriteFinding') return write(command, finding);
  if (finding === undefined) return refuse('not-found', 'There is no such finding.');
  if (command.type === 'FallOverdue') return fallOverdue(command, finding);
  const { actor } = command.by;
  const ofOwner = command.type === 'AnswerFinding' || command.type === 'ClaimImplementation';
  if (ofOwner && !answersFor(actor, finding)) return NOT_OWNER;
  if (!ofOwner && !audits(actor, finding)) return NOT_AUDITOR;
  if (command.type === 'AmendFinding' && actor.party !== finding.auditor) return NOT_AUTHOR;
  if (finding.status === 'closed') {
    return command.type === 'CloseFinding' && command.as === finding.closing?.as ? accept() : CLOSED;
  }
  switch (command.type) {
    case 'AmendFinding':
      return amend(command, finding);
    case 'AnswerFinding':
      return answer(command, finding);
    case 'ClaimImplementation':
      return claim(command, finding);
    case 'VerifyImplementation':
      return verify(command, finding);
    case 'CloseFinding':
      return close(command, finding);
  }
};

const amended = (finding: Finding, { changes, answerBy, due }: DataOf<'FindingAmended'>): Finding => {
  // An answer is one to what it answered, and so is what was done upon it.
  const { answer: _answer, claim: _claim, verification: _verification, ...unanswered } = finding;
  const reworded = Object.keys(changes).length > 0;
  return {
    ...(reworded ? { ...unanswered, status: 'open' } : finding),
    content: { ...finding.content, ...changes },
    ...(answerBy === undefined ? {} : { answerBy }),
    ...(due === undefined ? {} : { due }),
  };
};

const changed = (finding: Finding, event: RecordedEvent<FindingEvent>): Finding => {
  // The event's type and data belong together; the envelope's type lost that.
  const fact = { type: event.type, data: event.data } as FindingEvent;
  const at = event.metadata.recordedAt;
  switch (fact.type) {
    case 'FindingAmended':
      return amended(finding, fact.data);
    case 'FindingAnswered': {
      const { party: _party, ...said } = fact.data;
      return { ...finding, status: 'answered', answer: { ...said, at } };
    }
    case 'ImplementationClaimed': {
      const { text, evidence } = fact.data;
      const { verification: _verification, ...claimed } = finding;
      return { ...claimed, status: 'claimed', claim: { text, evidence, at } };
    }
    case 'ImplementationVerified': {
      const { auditor, note } = fact.data;
      return { ...finding, status: 'verified', verification: { outcome: 'implemented', auditor, note, at } };
    }
    case 'ImplementationRejected': {
      const { auditor, note, due = finding.due } = fact.data;
      return {
        ...finding,
        status: 'answered',
        due,
        verification: { outcome: 'not-implemented', auditor, note, at },
      };
    }
    case 'FindingClosed': {
      const { as, auditor, reason } = fact.data;
      const closing = { as, auditor, ...(reason === undefined ? {} : { reason }), at };
      return { ...finding, status: 'closed', closing };
    }
    case 'FindingFellOverdue':
      return { ...finding, passed: { ...finding.passed, [fact.data.owed]: fact.data.due } };
    default:
      return finding;
  }
};

const evolve = (state: FindingState, event: RecordedEvent<FindingEvent>): FindingState => {
  const { finding } = state;
  if (finding !== undefined) {
    const next = changed(finding, event);
    return next === finding ? state : { finding: next };
  }
  if (event.type !== 'FindingWritten') return state;
  const data = event.data as DataOf<'FindingWritten'>;
  return { finding: { ...data, writtenAt: event.metadata.recordedAt, status: 'open', passed: {} } };
};

/** What auditors find, what its owners answer, and whether that was verified. */
export const findingDecider: Decider<FindingState, FindingCommand, FindingEvent, FindingRejection> = {
  category: 'finding',
  initial: {},
  schemas: {
    FindingWritten: 1,
    FindingAmended: 1,
    FindingAnswered: 1,
    ImplementationClaimed: 1,
    ImplementationVerified: 1,
    ImplementationRejected: 1,
    FindingClosed: 1,
    FindingFellOverdue: 1,
  },
  decide,
  evolve,
};
