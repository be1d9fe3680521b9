import type { Decision, Rejection, Transactor } from '#kernel';
import { supposed } from '#kernel';
import type { NeedEvent } from './need.contract.js';
import type { NeedChanges, NeedState } from './need.js';
import { needDecider, principalOf } from './need.js';

// What a need is filed and amended with, for those who ask what would be if it were.
export { AmendNeedDto, changesOf, contentOf, FileNeedDto } from './need.dto.js';
export { FILING_ROLES, REAFFIRM_DAYS } from './need.js';
export type { LineChange, NeedChanges } from './need.js';

/** A need as amendments would leave it, each judged by the need's own rules on what those before it left. Nothing is written. */
export class SupposedNeed {
  private constructor(private state: NeedState) {}

  /** The need as its stream has it. */
  static async of(transactor: Pick<Transactor, 'load'>, id: string): Promise<SupposedNeed> {
    return new SupposedNeed((await transactor.load(needDecider, id)).state);
  }

  /** What its filer's amendment would write at `at` (RFC 3339 UTC), nothing where it changes nothing; or why it would be refused. */
  amend(changes: NeedChanges, at: string): Decision<NeedEvent, Rejection> {
    const by = { actor: filerOf(this.state), at, effectiveAt: at };
    const decision = needDecider.decide({ type: 'AmendNeed', by, changes }, this.state);
    if (decision.kind === 'accepted') {
      for (const event of decision.events) this.state = needDecider.evolve(this.state, supposed(event, at));
    }
    return decision;
  }
}

/** Whoever may amend it: a transcript is its coordinator's. */
const filerOf = (state: NeedState): { readonly party: string; readonly role: string } => {
  if (state.transcribed) return { party: state.filer, role: 'coordinator' };
  const party = principalOf(state);
  return { party, role: party.startsWith('network:') ? 'network-host' : 'npc' };
};
