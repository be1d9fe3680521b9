import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { Clock } from '#kernel';
import type { Role } from '#vocabulary';
import { dateOf } from '#vocabulary';
import type { CommandAccess, PastView, RecordKind } from '#web';
import { hasAuthority, RecordKinds } from '#web';
import type { FindingEvent } from './finding.contract.js';
import type { Finding, FindingCommand, FindingRejection, FindingState } from './finding.js';
import { findingDecider, overdueOf, speaks } from './finding.js';
import { Grounds } from './grounds.js';
import { ANSWERING_ROLES, isOfficeOf } from './owners-sight.js';

/** Commands that people send, by the route they are sent to. */
export type FindingRoute = 'amend' | 'answer' | 'implement' | 'verify' | 'close';

const AUDITOR: readonly Role[] = ['auditor'];

/** Who may ever send what. */
export const FINDING_ACCESS = {
  write: { action: 'finding.write', roles: AUDITOR },
  amend: { action: 'finding.amend', roles: AUDITOR },
  answer: { action: 'finding.answer', roles: ANSWERING_ROLES },
  implement: { action: 'finding.implement', roles: ANSWERING_ROLES },
  verify: { action: 'finding.verify', roles: AUDITOR },
  close: { action: 'finding.close', roles: AUDITOR },
} as const satisfies Readonly<Record<FindingRoute | 'write', CommandAccess>>;

const ROUTE_OF = {
  WriteFinding: undefined,
  FallOverdue: undefined,
  AmendFinding: 'amend',
  AnswerFinding: 'answer',
  ClaimImplementation: 'implement',
  VerifyImplementation: 'verify',
  CloseFinding: 'close',
} as const satisfies Readonly<Record<FindingCommand['type'], FindingRoute | undefined>>;

/** Whose command it is; that the auditor's mandate covers the finding its sight has shown. */
const mayEver = (caller: Caller, route: FindingRoute, finding: Finding): boolean => {
  switch (route) {
    case 'answer':
    case 'implement':
      return isOfficeOf(caller, finding.owner) && caller.roles.some((role) => speaks(role, caller.powers));
    case 'amend':
      return hasRole(caller, 'auditor') && caller.party === finding.auditor;
    case 'verify':
    case 'close':
      return hasRole(caller, 'auditor') && caller.party !== finding.owner;
  }
};

const isNow = (route: FindingRoute, { status, answer }: Finding): boolean => {
  switch (route) {
    case 'amend':
    case 'answer':
      return status === 'open' || status === 'answered';
    case 'implement':
      return status === 'answered' && answer?.response !== 'disagreed';
    case 'verify':
      return status === 'claimed';
    case 'close':
      return status === 'verified' || (status === 'answered' && answer?.acceptsRisk === true);
  }
};

/** The commands this caller may send now. Its author may withdraw a finding at any time, by `close`. */
const actionsOf = (caller: Caller, finding: Finding): readonly FindingRoute[] =>
  (['amend', 'answer', 'implement', 'verify', 'close'] as const).filter(
    (route) =>
      hasAuthority(caller, FINDING_ACCESS[route]) &&
      mayEver(caller, route, finding) &&
      (isNow(route, finding) || (route === 'close' && finding.status !== 'closed' && caller.party === finding.auditor)),
  );

/**
 * How findings are served. One is shown to the party that must answer, to auditors one of whose mandates in force covers all of its
 * records, and to the coordinator; to the latter two where they see every event that it rests on.
 */
@Injectable()
export class FindingRecords implements RecordKind<FindingState, FindingCommand, FindingEvent, FindingRejection> {
  readonly decider = findingDecider;
  readonly path = '/v1/findings';

  constructor(
    private readonly grounds: Grounds,
    private readonly clock: Clock,
    kinds: RecordKinds,
  ) {
    kinds.add(this);
  }

  exists({ finding }: FindingState): boolean {
    return finding !== undefined;
  }

  async sees(caller: Caller, _id: string, { finding }: FindingState): Promise<boolean> {
    if (finding === undefined) return false;
    if (isOfficeOf(caller, finding.owner)) return true;
    const mayRead =
      hasRole(caller, 'coordinator') ||
      (hasRole(caller, 'auditor') && (await this.grounds.mandateOver(caller, finding.records)) !== undefined);
    return mayRead && (await this.grounds.hidden(caller, finding.events)).length === 0;
  }

  permits(caller: Caller, command: FindingCommand['type'], { finding }: FindingState): boolean {
    const route = ROUTE_OF[command];
    return finding !== undefined && route !== undefined && mayEver(caller, route, finding);
  }

  view(caller: Caller, id: string, { state: { finding } }: Folded<FindingState>): object {
    return finding === undefined ? {} : this.shown(caller, id, finding);
  }

  /** What has fallen due is of today. */
  lookBack(caller: Caller, id: string): PastView<FindingState> {
    return {
      of: async (then) =>
        then.finding !== undefined && (await this.sees(caller, id, then)) ? stood(caller, id, then.finding) : null,
    };
  }

  /** The finding of a board row as `GET` shows it, without `revision`. */
  shown(caller: Caller, id: string, finding: Finding): object {
    return { ...stood(caller, id, finding), overdue: overdueOf(finding, dateOf(this.clock.now())) ?? null };
  }

  maskEvent(caller: Caller, _state: FindingState, { data }: RecordedEvent<FindingEvent>): object {
    if (knowsMandate(caller)) return data;
    const { mandate: _mandate, ...shown } = data as { readonly mandate?: string };
    return shown;
  }
}

const stood = (caller: Caller, id: string, finding: Finding): object => {
  const { content, mandate, passed: _passed, ...rest } = finding;
  return { id, ...content, ...rest, ...(knowsMandate(caller) ? { mandate } : {}), actions: actionsOf(caller, finding) };
};

/** A mandate is known to its auditor and to the coordinator; whether to whom it audits is for the register of mandates to say. */
const knowsMandate = (caller: Caller): boolean => hasRole(caller, 'auditor', 'coordinator');
