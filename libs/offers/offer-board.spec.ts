import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CommitmentEvent } from '#commitments/contract';
import type { Caller, MandateInForce, NetworkMember } from '#directory/contract';
import { ANONYMOUS, Networks } from '#directory/contract';
import type { DomainEvent, RecordedEvent } from '#kernel';
import { applyToModel, emptyFold, foldOnto, ManualClock, type ReadModel } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { Quantity, Role, Visibility } from '#vocabulary';
import { membersOf, organisationsOf, VISIBILITIES } from '#vocabulary';
import type { OfferContent, OfferEvent } from './offer.contract.js';
import { offerDecider } from './offer.js';
import { OfferBoard, type OfferFilter } from './offer-board.js';
import { offerBoard, offerExpiry, summaryOf } from './offer-board.projection.js';
import { EligibleOffers } from './offer.contract.js';
import { seesOffer } from './offer-sight.js';
import { labelOf, offerView } from './offer.view.js';

const NOW = '2026-06-01T00:00:00.000Z';
const seats = (amount: number): Quantity => ({ measure: 'seats', amount: String(amount) });

const caller = (party: string, role: Role, more: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles: [role],
  registered: true,
  powers: new Set(['offer']),
  ...more,
});
const JAPAN = caller('donor:japan', 'donor-desk');
const VANUATU = caller('state:VUT', 'npc');

const CONTENT: OfferContent = {
  title: 'Cours de contrôle',
  lines: [{ line: 1, kinds: ['training'], capacity: seats(10) }],
  earmark: {},
  conditions: [],
  visibility: 'public',
  named: [],
};

class ReferenceNetworks extends Networks {
  override membersOf(network: string, on: string): readonly NetworkMember[] {
    return [...membersOf(network, on), { party: 'state:KEN', as: 'observer' }];
  }

  override networksOf(party: string, on: string): readonly string[] {
    return organisationsOf(party, on);
  }
}

class Eligible extends EligibleOffers {
  constructor(private readonly ids: ReadonlySet<string>) {
    super();
  }

  override for(): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.ids);
  }
}

let position = 0n;
/** Events of one stream, in positions that go on from those before. */
const streamOf = (stream: string, ...events: readonly DomainEvent[]): RecordedEvent[] =>
  events.map((event, revision) => recordedEvent(stream, revision, event, {}, (position += 1n)));
const offer = (id: string, content: Partial<OfferContent> = {}, ...more: readonly OfferEvent[]): RecordedEvent[] =>
  streamOf(
    `offer-${id}`,
    {
      type: 'OfferPosted',
      data: { provider: 'donor:japan', content: { ...CONTENT, ...content } },
    } satisfies OfferEvent,
    ...more,
  );
const proposal = (id: string, offerId: string, party: string, agency?: string): RecordedEvent[] =>
  streamOf(`commitment-${id}`, {
    type: 'CommitmentProposed',
    data: {
      offerId,
      needId: 'n1',
      side: 'recipient',
      proposedBy: party,
      providers: ['donor:japan'],
      beneficiaries: [party],
      filer: party,
      legs: [],
      ...(agency === undefined ? {} : { implementer: agency, fiscalAgent: agency }),
      signatories: [party],
      expiresAt: NOW,
      conditions: [],
      earmarkFacts: {
        beneficiaries: [party],
        networks: [],
        regions: [],
        instruments: [],
        traffickingNexus: false,
        needLineKinds: {},
      },
    },
  } satisfies CommitmentEvent);
const key = { commitment: 'c1', leg: 1, amendment: 0 };

let database: MemoryReadDatabase;
let model: ReadModel;
beforeEach(() => {
  position = 0n;
  database = new MemoryReadDatabase();
  model = database.open(offerBoard);
});
afterEach(() => {
  model.close();
  database.close();
});
const record = (...events: readonly RecordedEvent[]): void => {
  applyToModel(offerBoard, model, events, (event) => event);
};
const board = (eligible?: EligibleOffers): OfferBoard =>
  new OfferBoard({ model: () => model } as never, new ManualClock(NOW), new ReferenceNetworks(), eligible);
const idsFor = async (who: Caller, filter: OfferFilter = {}, eligible?: EligibleOffers): Promise<readonly string[]> =>
  (await board(eligible).list(who, filter, 50)).map(({ id }) => id);

describe('the offer board', () => {
  test('I13: is the same in batches of every size, after restarts and redelivery', () => {
    const history = [
      ...streamOf(
        'offer-o1',
        { type: 'OfferDrafted', data: { provider: 'donor:japan', content: CONTENT } },
        {
          type: 'OfferPosted',
          data: { provider: 'donor:japan', content: { ...CONTENT, description: 'a description' } },
        },
        { type: 'OfferAmended', data: { changes: { period: { to: '2026-12-31' }, named: ['state:FJI'] } } },
      ),
      ...offer(
        'o2',
        {},
        { type: 'CapacityReserved', data: { ...key, line: 1, quantity: seats(4) } },
        { type: 'CapacityCommitted', data: { ...key, line: 1, quantity: seats(4) } },
        { type: 'CapacityDelivered', data: { ...key, delivery: 1, line: 1, quantity: seats(1) } },
        { type: 'CapacityReserved', data: { ...key, amendment: 1, line: 1, quantity: seats(2) } },
        { type: 'CapacityCommitted', data: { ...key, amendment: 1, line: 1, quantity: seats(2) } },
        { type: 'CapacityDelivered', data: { ...key, delivery: 2, line: 1, quantity: seats(1) } },
        { type: 'CapacityReturned', data: { ...key, delivery: 2, return: 1, line: 1, quantity: seats(1) } },
        { type: 'CapacityDeliveryCorrected', data: { ...key, delivery: 1, line: 1, quantity: seats(2), asked: 'e' } },
        { type: 'CapacityReleased', data: { ...key, amendment: 1, line: 1, quantity: seats(2), by: 2 } },
        { type: 'AccessFreed', data: { ...key, line: 1, quantity: seats(1) } },
        { type: 'CapacityReleased', data: { ...key, line: 1, quantity: seats(2) } },
        { type: 'CapacityReleased', data: { ...key, leg: 2 } },
        { type: 'CapacityRefused', data: { commitment: 'c2', amendment: 0, code: 'earmark', detail: 'no' } },
        { type: 'OfferSuspended', data: {} },
        { type: 'OfferExpired', data: {} },
      ),
      ...proposal('c1', 'o2', 'state:VUT', 'agency:cavr'),
      ...streamOf('offer-o3', { type: 'CapacityReserved', data: { ...key, line: 1, quantity: seats(4) } }),
    ];
    const dump = projectionScenario(offerBoard, history);
    const docs = (dump.offer ?? []).map((row) => summaryOf(String(row.at(-1))));
    const folded = ['o1', 'o2'].map(
      (id) =>
        foldOnto(
          offerDecider,
          emptyFold(offerDecider.initial),
          history.filter(({ stream }) => stream === `offer-${id}`),
        ).state.summary,
    );
    expect(docs).toEqual(folded);
    expect(dump.offer_party).toHaveLength(3);
  });

  test('lists the newest first, page by page, each offer once', async () => {
    record(...offer('o1'), ...offer('o2'), ...offer('o3'));
    expect(await idsFor(ANONYMOUS)).toEqual(['o3', 'o2', 'o1']);
    expect(await idsFor(ANONYMOUS, { sort: 'oldest' })).toEqual(['o1', 'o2', 'o3']);
    const [first] = await board().list(ANONYMOUS, {}, 1);
    expect((await board().list(ANONYMOUS, {}, 5, first?.keyset)).map(({ id }) => id)).toEqual(['o2', 'o1']);
    const [oldest] = await board().list(ANONYMOUS, { sort: 'oldest' }, 1);
    expect((await board().list(ANONYMOUS, { sort: 'oldest' }, 5, oldest?.keyset)).map(({ id }) => id)).toEqual([
      'o2',
      'o3',
    ]);
  });

  test('sorts by the end of the period, those without one last', async () => {
    record(
      ...offer('o1'),
      ...offer('o2', { period: { to: '2026-12-31' } }),
      ...offer('o3', { period: { to: '2026-07-31' } }),
    );
    expect(await idsFor(ANONYMOUS, { sort: 'ending' })).toEqual(['o3', 'o2', 'o1']);
    const [first] = await board().list(ANONYMOUS, { sort: 'ending' }, 1);
    expect((await board().list(ANONYMOUS, { sort: 'ending' }, 5, first?.keyset)).map(({ id }) => id)).toEqual([
      'o2',
      'o1',
    ]);
  });

  test.each<[string, OfferFilter, readonly string[]]>([
    ['a State: every offer whose earmark admits it', { state: 'VUT' }, ['any', 'vut', 'oceania', 'msg', 'legal']],
    ['another State', { state: 'KEN' }, ['any', 'legal']],
    ['a region: offers for any State of it', { region: '054' }, ['any', 'vut', 'oceania', 'msg', 'legal']],
    ['the region itself', { region: '002' }, ['any', 'msg', 'legal']],
    [
      'a network: offers that its members may use',
      { network: 'network:msg' },
      ['any', 'vut', 'oceania', 'msg', 'legal'],
    ],
    ['a network unknown to all', { network: 'network:nowhere' }, ['any', 'oceania', 'legal']],
    ['a kind', { kind: 'legal' }, ['legal']],
    ['an instrument', { instrument: 'UNPoA' }, ['any', 'vut', 'oceania', 'msg']],
    ['a status', { status: 'suspended' }, []],
    ['a label', { visibility: 'public' }, ['any', 'vut', 'oceania', 'msg', 'legal']],
    ['a donor', { donor: 'donor:norway' }, []],
    ['a first day', { from: '2027-01-01' }, ['any', 'oceania', 'msg', 'legal']],
    ['a last day', { to: '2025-12-31' }, ['any', 'oceania', 'msg', 'legal']],
    ['whole words, case- and accent-blind', { q: 'CONTROLE cours' }, ['any', 'vut', 'oceania', 'msg', 'legal']],
    ['words of a line', { q: 'model laws' }, ['legal']],
    ['half a word', { q: 'contr' }, []],
    ['what holds no word', { q: '"*' }, []],
    ['what looks like an operator', { q: 'cours OR "' }, []],
  ])('filters by %s', async (_, filter, ids) => {
    record(
      ...offer('any'),
      ...offer('vut', { earmark: { beneficiaries: ['VUT'] }, period: { from: '2026-01-01', to: '2026-12-31' } }),
      ...offer('oceania', { earmark: { regions: ['009'] } }),
      ...offer('msg', { earmark: { networks: ['network:msg'], kinds: ['training'] } }),
      ...offer('legal', {
        earmark: { instruments: ['ATT'] },
        lines: [{ line: 1, kinds: ['legal'], description: 'model laws', capacity: seats(1) }],
      }),
    );
    expect([...(await idsFor(ANONYMOUS, { sort: 'oldest', ...filter }))].sort()).toEqual([...ids].sort());
  });

  test('shows each offer exactly as GET does', async () => {
    const events = offer('o1', {}, { type: 'CapacityReserved', data: { ...key, line: 1, quantity: seats(4) } });
    record(...events);
    const folded = foldOnto(offerDecider, emptyFold(offerDecider.initial), events).state.summary!;
    const [row] = await board().list(JAPAN, {}, 1);
    const bonds = { party: false, eligible: false };
    expect(row?.revision).toBe(1);
    expect(row && offerView(JAPAN, row.id, row.summary, bonds)).toEqual(offerView(JAPAN, 'o1', folded, bonds));
  });

  test('knows the parties of every commitment on an offer', async () => {
    record(
      ...offer('o1', { visibility: 'sealed' }),
      ...offer('o2', { visibility: 'sealed' }),
      ...proposal('c1', 'o1', 'state:VUT', 'agency:cavr'),
    );
    const agency = caller('agency:cavr', 'implementer');
    expect(await board().bonds(VANUATU, 'o1')).toEqual({ party: true, eligible: false });
    expect(await board().bonds(VANUATU, 'o2')).toEqual({ party: false, eligible: false });
    expect(await board().bonds(ANONYMOUS, 'o1')).toEqual({ party: false, eligible: false });
    expect([...(await board().bondsOf(agency, ['o1', 'o2'])).values()].map(({ party }) => party)).toEqual([
      true,
      false,
    ]);
    expect([...(await board().bondsOf(ANONYMOUS, ['o1'])).values()]).toEqual([{ party: false, eligible: false }]);
    expect(await idsFor(agency)).toEqual(['o1']);
    expect(board().isPartyOf(agency, 'c1')).toBe(true);
    expect(board().isPartyOf(agency, 'c2')).toBe(false);
    expect(board().isPartyOf(ANONYMOUS, 'c1')).toBe(false);
  });

  test('knows when the next offer expires, and forgets those that are closed', () => {
    record(
      ...offer('late', { period: { to: '2026-06-30' } }),
      ...offer('early', { period: { to: '2026-05-30' } }, { type: 'OfferSuspended', data: {} }),
      ...offer('done', { period: { to: '2026-05-29' } }, { type: 'OfferCompleted', data: {} }),
      ...offer('never'),
      ...streamOf('offer-draft', {
        type: 'OfferDrafted',
        data: { provider: 'donor:japan', content: { ...CONTENT, period: { to: '2026-05-01' } } },
      }),
    );
    const source = offerExpiry(() => model);
    const due = (now: string) =>
      (source.due(new Date(now), 10) as readonly { due: string; command: { id: string } }[]).map(
        ({ due: at, command: { id } }) => [id, at],
      );
    expect(due('2026-05-30T23:59:59.999Z')).toEqual([]);
    expect(due('2026-05-31T00:00:00.000Z')).toEqual([['early', '2026-05-31T00:00:00.000Z']]);
    expect(due('2026-07-01T00:00:00.000Z')).toEqual([
      ['early', '2026-05-31T00:00:00.000Z'],
      ['late', '2026-07-01T00:00:00.000Z'],
    ]);
  });

  test('I19: its rows are those that the pure rule of sight lets the caller see, for every caller and label', async () => {
    const parties = ['donor:japan', 'donor:norway', 'donor:germany', 'state:VUT', 'auditor:board', 'agency:cavr'];
    const mandate: fc.Arbitrary<MandateInForce> = fc.record({
      mandate: fc.constant('m1'),
      everything: fc.boolean(),
      parties: fc.subarray(parties).map((ids) => new Set(ids)),
      records: fc.subarray(['o0', 'o1', 'o2', 'o3']).map((ids) => new Set(ids)),
      sealed: fc.boolean(),
      appointedBy: fc.constantFrom(...parties),
    });
    const who: fc.Arbitrary<Caller> = fc.oneof(
      fc.constant(ANONYMOUS),
      fc
        .record({
          party: fc.constantFrom(...parties),
          roles: fc.subarray<Role>(['donor-desk', 'npc', 'auditor', 'operator', 'coordinator']),
          mandates: fc.array(mandate, { maxLength: 2 }),
        })
        .map(({ party, roles, mandates }) => ({ ...JAPAN, party, roles, mandates })),
    );
    const offers = fc.array(
      fc.record({
        provider: fc.constantFrom('donor:japan', 'donor:norway'),
        second: fc.option(fc.constantFrom('donor:germany', 'agency:cavr'), { nil: undefined }),
        draft: fc.boolean(),
        visibility: fc.constantFrom<Visibility>(...VISIBILITIES),
        named: fc.subarray(parties),
        bound: fc.option(fc.constantFrom(...parties), { nil: undefined }),
      }),
      { minLength: 4, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(who, offers, fc.subarray(['o0', 'o1', 'o2', 'o3']), async (asking, drawn, eligible) => {
        position = 0n;
        model.close();
        database.close();
        database = new MemoryReadDatabase();
        model = database.open(offerBoard);
        const port = new Eligible(new Set(eligible));
        drawn.forEach(({ provider, second, draft, visibility, named, bound }, index) => {
          // Whom an offer is for is not whom it names.
          const earmark = { beneficiaries: ['state:VUT', 'donor:norway'] };
          const providers = second === undefined ? {} : { providers: [{ party: provider }, { party: second }] };
          const content = { ...CONTENT, ...providers, visibility, named, earmark };
          record(
            ...streamOf(`offer-o${index}`, {
              type: draft ? 'OfferDrafted' : 'OfferPosted',
              data: { provider, content },
            }),
            ...(bound === undefined ? [] : proposal(`c${index}`, `o${index}`, bound)),
          );
        });
        const expected: string[] = [];
        for (const [index, { provider, second, draft, visibility, named }] of drawn.entries()) {
          const id = `o${index}`;
          const bonds = await board(port).bonds(asking, id);
          const providers = second === undefined ? [provider] : [provider, second];
          if (seesOffer(asking, { id, provider, providers, draft, visibility, named }, bonds)) expected.push(id);
        }
        expect(await idsFor(asking, { sort: 'oldest' }, port)).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test('a label is read from the summary', () => {
    const [event] = offer('o1', { visibility: 'named', named: ['state:VUT'] });
    const folded = foldOnto(offerDecider, emptyFold(offerDecider.initial), event === undefined ? [] : [event]);
    expect(folded.state.summary && labelOf('o1', folded.state.summary)).toEqual({
      id: 'o1',
      provider: 'donor:japan',
      providers: ['donor:japan'],
      draft: false,
      visibility: 'named',
      named: ['state:VUT'],
    });
  });
});
