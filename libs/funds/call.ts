import type { Actor, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse, SYSTEM_PROCESS } from '#kernel';
import type { Quantity } from '#vocabulary';
import { compare, formatQuantity, periodEnd, periodStart, sameMeasure } from '#vocabulary';
import type { CallEvent, FundReason, FundTerms } from './fund.contract.js';

export type CallRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'fund-keeps-no-book'
  | 'unknown-window'
  | 'currency-mismatch'
  | 'call-not-open'
  | 'call-closed'
  | 'over-ceiling'
  | 'need-not-open'
  | 'already-applied'
  | 'unknown-application'
  | 'unknown-decision'
  | 'not-eligible'
  | 'application-decided'
  | 'application-withdrawn';
export type CallRejection = Rejection<CallRejectionCode>;

type EventOf<T extends CallEvent['type']> = Extract<CallEvent, { type: T }>;
export type CallContent = EventOf<'CallAnnounced'>['data'];
type Outcome = Omit<EventOf<'ApplicationDecided'>['data'], 'n'>;

/** One application, with what the fund said to it. */
export interface Application {
  readonly n: number;
  readonly party: string;
  readonly needId: string;
  readonly amount: Quantity;
  readonly filedAt: string;
  readonly screening?: { readonly eligible: boolean; readonly reason?: string };
  readonly ranking?: { readonly rank: number; readonly note?: string };
  readonly decided?: Outcome;
  readonly withdrawn: boolean;
}

/** A call: plain JSON, so that boards keep it as it is. */
export interface Call {
  readonly content: CallContent;
  readonly closed: boolean;
  readonly applications: readonly Application[];
}

export interface CallState {
  /** Absent: it does not exist. */
  readonly call?: Call;
}

export type CallCommand = { readonly by: CommandContext } & (
  | {
      readonly type: 'AnnounceCall';
      readonly content: CallContent;
      /** Absent where the fund keeps no book. */
      readonly terms?: Pick<FundTerms, 'currency' | 'windows'>;
    }
  | {
      readonly type: 'FileApplication';
      readonly needId: string;
      readonly amount: Quantity;
      /** The need as its own stream says. */
      readonly need: { readonly open: boolean; readonly filer: string; readonly beneficiaries: readonly string[] };
      /** The currency the fund accounts in. */
      readonly currency: string;
    }
  | { readonly type: 'WithdrawApplication'; readonly n: number }
  | { readonly type: 'ScreenApplication'; readonly n: number; readonly eligible: boolean; readonly reason?: string }
  | { readonly type: 'RankApplication'; readonly n: number; readonly rank: number; readonly note?: string }
  | {
      readonly type: 'DecideApplication';
      readonly n: number;
      readonly outcome: 'approved' | 'declined';
      /** With `approved`: the fund's decision, and whether that decision allocates to the application's need. */
      readonly decision?: number;
      readonly stands?: boolean;
      readonly reason?: FundReason;
    }
  | { readonly type: 'CloseCall' }
  /** The fund decided: whatever the application is now, its call follows as far as it can. */
  | { readonly type: 'ApproveApplication'; readonly n: number; readonly decision: number }
);
type CommandOf<T extends CallCommand['type']> = Extract<CallCommand, { type: T }>;
type CallDecision = Decision<CallEvent, CallRejection>;

/** The one table of commands on a call: by whom. Used by `decide`, `permits` and `actions`. */
export const CALL_COMMANDS = {
  FileApplication: { name: 'applications', who: 'applicant' },
  WithdrawApplication: { name: 'withdraw', who: 'applicant' },
  ScreenApplication: { name: 'screen', who: 'desk' },
  RankApplication: { name: 'rank', who: 'desk' },
  DecideApplication: { name: 'decide', who: 'desk' },
  CloseCall: { name: 'close', who: 'desk' },
} as const satisfies Partial<
  Record<CallCommand['type'], { readonly name: string; readonly who: 'applicant' | 'desk' }>
>;
export type CallCommandType = keyof typeof CALL_COMMANDS;

/** Offices that apply for a need: those that file one. */
export const APPLYING_ROLES = ['npc', 'mission', 'line-ministry', 'network-host'] as const;

/** True where this party in this role may ever send the command on this call; whose need or application it is, is asked beside. */
export const mayOnCall = (
  type: CallCommandType,
  { party, role }: Pick<Actor, 'party' | 'role'>,
  fund: string,
): boolean =>
  CALL_COMMANDS[type].who === 'desk'
    ? party === fund && role === 'donor-desk'
    : (APPLYING_ROLES as readonly string[]).includes(role);

export type CallStatus = 'announced' | 'open' | 'over' | 'closed';

/** Where a call stands at a moment: its days count in UTC. */
export const callStatusAt = ({ content, closed }: Pick<Call, 'content' | 'closed'>, at: string): CallStatus => {
  if (closed) return 'closed';
  if (at < periodStart(content.opens)) return 'announced';
  return at < periodEnd(content.closes) ? 'open' : 'over';
};

const withApplication = (call: Call, n: number, change: Partial<Application>): CallState => ({
  call: { ...call, applications: call.applications.map((each) => (each.n === n ? { ...each, ...change } : each)) },
});

const evolve = (state: CallState, event: RecordedEvent<CallEvent>): CallState => {
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as CallEvent;
  if (fact.type === 'CallAnnounced') return { call: { content: fact.data, closed: false, applications: [] } };
  const { call } = state;
  if (call === undefined) return state;
  switch (fact.type) {
    case 'ApplicationFiled': {
      const filed = { ...fact.data, filedAt: event.metadata.recordedAt, withdrawn: false };
      return { call: { ...call, applications: [...call.applications, filed] } };
    }
    case 'ApplicationWithdrawn':
      return withApplication(call, fact.data.n, { withdrawn: true });
    case 'ApplicationScreened': {
      const { n, ...screening } = fact.data;
      return withApplication(call, n, { screening });
    }
    case 'ApplicationRanked': {
      const { n, ...ranking } = fact.data;
      return withApplication(call, n, { ranking });
    }
    case 'ApplicationDecided': {
      const { n, ...decided } = fact.data;
      return withApplication(call, n, { decided });
    }
    case 'CallClosed':
      return { call: { ...call, closed: true } };
    default:
      return state;
  }
};

const decide = (command: CallCommand, { call }: CallState): CallDecision => {
  if (command.type === 'AnnounceCall') return announce(command, call);
  if (command.type === 'ApproveApplication') return approve(command, call);
  if (call === undefined) return refuse('not-found', 'There is no such call.');
  const { fund } = call.content;
  if (!mayOnCall(command.type, command.by.actor, fund)) {
    const { name, who } = CALL_COMMANDS[command.type];
    return refuse(
      'forbidden',
      `${name} is for the ${who === 'desk' ? `desk of ${fund}` : 'State or host of the need'}.`,
    );
  }
  if (command.type === 'FileApplication') return file(command, call);
  if (command.type === 'CloseCall') {
    return call.closed ? refuse('call-closed', 'The call is closed.') : accept({ type: 'CallClosed', data: {} });
  }
  const application = call.applications.find(({ n }) => n === command.n);
  if (application === undefined) return refuse('unknown-application', `The call has no application ${command.n}.`);
  return onApplication(command, application);
};

/** What was decided, withdrawn or found not eligible before stays so; nobody waits for an answer. */
const approve = ({ by, n, decision }: CommandOf<'ApproveApplication'>, call: Call | undefined): CallDecision => {
  if (by.actor.party !== SYSTEM_PROCESS.party)
    return refuse('forbidden', 'An application is approved by a decision of the fund.');
  const application = call?.applications.find((each) => each.n === n);
  if (application === undefined || application.decided !== undefined || !mayBeApproved(application)) return accept();
  return accept({ type: 'ApplicationDecided', data: { n, outcome: 'approved', decision } });
};

/** Whether a decision of the fund may still name it. */
export const mayBeApproved = ({ screening, decided, withdrawn }: Application): boolean =>
  !withdrawn && screening?.eligible !== false && decided?.outcome !== 'declined';

const announce = (
  { by: { actor }, content, terms }: CommandOf<'AnnounceCall'>,
  call: Call | undefined,
): CallDecision => {
  if (actor.party !== content.fund || actor.role !== 'donor-desk') {
    return refuse('forbidden', 'A call is announced by the desk of its fund.');
  }
  if (call !== undefined) return refuse('already-exists', 'A call with this id exists already.');
  if (terms === undefined) return refuse('fund-keeps-no-book', `${content.fund} keeps no book here.`, 'fund');
  if (content.window !== undefined && !terms.windows.some(({ code }) => code === content.window)) {
    return refuse('unknown-window', `The fund has no window ${content.window}.`, 'window');
  }
  if (content.ceiling !== undefined && !isMoneyIn(terms.currency, content.ceiling)) {
    return refuse('currency-mismatch', `The fund accounts in ${terms.currency}.`, 'ceiling');
  }
  return accept({ type: 'CallAnnounced', data: content });
};

const isMoneyIn = (currency: string, quantity: Quantity): boolean =>
  sameMeasure(quantity, { measure: 'money', currency, amount: '0' });

const file = (
  { by: { actor, at }, needId, amount, need, currency }: CommandOf<'FileApplication'>,
  call: Call,
): CallDecision => {
  if (actor.party !== need.filer && !need.beneficiaries.includes(actor.party)) {
    return refuse('forbidden', 'An application is filed by the State or host whose need it is.');
  }
  const status = callStatusAt(call, at);
  const { opens, closes, ceiling } = call.content;
  if (status !== 'open') {
    return refuse(
      'call-not-open',
      status === 'closed' ? 'The call is closed.' : `The call takes applications from ${opens} to ${closes}.`,
    );
  }
  if (!need.open) return refuse('need-not-open', 'Only an open need is applied for.', 'needId');
  if (!isMoneyIn(currency, amount)) return refuse('currency-mismatch', `The fund accounts in ${currency}.`, 'amount');
  if (ceiling !== undefined && compare(amount, ceiling) > 0) {
    return refuse('over-ceiling', `One application may ask at most ${formatQuantity(ceiling)}.`, 'amount');
  }
  if (call.applications.some((each) => each.needId === needId && !each.withdrawn)) {
    return refuse('already-applied', 'This need has applied to this call.', 'needId');
  }
  return accept({
    type: 'ApplicationFiled',
    data: { n: call.applications.length + 1, party: actor.party, needId, amount },
  });
};

type OnApplication = CommandOf<'WithdrawApplication' | 'ScreenApplication' | 'RankApplication' | 'DecideApplication'>;

const onApplication = (command: OnApplication, application: Application): CallDecision => {
  const { n, party, screening, decided, withdrawn } = application;
  if (command.type === 'WithdrawApplication' && command.by.actor.party !== party) {
    return refuse('forbidden', 'An application is withdrawn by who filed it.');
  }
  if (withdrawn) return refuse('application-withdrawn', `Application ${n} was withdrawn.`);
  if (
    command.type === 'DecideApplication' &&
    decided?.outcome === 'approved' &&
    decided.decision === command.decision
  ) {
    // The process was first.
    return accept();
  }
  if (decided !== undefined) return refuse('application-decided', `Application ${n} was ${decided.outcome}.`);
  switch (command.type) {
    case 'WithdrawApplication':
      return accept({ type: 'ApplicationWithdrawn', data: { n, party } });
    case 'ScreenApplication': {
      const { eligible, reason } = command;
      return accept({
        type: 'ApplicationScreened',
        data: { n, eligible, ...(reason === undefined ? {} : { reason }) },
      });
    }
    case 'RankApplication': {
      if (screening?.eligible !== true) return refuse('not-eligible', 'Only an application found eligible is ranked.');
      const { rank, note } = command;
      return accept({ type: 'ApplicationRanked', data: { n, rank, ...(note === undefined ? {} : { note }) } });
    }
    case 'DecideApplication':
      return decideApplication(command, application);
  }
};

const decideApplication = (
  { outcome, decision, stands, reason }: CommandOf<'DecideApplication'>,
  { n, screening }: Application,
): CallDecision => {
  if (outcome === 'declined') {
    return accept({ type: 'ApplicationDecided', data: { n, outcome, ...(reason === undefined ? {} : { reason }) } });
  }
  if (screening?.eligible === false) return refuse('not-eligible', 'The application was found not eligible.');
  if (decision === undefined || stands !== true) {
    return refuse('unknown-decision', 'Name the decision of the fund that allocates to this need.', 'decision');
  }
  return accept({ type: 'ApplicationDecided', data: { n, outcome, decision } });
};

const CALL_SCHEMAS = {
  CallAnnounced: 1,
  ApplicationFiled: 1,
  ApplicationWithdrawn: 1,
  ApplicationScreened: 1,
  ApplicationRanked: 1,
  ApplicationDecided: 1,
  CallClosed: 1,
} as const;

/** A fund's call and the applications to it. */
export const callDecider: Decider<CallState, CallCommand, CallEvent, CallRejection> = {
  category: 'call',
  initial: {},
  schemas: CALL_SCHEMAS,
  decide,
  evolve,
};
