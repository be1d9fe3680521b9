import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { sceneOf } from '../support/scene.js';
import type { Response } from '../support/http.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const AUDITOR: As = { party: 'auditor:court', role: 'auditor' };
const USD = (amount: string) => ({ measure: 'money', currency: 'USD', amount });
const days = (amount: string) => ({ measure: 'person-days', amount });
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** A pairing, named by the other record. */
interface Item {
  readonly needId: string;
  readonly offerId: string;
  readonly score: number;
  readonly from: number;
  readonly to: number;
  readonly coverage: readonly object[];
  readonly unlock: readonly object[];
}
interface List {
  readonly items: readonly Item[];
  readonly blocked: readonly Item[];
  readonly asOf: string;
}
type Entry = Pick<Item, 'needId' | 'offerId'> & {
  readonly supposed?: boolean;
  readonly before: List;
  readonly after: List;
  readonly counts: object;
} & Readonly<Record<'appeared' | 'improved' | 'worsened' | 'vanished', readonly Item[]>>;
interface Allocated {
  readonly value: string;
  readonly pairs: readonly { readonly offerId: string; readonly quantity: { readonly amount: string } }[];
}
/** Of a question that is about no need or offer, nobody looks at what is not there. */
interface Answer {
  readonly needs: readonly [Entry, ...Entry[]];
  readonly offers: readonly [Entry, ...Entry[]];
  readonly allocation: { readonly before: Allocated; readonly after: Allocated };
}

let app: TestApp;
/** Ids by name. */
const made: Record<string, string> = {};

const { created, command, opened } = sceneOf(() => app);

const openNeed = (as: As, lines: readonly object[], changes: object = {}): Promise<string> => {
  const body = {
    ...{ title: 'Mark what the police hold', kinds: ['training'], instruments: ['ATT'], authorityRef: 'NV 12/2026' },
    ...{ lines, visibility: { summary: 'members', body: 'members' }, ...changes },
  };
  return opened(body, as);
};

const offer = (as: As, lines: readonly object[], changes: object = {}): Promise<string> =>
  created('/v1/offers', { title: 'Trainers', lines, visibility: 'members', ...changes }, as);

/** The answer, of which nothing is written. */
const whatIf = async (body: object, as: As = COORDINATOR): Promise<Response> => {
  const before = await app.store.head();
  const answer = await app.post('/v1/what-if', body, { as });
  expect(await app.store.head()).toBe(before);
  return answer;
};

const supposed = async (body: object, as?: As): Promise<Answer> => {
  const answer = await whatIf(body, as);
  expect([answer.status, answer.body.detail, answer.headers.etag]).toEqual([200, undefined, undefined]);
  return answer.body as Answer;
};

/** A list of matches as it is now, but for the position, which real changes move. */
const matchesOf = async (record: string, as: As = COORDINATOR): Promise<object> => {
  await app.settled();
  const { asOf: _, ...list } = (await app.get(`${record}/matches?includeBlocked=true`, { as })).body;
  return list;
};

const unplaced = ({ asOf: _, ...list }: { asOf: string }): object => list;

beforeAll(async () => {
  app = await testApp();
  for (const [id, ofState] of [
    ['donor:japan', 'JPN'],
    ['donor:norway', 'NOR'],
  ]) {
    await created('/v1/parties', { id, name: id, ofState }, COORDINATOR);
  }
  made.vanuatu = await openNeed(VANUATU, [{ kind: 'training', quantity: days('300') }]);
  made.fiji = await openNeed(FIJI, [{ kind: 'training', quantity: days('100') }], { languages: ['en'] });
  made.japan = await offer(JAPAN, [{ kinds: ['training'], capacity: days('50') }]);
  made.norway = await offer(NORWAY, [{ kinds: ['training'], capacity: days('80') }], {
    earmark: { beneficiaries: ['FJI'] },
    conditions: [{ code: 'national-report' }],
    languages: ['fr'],
  });
  // Seen by nobody but its donor and whom it names.
  made.confidential = await offer(NORWAY, [{ kinds: ['training'], capacity: days('5') }], {
    visibility: 'named',
    named: ['donor:japan', 'state:VUT'],
  });
  await app.settled();
});
afterAll(() => app.close());

describe('what would be', () => {
  it('is asked in one line: if Japan adds 200 person-days of training', async () => {
    const answer = await supposed({ change: [{ offerId: made.japan, add: days('200') }] }, VANUATU);
    expect(answer).toMatchObject({ needs: [], ruleset: '3', on: '2026-11-22' });
    const [{ before, after, ...entry }] = answer.offers;
    const given = (list: List) => list.items.find((item) => item.needId === made.vanuatu)?.coverage;
    expect(given(before)).toEqual([{ needLine: 1, offerLine: 1, quantity: days('50') }]);
    expect(given(after)).toEqual([{ needLine: 1, offerLine: 1, quantity: days('250') }]);
    expect(entry).toMatchObject({
      offerId: made.japan,
      appeared: [],
      vanished: [],
      worsened: [],
      counts: { improved: 2 },
    });
    const most = entry.improved[0]!;
    expect(most.to).toBeGreaterThan(most.from);
    expect(unplaced(before)).toEqual({ ...(await matchesOf(`/v1/offers/${made.japan}`)), blocked: [] });
  });

  it('is what is, of a record that is only asked about', async () => {
    const { needs, offers } = await supposed({ needs: [made.fiji], offers: [made.norway], includeBlocked: true }, FIJI);
    for (const [entry, record] of [
      [needs[0], `/v1/needs/${made.fiji}`],
      [offers[0], `/v1/offers/${made.norway}`],
    ] as const) {
      expect(entry.after).toEqual(entry.before);
      expect(unplaced(entry.before)).toEqual(await matchesOf(record, FIJI));
      expect(entry.counts).toMatchObject({ appeared: 0, improved: 0, worsened: 0, vanished: 0 });
    }
  });

  it('shows beside an offer that nobody posted the needs it would meet, and on their side the offer', async () => {
    const one = {
      title: 'Anybody’s trainers',
      lines: [{ kinds: ['training'], capacity: days('90') }],
      earmark: { beneficiaries: ['VUT'] },
    };
    const { offers, needs } = await supposed({ offers: [{ ref: 'x', ...one }, one], needs: [made.vanuatu] }, VANUATU);
    expect(offers.map((entry) => [entry.offerId, entry.supposed, entry.before])).toEqual([
      ['x', true, null],
      ['offer-2', true, null],
    ]);
    expect(offers[0].appeared.map((each) => each.needId)).toEqual([made.vanuatu]);
    expect(needs[0].appeared.map((each) => each.offerId)).toEqual(['offer-2', 'x']);
    expect(needs[0].after.items.map((each) => each.offerId)).toEqual(expect.arrayContaining(['x', made.japan]));
  });

  it('shows beside a need that nobody filed the offers that could serve it, those supposed too', async () => {
    const need = {
      title: 'A course',
      kinds: ['training'],
      instruments: ['ATT'],
      lines: [{ kind: 'training', quantity: days('10') }],
    };
    const { needs } = await supposed(
      {
        needs: [{ ...need, beneficiaries: ['state:KIR'] }],
        offers: [{ title: 'Ours', donor: 'donor:norway', lines: [{ kinds: ['training'], capacity: days('10') }] }],
      },
      JAPAN,
    );
    expect(needs[0].needId).toBe('need-1');
    expect(needs[0].after.items.map((each) => each.offerId).sort()).toEqual(
      [made.japan, made.confidential, 'offer-1'].sort(),
    );
  });
});

describe('a change that is supposed', () => {
  const training = (amount: string) => ({ kinds: ['training'], capacity: days(amount) });
  it('answers what the matches are once it is made', async () => {
    const cases: readonly [record: 'needs' | 'offers', id: string, as: As, change: object, amendment: object][] = [
      ['offers', made.japan!, JAPAN, { add: days('20') }, { lines: [training('70')] }],
      [
        'offers',
        made.japan!,
        JAPAN,
        { newLines: [training('9')] },
        { lines: [{ line: 1, ...training('70') }, training('9')] },
      ],
      [
        'offers',
        made.norway!,
        NORWAY,
        { set: { earmark: { regions: ['054'] }, languages: ['fr', 'en'] } },
        { earmark: { regions: ['054'] }, languages: ['fr', 'en'] },
      ],
      [
        'needs',
        made.fiji!,
        FIJI,
        { set: { reportRefs: [{ instrument: 'ATT', year: 2025 }], rank: 1 } },
        { reportRefs: [{ instrument: 'ATT', year: 2025 }], rank: 1 },
      ],
      [
        'needs',
        made.fiji!,
        FIJI,
        { add: days('11'), line: 1 },
        { lines: [{ kind: 'training', quantity: days('111') }] },
      ],
      [
        'needs',
        made.fiji!,
        FIJI,
        { set: { kinds: ['legal'], lines: [{ kind: 'legal', quantity: USD('5.00') }] } },
        { kinds: ['legal'], lines: [{ kind: 'legal', quantity: USD('5.00') }] },
      ],
    ];
    for (const [kind, id, as, change, amendment] of cases) {
      const named = kind === 'needs' ? { needId: id } : { offerId: id };
      const answer = await supposed({ change: [{ ...named, ...change }], includeBlocked: true });
      await command(`/v1/${kind}/${id}/amend`, amendment, as);
      expect([change, unplaced(answer[kind][0].after)]).toEqual([change, await matchesOf(`/v1/${kind}/${id}`)]);
    }
  });

  it('is what a list of matches says would unlock a pairing, sent back as it stands', async () => {
    const need = await openNeed(VANUATU, [{ kind: 'legal', quantity: USD('70.00') }], {
      kinds: ['legal'],
      languages: ['pt'],
    });
    const law = await offer(JAPAN, [{ kinds: ['legal'], capacity: USD('60.00') }], {
      ...{ earmark: { regions: ['002'] }, languages: ['en'], conditions: [{ code: 'national-report' }] },
    });
    await app.settled();
    const { blocked } = (await app.get(`/v1/needs/${need}/matches?includeBlocked=true`, { as: VANUATU })).body;
    const { unlock } = (blocked as Item[]).find((each) => each.offerId === law)!;
    expect(unlock.length).toBe(3);
    const { needs, offers } = await supposed({ change: [{ needId: need, offerId: law, unlock }] }, VANUATU);
    expect(needs[0].appeared).toEqual([{ offerId: law, score: expect.any(Number) }]);
    expect(offers[0].appeared).toContainEqual({ needId: need, score: needs[0].appeared[0]!.score });
    const part = await supposed({ change: [{ needId: need, offerId: law, unlock: unlock.slice(1) }] }, VANUATU);
    expect(part.needs[0].appeared).toEqual([]);
  });

  it('lets a State ask what showing its need to a provider would open, and nobody else', async () => {
    const need = await openNeed(VANUATU, [{ kind: 'training', quantity: days('3') }], {
      visibility: 'named',
      named: ['donor:norway', 'state:FJI'],
    });
    await app.settled();
    const list = (await app.get(`/v1/needs/${need}/matches?includeBlocked=true`, { as: VANUATU })).body;
    const { unlock } = (list.blocked as Item[]).find((each) => each.offerId === made.japan)!;
    const change = [{ needId: need, offerId: made.japan, unlock }];
    expect((await supposed({ change }, VANUATU)).needs[0].appeared).toMatchObject([{ offerId: made.japan }]);
    const refused = await whatIf({ change }, FIJI);
    expect([refused.status, refused.body.code]).toEqual([409, 'change-refused']);
  });

  it('is refused where the rules of the record would refuse it, and says which rule', async () => {
    const closed = await offer(JAPAN, [training('1')]);
    await command(`/v1/offers/${closed}/withdraw`, { reason: { code: 'budget' } }, JAPAN);
    await app.settled();
    const cases: readonly [object, string, string][] = [
      [{ offerId: closed, add: days('1') }, 'change[0].add', 'offer-not-open'],
      [{ offerId: made.japan, set: { lines: [{ line: 7, ...training('1') }] } }, 'change[0].set', 'unknown-line'],
      [
        { offerId: made.japan, set: { period: { from: '2020-01-01', to: '2020-02-01' } } },
        'change[0].set',
        'period-over',
      ],
      [{ offerId: made.japan, add: USD('1.00') }, 'change[0].line', 'money:USD'],
    ];
    for (const [change, field, word] of cases) {
      const { status, body } = await whatIf({ change: [change] });
      expect([status, body.code, body.errors]).toEqual([
        409,
        'change-refused',
        [{ field, message: expect.stringContaining(word) }],
      ]);
    }
  });
});

describe('who may ask', () => {
  it('hears of no record that it does not see, by name or beside what it supposes', async () => {
    for (const as of [FIJI, COORDINATOR, AUDITOR]) {
      for (const id of [made.confidential!, NOBODY, 'x']) {
        for (const body of [{ offers: [id] }, { change: [{ offerId: id, add: days('1') }] }]) {
          const { status, body: problem } = await whatIf(body, as);
          expect([status, problem.code]).toEqual([404, 'not-found']);
        }
      }
      const need = {
        title: 'A course',
        kinds: ['training'],
        instruments: ['ATT'],
        lines: [{ kind: 'training', quantity: days('1') }],
      };
      const { needs } = await supposed(
        { needs: [{ ...need, beneficiaries: ['state:VUT'] }], includeBlocked: true },
        as,
      );
      expect(JSON.stringify(needs)).not.toContain(made.confidential);
    }
    expect((await app.send('POST', '/v1/what-if', { headers: {}, body: '{}' })).status).toBe(401);
  });

  it('learns of no label: a party that it supposes sees what it sees itself', async () => {
    const need = {
      title: 'A course',
      kinds: ['training'],
      instruments: ['ATT'],
      lines: [{ kind: 'training', quantity: days('1') }],
    };
    const lists = [];
    // The label of the confidential offer names Vanuatu and not Kiribati; Japan sees the offer, and not whom it names.
    for (const state of ['state:VUT', 'state:KIR']) {
      const { needs } = await supposed({ needs: [{ ...need, beneficiaries: [state] }], includeBlocked: true }, JAPAN);
      lists.push(
        needs[0].after.items
          .concat(needs[0].after.blocked)
          .map((each) => each.offerId)
          .sort(),
      );
    }
    expect(lists[0]).toContain(made.confidential);
    expect(lists[1]).toEqual(lists[0]);
  });
});

describe('an allocation that is supposed', () => {
  const order = { objective: 'max-value', scope: { state: 'VUT', kind: 'training' } };
  it('is solved as it stands and as it would, for a coordinator', async () => {
    const change = [{ offerId: made.japan, add: days('100'), line: 1 }];
    const { allocation, offers } = await supposed({ change, allocation: order });
    const given = ({ pairs }: Allocated): number =>
      pairs.filter((each) => each.offerId === made.japan).reduce((sum, each) => sum + Number(each.quantity.amount), 0);
    expect([given(allocation.before), given(allocation.after)]).toEqual([79, 179]);
    expect(Number(allocation.after.value)).toBeGreaterThan(Number(allocation.before.value));
    expect(allocation.before).toMatchObject({ status: 'done', unmet: expect.any(Array), prices: expect.any(Array) });
    expect(offers[0].after.blocked).toEqual([]);
    const refused = await whatIf({ change, allocation: order }, JAPAN);
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
  });

  it('is for a run of its own where it is large', async () => {
    const fifty = Array.from({ length: 50 }, () => null);
    const large = {
      offers: [{ title: 'Many', lines: fifty.map(() => ({ kinds: ['training'], capacity: days('1') })) }],
      needs: [
        {
          ...{ title: 'Much', kinds: ['training'], instruments: ['ATT'], beneficiaries: ['state:KIR'] },
          lines: fifty.map(() => ({ kind: 'training', quantity: days('1') })),
        },
      ],
    };
    const { status, body } = await whatIf({ ...large, allocation: { objective: 'max-min', scope: { state: 'KIR' } } });
    expect([status, body.code]).toEqual([409, 'too-large-to-wait']);
    expect(body.detail).toMatch(/more than 2000 pairs of lines.*POST \/v1\/allocations/);
  });
});

describe('a question that makes no sense', () => {
  const line = { kinds: ['training'], capacity: days('1') };
  it.each<[string, object, readonly string[]]>([
    ['nothing', {}, ['']],
    ['lists of another type', { offers: 'x', needs: {}, change: 5 }, ['offers', 'needs', 'change']],
    ['records that are neither ids nor records', { offers: [5, '', null] }, ['offers[0]', 'offers[1]', 'offers[2]']],
    ['an offer without lines', { offers: [{ title: 'x' }] }, ['offers[0].lines']],
    ['a reference like an id', { offers: [{ ref: NOBODY, title: 'x', lines: [line] }] }, ['offers[0].ref']],
    [
      'a reference twice',
      {
        offers: [
          { ref: 'a', title: 'x', lines: [line] },
          { ref: 'a', title: 'x', lines: [line] },
        ],
      },
      ['offers[1].ref'],
    ],
    [
      'a reference of a need and of an offer',
      {
        offers: [{ ref: 'a', title: 'x', lines: [line] }],
        needs: [
          {
            ...{ ref: 'a', title: 'x', kinds: ['legal'], instruments: ['ATT'], beneficiaries: ['state:VUT'] },
            lines: [{ kind: 'legal', quantity: days('1') }],
          },
        ],
      },
      ['offers'],
    ],
    ['a longer list than an answer has room for', { offers: [NOBODY], limit: 51 }, ['limit']],
    [
      'providers without their lead',
      { offers: [{ title: 'x', donor: 'donor:japan', providers: [{ party: 'donor:norway' }], lines: [line] }] },
      ['offers[0].providers'],
    ],
    [
      'a need of nobody',
      {
        needs: [
          { title: 'x', kinds: ['legal'], instruments: ['ATT'], lines: [{ kind: 'legal', quantity: days('1') }] },
        ],
      },
      ['needs[0].beneficiaries'],
    ],
    ['a change of nothing', { change: [{ offerId: NOBODY }] }, ['change[0]']],
    ['a change of two records', { change: [{ offerId: NOBODY, needId: NOBODY, add: days('1') }] }, ['change[0]']],
    ['an amendment of the other kind', { change: [{ offerId: NOBODY, set: { rank: 1 } }] }, ['change[0].set.rank']],
    [
      'who stands behind a record',
      { change: [{ offerId: NOBODY, set: { visibility: 'public', providers: [{ party: 'donor:japan' }] } }] },
      ['change[0].set.visibility', 'change[0].set.providers'],
    ],
    [
      'a new line with a number',
      { change: [{ offerId: NOBODY, newLines: [{ line: 1, ...line }] }] },
      ['change[0].newLines[0].line'],
    ],
    [
      'a new line without what it gives',
      { change: [{ offerId: NOBODY, newLines: [{ kinds: ['legal'] }] }] },
      ['change[0].newLines[0].capacity'],
    ],
    [
      'an amount that nobody can add',
      { change: [{ offerId: NOBODY, add: { measure: 'access', amount: 'unlimited' } }] },
      ['change[0].add.amount'],
    ],
    [
      'what unlocks no pairing',
      { change: [{ offerId: NOBODY, unlock: [{ code: 'region', change: 'x' }] }] },
      ['change[0].unlock'],
    ],
    [
      'too many records',
      { offers: Array.from({ length: 11 }, (_, n) => `o${n}`), needs: Array.from({ length: 10 }, (_, n) => `n${n}`) },
      [''],
    ],
    [
      'too many changes',
      { change: Array.from({ length: 21 }, () => ({ offerId: NOBODY, add: days('1') })) },
      ['change'],
    ],
    [
      'an allocation that goes backwards',
      { offers: [NOBODY], allocation: { objective: 'max-min', scope: { from: '2027-02-01', to: '2027-01-01' } } },
      ['allocation.scope.to'],
    ],
  ])('such as %s is refused naming the field', async (_what, body, fields) => {
    const { status, body: problem } = await whatIf(body);
    expect([status, problem.code, problem.errors?.map((each: { field: string }) => each.field).sort()]).toEqual([
      400,
      'invalid-request',
      [...fields].sort(),
    ]);
  });
});
