import { Injectable } from '@nestjs/common';
import type { Arc, NeedLine, OfferLine, Problem } from '#allocation';
import type { Caller } from '#directory/contract';
import { isDeterminate, measureKey, minorUnits } from '#vocabulary';
import type { AdmissionRequest, Admitted } from '../admission.js';
import { Admission } from '../admission.js';
import { MatchIndex } from '../match-index.js';
import { linePairs } from '../rules/lines.js';
import { NEWEST } from '../rules/rulesets.js';
import type { AskedLine, NeedSide, OfferedLine } from '../rules/sides.js';
import { reasonOf } from '../rules/sides.js';
import type { Standing } from '../standing.js';
import { Standings } from '../standings.js';
import type { AllocationEvent, AllocationOrder, AllocationScope } from './allocation.contract.js';

/** A question as the solver is given it, and what it is made of. */
export interface Posed {
  readonly started: Extract<AllocationEvent, { type: 'AllocationStarted' }>['data'];
  readonly problem: Problem;
}

/** A need that is met counts as one, an urgent one as two, however many lines it is written in. */
const WEIGHTS = { normal: 1, urgent: 2 } as const;

/** Turns how things stand, as far as whoever asks may see it, into a question for the solver. */
@Injectable()
export class AllocationProblems {
  constructor(
    private readonly standings: Standings,
    private readonly index: MatchIndex,
    private readonly admission: Admission,
  ) {}

  /**
   * Takes the open needs in scope and the open offers, of both what `caller` may see, and the pairs of lines that the newest ruleset
   * admits. Lets the event loop go on meanwhile; ends early, with what it has, where `signal` aborts.
   */
  async posed(caller: Caller, order: AllocationOrder, signal: AbortSignal): Promise<Posed> {
    const standing = await this.standings.current();
    // In the turn that the standing was asked in: what the run takes account of is of its position.
    const request = admissionTo(standing, order);
    const readUpTo = this.index.readUpTo();
    const problem = await problemOf(this.admission.admitted(caller, request, signal), order);
    return {
      started: {
        ...(readUpTo === undefined ? {} : { readUpTo }),
        ruleset: NEWEST,
        ...modelOf(problem),
      },
      problem,
    };
  }
}

/** Which pairings an order asks about, as they stand. */
export const admissionTo = (standing: Standing, { scope }: AllocationOrder): AdmissionRequest => ({
  standing,
  ruleset: NEWEST,
  needIds: standing.needIds(),
  offerIds: standing.offerIds(),
  takesPart: (need: NeedSide) => isWithin(scope, need),
});

/** How large a question is. */
export const modelOf = ({
  needs,
  offers,
  arcs,
}: Problem): Pick<Posed['started'], 'needLines' | 'offerLines' | 'pairs'> => ({
  ...{ needLines: needs.length, offerLines: offers.length, pairs: arcs.length },
});

/** The question that these pairings make; with no more of them than make `most` pairs of lines and those of one pairing beyond. */
export const problemOf = async (
  admitted: AsyncIterable<Admitted>,
  order: AllocationOrder,
  most = Infinity,
): Promise<Problem> => {
  const lines = new Lines(order);
  for await (const one of admitted) {
    if (one.kind === 'need') lines.addNeed(one.need);
    else lines.addPairs(one);
    if (lines.arcs.length > most) break;
  }
  return {
    needs: lines.needLines,
    offers: lines.offerLines,
    arcs: lines.arcs,
    budgets: order.budgets.map(({ quantity, ...of }) => ({
      ...of,
      measure: measureKey(quantity),
      quantity: minorUnits(quantity),
    })),
    floors: order.floors,
    objective: order.objective,
    seed: order.seed,
  };
};

/** Collects lines and pairs as the solver takes them. */
class Lines {
  readonly needLines: NeedLine[] = [];
  readonly offerLines: OfferLine[] = [];
  readonly arcs: Arc[] = [];
  private readonly needPlaces = new Map<string, number>();
  private readonly offerPlaces = new Map<string, number>();

  constructor(private readonly order: AllocationOrder) {}

  /** Lines with nothing outstanding, or without a quantity, have nothing to allocate. */
  addNeed(need: NeedSide): void {
    const asked = need.lines.filter((line) => this.isAsked(line));
    for (const { line, kind, quantity, outstanding } of asked) {
      this.needPlaces.set(`${need.id} ${line}`, this.needLines.length);
      this.needLines.push({
        needId: need.id,
        ...{ line, kind, outstanding },
        states: need.sovereigns,
        regions: need.regions,
        measure: measureKey(quantity),
        weight: WEIGHTS[need.urgency] / asked.length,
        ...(this.order.singleSource?.includes(kind) === true ? { singleSource: true } : {}),
      });
    }
  }

  addPairs({ need, offer, score, components }: Extract<Admitted, { kind: 'pairing' }>): void {
    for (const { needLine, offerLine, alike } of linePairs(need, offer)) {
      if (!alike || !this.isAsked(needLine) || offerLine.available === 0n) continue;
      const place = this.needPlaces.get(`${need.id} ${needLine.line}`);
      if (place === undefined) continue;
      this.arcs.push({
        need: place,
        offer: this.offerPlace(offer.id, offer.provider, offerLine),
        score,
        because: reasonOf(score, components),
      });
    }
  }

  private offerPlace(offerId: string, donor: string, { line, capacity, available, minimumLot }: OfferedLine): number {
    const key = `${offerId} ${line}`;
    const known = this.offerPlaces.get(key);
    if (known !== undefined) return known;
    this.offerPlaces.set(key, this.offerLines.length);
    this.offerLines.push({
      ...{ offerId, line, donor, available },
      measure: measureKey(capacity),
      ...(minimumLot === undefined ? {} : { minimumLot }),
    });
    return this.offerLines.length - 1;
  }

  private isAsked({ kind, quantity, outstanding }: AskedLine): boolean {
    const { scope } = this.order;
    return isDeterminate(quantity) && outstanding > 0n && (scope.kind === undefined || scope.kind === kind);
  }
}

const isWithin = (
  { state, region, network, kind, instrument, from, to }: AllocationScope,
  { sovereigns, regions, networks, lines, instruments, period }: NeedSide,
): boolean =>
  (state === undefined || sovereigns.includes(state)) &&
  (region === undefined || regions.includes(region)) &&
  (network === undefined || networks.includes(network)) &&
  (kind === undefined || lines.some((line) => line.kind === kind)) &&
  (instrument === undefined || (instruments as readonly string[]).includes(instrument)) &&
  (from === undefined || period?.to === undefined || period.to >= from) &&
  (to === undefined || period?.from === undefined || period.from <= to);
