import type { Process, ProcessCommand } from '#kernel';
import { processCommand } from '#kernel';
import { callDecider } from './call.js';
import type { FundEvent } from './fund.contract.js';

/** Guarantees that an application is approved by the decision that names it. */
export const applicationDeciding: Process = {
  name: 'application-deciding',
  handles: ['AllocationDecided'],
  react(event) {
    const { n: decision, allocations } = event.data as Extract<FundEvent, { type: 'AllocationDecided' }>['data'];
    return allocations.flatMap(({ call, application }): readonly ProcessCommand[] =>
      call === undefined || application === undefined
        ? []
        : [
            processCommand({
              decider: callDecider,
              id: call,
              key: `approve ${call} ${application}`,
              command: (by) => ({ type: 'ApproveApplication', by, n: application, decision }),
            }),
          ],
    );
  },
};
