import type { Caller } from '#directory/contract';
import { Networks } from '#directory/contract';
import type { ProcessCommand } from '#kernel';
import { Clock, processCommand, Transactor } from '#kernel';
import type { DraftFromClaim } from '#reported/contract';
import { DraftFactory } from '#reported/contract';
import { stateOf, stateOfParty } from '#vocabulary';
import { Injectable } from '@nestjs/common';
import type { NeedFacts, NeedSight } from './need.contract.js';
import { NeedReader } from './need.contract.js';
import type { NeedState } from './need.js';
import { needDecider } from './need.js';
import { NeedRecords } from './need-records.js';
import { labelOf } from './need-sight.js';

const HIDDEN: NeedSight = { summary: false, body: false, annex: false };

/** Reads a need for other contexts from its own stream. */
@Injectable()
export class StreamNeedReader extends NeedReader {
  constructor(
    private readonly transactor: Transactor,
    private readonly records: NeedRecords,
    private readonly networks: Networks,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async facts(needId: string): Promise<NeedFacts | undefined> {
    const { state } = await this.transactor.load(needDecider, needId);
    if (state.status === 'absent') return undefined;
    const { status, filer, beneficiaries } = state;
    const supersededBy = await this.survivorOf(state);
    const { kinds, instruments, traffickingNexus, lines, period } = state.content;
    const now = this.clock.now().toISOString();
    const today = now.slice(0, 10);
    const { visibility, publicFrom } = labelOf(needId, state);
    const states = beneficiaries.map(stateOfParty).filter((code) => code !== undefined);
    return {
      needId,
      status,
      filer,
      ...(supersededBy === undefined ? {} : { supersededBy }),
      beneficiaries,
      networks: [
        ...new Set([
          ...beneficiaries.filter((party) => party.startsWith('network:')),
          ...beneficiaries.flatMap((party) => this.networks.networksOf(party, today)),
        ]),
      ],
      ...(beneficiaries.length < 2
        ? {}
        : {
            memberships: Object.fromEntries(
              beneficiaries.map((party) => [party, this.networks.networksOf(party, today)] as const),
            ),
          }),
      regions: [...new Set(states.flatMap((code) => stateOf(code)?.regions ?? []))],
      kinds,
      instruments,
      traffickingNexus,
      lines,
      // Until publication is consented `public` acts as `members`.
      visibility: visibility.body === 'public' && publicFrom > now ? 'members' : visibility.body,
      ...(period === undefined ? {} : { period }),
    };
  }

  /** The end of the chain of merges: merges are refused into needs that are not open, so that it has one. */
  private async survivorOf({ supersededBy }: NeedState): Promise<string | undefined> {
    if (supersededBy === undefined) return undefined;
    const { state } = await this.transactor.load(needDecider, supersededBy);
    return (await this.survivorOf(state)) ?? supersededBy;
  }

  override async sight(needId: string, caller: Caller): Promise<NeedSight> {
    const { state } = await this.transactor.load(needDecider, needId);
    if (state.status === 'absent') return HIDDEN;
    const { summary, body, annex } = await this.records.parts(caller, needId, state);
    return { summary, body, annex };
  }

  override bodiesSeenBy(caller: Caller): Promise<(needIds: readonly string[]) => ReadonlySet<string>> {
    return this.records.bodiesSeenBy(caller);
  }
}

/** Drafts a need from a reported one that its State claims. The draft is the claimant's, whoever carries the command. */
export class ClaimedNeeds extends DraftFactory {
  override readonly kind = 'need';

  override draft(claim: DraftFromClaim): ProcessCommand {
    if (claim.kind !== 'need') throw new Error(`a claimed ${claim.kind} is no need`);
    const { id, claimant, claimedFrom, content } = claim;
    return processCommand({
      decider: needDecider,
      id,
      key: 'draft',
      command: (by) => ({
        type: 'DraftNeed',
        by: { ...by, actor: claimant },
        filer: claimant.party,
        beneficiaries: [claimant.party],
        claimedFrom,
        content,
      }),
    });
  }
}
