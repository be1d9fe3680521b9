import { commitmentDecider, deadlineOf } from '#commitments';
import type { CommitmentState } from '#commitments';
import type { RecordedEvent } from '#kernel';
import { categoryOfStream, idOfStream } from '#kernel';
import { contributionDecider, fundDecider } from '#funds';
import type { ContributionState } from '#funds';
import { needDecider, nextDeadline } from '#needs';
import type { NeedState } from '#needs';
import { endOf, offerDecider } from '#offers';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';
import { isGroupLive } from './need-group.js';
import { creditsIn, creditsOf, drawnOf } from './fund-check.js';
import type { Folds } from './folds.js';
import type { NeedFigures } from './need-ledger.js';
import { NeedLedger } from './need-ledger.js';
import type { OfferFigures } from './offer-ledger.js';
import { OfferLedger } from './offer-ledger.js';
import type { AskedAppend, Witness } from './simulated-log.js';

/** What was found wrong. `rule` is the first word of the message where it is an invariant of the domain. */
export class BrokenRuleError extends Error {
  override readonly name = 'BrokenRuleError';
}

/** An answer that a client had: what it promised must hold for ever. */
interface Acknowledged {
  readonly stream: string;
  readonly revision: number;
  readonly commandId: string;
}

/** Watches every append of a run, and says once everything has come to rest whether the records agree. */
export class Inspector implements Witness {
  /** The first rule that was broken. */
  broken: Error | undefined;
  /** How often each type of event was written, and what else was reached. */
  readonly reached = new Map<string, number>();
  private readonly commitments = new Map<string, CommitmentState>();
  private readonly needs = new Map<string, NeedState>();
  private readonly funds = new Set<string>();
  /** Commitments that a fund signed while a decision of its book named their need: from then on the book follows them. */
  private readonly decided = new Set<string>();
  private readonly contributions = new Map<string, ContributionState>();
  private readonly offerLedgers = new Map<string, OfferLedger>();
  private readonly needLedgers = new Map<string, NeedLedger>();
  private readonly acknowledged: Acknowledged[] = [];
  /** By command id: the stream it wrote to and its first revision there. */
  private readonly effects = new Map<string, string>();
  /** By stream, expected revision and command: the ids it was sent with. */
  private readonly sent = new Map<string, readonly string[]>();
  private readonly ids = new Set<string>();
  /** Commitments that were confirmed or left at least once: their uses of access lines went back then. */
  private readonly rested = new Set<string>();

  constructor(
    private readonly eventsOf: (stream: string) => readonly RecordedEvent[],
    private readonly folds: Folds,
    private readonly storedSomething: (events: readonly RecordedEvent[]) => void,
  ) {}

  count(what: string): void {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1);
  }

  /** Remembers the first thing found wrong. */
  blame(error: unknown): void {
    this.broken ??= error instanceof Error ? error : new Error(String(error));
  }

  asked({ stream, expected, events }: AskedAppend): void {
    if (stream.startsWith('_')) return;
    const commandId = events[0]?.metadata.commandId ?? '';
    const key = `${stream}@${expected} ${commandId}`;
    const ids = events.map(({ id }) => id);
    const before = this.sent.get(key);
    this.sent.set(key, ids);
    if (before === undefined) return;
    this.count('an append was repeated');
    if (before.some((id, index) => index < ids.length && id !== ids[index])) {
      this.blame(new BrokenRuleError(`a repeat of ${key} has other event ids: the log could not recognise it`));
    }
  }

  stored(events: readonly RecordedEvent[], { stream, expected }: AskedAppend): void {
    try {
      if (!stream.startsWith('_')) this.examine(events, stream, expected);
    } catch (error) {
      const [first] = events;
      this.blame(
        new BrokenRuleError(
          `${error instanceof Error ? error.message : String(error)} (${stream}@${first?.revision} ${first?.type})`,
        ),
      );
    }
    this.storedSomething(events);
  }

  acknowledge(acknowledged: Acknowledged): void {
    this.acknowledged.push(acknowledged);
  }

  private examine(events: readonly RecordedEvent[], stream: string, expected: number): void {
    const commandId = events[0]?.metadata.commandId ?? '';
    const earlier = this.effects.get(commandId);
    if (earlier !== undefined) throw new BrokenRuleError(`I15: command ${commandId} wrote twice, before at ${earlier}`);
    this.effects.set(commandId, `${stream}@${expected + 1}`);
    events.forEach((event, index) => {
      if (event.revision !== expected + 1 + index)
        throw new BrokenRuleError(`expected revision ${expected} became ${event.revision}`);
      if (event.metadata.commandId !== commandId) throw new BrokenRuleError('one append holds two commands');
      if (this.ids.has(event.id)) throw new BrokenRuleError(`event id ${event.id} stands in the log twice`);
      this.ids.add(event.id);
      this.count(event.type);
      this.follow(event);
    });
  }

  private follow(event: RecordedEvent): void {
    const id = idOfStream(event.stream);
    switch (categoryOfStream(event.stream)) {
      case 'offer': {
        const ledger = this.offerLedgers.get(id) ?? new OfferLedger();
        this.offerLedgers.set(id, ledger);
        if (event.type === 'CapacityReleased' && !('quantity' in event.data))
          this.count('a release overtook its reservation of capacity');
        ledger.take(event);
        return;
      }
      case 'need': {
        const ledger = this.needLedgers.get(id) ?? new NeedLedger();
        this.needLedgers.set(id, ledger);
        ledger.take(event);
        this.needs.set(id, this.folds.at(needDecider, id, event.revision));
        return;
      }
      case 'fund':
        this.funds.add(id);
        return;
      case 'contribution':
        this.contributions.set(id, this.folds.at(contributionDecider, id, event.revision));
        return;
      case 'commitment': {
        const state = this.folds.at(commitmentDecider, id, event.revision);
        this.commitments.set(id, state);
        if (isAtRest(state.status)) this.rested.add(id);
        this.examineCommitment(state, event);
      }
    }
  }

  private examineCommitment(state: CommitmentState, event: RecordedEvent): void {
    for (const { leg, drawn, deliveredDrawn, confirmedDrawn } of state.legs) {
      const [all, come, sure] = [minor(drawn), minor(deliveredDrawn), minor(confirmedDrawn)];
      if (come > all || sure > come || come < 0n || sure < 0n) {
        throw new BrokenRuleError(`I3: leg ${leg} has ${come} delivered and ${sure} confirmed of ${all}`);
      }
    }
    const { actor } = event.metadata;
    const sovereign = actor.sovereign ?? actor.party;
    if (
      event.type === 'AcceptanceGiven' &&
      (actor.party === state.proposedBy || sovereign === state.proposerSovereign)
    ) {
      throw new BrokenRuleError(`I4: ${actor.party} accepts its own proposal`);
    }
    if (event.type === 'CommitmentSigned') this.signed(idOfStream(event.stream), actor.party, state.needId);
    if (event.type === 'CommitmentBound') {
      const unsigned = state.signatories.filter(
        (party) => !state.signatures.some((signature) => signature.party === party),
      );
      const silent = [state.implementer, state.fiscalAgent].filter(
        (agency) => agency !== undefined && !state.consents.some(({ party }) => party === agency),
      );
      if (unsigned.length + silent.length > 0)
        throw new BrokenRuleError(`I20: it binds without ${[...unsigned, ...silent].join(', ')}`);
    }
  }

  /**
   * Every rule that holds once nothing moves any more.
   * @param past an RFC 3339 moment: whatever was due before it has happened
   * @throws {BrokenRuleError} the first that does not
   */
  atRest(past: string): void {
    this.acknowledgedStands();
    this.deadlinesMet(past);
    for (const [id, { status, amendments }] of this.commitments) {
      const open = amendments.find((amendment) => amendment.status === 'agreed' || amendment.status === 'held');
      if (open !== undefined)
        throw new BrokenRuleError(`commitment ${id} (${status}) still waits for the answer to amendment ${open.n}`);
    }
    for (const [id, state] of this.commitments) this.answered(id, state);
    const { offers, needs } = expectedFigures([...this.commitments.values()]);
    const unsettled = this.unsettledAccess();
    for (const id of new Set([...this.offerLedgers.keys(), ...offers.keys()])) {
      const has = this.offerLedgers.get(id)?.lines ?? new Map<number, OfferFigures>();
      const ought = offers.get(id) ?? new Map<number, OfferFigures>();
      same(`offer ${id}`, has, ought, (line) => !unsettled.has(`${id}/${line}`));
    }
    for (const id of new Set([...this.needLedgers.keys(), ...needs.keys()])) {
      same(
        `need ${id}`,
        this.needLedgers.get(id)?.lines ?? new Map<number, NeedFigures>(),
        needs.get(id) ?? new Map<number, NeedFigures>(),
      );
    }
    this.mergesAgree();
    this.closingsHold();
    for (const fund of this.funds) this.bookAgrees(fund);
  }

  private signed(commitment: string, party: string, needId: string): void {
    if (!this.funds.has(party)) return;
    const { book } = this.folds.at(fundDecider, party);
    const allocations = (book?.decisions ?? []).flatMap((decision) => decision.allocations);
    if (allocations.some((allocation) => allocation.needId === needId)) this.decided.add(`${party} ${commitment}`);
  }

  /** What the fund's book says of contributions and commitments, against what they say. */
  private bookAgrees(fund: string): void {
    const { book } = this.folds.at(fundDecider, fund);
    if (book === undefined) return;
    const credits = creditsOf(fund, this.contributions, this.commitments);
    const booked = creditsIn(book);
    for (const key of new Set([...credits.keys(), ...booked.keys()])) {
      if ((credits.get(key) ?? 0n) === (booked.get(key) ?? 0n)) continue;
      throw new BrokenRuleError(
        `the book of ${fund} has ${booked.get(key) ?? 'nothing'} of ${key}, which says ${credits.get(key) ?? 'nothing'}`,
      );
    }
    for (const [id, state] of this.commitments) {
      if (!this.decided.has(`${fund} ${id}`)) continue;
      const drawn = drawnOf(fund, book.terms.currency, state);
      if (drawn === undefined) continue;
      const has = (book.draws[id]?.parts ?? []).reduce((sum, { quantity }) => sum + minorUnits(quantity), 0n);
      if (has !== drawn)
        throw new BrokenRuleError(`the book of ${fund} has ${has} drawn by commitment ${id}, which draws ${drawn}`);
      this.count('a fund was drawn on as its commitment says');
    }
  }

  /** Access lines of commitments that rested and went on (a return, a dispute): their uses are back, whatever is delivered of them. */
  private unsettledAccess(): ReadonlySet<string> {
    return new Set(
      [...this.rested].flatMap((id) => {
        const state = this.commitments.get(id);
        if (state === undefined || isAtRest(state.status)) return [];
        return state.legs
          .filter(({ drawn }) => drawn.measure === 'access')
          .map(({ offerLine }) => `${state.offerId}/${offerLine}`);
      }),
    );
  }

  private acknowledgedStands(): void {
    for (const { stream, revision, commandId } of this.acknowledged) {
      const event = this.eventsOf(stream)[revision];
      if (event?.metadata.commandId !== commandId) {
        throw new BrokenRuleError(`the acknowledged ${stream}@${revision} of command ${commandId} is lost`);
      }
    }
  }

  private answered(id: string, { status, hold, acceptance, needId, offerId }: CommitmentState): void {
    if (status !== 'proposed') return;
    if (hold === 'pending') throw new BrokenRuleError(`commitment ${id} was never answered by offer ${offerId}`);
    if (acceptance === 'pending') throw new BrokenRuleError(`commitment ${id} was never answered by need ${needId}`);
    const closings = ['NeedClosed', 'NeedWithdrawn', 'OfferWithdrawn', 'OfferCompleted', 'OfferExpired'];
    for (const stream of [`need-${needId}`, `offer-${offerId}`]) {
      const closing = this.eventsOf(stream).find(({ type }) => closings.includes(type));
      if (closing !== undefined) throw new BrokenRuleError(`commitment ${id} is still proposed after ${closing.type}`);
    }
  }

  private deadlinesMet(past: string): void {
    const dues = [
      ...[...this.commitments].map(([id, state]) => [`commitment ${id}`, deadlineOf(state)?.due] as const),
      ...[...this.needs].map(([id, state]) => {
        const waits = isGroupLive(state.absorbed, (other) => this.needs.get(other));
        return [`need ${id}`, waits ? undefined : nextDeadline(state)?.due] as const;
      }),
      ...[...this.offerLedgers.keys()].map((id) => {
        const { summary } = this.folds.at(offerDecider, id);
        const runs = summary?.status === 'open' || summary?.status === 'suspended';
        return [`offer ${id}`, runs ? endOf(summary.content) : undefined] as const;
      }),
    ];
    for (const [record, due] of dues) {
      if (due !== undefined && due < past)
        throw new BrokenRuleError(`${record} was due at ${due}, and nothing came of it until ${past}`);
    }
  }

  private mergesAgree(): void {
    for (const [id, { supersededBy, absorbed }] of this.needLedgers) {
      if (supersededBy !== undefined && !this.needLedgers.get(supersededBy)?.absorbed.has(id)) {
        throw new BrokenRuleError(`I7: need ${id} was merged into ${supersededBy}, which does not name it`);
      }
      for (const other of absorbed) {
        if (this.needLedgers.get(other)?.supersededBy !== id) {
          throw new BrokenRuleError(`I7: need ${id} names ${other}, which was not merged into it`);
        }
      }
    }
  }

  private closingsHold(): void {
    for (const [id, { status, needId, closedAs }] of this.commitments) {
      // One that was confirmed before may go on: a return opens it again whatever became of its need.
      if ((status !== 'accepted' && status !== 'binding') || this.rested.has(id)) continue;
      const need = this.needs.get(needId);
      if (need?.status === 'closed' && need.closedAs !== 'superseded') {
        throw new BrokenRuleError(
          `I18: need ${needId} closed as ${need.closedAs} over commitment ${id}, ${status} ${closedAs ?? ''}`,
        );
      }
    }
  }
}

const minor = (quantity: Quantity): bigint => (isRival(quantity) ? minorUnits(quantity) : 0n);

/** Confirmed or left. */
const isAtRest = (status: CommitmentState['status']): boolean =>
  status === 'confirmed' || (status !== undefined && !LIVE.includes(status));

const LIVE: readonly (string | undefined)[] = ['proposed', 'accepted', 'binding', 'delivered', 'confirmed'];

/** What offers and needs must have once everything has settled, from the commitments alone; lines without anything may be left out. */
const expectedFigures = (
  states: readonly CommitmentState[],
): {
  readonly offers: ReadonlyMap<string, Map<number, OfferFigures>>;
  readonly needs: ReadonlyMap<string, Map<number, NeedFigures>>;
} => {
  const offers = new Map<string, Map<number, OfferFigures>>();
  const needs = new Map<string, Map<number, NeedFigures>>();
  for (const { status, closedAs, hold, boundAt, acceptance, offerId, needId, legs } of states) {
    for (const leg of legs) {
      const offer = lineOf(offers, offerId, leg.offerLine, { held: 0n, committed: 0n, delivered: 0n });
      const need = lineOf(needs, needId, leg.needLine, { accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n });
      const isLive = LIVE.includes(status);
      // Uses of access lines go back once the commitment is confirmed or left.
      const freed = leg.drawn.measure === 'access' && isAtRest(status);
      if (boundAt !== undefined) {
        if (!freed) offer.committed += minor(isLive ? leg.drawn : leg.deliveredDrawn);
        need.binding += minor(isLive || closedAs === 'unconfirmed' ? leg.credited : leg.deliveredCredited);
      } else if (isLive) {
        if (hold === 'held') offer.held += minor(leg.drawn);
        if (acceptance === 'given') need.accepted += minor(leg.credited);
      }
      if (!freed) offer.delivered += minor(leg.deliveredDrawn);
      need.delivered += minor(leg.deliveredCredited);
      need.confirmed += minor(leg.confirmedCredited);
    }
  }
  return { offers, needs };
};

const lineOf = <F>(records: Map<string, Map<number, F>>, id: string, line: number, none: F): F => {
  const lines = records.get(id) ?? new Map<number, F>();
  records.set(id, lines);
  const figures = lines.get(line) ?? none;
  lines.set(line, figures);
  return figures;
};

const same = (
  what: string,
  has: ReadonlyMap<number, object>,
  ought: ReadonlyMap<number, object>,
  which: (line: number) => boolean = () => true,
): void => {
  for (const line of [...new Set([...has.keys(), ...ought.keys()])].filter(which)) {
    const [is, should] = [has, ought].map((lines) => said(lines.get(line)));
    if (is !== should) throw new BrokenRuleError(`line ${line} of ${what} has ${is}; its commitments say ${should}`);
  }
};

const said = (figures: object | undefined): string =>
  Object.entries(figures ?? {})
    .filter(([, amount]) => amount !== 0n)
    .map(([name, amount]) => `${amount as bigint} ${name}`)
    .join(', ') || 'nothing';
