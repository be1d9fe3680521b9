import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import type { CommandAccess } from '#web';
import { hasAuthority } from '#web';
import type { Application, Call, CallCommandType } from './call.js';
import { APPLYING_ROLES, CALL_COMMANDS, callStatusAt, mayOnCall } from './call.js';
import type { CallEvent } from './fund.contract.js';
import { seesApplication } from './fund-sight.js';
import type { KnowsNeed, ReasonReader } from './fund.view.js';
import { documentsFor, reasonFor } from './fund.view.js';

/** Who may ever send a command on a call. */
export const CALL_ACCESS = {
  AnnounceCall: { action: 'call.announce', roles: ['donor-desk'], power: 'offer' },
  FileApplication: { action: 'call.apply', roles: APPLYING_ROLES, power: 'file' },
  WithdrawApplication: { action: 'call.withdraw-application', roles: APPLYING_ROLES, power: 'file' },
  ScreenApplication: { action: 'call.screen', roles: ['donor-desk'], power: 'offer' },
  RankApplication: { action: 'call.rank', roles: ['donor-desk'], power: 'offer' },
  DecideApplication: { action: 'call.decide', roles: ['donor-desk'], power: 'sign' },
  CloseCall: { action: 'call.close', roles: ['donor-desk'], power: 'offer' },
} as const satisfies Record<CallCommandType | 'AnnounceCall', CommandAccess>;

export const mayCall = (caller: Caller, type: CallCommandType, { content: { fund } }: Call): boolean =>
  caller.roles.some((role) => mayOnCall(type, { party: caller.party, role }, fund));

/** The commands on one application that this caller may send now. */
const actionsOn = (
  caller: Caller,
  call: Call,
  { party, screening, decided, withdrawn }: Application,
): readonly string[] => {
  if (decided !== undefined || withdrawn) return [];
  const types = (['WithdrawApplication', 'ScreenApplication', 'RankApplication', 'DecideApplication'] as const).filter(
    (type) =>
      mayCall(caller, type, call) &&
      hasAuthority(caller, CALL_ACCESS[type]) &&
      (type !== 'WithdrawApplication' || caller.party === party) &&
      (type !== 'RankApplication' || screening?.eligible === true),
  );
  return types.map((type) => CALL_COMMANDS[type].name);
};

/** What the fund noted of a rank is its own. */
const rankingFor = (caller: Caller, fund: string, { rank, note }: NonNullable<Application['ranking']>): object =>
  note !== undefined && (caller.party === fund || hasRole(caller, 'coordinator') || caller.mandates.length > 0)
    ? { rank, note }
    : { rank };

const applicationStatus = ({ screening, ranking, decided, withdrawn }: Application): string => {
  if (withdrawn) return 'withdrawn';
  if (decided !== undefined) return decided.outcome;
  if (screening?.eligible === false) return 'not-eligible';
  if (ranking !== undefined) return 'ranked';
  return screening === undefined ? 'filed' : 'eligible';
};

/** Fund and applicant told each other the need; whoever else reads the application learns of it what the need's own labels say. */
const namesNeed = (caller: Caller, fund: string, { party, needId }: Application, knows: KnowsNeed): boolean =>
  caller.party === fund || caller.party === party || knows(needId);

/** How the caller, who sees the application, stands to the reason that the fund gave. */
const readerOf = (caller: Caller, fund: string, { party }: Application): ReasonReader => ({
  author: fund,
  side: caller.party === party,
  audits: caller.mandates.length > 0,
});

const applicationView = (caller: Caller, call: Call, application: Application, knows: KnowsNeed): object => {
  const { n, party, needId, amount, filedAt, screening, ranking, decided } = application;
  const { fund } = call.content;
  return {
    n,
    party,
    ...(namesNeed(caller, fund, application, knows) ? { needId } : {}),
    amount,
    filedAt,
    status: applicationStatus(application),
    ...(screening === undefined ? {} : { screening }),
    ...(ranking === undefined ? {} : { ranking: rankingFor(caller, fund, ranking) }),
    ...(decided?.decision === undefined ? {} : { decision: decided.decision }),
    ...(decided?.reason === undefined
      ? {}
      : { reason: reasonFor(caller, readerOf(caller, fund, application), decided.reason) }),
    actions: actionsOn(caller, call, application),
  };
};

/** The call as this caller sees it at a moment, but for `revision`: of applications those that are its business. */
export const callView = (
  caller: Caller,
  id: string,
  call: Call,
  at: string,
  insider: boolean,
  knows: KnowsNeed,
): object => {
  const { content, applications, closed } = call;
  const { documents, ...rest } = content;
  const status = callStatusAt(call, at);
  const may = (type: CallCommandType): boolean =>
    mayCall(caller, type, call) && hasAuthority(caller, CALL_ACCESS[type]);
  return {
    id,
    ...rest,
    status,
    ...(documents === undefined
      ? {}
      : { documents: documentsFor(caller, { id, fund: content.fund }, documents, insider) }),
    applications: applications
      .filter((application) => seesApplication(caller, content.fund, application))
      .map((application) => applicationView(caller, call, application, knows)),
    actions: [
      ...(status === 'open' && may('FileApplication') ? [CALL_COMMANDS.FileApplication.name] : []),
      ...(!closed && may('CloseCall') ? [CALL_COMMANDS.CloseCall.name] : []),
    ],
  };
};

/** One event of a call's history as this caller sees it; undefined keeps only its place. */
export const callEventFor = (
  caller: Caller,
  id: string,
  { content: { fund }, applications }: Call,
  event: RecordedEvent<CallEvent>,
  insider: boolean,
  knows: KnowsNeed,
): object | undefined => {
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as CallEvent;
  switch (fact.type) {
    case 'CallAnnounced': {
      const { documents, ...content } = fact.data;
      return {
        ...content,
        ...(documents === undefined ? {} : { documents: documentsFor(caller, { id, fund }, documents, insider) }),
      };
    }
    case 'CallClosed':
      return fact.data;
    default: {
      const application = applications.find(({ n }) => n === fact.data.n);
      if (application === undefined || !seesApplication(caller, fund, application)) return undefined;
      if (fact.type === 'ApplicationFiled' && !namesNeed(caller, fund, application, knows)) {
        const { needId: _needId, ...filed } = fact.data;
        return filed;
      }
      if (fact.type === 'ApplicationRanked') return { n: fact.data.n, ...rankingFor(caller, fund, fact.data) };
      if (fact.type !== 'ApplicationDecided' || fact.data.reason === undefined) return fact.data;
      return { ...fact.data, reason: reasonFor(caller, readerOf(caller, fund, application), fact.data.reason) };
    }
  }
};
