import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import type { RecordKind } from '#web';
import { Injectable } from '@nestjs/common';
import type { Candidate, DuplicateEvent } from './duplicate.contract.js';
import type { DuplicateCommand, DuplicateRejection, DuplicateState, Judged } from './duplicate.js';
import { duplicateDecider } from './duplicate.js';
import { Duplicates } from './duplicates.js';

/** A pair as it is shown, but for `revision`. */
export const pairView = (id: string, candidate: Candidate, judged?: Judged): object => {
  const { about, records, states, kinds, evidence } = candidate;
  return {
    ...{ id, about, records, state: states[0] ?? null, states, kinds, evidence },
    ...(judged === undefined
      ? {}
      : {
          verdict: {
            verdict: judged.verdict,
            by: judged.by,
            at: judged.at,
            ...(judged.note === undefined ? {} : { note: judged.note }),
          },
        }),
  };
};

/** How judged pairs are served: to whoever has a token and sees both records. */
@Injectable()
export class DuplicateRecords implements RecordKind<
  DuplicateState,
  DuplicateCommand,
  DuplicateEvent,
  DuplicateRejection
> {
  readonly decider = duplicateDecider;
  readonly path = '/v1/duplicates';

  constructor(private readonly duplicates: Duplicates) {}

  exists({ judged }: DuplicateState): boolean {
    return judged !== undefined;
  }

  async sees(caller: Caller, _id: string, { judged }: DuplicateState): Promise<boolean> {
    return judged !== undefined && !caller.anonymous && (await this.duplicates.sees(caller, judged.candidate));
  }

  permits(caller: Caller, _command: DuplicateCommand['type'], { judged }: DuplicateState): boolean {
    return hasRole(caller, 'coordinator') && judged?.candidate.parties.includes(caller.party) !== true;
  }

  view(_caller: Caller, id: string, { state: { judged } }: Folded<DuplicateState>): object {
    return judged === undefined ? {} : pairView(id, judged.candidate, judged);
  }

  maskEvent(_caller: Caller, _state: DuplicateState, { data }: RecordedEvent<DuplicateEvent>): object {
    return data;
  }
}
