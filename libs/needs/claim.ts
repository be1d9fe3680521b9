import type { ProcessCommand } from '#kernel';
import { processCommand } from '#kernel';
import type { DraftFromClaim } from '#reported/contract';
import { DraftFactory } from '#reported/contract';
import type { NeedCommand } from './need.js';
import { needDecider } from './need.js';

/** Drafts a need from a reported one that its beneficiary claims. The draft is the claimant's, whoever carries the command. */
export class ClaimedNeeds extends DraftFactory {
  override readonly kind = 'need';

  override draft(claim: DraftFromClaim): ProcessCommand {
    if (claim.kind !== 'need') throw new Error(`a claimed ${claim.kind} is no need`);
    const { id, claimant, claimedFrom, content } = claim;
    return processCommand({
      decider: needDecider,
      id,
      key: 'draft',
      command: (by): NeedCommand => ({
        type: 'DraftNeed',
        by: { ...by, actor: claimant },
        filer: claimant.party,
        beneficiaries: [claimant.party],
        claimedFrom,
        content,
      }),
      refused: ({ code, detail }) => {
        // The request and the process both see to it: the second finds it done.
        if (code === 'already-exists') return [];
        throw new Error(`the claimed need ${id} was refused: ${code}, ${detail}`);
      },
    });
  }
}
