import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Clock, Transactor } from '#kernel';
import { NeedReader } from '#needs/contract';
import { REAFFIRM_DAYS, SupposedNeed } from '#needs/filing';
import { OfferReader } from '#offers/contract';
import { SupposedOffer } from '#offers/posting';
import { addDays } from '#vocabulary';
import { CallerDirectory, Problem, RecordSight } from '#web';
import { Admission } from '../admission.js';
import type { AllocationOrder } from '../allocation/allocation.contract.js';
import { endOf, piecesOf } from '../allocation/allocation-pieces.js';
import { admissionTo, modelOf, problemOf } from '../allocation/allocation-problems.js';
import { AllocationSolver } from '../allocation/allocation-solver.js';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { matchListView } from '../match-list.view.js';
import type { MatchList, MatchRequest } from '../matches.js';
import { Matches } from '../matches.js';
import type { Standing } from '../standing.js';
import { Standings } from '../standings.js';
import { differencesOf } from './differences.js';
import type { Question } from './question.js';
import type { Amendable, Supposition } from './supposing.js';
import { NOTHING_SUPPOSED, Supposing } from './supposing.js';
import { SupposedNeeds, SupposedOffers, SupposedOffices } from './supposed-sight.js';
import { SupposedStanding } from './supposed-standing.js';

/** Pairs of lines that are solved while the caller waits: a tenth of a second of work, without lots. */
const MOST_PAIRS = 2_000;
/** Steps of the solver where lots or single sources make it branch: a fraction of what a run takes, and the same on every machine. */
const LIMITS = { nodes: 200 };
/** How long pairings are judged, and how long they are solved, each time: a bound for what the two above do not foresee. */
const MOST_MS = 20_000;

type Side = 'need' | 'offer';

/** Answers what matches and allocations would be. Nothing is written. */
@Injectable()
export class WhatIf {
  private solving: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly transactor: Transactor,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly sight: RecordSight,
    private readonly directory: CallerDirectory,
    private readonly clock: Clock,
    private readonly standings: Standings,
    private readonly matches: Matches,
    private readonly admission: Admission,
    private readonly solver: AllocationSolver,
  ) {}

  /**
   * Before and after of every record that is asked for, supposed or changed.
   * @throws {Problem} 404 for a record that the caller does not see, 409 for a change or an allocation that is refused
   */
  async answer(caller: Caller, question: Question): Promise<object> {
    await this.requireSeen(caller, question);
    const amendable = await this.amendable(question);
    const standing = await this.standings.current();
    // All in the turn that the standing was asked in: before and after are of its position.
    const supposition = this.supposed(standing, caller, question, amendable);
    const withBlocked = question.withBlocked || question.allocation !== undefined;
    const asked = {
      needs: [...question.needs.map(({ id }) => id), ...question.newNeeds.keys()],
      offers: [...question.offers.map(({ id }) => id), ...question.newOffers.keys()],
      withBlocked,
    };
    const before = new SupposedStanding(standing, NOTHING_SUPPOSED, asked);
    const after = new SupposedStanding(standing, supposition, asked);

    const [needs, offers, offices] = [
      new SupposedNeeds(this.needs, supposition),
      new SupposedOffers(this.offers, supposition),
      new SupposedOffices(this.directory, this.clock, supposition, caller),
    ];
    const matches = new Matches(needs, offers, offices, this.sight);
    const entry = async (side: Side, id: string): Promise<object> => {
      const created = supposition.created.has(id);
      const was = created ? undefined : await this.listed(this.matches, caller, side, id, before, question);
      const is = await this.listed(matches, caller, side, id, after, question);
      return entryOf(side, id, was, is, question.limit, created);
    };
    const answer = {
      needs: await inOrder(asked.needs, (id) => entry('need', id)),
      offers: await inOrder(asked.offers, (id) => entry('offer', id)),
    };
    const { allocation: order } = question;
    const allocation =
      order === undefined
        ? undefined
        : await this.inTurn(async () => ({
            before: await this.solved(caller, order, before, this.admission),
            after: await this.solved(caller, order, after, new Admission(needs, offers, offices, this.sight)),
          }));
    return {
      ...answer,
      ...(allocation === undefined ? {} : { allocation }),
      ...{ ruleset: question.ruleset, asOf: standing.asOf, on: standing.today },
    };
  }

  private async requireSeen(caller: Caller, { needs, offers }: Question): Promise<void> {
    for (const { id, field } of needs) {
      if (!isId(id) || !(await this.needs.sight(id, caller)).body) throw unseen('need', field);
    }
    for (const { id, field } of offers) {
      if (!isId(id) || !(await this.offers.sees(id, caller))) throw unseen('offer', field);
    }
  }

  private async amendable({ changes }: Question): Promise<Amendable> {
    const needs = new Map<string, SupposedNeed>();
    const offers = new Map<string, SupposedOffer>();
    for (const change of changes) {
      if ('needId' in change) needs.set(change.needId, await SupposedNeed.of(this.transactor, change.needId));
      if ('offerId' in change) offers.set(change.offerId, await SupposedOffer.of(this.transactor, change.offerId));
    }
    return { needs, offers };
  }

  private supposed(standing: Standing, caller: Caller, question: Question, amendable: Amendable): Supposition {
    const at = this.clock.now().toISOString();
    const reaffirmBy = addDays(at, REAFFIRM_DAYS);
    const created = {
      needs: mapped(question.newNeeds, (need): IndexedNeed => ({ ...need, openedAt: at, reaffirmBy })),
      offers: mapped(question.newOffers, (offer): IndexedOffer => ({ ...offer, openedAt: at })),
    };
    const supposing = new Supposing(standing, amendable, caller, at, created);
    for (const { field, ...change } of question.changes) supposing.suppose(change, field);
    return supposing;
  }

  private async listed(
    matches: Matches,
    caller: Caller,
    side: Side,
    id: string,
    standing: Standing,
    { ruleset, limit, withBlocked }: Question,
  ): Promise<MatchList> {
    // Whole lists: what leaves the first page has not vanished.
    const request: MatchRequest = { standing, ruleset, limit: Infinity, blockedLimit: limit, withBlocked };
    const list = await (side === 'need' ? matches.forNeed(caller, id, request) : matches.forOffer(caller, id, request));
    if (list === undefined) throw unseen(side, `${side}s`);
    return list;
  }

  /** One at a time: each takes a processor. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.solving.then(work);
    this.solving = mine.catch(() => undefined);
    return mine;
  }

  private async solved(
    caller: Caller,
    order: AllocationOrder,
    standing: Standing,
    admission: Admission,
  ): Promise<object> {
    const judging = AbortSignal.timeout(MOST_MS);
    const problem = await problemOf(
      admission.admitted(caller, admissionTo(standing, order), judging),
      order,
      MOST_PAIRS,
    );
    if (judging.aborted || problem.arcs.length > MOST_PAIRS) {
      throw tooLarge(
        `more than ${MOST_PAIRS} pairs of lines, or more needs and offers than are judged in ${MOST_MS / 1_000} s`,
      );
    }
    const outcome = await this.solver.solve(
      { ...problem, limits: LIMITS },
      {
        signal: AbortSignal.timeout(MOST_MS),
        onProgress: () => undefined,
      },
    );
    if (outcome.status === 'cancelled') throw tooLarge(`pairs that are not solved within ${MOST_MS / 1_000} s`);
    const { outcome: status, summary, ...end } = endOf(outcome);
    const { certificateSha256: _, ...figures } = summary ?? { certificateSha256: '' };
    const pieces = outcome.answer === undefined ? [] : piecesOf(outcome.answer);
    const list = (part: 'pairs' | 'unmet' | 'prices'): readonly object[] =>
      pieces.flatMap(({ piece }): readonly object[] => (piece.part === part ? piece.items : []));
    return {
      ...{ status, ...end, model: modelOf(problem), ...figures },
      ...{ pairs: list('pairs'), unmet: list('unmet'), prices: list('prices') },
    };
  }
}

const isId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

const unseen = (side: Side, field: string): Problem => {
  const message = `There is no such ${side}, or you may not see it.`;
  return Problem.of('not-found', message, { errors: [{ field, message }] });
};

const tooLarge = (what: string): Problem =>
  Problem.of(
    'too-large-to-wait',
    `The allocation has ${what}: narrow its scope, or ask POST /v1/allocations and read the run.`,
  );

const mapped = <A, B>(map: ReadonlyMap<string, A>, to: (value: A) => B): ReadonlyMap<string, B> =>
  new Map([...map].map(([key, value]) => [key, to(value)]));

const inOrder = async <T>(ids: readonly string[], of: (id: string) => Promise<T>): Promise<readonly T[]> => {
  const found: T[] = [];
  for (const id of ids) found.push(await of(id));
  return found;
};

const entryOf = (
  side: Side,
  id: string,
  before: MatchList | undefined,
  after: MatchList,
  limit: number,
  created: boolean,
): object => {
  const other = side === 'need' ? 'offerId' : 'needId';
  const differences = differencesOf(before, after);
  const shown = (list: MatchList): object => matchListView(other, { ...list, items: list.items.slice(0, limit) });
  return {
    [`${side}Id`]: id,
    ...(created ? { supposed: true } : {}),
    before: before === undefined ? null : shown(before),
    after: shown(after),
    ...Object.fromEntries(
      Object.entries(differences).map(([name, list]) => [
        name,
        (list as readonly { readonly id: string }[])
          .slice(0, limit)
          .map(({ id: of, ...rest }) => ({ [other]: of, ...rest })),
      ]),
    ),
    counts: {
      ...{ before: before?.items.length ?? 0, after: after.items.length },
      ...Object.fromEntries(
        Object.entries(differences).map(([name, { length }]: [string, readonly unknown[]]) => [name, length]),
      ),
    },
  };
};
