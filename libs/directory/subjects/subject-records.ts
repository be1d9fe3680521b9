import type { Folded, RecordedEvent } from '#kernel';
import type { CommandAccess, RecordKind } from '#web';
import { hasAuthority, RecordKinds, SubjectRegister } from '#web';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../caller.js';
import { hasRole } from '../caller.js';
import { DESIGNATING_ROLES, designationIsOver } from '../party.js';
import { PartyBoard } from '../party-board.js';
import type { SubjectEvent } from './subject.contract.js';
import type { Office, SubjectCommand, SubjectRejection, SubjectState } from './subject.js';
import { subjectDecider } from './subject.js';

/** The party by whoever may designate for it, or the operator on its order. */
export const erasureAccess = (caller: Caller): CommandAccess =>
  hasRole(caller, 'operator')
    ? { action: 'subject.erase', roles: ['operator'] }
    : { action: 'subject.erase', roles: DESIGNATING_ROLES, power: 'designate' };

/** How subjects are served: to parties that designated them, to coordinators, and to the operator, who erases them. */
@Injectable()
export class SubjectRecords implements RecordKind<SubjectState, SubjectCommand, SubjectEvent, SubjectRejection> {
  readonly decider = subjectDecider;
  readonly path = '/v1/subjects';

  constructor(
    private readonly board: PartyBoard,
    private readonly keys: SubjectRegister,
    kinds: RecordKinds,
  ) {
    kinds.add(this);
  }

  /** A subject has no event before it is erased: who sees it at all is asked of the register. */
  exists(): boolean {
    return true;
  }

  async sees(caller: Caller, id: string, { erased }: SubjectState): Promise<boolean> {
    if (caller.anonymous) return false;
    if (hasRole(caller, 'operator')) {
      return (
        erased !== undefined || (await this.keys.personBehind(id)) !== undefined || this.board.heldBy(id).length > 0
      );
    }
    if (erased !== undefined && isMandated(caller, erased.orderedBy)) return true;
    const parties = this.board.heldBy(id).map(({ party }) => party);
    return parties.includes(caller.party) || (hasRole(caller, 'coordinator') && parties.length > 0);
  }

  permits(caller: Caller): boolean {
    return hasAuthority(caller, erasureAccess(caller));
  }

  view(caller: Caller, id: string, { state: { erased } }: Folded<SubjectState>): object {
    const own = this.board.heldBy(id).find(({ party }) => party === caller.party);
    const seesOrder =
      erased !== undefined &&
      (erased.orderedBy === caller.party || hasRole(caller, 'operator', 'coordinator', 'auditor'));
    return {
      id,
      erased: erased !== undefined,
      ...(erased === undefined ? {} : { erasedAt: erased.at }),
      ...(seesOrder ? { orderedBy: erased.orderedBy } : {}),
      ...(seesOrder && erased.reference !== undefined ? { reference: erased.reference } : {}),
      ...(own === undefined ? {} : { designations: own.designations.map(({ designation }) => designation) }),
      actions: erased === undefined && this.permits(caller) ? ['erase'] : [],
    };
  }

  maskEvent(caller: Caller, _state: SubjectState, { data }: RecordedEvent<SubjectEvent>): object | undefined {
    const { orderedBy } = data;
    return caller.party === orderedBy || hasRole(caller, 'operator', 'coordinator') || isMandated(caller, orderedBy)
      ? data
      : undefined;
  }

  /** What a subject holds now or later, at every party. */
  officesOf(subject: string, now: string): readonly Office[] {
    return this.board
      .heldBy(subject)
      .flatMap(({ party, designations }) =>
        designations.filter((each) => !designationIsOver(each, now)).map(({ designation }) => ({ party, designation })),
      );
  }
}

const isMandated = ({ mandates }: Caller, party: string): boolean =>
  mandates.some(({ everything, parties }) => everything || parties.has(party));
