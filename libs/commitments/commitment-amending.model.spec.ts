import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Actor, BusSubscription, Command, Decider, DomainEvent, RecordedEvent, Rejection } from '#kernel';
import { ManualClock, MessageBus, ProcessRunner, Transactor, Upcasting } from '#kernel';
import { InMemoryEventStore, TEST_TIME } from '#kernel-testing';
import type { NeedState } from '#needs';
import { coverageReserving, needDecider } from '#needs';
import type { NeedContent } from '#needs/contract';
import type { OfferState } from '#offers';
import { capacityHolding, offerDecider } from '#offers';
import type { OfferContent } from '#offers/contract';
import { compare, minorUnits } from '#vocabulary';
import type { AmendedLeg } from './commitment-amending.js';
import { commitmentProgress, OpenProposals } from './commitment-progress.process.js';
import type { CommitmentCommand, CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import { COORDINATOR, facts, JAPAN, NEED_ID, OFFER_ID, seats, VANUATU } from './commitment.fixture.js';

const IDS = ['019b8d00-0000-7000-8000-200000000000', '019b8d00-0000-7000-8000-200000000001'] as const;
const CAPACITY = 20n;
const ASKED = { 2: 14n, 4: 9n } as const;

const LINES = {
  offer: { lines: [{ line: 2, capacity: seats(Number(CAPACITY)) }] },
  need: { lines: [2, 4].map((line) => ({ line, quantity: seats(Number(ASKED[line as 2 | 4])) })) },
};
const OFFER: OfferContent = {
  title: 'Courses',
  lines: [
    { line: 1, kinds: [], capacity: seats(1) },
    { line: 2, kinds: ['training'], capacity: seats(Number(CAPACITY)) },
  ],
  earmark: {},
  conditions: [],
  visibility: 'public',
  named: [],
};
const NEED: NeedContent = {
  title: 'Licensing officers to be trained',
  kinds: ['training'],
  instruments: ['ATT'],
  traffickingNexus: false,
  lines: [1, 2, 3, 4].map((line) => ({
    ...{ line, kind: 'training' as const },
    quantity: seats(line === 2 || line === 4 ? Number(ASKED[line]) : 1),
  })),
  urgency: 'normal',
  authorityRef: 'Note Verbale 12/2026',
  visibility: { summary: 'public', body: 'public', annex: 'sealed' },
  named: [],
  oversubscription: false,
};

class NoProposals extends OpenProposals {
  override of(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}

interface Inbox {
  readonly handles: ReadonlySet<string>;
  readonly handler: (event: RecordedEvent) => Promise<void>;
  readonly streams: Map<string, { readonly events: RecordedEvent[]; next: number }>;
}

/** Delivers one event at a time, when told to: of any stream, in the stream's own order, and now and then again. */
class SteppedBus extends MessageBus {
  private readonly inboxes: Inbox[] = [];
  private read = 0n;

  constructor(private readonly store: InMemoryEventStore) {
    super();
  }

  override subscribe(
    name: string,
    handles: readonly string[],
    handler: (event: RecordedEvent) => Promise<void>,
  ): BusSubscription {
    this.inboxes.push({ handles: new Set(handles), handler, streams: new Map() });
    return { name, position: 0n, stuck: [], reached: () => Promise.resolve(), stop: () => Promise.resolve() };
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  /** @param choice any number: it picks what is delivered; answers false where nothing waits */
  async deliver(choice: number): Promise<boolean> {
    const page = await this.store.readAll(this.read, Number.MAX_SAFE_INTEGER);
    this.read = page.at(-1)?.position ?? this.read;
    for (const event of page) {
      for (const { streams } of this.inboxes.filter((inbox) => inbox.handles.has(event.type))) {
        const stream = streams.get(event.stream) ?? { events: [], next: 0 };
        stream.events.push(event);
        streams.set(event.stream, stream);
      }
    }
    const waiting = this.inboxes.flatMap(({ handler, streams }) =>
      [...streams.values()].filter(({ events, next }) => next < events.length).map((stream) => ({ handler, stream })),
    );
    const chosen = waiting[choice % Math.max(1, waiting.length)];
    if (chosen === undefined) return false;
    const { handler, stream } = chosen;
    const event = stream.events[stream.next];
    stream.next += 1;
    if (event !== undefined) await handler(event);
    // A checkpoint that was not saved in time: the stream comes again from somewhere before.
    if (choice % 5 === 0) {
      for (const again of stream.events.slice(choice % stream.next, stream.next)) await handler(again);
    }
    return true;
  }
}

type AnyDecider = Decider<unknown, Command, DomainEvent, Rejection>;

class World {
  private readonly store = new InMemoryEventStore();
  private readonly upcasting = new Upcasting();
  private readonly clock = new ManualClock(TEST_TIME);
  private readonly transactor = new Transactor(this.store, this.clock, this.upcasting);
  private readonly bus = new SteppedBus(this.store);
  private readonly failures: unknown[] = [];
  private sent = 0;
  private readonly runner = new ProcessRunner(
    this.bus,
    this.transactor,
    [commitmentProgress(new NoProposals()), capacityHolding, coverageReserving],
    {
      upcasting: this.upcasting,
      alarm: ({ error }) => {
        this.failures.push(error);
      },
    },
  );

  async open(): Promise<void> {
    this.runner.start();
    await this.send(offerDecider, OFFER_ID, { type: 'PostOffer', content: OFFER }, JAPAN);
    for (const [command, actor] of [
      [{ type: 'DraftNeed', filer: 'state:VUT', beneficiaries: ['state:VUT'], content: NEED }, VANUATU],
      [{ type: 'SubmitNeed', consent: { circulate: 'yes', publish: 'yes' } }, VANUATU],
      [{ type: 'OpenNeed' }, COORDINATOR],
    ] as const) {
      await this.send(needDecider, NEED_ID, command, actor);
    }
  }

  /** A refusal is an answer, too. */
  async send(decider: unknown, id: string, command: object, actor: Actor): Promise<void> {
    this.clock.advance(1_000);
    const commandId = `c${(this.sent += 1)}`;
    await this.transactor.transact(decider as AnyDecider, id, (by) => ({ ...command, by }) as unknown as Command, {
      commandId,
      correlationId: commandId,
      causationId: null,
      actor,
    });
  }

  async deliver(choice: number): Promise<boolean> {
    const more = await this.bus.deliver(choice);
    assert.deepEqual(this.failures, [], 'a process failed');
    return more;
  }

  async commitment(id: string): Promise<CommitmentState> {
    return (await this.transactor.load(commitmentDecider, id)).state;
  }

  async offer(): Promise<OfferState> {
    return (await this.transactor.load(offerDecider, OFFER_ID)).state;
  }

  async need(): Promise<NeedState> {
    return (await this.transactor.load(needDecider, NEED_ID)).state;
  }

  async close(): Promise<void> {
    await this.runner.stop();
    await this.store.close();
  }
}

const leg = (quantity: number, needLine = 2, number?: number): AmendedLeg => ({
  ...{ offerLine: 2, needLine, drawn: seats(quantity) },
  ...(number === undefined ? {} : { leg: number }),
});

interface Figures {
  held: bigint;
  committed: bigint;
  delivered: bigint;
}
interface Coverage {
  accepted: bigint;
  binding: bigint;
  delivered: bigint;
  confirmed: bigint;
}

const offered = ({ summary }: OfferState): Figures => {
  const { held = 0n, committed = 0n, delivered = 0n } = summary?.figures.get(2) ?? {};
  return { held, committed, delivered };
};

const covered = ({ reservations }: NeedState, line: number): Coverage => {
  const sums: Coverage = { accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n };
  for (const { line: of, reserved, freed, bound, deliveries } of Object.values(reservations)) {
    if (of !== line) continue;
    sums[bound ? 'binding' : 'accepted'] += minorUnits(reserved) - (freed === undefined ? 0n : minorUnits(freed));
    for (const { quantity, returned, confirmed } of deliveries) {
      sums.delivered += minorUnits(quantity) - (returned === undefined ? 0n : minorUnits(returned));
      sums.confirmed += confirmed === undefined ? 0n : minorUnits(confirmed);
    }
  }
  return sums;
};

const HOLDING: readonly (string | undefined)[] = ['proposed', 'accepted', 'binding', 'delivered', 'confirmed'];

/** What offer and need must say once everything has settled, from the commitments alone. */
const expected = (
  states: readonly CommitmentState[],
): { readonly offer: Figures; readonly need: (line: number) => Coverage } => {
  const offer: Figures = { held: 0n, committed: 0n, delivered: 0n };
  const lines = new Map<number, Coverage>();
  for (const { status, hold, boundAt, acceptance, legs } of states) {
    for (const { needLine, drawn, deliveredDrawn, credited, deliveredCredited, confirmedCredited } of legs) {
      const line = lines.get(needLine) ?? { accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n };
      lines.set(needLine, line);
      const isLive = HOLDING.includes(status);
      if (boundAt !== undefined) {
        offer.committed += minorUnits(isLive ? drawn : deliveredDrawn);
        line.binding += minorUnits(isLive ? credited : deliveredCredited);
      } else if (isLive) {
        if (hold === 'held') offer.held += minorUnits(drawn);
        if (acceptance === 'given') line.accepted += minorUnits(credited);
      }
      offer.delivered += minorUnits(deliveredDrawn);
      line.delivered += minorUnits(deliveredCredited);
      line.confirmed += minorUnits(confirmedCredited);
    }
  }
  return { offer, need: (line) => lines.get(line) ?? { accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n } };
};

const KINDS = [
  ...['amend', 'amend', 'amend', 'amend', 'amend', 'decline', 'withdraw'],
  ...['deliver', 'deliver', 'deliver', 'return', 'return', 'confirm', 'correct', 'sign', 'cancel'],
] as const;

const move = fc.record({
  kind: fc.constantFrom(...KINDS),
  which: fc.constantFrom(0, 0, 1),
  side: fc.boolean(),
  n: fc.nat(5),
  quantity: fc.integer({ min: 1, max: 12 }),
  second: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined, freq: 2 }),
  // How many events the processes take in after it, and which.
  deliveries: fc.array(fc.nat(1000), { maxLength: 4 }),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** What somebody tries, chosen so that it often succeeds: an open amendment is agreed, a tranche fits, a return is of something there. */
const commandOf = ({ kind, side, n, quantity, second }: Move, state: CommitmentState): readonly [object, Actor] => {
  const both = side ? JAPAN : VANUATU;
  const open = state.amendments.find(({ status }) => status === 'proposed');
  const some = state.legs[n % Math.max(1, state.legs.length)];
  const left = some === undefined ? 0n : minorUnits(some.drawn) - minorUnits(some.deliveredDrawn);
  const delivery = 1 + (n % Math.max(1, state.deliveries.length));
  switch (kind) {
    case 'amend': {
      if (open !== undefined) {
        const other = open.side === 'provider' ? VANUATU : JAPAN;
        return [{ type: 'AcceptAmendment', earmarkFacts: facts().earmarkFacts }, n === 5 ? both : other];
      }
      const [first] = state.legs;
      const legs = [
        ...(first === undefined ? [] : [leg(quantity, first.needLine, first.leg)]),
        ...(second === undefined ? [] : [leg(second, 4, state.legs.find(({ needLine }) => needLine === 4)?.leg)]),
      ];
      const apart = legs.filter(
        ({ leg: one }, index) => one === undefined || legs.findIndex((l) => l.leg === one) === index,
      );
      return [{ type: 'ProposeAmendment', legs: apart, reason: 'x', facts: { ...LINES, unknownAgencies: [] } }, both];
    }
    case 'decline':
      return [{ type: 'DeclineAmendment' }, both];
    case 'withdraw':
      return [{ type: 'WithdrawAmendment' }, both];
    case 'deliver': {
      const tranche = seats(Math.max(1, Math.min(quantity, Number(left))));
      return [{ type: 'ReportDelivery', leg: some?.leg ?? 1, quantity: tranche, date: '2026-01-05' }, JAPAN];
    }
    case 'return':
      return [
        { type: 'ReportReturn', delivery, quantity: seats(1 + (quantity % 3)), reason: 'x', date: '2026-01-05' },
        VANUATU,
      ];
    case 'confirm':
      return [{ type: 'ConfirmDelivery', n: delivery, condition: 'usable' }, VANUATU];
    case 'correct':
      return [{ type: 'CorrectDelivery', n: delivery, quantity: seats(quantity), reason: 'x' }, JAPAN];
    case 'sign':
      return [{ type: 'SignCommitment' }, both];
    case 'cancel':
      return [{ type: 'CancelCommitment', reason: { code: 'budget' } }, both];
  }
};

/** What holds at every moment, whatever the processes have still to hear. */
const expectWithinBounds = async (world: World): Promise<void> => {
  for (const id of IDS) {
    for (const { drawn, deliveredDrawn } of (await world.commitment(id)).legs) {
      expect(compare(deliveredDrawn, drawn)).toBeLessThanOrEqual(0);
    }
  }
  const { held, committed, delivered } = offered(await world.offer());
  expect(held + committed).toBeLessThanOrEqual(CAPACITY);
  expect(delivered).toBeLessThanOrEqual(committed);
  const need = await world.need();
  for (const line of [2, 4] as const) {
    const { accepted, binding } = covered(need, line);
    expect(accepted + binding).toBeLessThanOrEqual(ASKED[line]);
  }
};

/** An amendment that takes from one leg and adds another is agreed; before the offer has heard of it, all of the first is delivered. */
const OVERTAKEN: Move[] = (['amend', 'amend', 'deliver'] as const).map((kind, index) => ({
  kind,
  which: 0,
  side: false,
  n: 0,
  quantity: index === 2 ? 2 : 1,
  second: index === 0 ? 1 : undefined,
  deliveries: [],
}));

describe('amendments under concurrent deliveries, through commitment, offer and need together', () => {
  // Seen failing with changesFault left out of onceCovered (delivered above committed; the first example alone shows it), with CommitmentAmended without its decreases,
  // with the offer not told of a refused amendment (its hold stayed), and with the need not told of returns.
  it('never go below what was delivered, nor above capacity and need, and all three agree when everything has settled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
        fc.array(move, { minLength: 6, maxLength: 30 }),
        async (sizes, moves) => {
          const world = new World();
          await world.open();
          for (const [index, id] of IDS.entries()) {
            const proposal: Omit<Extract<CommitmentCommand, { type: 'ProposeCommitment' }>, 'by'> = {
              type: 'ProposeCommitment',
              facts: facts({ ...LINES, offer: { ...LINES.offer }, need: { ...LINES.need } }),
              legs: [leg(sizes[index] ?? 1)],
            };
            await world.send(commitmentDecider, id, proposal, JAPAN);
            while (await world.deliver(0));
            await world.send(commitmentDecider, id, { type: 'AcceptCommitment' }, VANUATU);
            while (await world.deliver(0));
          }
          await world.send(commitmentDecider, IDS[0], { type: 'SignCommitment' }, JAPAN);
          await world.send(commitmentDecider, IDS[0], { type: 'SignCommitment' }, VANUATU);
          for (const each of moves) {
            const id = IDS[each.which === 0 ? 0 : 1];
            const [command, actor] = commandOf(each, await world.commitment(id));
            await world.send(commitmentDecider, id, command, actor);
            for (const choice of each.deliveries) await world.deliver(choice);
            await expectWithinBounds(world);
          }
          while (await world.deliver(0));
          await expectWithinBounds(world);
          const states = await Promise.all(IDS.map((id) => world.commitment(id)));
          for (const { amendments } of states) {
            expect(amendments.filter(({ status }) => status === 'agreed' || status === 'held')).toEqual([]);
          }
          const { offer, need } = expected(states);
          expect(offered(await world.offer())).toEqual(offer);
          const needs = await world.need();
          for (const line of [2, 4]) expect(covered(needs, line)).toEqual(need(line));
          await world.close();
        },
      ),
      { numRuns: 30, examples: [[[2, 1], OVERTAKEN]] },
    );
  });
});
