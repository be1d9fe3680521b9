import { ProposalFigures } from '#commitments/contract';
import type { Caller } from '#directory/contract';
import { ANY_PARTY } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, LifeCycleRule, RecordedEvent } from '#kernel';
import { Clock } from '#kernel';
import type { Quantity } from '#vocabulary';
import type { MandateReach, RecordKind, PastView } from '#web';
import { RecordKinds, RecordSight } from '#web';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { NeedEvent } from './need.contract.js';
import type { NeedCommand, NeedCommandType, NeedRejection, NeedState } from './need.js';
import { hasLiveCommitments, needDecider } from './need.js';
import { NeedBoard } from './need-board.js';
import type { NeedBonds, NeedParts } from './need-sight.js';
import { bothParts, isOwner, isUnpublished, labelOf, NO_BONDS, ownersOf, sightOf } from './need-sight.js';
import type { Merged } from './need.view.js';
import { needRuleOf } from './need-rules.js';
import { needEventFor, needView, permitsNeed, UNMERGED } from './need.view.js';

const NONE: ReadonlyMap<number, readonly Quantity[]> = new Map();

const inOrder = (
  ids: readonly string[],
  states: ReadonlyMap<string, NeedState>,
): readonly (readonly [id: string, state: NeedState])[] =>
  ids.flatMap((id) => {
    const state = states.get(id);
    return state === undefined ? [] : [[id, state] as const];
  });

/** How needs are served: who sees which part, who may act on them, and what they look like to whom. */
@Injectable()
export class NeedRecords implements RecordKind<NeedState, NeedCommand, NeedEvent, NeedRejection> {
  readonly decider = needDecider;
  readonly path = '/v1/needs';

  constructor(
    private readonly board: NeedBoard,
    private readonly clock: Clock,
    kinds: RecordKinds,
    private readonly sight: RecordSight,
    @Optional() @Inject(ProposalFigures) private readonly proposals?: ProposalFigures,
  ) {
    kinds.add(this);
  }

  /** Looked back at by the effective clock, a need may lack its draft: it did not exist yet, whatever is said to have happened to it. */
  exists({ status, filer }: NeedState): boolean {
    return status !== 'absent' && filer !== '';
  }

  async sees(caller: Caller, id: string, state: NeedState): Promise<boolean> {
    return (await this.parts(caller, id, state)).summary;
  }

  isBeforehand(state: NeedState): boolean {
    return isUnpublished(state, this.clock.now().toISOString());
  }

  mandated(id: string, state: NeedState): MandateReach {
    return { owners: ownersOf(state), ids: [id] };
  }

  /** Lines of a need that a proposal disclosed count as its body. */
  async isRestricted(caller: Caller, id: string, state: NeedState): Promise<boolean> {
    const [own, all] = await Promise.all([this.parts(caller, id, state), this.parts(ANY_PARTY, id, state)]);
    return (
      !all.summary ||
      ((own.body || own.lines.length > 0) && !all.body) ||
      (own.annex && !all.annex && state.content.annex !== undefined)
    );
  }

  permits(caller: Caller, command: NeedCommandType, state: NeedState): boolean {
    return permitsNeed(caller, command, state);
  }

  async view(caller: Caller, id: string, { state }: Folded<NeedState>): Promise<object> {
    return this.shown(caller, id, state, await this.parts(caller, id, state));
  }

  /** Figures of proposals and of merged needs come from other streams: how they stood then is not known here. */
  async lookBack(caller: Caller, id: string, now: NeedState, at: string): Promise<PastView<NeedState>> {
    const bonds = caller.anonymous ? NO_BONDS : await this.board.bonds(caller, id);
    const seenNow = this.partsWith(caller, id, now, bonds);
    const ownsNow = isOwner(caller, now);
    return {
      of: async (then) => {
        const parts = bothParts(seenNow, this.partsWith(caller, id, then, bonds));
        if (!parts.summary) return null;
        const merged = await this.mergedThen(caller, then);
        return needView(caller, id, then, parts, at, undefined, merged, ownsNow && isOwner(caller, then));
      },
    };
  }

  ruleOf(event: RecordedEvent<NeedEvent>): LifeCycleRule {
    return needRuleOf(event);
  }

  async maskEvent(caller: Caller, state: NeedState, event: RecordedEvent<NeedEvent>): Promise<object | undefined> {
    const id = event.stream.slice('need-'.length);
    const parts = await this.parts(caller, id, state);
    const { commitment } = event.data as { readonly commitment?: string };
    const knows = commitment !== undefined && (await this.knows(caller, state, commitment));
    const { into, absorbed, other = into ?? absorbed } = event.data as Readonly<Record<string, string | undefined>>;
    const knowsNeed = other !== undefined && (await this.seen(caller, [other])).length > 0;
    return needEventFor(
      caller,
      state,
      parts,
      event,
      () => knows,
      () => knowsNeed,
    );
  }

  /** What the caller sees of one need now. */
  async parts(caller: Caller, id: string, state: NeedState): Promise<NeedParts> {
    const label = labelOf(id, state);
    const now = this.clock.now().toISOString();
    const plain = sightOf(caller, label, NO_BONDS, now);
    // What joins streams is asked only where it counts.
    return caller.anonymous || (plain.body && plain.figures)
      ? plain
      : sightOf(caller, label, await this.board.bonds(caller, id), now);
  }

  /** Answers, of the ids it is given, those whose body the caller sees. */
  bodiesSeenBy(caller: Caller): Promise<(ids: readonly string[]) => ReadonlySet<string>> {
    return this.board.bodiesSeenBy(caller);
  }

  /** The same with bonds already read, for a page of a list. */
  partsWith(caller: Caller, id: string, state: NeedState, bonds: NeedBonds): NeedParts {
    return sightOf(caller, labelOf(id, state), bonds, this.clock.now().toISOString());
  }

  async shown(caller: Caller, id: string, state: NeedState, parts: NeedParts): Promise<object> {
    const indicative = await this.indicative(id, state, parts);
    const merged = await this.merged(caller, state);
    return needView(caller, id, state, parts, this.clock.now().toISOString(), indicative, merged);
  }

  /** A commitment on a need that this one absorbed, or that such a need had absorbed, is live. */
  groupLive({ absorbed }: NeedState): boolean {
    return this.group(absorbed).some(([, state]) => hasLiveCommitments(state));
  }

  /** Needs that were merged with this one, as far as the caller sees them: from their own streams, as the board has them. */
  private async merged(caller: Caller, { supersededBy, absorbed }: NeedState): Promise<Merged> {
    if (supersededBy === undefined && absorbed.length === 0) return UNMERGED;
    const survivor = supersededBy === undefined ? undefined : this.survivorOf(supersededBy);
    const [end] = survivor === undefined ? [] : await this.seen(caller, [survivor]);
    const group = await this.seen(
      caller,
      this.group(absorbed).map(([id]) => id),
    );
    return {
      ...(end === undefined ? {} : { supersededBy: end.id }),
      absorbed: await Promise.all(
        group.map(async (each) => ({ ...each, indicative: await this.indicative(each.id, each.state, each.parts) })),
      ),
    };
  }

  private async indicative(
    id: string,
    state: NeedState,
    parts: NeedParts,
  ): Promise<ReadonlyMap<number, readonly Quantity[]>> {
    return parts.figures && state.opened ? ((await this.proposals?.indicative(id)) ?? NONE) : NONE;
  }

  /** Which needs it was merged with then, as far as the caller sees them now: what they looked like is of other streams. */
  private async mergedThen(caller: Caller, { supersededBy, absorbed }: NeedState): Promise<Merged> {
    if (supersededBy === undefined && absorbed.length === 0) return UNMERGED;
    const [into] = supersededBy === undefined ? [] : await this.seen(caller, [supersededBy]);
    const known = (await this.seen(caller, absorbed)).map(({ id }) => ({ id }));
    return { ...(into === undefined ? {} : { supersededBy: into.id }), absorbed: [], known };
  }

  /** Follows the chain to the need that survived it. */
  private survivorOf(id: string): string {
    const passed = new Set<string>();
    let at = id;
    for (let next: string | undefined = at; next !== undefined && !passed.has(next);) {
      at = next;
      passed.add(at);
      next = this.board.states([at]).get(at)?.supersededBy;
    }
    return at;
  }

  /** Absorbed needs and those they had absorbed, nearest first. */
  private group(absorbed: readonly string[]): readonly (readonly [id: string, state: NeedState])[] {
    const found = new Map<string, NeedState>();
    for (let ids = absorbed; ids.length > 0;) {
      const states = this.board.states(ids);
      const here = inOrder(ids, states);
      for (const [id, state] of here) found.set(id, state);
      ids = here.flatMap(([, state]) => state.absorbed).filter((id) => !found.has(id));
    }
    return [...found];
  }

  private async seen(
    caller: Caller,
    ids: readonly string[],
  ): Promise<readonly { readonly id: string; readonly state: NeedState; readonly parts: NeedParts }[]> {
    const needs = await Promise.all(
      inOrder(ids, this.board.states(ids)).map(async ([id, state]) => ({
        id,
        state,
        parts: await this.parts(caller, id, state),
      })),
    );
    return needs.filter(({ parts }) => parts.summary);
  }

  /**
   * Whether the caller knows of a commitment on this need: as its side or agency, as who reviews it, or by a mandate that opens it. One
   * over the need opens none on a sealed offer.
   */
  private async knows(caller: Caller, state: NeedState, commitment: string): Promise<boolean> {
    if (isOwner(caller, state) || hasRole(caller, 'coordinator') || this.board.isPartyOf(caller, commitment))
      return true;
    return caller.mandates.length > 0 && (await this.sight.sees(caller, 'commitment', commitment));
  }
}
