import { describe, expect, test } from '@jest/globals';
import type { Actor } from '#kernel';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { CommandBody, Given } from '#kernel-testing';
import { recordedEvent, specFor } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import type { EarmarkedNeed } from './earmark.js';
import type { OfferContent, OfferEvent } from './offer.contract.js';
import type { DeskCommand, OfferChanges, OfferCommand, OfferRejectionCode, OfferStatus } from './offer.js';
import {
  allowsDeskCommand,
  DESK_COMMAND_TYPES,
  deskRoleOf,
  endOf,
  figuresOf,
  isExhausted,
  offerDecider,
  providersOf,
  reservationOf,
  restOf,
  withLifecycle,
} from './offer.js';

const JAPAN: Actor = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: Actor = { party: 'donor:norway', role: 'donor-desk' };
const spec = specFor(offerDecider);

const usd = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount: `${amount}.00` });
const seats = (amount: string): Quantity => ({ measure: 'seats', amount });

const CONTENT: OfferContent = {
  title: 'Licensing courses and a fund for legislation',
  lines: [
    { line: 1, kinds: ['training'], capacity: seats('10') },
    { line: 2, kinds: ['legal', 'legislative'], capacity: usd('1000') },
  ],
  earmark: {},
  conditions: [],
  period: { from: '2026-01-01', to: '2026-12-31' },
  visibility: 'public',
  named: [],
};
const POSTED: OfferEvent = { type: 'OfferPosted', data: { provider: 'donor:japan', content: CONTENT } };
const DRAFTED: OfferEvent = { type: 'OfferDrafted', data: { provider: 'donor:japan', content: CONTENT } };
const SUSPENDED: OfferEvent = { type: 'OfferSuspended', data: {} };
const EXPIRED: OfferEvent = { type: 'OfferExpired', data: {} };
const WITHDRAWN: OfferEvent = { type: 'OfferWithdrawn', data: {} };
const COMPLETED: OfferEvent = { type: 'OfferCompleted', data: {} };

const FACTS: EarmarkedNeed = {
  beneficiaries: ['state:VUT'],
  networks: [],
  regions: ['054', '009'],
  instruments: ['ATT'],
  traffickingNexus: false,
  needLineKinds: { 1: 'training', 2: 'legal' },
};
const C1 = '01900000-0000-7000-8000-0000000000c1';
const C2 = '01900000-0000-7000-8000-0000000000c2';

const reserve = (
  quantity: Quantity = seats('4'),
  line = 1,
  commitment = C1,
  facts: EarmarkedNeed = FACTS,
): CommandBody<OfferCommand> => ({
  type: 'ReserveCapacity',
  commitment,
  amendment: 0,
  legs: [{ leg: 1, line, needLine: line, quantity }],
  facts,
});
const leg = (commitment = C1, number = 1) => ({ commitment, leg: number, amendment: 0 });
const reserved = (quantity = seats('4'), line = 1, commitment = C1): OfferEvent => ({
  type: 'CapacityReserved',
  data: { ...leg(commitment), line, quantity },
});
const committed = (quantity = seats('4'), line = 1, commitment = C1): OfferEvent => ({
  type: 'CapacityCommitted',
  data: { ...leg(commitment), line, quantity },
});
const delivered = (delivery: number, quantity: Quantity, line = 1): OfferEvent => ({
  type: 'CapacityDelivered',
  data: { ...leg(), delivery, line, quantity },
});
const released = (quantity = seats('4'), line = 1): OfferEvent => ({
  type: 'CapacityReleased',
  data: { ...leg(), line, quantity },
});
const keys = (commitment = C1) => ({ commitment, legs: [{ leg: 1, amendment: 0 }] });
const byProcess = { actor: SYSTEM_PROCESS };
const byJapan = { actor: JAPAN };

describe('posting an offer', () => {
  test('publishes it at once', () => {
    const state = spec.given().when({ type: 'PostOffer', content: CONTENT }, byJapan).then(POSTED);
    expect(state.summary?.status).toBe('open');
  });

  test('from a draft carries the whole content as posted', () => {
    spec.given(DRAFTED).when({ type: 'PostOffer' }, byJapan).then(POSTED);
  });

  test('as a draft keeps it to its owner, also where it was claimed from a reported record', () => {
    spec.given().when({ type: 'DraftOffer', content: CONTENT }, byJapan).then(DRAFTED);
    const state = spec
      .given()
      .when({ type: 'DraftOffer', content: CONTENT, claimedFrom: 'r7' }, byJapan)
      .then({ type: 'OfferDrafted', data: { provider: 'donor:japan', claimedFrom: 'r7', content: CONTENT } });
    expect(state.summary).toMatchObject({ status: 'draft', claimedFrom: 'r7' });
  });

  test('from a claim drafts it once', () => {
    const claim = { type: 'DraftOffer', content: CONTENT, claimedFrom: 'r7' } as const;
    const claimed: OfferEvent = {
      type: 'OfferDrafted',
      data: { provider: 'donor:japan', claimedFrom: 'r7', content: CONTENT },
    };
    spec
      .given()
      .when(claim, { ...byJapan, idempotent: true })
      .then(claimed);
    spec
      .given(claimed)
      .when({ ...claim, claimedFrom: 'r8' }, byJapan)
      .refused('already-exists');
    spec.given(claimed).when(claim, { actor: NORWAY }).refused('already-exists');
  });

  test.each<[Actor, boolean]>([
    [{ party: 'donor:japan', role: 'donor-desk' }, true],
    [{ party: 'fund:unscar', role: 'donor-desk' }, true],
    [{ party: 'state:FJI', role: 'donor-desk' }, true],
    [{ party: 'agency:cavr', role: 'implementer' }, true],
    [{ party: 'network:msg', role: 'network-host' }, true],
    [{ party: 'state:FJI', role: 'npc' }, false],
    [{ party: 'state:FJI', role: 'mission' }, false],
    [{ party: 'state:FJI', role: 'line-ministry' }, false],
    [{ party: 'agency:cavr', role: 'fiscal-agent' }, false],
    [{ party: 'agency:cavr', role: 'donor-desk' }, false],
    [{ party: 'network:msg', role: 'donor-desk' }, false],
    [{ party: 'donor:japan', role: 'implementer' }, false],
    [{ party: 'agency:unoda', role: 'coordinator' }, false],
    [{ party: 'auditor:board', role: 'auditor' }, false],
    [{ party: 'authority:somewhere', role: 'donor-desk' }, false],
    [SYSTEM_PROCESS, false],
  ])('is for the desk of the provider: %j %s', (actor, allowed) => {
    for (const type of ['PostOffer', 'DraftOffer'] as const) {
      const asked = spec.given().when({ type, content: CONTENT }, { actor });
      if (allowed) expect(asked.accepted().events[0]?.data).toMatchObject({ provider: actor.party });
      else asked.refused('forbidden');
    }
  });

  test.each<[string, Partial<OfferContent>, OfferRejectionCode]>([
    ['no line', { lines: [] }, 'no-determined-capacity'],
    [
      'only undetermined lines',
      { lines: [{ line: 1, kinds: ['legal'], capacity: { measure: 'undetermined', why: 'to-be-assessed' } }] },
      'no-determined-capacity',
    ],
    ['no title', { title: ' ' }, 'offer-incomplete'],
    ['a period backwards', { period: { from: '2026-06-02', to: '2026-06-01' } }, 'period-backwards'],
    ['a period already over', { period: { from: '2025-01-01', to: '2026-01-04' } }, 'period-over'],
  ])('is refused with %s, directly and from a draft', (_, wrong, code) => {
    const content = { ...CONTENT, ...wrong };
    spec.given().when({ type: 'PostOffer', content }, byJapan).refused(code);
    const draft: OfferEvent = { type: 'OfferDrafted', data: { provider: 'donor:japan', content } };
    spec.given(draft).when({ type: 'PostOffer' }, byJapan).refused(code);
    spec.given().when({ type: 'DraftOffer', content }, byJapan).accepted();
  });

  test.each<OfferContent['period']>([
    { from: '2026-01-05', to: '2026-01-05' },
    { to: '2026-01-05' },
    { from: '2026-02-01' },
    undefined,
  ])('is allowed while the period %j lasts', (period) => {
    const { period: _, ...timeless } = CONTENT;
    spec
      .given()
      .when({ type: 'PostOffer', content: period === undefined ? timeless : { ...timeless, period } }, byJapan)
      .accepted();
  });

  test('needs content, and an id that is free', () => {
    spec.given().when({ type: 'PostOffer' }, byJapan).refused('not-found');
    spec.given(DRAFTED).when({ type: 'PostOffer', content: CONTENT }, byJapan).refused('already-exists');
    spec.given(DRAFTED).when({ type: 'DraftOffer', content: CONTENT }, byJapan).refused('already-exists');
  });
});

describe('a joint offer', () => {
  const JOINT: OfferContent = {
    ...CONTENT,
    providers: [{ party: 'donor:japan', share: '60' }, { party: 'donor:norway' }],
  };
  const jointly: OfferEvent = { type: 'OfferPosted', data: { provider: 'donor:japan', content: JOINT } };
  const drafted: OfferEvent = { type: 'OfferDrafted', data: { provider: 'donor:japan', content: JOINT } };

  test('is posted by its lead, who comes first', () => {
    const state = spec.given().when({ type: 'PostOffer', content: JOINT }, byJapan).then(jointly);
    expect(state.summary && providersOf(state.summary)).toEqual(['donor:japan', 'donor:norway']);
    spec.given().when({ type: 'DraftOffer', content: JOINT }, byJapan).then(drafted);
    for (const type of ['PostOffer', 'DraftOffer'] as const) {
      spec.given().when({ type, content: JOINT }, { actor: NORWAY }).refused('forbidden');
    }
  });

  test('names registered parties only, also where it is amended or posted from a draft', () => {
    const unknownProviders = ['donor:norway'];
    for (const type of ['PostOffer', 'DraftOffer'] as const) {
      spec.given().when({ type, content: JOINT, unknownProviders }, byJapan).refused('unknown-provider', 'providers');
    }
    spec.given(drafted).when({ type: 'PostOffer', unknownProviders }, byJapan).refused('unknown-provider', 'providers');
    spec
      .given(POSTED)
      .when({ type: 'AmendOffer', changes: { providers: JOINT.providers ?? [] }, unknownProviders }, byJapan)
      .refused('unknown-provider', 'providers');
  });

  test('is commanded by the desk of its lead alone', () => {
    for (const type of DESK_COMMAND_TYPES) {
      spec.given(jointly).when(COMMANDS[type][0], { actor: NORWAY }).refused('forbidden');
    }
  });

  test('may become one of a single provider, and the other way round', () => {
    const amended = (providers: NonNullable<OfferContent['providers']>, ...history: OfferEvent[]) =>
      spec.given(...history).when({ type: 'AmendOffer', changes: { providers } }, byJapan);
    amended([{ party: 'donor:japan' }], jointly).then({
      type: 'OfferAmended',
      data: { changes: { providers: [{ party: 'donor:japan' }] } },
    });
    const { summary } = amended([{ party: 'donor:japan' }], POSTED).then();
    expect(summary && providersOf(summary)).toEqual(['donor:japan']);
    amended([{ party: 'donor:japan', share: '50' }], POSTED).accepted();
    amended(JOINT.providers ?? [], POSTED).accepted();
  });
});

const HISTORIES: readonly (readonly [string, OfferStatus, readonly Given<OfferEvent>[]])[] = [
  ['draft', 'draft', [DRAFTED]],
  ['open', 'open', [POSTED]],
  ['suspended', 'suspended', [POSTED, SUSPENDED]],
  ['resumed', 'open', [POSTED, SUSPENDED, { type: 'OfferResumed', data: {} }]],
  ['expired', 'closed', [POSTED, EXPIRED]],
  ['withdrawn', 'closed', [POSTED, WITHDRAWN]],
  ['completed', 'closed', [POSTED, COMPLETED]],
];

const COMMANDS: Readonly<
  Record<DeskCommand, readonly [CommandBody<OfferCommand>, readonly OfferStatus[], OfferRejectionCode, OfferEvent]>
> = {
  PostOffer: [{ type: 'PostOffer' }, ['draft'], 'offer-not-draft', POSTED],
  AmendOffer: [
    { type: 'AmendOffer', changes: { title: 'Another title' } },
    ['draft', 'open', 'suspended'],
    'offer-not-open',
    { type: 'OfferAmended', data: { changes: { title: 'Another title' } } },
  ],
  SuspendOffer: [
    { type: 'SuspendOffer', reason: { code: 'budget' } },
    ['open'],
    'offer-not-open',
    { type: 'OfferSuspended', data: { reason: { code: 'budget' } } },
  ],
  ResumeOffer: [{ type: 'ResumeOffer' }, ['suspended'], 'offer-not-suspended', { type: 'OfferResumed', data: {} }],
  WithdrawOffer: [{ type: 'WithdrawOffer' }, ['open', 'suspended'], 'offer-not-open', WITHDRAWN],
  CompleteOffer: [{ type: 'CompleteOffer' }, ['open', 'suspended'], 'offer-not-open', COMPLETED],
};

describe('the lifecycle of an offer', () => {
  test.each(
    HISTORIES.flatMap(([name, status, history]) =>
      DESK_COMMAND_TYPES.map((type) => [type, name, COMMANDS[type][1].includes(status), status, history] as const),
    ),
  )('%s where it is %s: %s', (type, _, allowed, status, history) => {
    const [command, , code, event] = COMMANDS[type];
    expect(allowsDeskCommand(status, type)).toBe(allowed);
    const asked = spec.given(...history).when(command, byJapan);
    if (allowed) asked.then(event);
    else asked.refused(code);
    spec
      .given(...history)
      .when(command, { actor: NORWAY })
      .refused('forbidden');
    spec
      .given(...history)
      .when(command, { actor: { ...JAPAN, role: 'coordinator' } })
      .refused('forbidden');
  });

  test('an offer that does not exist has none', () => {
    for (const type of DESK_COMMAND_TYPES) spec.given().when(COMMANDS[type][0], byJapan).refused('not-found');
    spec.given().when({ type: 'ExpireOffer' }, { actor: SYSTEM_TIMER }).refused('not-found');
    for (const command of PROCESS_COMMANDS) spec.given().when(command, byProcess).refused('not-found');
  });

  test.each([
    ['2026-12-31T23:59:59.999Z', 'not-due'],
    ['2027-01-01T00:00:00.000Z', undefined],
  ] as const)('the timer lets an offer expire at 24:00 UTC of its last day: at %s %s', (at, code) => {
    for (const history of [[POSTED], [POSTED, SUSPENDED]]) {
      const asked = spec.given(...history).when({ type: 'ExpireOffer' }, { actor: SYSTEM_TIMER, at });
      if (code === undefined)
        expect(asked.then(EXPIRED).summary).toMatchObject({ status: 'closed', closedAs: 'expired' });
      else asked.refused(code);
    }
    expect(endOf(CONTENT)).toBe('2027-01-01T00:00:00.000Z');
    expect(endOf({})).toBeUndefined();
  });

  test('the timer alone lets an offer expire, and only once', () => {
    const late = '2027-01-01T00:00:00.000Z';
    const expire = { type: 'ExpireOffer' } as const;
    spec
      .given(POSTED)
      .when(expire, { ...byJapan, at: late })
      .refused('forbidden');
    spec.given(POSTED, EXPIRED).when(expire, { actor: SYSTEM_TIMER, at: late }).then();
    spec.given(POSTED, WITHDRAWN).when(expire, { actor: SYSTEM_TIMER, at: late }).refused('offer-not-open');
    spec.given(DRAFTED).when(expire, { actor: SYSTEM_TIMER, at: late }).refused('offer-not-open');
  });

  test('a suspended offer whose period has ended is not resumed', () => {
    spec
      .given(POSTED, SUSPENDED)
      .when({ type: 'ResumeOffer' }, { ...byJapan, at: '2027-01-01T00:00:00.000Z' })
      .refused('period-over');
  });
});

const PROCESS_COMMANDS: readonly CommandBody<OfferCommand>[] = [
  reserve(),
  { type: 'ReturnCapacity', key: leg(), delivery: 1, return: 1, quantity: seats('1') },
  { type: 'CorrectCapacity', key: leg(), delivery: 1, quantity: seats('1'), asked: 'e7' },
  { type: 'ReduceCapacity', commitment: C1, amendment: 1, legs: [{ leg: 1, quantity: seats('1') }] },
  { type: 'FreeAccess', ...keys() },
  { type: 'CommitCapacity', ...keys() },
  { type: 'DeliverCapacity', key: leg(), delivery: 1, quantity: seats('1') },
  { type: 'ReleaseCapacity', ...keys() },
];

describe('amending an offer', () => {
  const amend = (changes: OfferChanges, ...history: Given<OfferEvent>[]) =>
    spec.given(POSTED, ...history).when({ type: 'AmendOffer', changes }, byJapan);
  const first = { kinds: ['training'] as const, capacity: seats('10') };
  const second = { kinds: ['legal', 'legislative'] as const, capacity: usd('1000') };

  test('with what holds already writes nothing', () => {
    amend({}).then();
    amend({ title: CONTENT.title, lines: [first, second] }).then();
  });

  test('takes lines in their order where none is numbered; what is over is new', () => {
    amend({ lines: [{ ...first, capacity: seats('12') }, second, { kinds: ['tracing'], capacity: seats('1') }] }).then({
      type: 'OfferAmended',
      data: {
        changes: {
          lines: [
            { line: 1, ...first, capacity: seats('12') },
            { line: 2, ...second },
            { line: 3, kinds: ['tracing'], capacity: seats('1') },
          ],
        },
      },
    });
  });

  test('never uses a line number again', () => {
    const dropped: OfferEvent = { type: 'OfferAmended', data: { changes: { lines: [{ line: 1, ...first }] } } };
    amend({ lines: [{ line: 1, ...first }, second] }, dropped).then({
      type: 'OfferAmended',
      data: {
        changes: {
          lines: [
            { line: 1, ...first },
            { line: 3, ...second },
          ],
        },
      },
    });
  });

  test('refuses line numbers the offer does not have, or has twice', () => {
    amend({ lines: [{ line: 3, ...first }] }).refused('unknown-line', 'lines');
    amend({
      lines: [
        { line: 1, ...first },
        { line: 1, ...second },
      ],
    }).refused('unknown-line', 'lines');
  });

  test('keeps capacity at or over what is held and committed', () => {
    const taken = [reserved(), committed(), reserved(seats('3'), 1, C2)];
    amend({ lines: [{ ...first, capacity: seats('6') }, second] }, ...taken).refused('capacity-in-use', 'lines');
    amend({ lines: [{ ...first, capacity: seats('7') }, second] }, ...taken).accepted();
  });

  test('keeps lines that are in use, and their measure', () => {
    amend({ lines: [{ line: 2, ...second }] }, reserved()).refused('line-in-use', 'lines');
    amend({ lines: [{ ...first, capacity: usd('1000') }, second] }, reserved()).refused('line-in-use', 'lines');
    amend(
      { lines: [{ ...first, capacity: { measure: 'undetermined', why: 'not-stated' } }, second] },
      reserved(),
    ).refused('line-in-use', 'lines');
  });

  test('may change or drop a line once everything on it was released', () => {
    amend({ lines: [{ ...first, capacity: usd('5') }, second] }, reserved(), released()).accepted();
    amend({ lines: [{ line: 2, ...second }] }, reserved(), released()).accepted();
  });

  test('to a narrower earmark never touches what is held', () => {
    const { state } = amend({ earmark: { beneficiaries: ['FJI'] } }, reserved()).accepted();
    expect(state.summary && figuresOf(state.summary, 1)).toEqual({ held: 4n, committed: 0n, delivered: 0n });
    const narrowed: OfferEvent = { type: 'OfferAmended', data: { changes: { earmark: { beneficiaries: ['FJI'] } } } };
    spec
      .given(POSTED, reserved(), narrowed)
      .when({ type: 'CommitCapacity', ...keys() }, byProcess)
      .then(committed());
  });

  test('keeps an open offer whole, but not a draft', () => {
    amend({ period: { from: '2025-01-01', to: '2025-12-31' } }).refused('period-over', 'period.to');
    amend({ lines: [] }).refused('no-determined-capacity');
    spec
      .given(DRAFTED)
      .when({ type: 'AmendOffer', changes: { lines: [], period: { to: '2025-12-31' } } }, byJapan)
      .accepted();
  });
});

describe('reserving capacity', () => {
  test('holds all legs of a commitment at once', () => {
    const state = spec
      .given(POSTED)
      .when(
        {
          type: 'ReserveCapacity',
          commitment: C1,
          amendment: 0,
          legs: [
            { leg: 1, line: 1, needLine: 1, quantity: seats('10') },
            { leg: 2, line: 2, needLine: 2, quantity: usd('400') },
          ],
          facts: FACTS,
        },
        byProcess,
      )
      .then(reserved(seats('10')), {
        type: 'CapacityReserved',
        data: { ...leg(C1, 2), line: 2, quantity: usd('400') },
      });
    const { summary } = state;
    expect(CONTENT.lines.map((line) => summary && restOf(summary, line))).toEqual([0n, 60_000n]);
    expect(summary && isExhausted(summary)).toBe(false);
  });

  test('refuses all legs where one does not fit', () => {
    const { events } = spec
      .given(POSTED)
      .when(
        {
          type: 'ReserveCapacity',
          commitment: C1,
          amendment: 0,
          legs: [
            { leg: 1, line: 2, needLine: 2, quantity: usd('400') },
            { leg: 2, line: 1, needLine: 1, quantity: seats('6') },
            { leg: 3, line: 1, needLine: 1, quantity: seats('5') },
          ],
          facts: FACTS,
        },
        byProcess,
      )
      .accepted();
    expect(events).toEqual([
      {
        type: 'CapacityRefused',
        data: {
          commitment: C1,
          amendment: 0,
          code: 'insufficient-capacity',
          detail: '10 seats are available on line 1.',
        },
      },
    ]);
  });

  const refusedWith = (code: string, command: CommandBody<OfferCommand>, ...history: Given<OfferEvent>[]): void => {
    const { events, state } = spec
      .given(...history)
      .when(command, byProcess)
      .accepted();
    expect(events).toMatchObject([{ type: 'CapacityRefused', data: { commitment: C1, amendment: 0, code } }]);
    expect(reservationOf(state, leg())).toBeUndefined();
  };

  test.each<[string, string, CommandBody<OfferCommand>, readonly Given<OfferEvent>[]]>([
    ['insufficient-capacity', 'more than there is', reserve(seats('11')), [POSTED]],
    [
      'insufficient-capacity',
      'more than is left beside a hold',
      reserve(seats('7')),
      [POSTED, reserved(seats('4'), 1, C2)],
    ],
    [
      'insufficient-capacity',
      'more than is left beside what is bound',
      reserve(seats('7')),
      [POSTED, reserved(seats('4'), 1, C2), committed(seats('4'), 1, C2)],
    ],
    ['offer-not-open', 'a draft', reserve(), [DRAFTED]],
    ['offer-not-open', 'a suspended offer', reserve(), [POSTED, SUSPENDED]],
    ['offer-not-open', 'an expired offer', reserve(), [POSTED, EXPIRED]],
    ['offer-not-open', 'a withdrawn offer', reserve(), [POSTED, WITHDRAWN]],
    ['offer-not-open', 'a completed offer', reserve(), [POSTED, COMPLETED]],
    ['unknown-line', 'a line that is not there', reserve(seats('1'), 7), [POSTED]],
    ['measure-mismatch', 'another measure', reserve(usd('1')), [POSTED]],
    [
      'measure-mismatch',
      'another currency',
      reserve({ measure: 'money', currency: 'EUR', amount: '1.00' }, 2),
      [POSTED],
    ],
    [
      'measure-mismatch',
      'a line of undetermined capacity',
      reserve(seats('1'), 3),
      [
        {
          type: 'OfferPosted',
          data: {
            provider: 'donor:japan',
            content: {
              ...CONTENT,
              lines: [
                ...CONTENT.lines,
                { line: 3, kinds: ['legal'], capacity: { measure: 'undetermined', why: 'to-be-assessed' } },
              ],
            },
          },
        },
      ],
    ],
    [
      'earmark',
      'a need the offer is not for',
      reserve(seats('1'), 1, C1, { ...FACTS, beneficiaries: ['state:FJI'] }),
      [
        {
          ...POSTED,
          data: { ...POSTED.data, content: { ...POSTED.data.content, earmark: { beneficiaries: ['VUT'] } } },
        },
      ],
    ],
  ])('is refused with %s: %s', (code, _, command, history) => {
    refusedWith(code, command, ...history);
  });

  test('is refused once the period is over, also before the timer has fired', () => {
    const at = '2027-01-01T00:00:00.000Z';
    const { events } = spec
      .given(POSTED)
      .when(reserve(), { ...byProcess, at })
      .accepted();
    expect(events).toMatchObject([{ type: 'CapacityRefused', data: { code: 'offer-not-open' } }]);
  });

  test('asked again stays as answered, whatever happened since', () => {
    spec.given(POSTED, reserved(), committed(), WITHDRAWN).when(reserve(), byProcess).then();
    const refusal: OfferEvent = {
      type: 'CapacityRefused',
      data: { commitment: C1, amendment: 0, code: 'insufficient-capacity', detail: 'none' },
    };
    spec.given(POSTED, refusal).when(reserve(), byProcess).then();
    spec
      .given(POSTED, refusal)
      .when({ type: 'ReleaseCapacity', ...keys() }, byProcess)
      .then();
  });

  test('is the business of the process alone', () => {
    for (const command of PROCESS_COMMANDS) {
      spec.given(POSTED).when(command, byJapan).refused('forbidden');
      spec.given(POSTED).when(command, { actor: SYSTEM_TIMER }).refused('forbidden');
    }
  });
});

describe('a reservation', () => {
  test('is committed once, whatever has become of the offer', () => {
    for (const closing of [SUSPENDED, EXPIRED, WITHDRAWN, COMPLETED]) {
      spec
        .given(POSTED, reserved(), closing)
        .when({ type: 'CommitCapacity', ...keys() }, byProcess)
        .then(committed());
    }
    spec
      .given(POSTED, reserved(), committed())
      .when({ type: 'CommitCapacity', ...keys() }, byProcess)
      .then();
    spec
      .given(POSTED, reserved(), released())
      .when({ type: 'CommitCapacity', ...keys() }, byProcess)
      .then();
    spec
      .given(POSTED)
      .when({ type: 'CommitCapacity', ...keys() }, byProcess)
      .refused('not-reserved');
  });

  const deliver = (delivery: number, quantity: Quantity): CommandBody<OfferCommand> => ({
    type: 'DeliverCapacity',
    key: leg(),
    delivery,
    quantity,
  });

  test('is delivered in tranches, each once, never over what is committed', () => {
    const bound = [POSTED, reserved(), committed(), EXPIRED, delivered(1, seats('3'))];
    spec
      .given(...bound)
      .when(deliver(2, seats('1')), byProcess)
      .then(delivered(2, seats('1')));
    spec
      .given(...bound)
      .when(deliver(1, seats('3')), byProcess)
      .then();
    spec
      .given(...bound)
      .when(deliver(2, seats('2')), byProcess)
      .refused('over-committed');
    spec
      .given(...bound)
      .when(deliver(2, usd('1')), byProcess)
      .refused('not-committed');
    spec
      .given(POSTED, reserved())
      .when(deliver(1, seats('1')), byProcess)
      .refused('not-committed');
    spec
      .given(POSTED)
      .when(deliver(1, seats('1')), byProcess)
      .refused('not-committed');
  });

  test('gives back all of it while it is held, once', () => {
    const release: CommandBody<OfferCommand> = { type: 'ReleaseCapacity', ...keys() };
    const state = spec.given(POSTED, reserved()).when(release, byProcess).then(released());
    expect(state.summary && figuresOf(state.summary, 1)).toEqual({ held: 0n, committed: 0n, delivered: 0n });
    spec.given(POSTED, reserved(), released()).when(release, byProcess).then();
  });

  test('gives back what was committed and not delivered, and its deliveries stay known', () => {
    const release: CommandBody<OfferCommand> = { type: 'ReleaseCapacity', ...keys() };
    const bound = [POSTED, reserved(), committed(), delivered(1, seats('3'))];
    const state = spec
      .given(...bound)
      .when(release, byProcess)
      .then(released(seats('1')));
    expect(state.summary && figuresOf(state.summary, 1)).toEqual({ held: 0n, committed: 3n, delivered: 3n });
    spec
      .given(...bound, released(seats('1')))
      .when(release, byProcess)
      .then();
    spec
      .given(...bound, released(seats('1')))
      .when(deliver(1, seats('3')), byProcess)
      .then();
    spec
      .given(...bound, delivered(2, seats('1')))
      .when(release, byProcess)
      .then();
  });

  test('that its release overtook is never made', () => {
    const overtaking: OfferEvent = { type: 'CapacityReleased', data: leg() };
    const state = spec
      .given(POSTED)
      .when({ type: 'ReleaseCapacity', ...keys() }, byProcess)
      .then(overtaking);
    expect(state.summary?.figures.size).toBe(0);
    spec.given(POSTED, overtaking).when(reserve(), byProcess).then();
  });

  test('of everything leaves the offer exhausted', () => {
    const state = spec
      .given(POSTED, reserved(seats('10')))
      .when(reserve(usd('1000'), 2, C2), byProcess)
      .accepted().state;
    expect(state.summary && isExhausted(state.summary)).toBe(true);
  });
});

describe('the fold of an offer', () => {
  test('ignores what it does not know and what has no offer', () => {
    const unknown = recordedEvent('offer-r1', 0, { type: 'SomethingElse', data: {} }) as never;
    expect(offerDecider.evolve(offerDecider.initial, unknown)).toBe(offerDecider.initial);
    const { state } = spec.given(POSTED);
    expect(offerDecider.evolve(state, unknown)).toBe(state);
    for (const event of [SUSPENDED, reserved()]) {
      expect(offerDecider.evolve(offerDecider.initial, recordedEvent('offer-r1', 0, event))).toBe(offerDecider.initial);
    }
    expect(withLifecycle(undefined, { ...SUSPENDED, revision: 0 })).toBeUndefined();
  });

  test('an offer without rival lines is never exhausted', () => {
    expect(isExhausted({ content: { ...CONTENT, lines: [] }, figures: new Map() })).toBe(false);
  });

  test('knows the desk of every kind of provider', () => {
    expect(deskRoleOf('auditor:board')).toBeUndefined();
  });
});
