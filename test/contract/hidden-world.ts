import { duplicateIdOf } from '#matching';
import type { As, TestApp } from '../support/app.js';
import { runEnded } from '../support/allocation-run.js';
import { testApp } from '../support/app.js';
import type { Builder, HiddenFile } from './hidden-deals.js';
import {
  filesOf,
  hideConfirmation,
  hideFindings,
  hideInFund,
  hideJointNeeds,
  hideJointOffer,
  hideWhatFollows,
  hideWithinShown,
} from './hidden-deals.js';

/** Everyone who asks. `slb` owns hidden needs, `usa` hidden offers; the first eleven own nothing that is hidden. */
export const CALLERS = {
  anonymous: undefined,
  fiji: { party: 'state:FJI', role: ['npc', 'mission', 'line-ministry', 'donor-desk'] },
  norway: { party: 'donor:norway', role: 'donor-desk' },
  fund: { party: 'fund:peace', role: 'donor-desk' },
  agency: { party: 'agency:cavr', role: ['implementer', 'fiscal-agent'] },
  network: { party: 'network:msg', role: 'network-host' },
  /** Of the same sovereign as the owner of the hidden needs. */
  slbPolice: { party: 'agency:slb-police', role: 'implementer' },
  /** Its person may file, and neither designate nor consent. */
  kiribati: { party: 'state:KIR', role: ['npc', 'mission'], sub: 'kir-person' },
  unmandated: { party: 'auditor:none', role: 'auditor' },
  narrow: { party: 'auditor:narrow', role: 'auditor' },
  operator: { party: 'agency:hosting', role: 'operator' },
  board: { party: 'auditor:board', role: 'auditor' },
  coordinator: { party: 'agency:secretariat', role: 'coordinator' },
  vut: { party: 'state:VUT', role: ['npc', 'mission'] },
  slb: { party: 'state:SLB', role: ['npc', 'mission'] },
  japan: { party: 'donor:japan', role: 'donor-desk' },
  usa: { party: 'donor:usa', role: 'donor-desk' },
  ngo: { party: 'agency:ngo', role: ['implementer', 'fiscal-agent'] },
  /** Of another network than `network`: host of hidden joint needs. */
  host: { party: 'network:psg', role: 'network-host' },
  /** Gives together with `usa`. */
  canada: { party: 'donor:canada', role: 'donor-desk' },
  /** Reads what is sealed of `canada`, and of nobody else. */
  keyed: { party: 'auditor:keyed', role: 'auditor' },
  hope: { party: 'fund:hope', role: 'donor-desk' },
  /** Administers `hope`. */
  keeper: { party: 'agency:keeper', role: 'fiscal-agent' },
} as const satisfies Readonly<Record<string, As | undefined>>;

export type CallerName = keyof typeof CALLERS;
/** Part of a request: whose it is. */
export const by = (caller: CallerName): { readonly as?: As } => {
  const as: As | undefined = CALLERS[caller];
  return as === undefined ? {} : { as };
};
export const CALLER_NAMES = Object.keys(CALLERS) as CallerName[];
export const OUTSIDERS = CALLER_NAMES.slice(0, CALLER_NAMES.indexOf('board'));
/** Nobody, a donor that is no party to anything, and the State whose records they are. */
const A_FEW: readonly CallerName[] = ['anonymous', 'norway', 'vut'];
/** Who sweeps over every list and route: all of them with the extra tests, which set `PLEDGEBOOK_EVERY_CALLER`. */
export const SWEEPERS = process.env.PLEDGEBOOK_EVERY_CALLER === undefined ? A_FEW : CALLER_NAMES;

const MEMBERS = CALLER_NAMES.filter(
  (name) => !['anonymous', 'unmandated', 'narrow', 'operator', 'keyed'].includes(name),
);
type Seers = readonly CallerName[];

export type HiddenKind =
  | 'needs'
  | 'offers'
  | 'commitments'
  | 'reported'
  | 'designations'
  | 'mandates'
  | 'contributions'
  | 'calls'
  | 'duplicates'
  | 'findings'
  | 'suggestions'
  | 'samples'
  | 'confirmation-requests';

/** A record that only `seers` may know of. */
export interface HiddenRecord {
  readonly name: string;
  readonly kind: HiddenKind;
  readonly id: string;
  readonly seers: Seers;
  /** Who sees not the record, but another that names it. */
  readonly told?: Seers;
}

export interface World {
  readonly app: TestApp;
  readonly hidden: readonly HiddenRecord[];
  /** Who may read which marker, by the marker. */
  readonly markers: ReadonlyMap<string, Seers>;
  /** Visible records whose figures move with hidden commitments. */
  readonly touched: ReadonlySet<string>;
  readonly files: readonly HiddenFile[];
  readonly visible: {
    readonly need: string;
    readonly offer: string;
    readonly touchedNeed: string;
    readonly touchedOffer: string;
    readonly call: string;
  };
  close(): Promise<void>;
}

const USD = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
/** Delegates to a conference: of this kind hidden records and shown ones meet whose figures no hidden commitment moves. */
const SPONSORED = 'meeting-sponsorship';
const seats = (amount: string): object => ({ measure: 'seats', amount });
const SHA = 'a'.repeat(64);

/**
 * The same visible world, with or without what is hidden in it. Every creation carries an idempotency key, so that ids are the same in
 * both; every text of what is hidden carries a marker of its own, and the words `zzhidden` and `zz<part>` that a search can ask for.
 */
export const buildWorld = async (withHidden: boolean): Promise<World> => {
  const app = await testApp();
  try {
    return await fill(app, withHidden);
  } catch (error) {
    await app.close();
    throw error;
  }
};

const fill = async (app: TestApp, withHidden: boolean): Promise<World> => {
  const markers = new Map<string, Seers>();
  const hidden: HiddenRecord[] = [];
  const touched = new Set<string>();

  const create = async (
    path: string,
    body: object,
    caller: CallerName,
    key: string,
    wait = false,
  ): Promise<{ id: string }> => {
    const headers = { 'idempotency-key': key.replaceAll(' ', '-'), ...(wait ? { prefer: 'wait=5' } : {}) };
    const answer = await app.post(path, body, { ...by(caller), headers });
    if (answer.status !== 201) throw new Error(`${key}: ${answer.status} ${answer.text}`);
    return answer.body as { id: string };
  };
  const command = async (path: string, body: object, caller: CallerName): Promise<void> => {
    const [, version, records, id] = path.split('/');
    const request = by(caller);
    const etag = (await app.get(`/${version}/${records}/${id}`, request)).headers.etag ?? '"0"';
    const answer = await app.post(path, body, { ...request, headers: { 'if-match': etag, prefer: 'wait=5' } });
    if (answer.status !== 200) throw new Error(`${caller} ${path}: ${answer.status} ${answer.text}`);
    await app.settled();
  };

  /** A marker, as one word. */
  const mark = (name: string, part: string, seers: Seers): string => {
    const word = `zq${name}${part}`.replaceAll('-', '');
    markers.set(word, seers);
    return word;
  };
  /** Writes into one record's texts. */
  const pen =
    (name: string) =>
    (part: string, field: string, seers: Seers): string =>
      `${mark(name, `${part}${field}`, seers)} zzhidden zz${part}`;

  const needOf = (
    name: string,
    seers: { summary: Seers; body: Seers; annex: Seers },
    more: { visibility?: object | string; kinds?: string[]; named?: string[]; lines?: object[] } = {},
  ): object => {
    const write = pen(name);
    const [kind = 'legal'] = more.kinds ?? [];
    const summary = (field: string): string => write('summary', field, seers.summary);
    const body = (field: string): string => write('body', field, seers.body);
    const annex = (field: string): string => write('annex', field, seers.annex);
    return {
      title: summary('title'),
      ...needBody(body, kind),
      annex: {
        sites: [annex('site')],
        quantitiesHeld: [
          { description: annex('held'), quantity: { measure: 'items', unit: 'tonne', amount: '77.123' } },
        ],
        risk: annex('risk'),
        accessLimits: annex('access'),
      },
      ...more,
    };
  };
  const needBody = (body: (field: string) => string, kind: string): object => ({
    problem: body('problem'),
    outcome: body('outcome'),
    kinds: [kind],
    instruments: ['ATT'],
    lines: [{ kind, description: body('line'), quantity: USD('1000.00') }],
    rank: 1,
    urgency: 'urgent',
    period: { from: '2027-01-01', to: '2027-12-31' },
    languages: ['fr'],
    priorAid: [{ text: body('aid') }],
    ownContribution: [{ description: body('own') }],
    planLink: body('plan'),
    reportRefs: [{ instrument: 'ATT', year: 2025, section: body('section') }],
    requestingAuthority: body('authority'),
    authorityRef: body('note'),
    contactOffice: body('office'),
    approached: [{ party: body('approached'), result: body('result') }],
    proposedImplementer: body('implementer'),
    documents: [{ kind: 'letter', title: body('document'), sha256: SHA }],
  });
  const file = async (name: string, caller: CallerName, body: object): Promise<string> =>
    (await create('/v1/needs', body, caller, `need ${name}`)).id;
  const submit = (id: string, caller: CallerName, publish = true): Promise<void> =>
    command(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish } }, caller);
  const open = async (id: string, caller: CallerName, publish = true): Promise<string> => {
    await submit(id, caller, publish);
    await command(`/v1/needs/${id}/open`, {}, 'coordinator');
    return id;
  };
  const hide = (name: string, kind: HiddenKind, id: string, seers: Seers, told: Seers = []): string => {
    hidden.push({ name, kind, id, seers, told });
    return id;
  };
  const OWNER: Seers = ['slb'];
  const REVIEWED: Seers = ['slb', 'coordinator'];
  const hiddenNeed = async (
    name: string,
    seers: Seers,
    more: Parameters<typeof needOf>[2],
    annex = seers,
    told: Seers = [],
  ): Promise<string> => {
    const id = await file(name, 'slb', needOf(name, { summary: seers, body: seers, annex }, more));
    return hide(name, 'needs', id, seers, told);
  };

  const offerOf = (name: string, seers: Seers, told: Seers, more: object): object => {
    const write = pen(name);
    const body = (field: string): string => write('body', field, seers);
    return {
      title: body('title'),
      description: body('description'),
      lines: [
        { kinds: ['legal'], description: body('line'), capacity: USD('5000.00') },
        { kinds: [SPONSORED], capacity: seats('40') },
      ],
      // An offer's conditions become those of the commitments on it.
      conditions: [{ code: 'other', text: write('body', 'condition', [...seers, ...told]) }],
      languages: ['fr'],
      documents: [{ kind: 'letter', title: body('document'), sha256: SHA }],
      ...more,
    };
  };
  const hiddenOffer = async (name: string, seers: Seers, more: object, told: Seers = []): Promise<string> =>
    hide(
      name,
      'offers',
      (await create('/v1/offers', offerOf(name, seers, told, more), 'usa', `offer ${name}`)).id,
      seers,
      told,
    );

  const propose = async (
    name: string,
    caller: CallerName,
    offerId: string,
    needId: string,
    amount: string,
    more: object = {},
  ): Promise<string> => {
    const legs = [{ offerLine: 1, needLine: 1, drawn: USD(amount) }];
    const body = { offerId, needId, legs, ...more };
    const { id } = await create('/v1/commitments', body, caller, `commitment ${name}`, true);
    await app.settled();
    return id;
  };
  const bind = async (id: string, accepting: CallerName, proposing: CallerName): Promise<void> => {
    await command(`/v1/commitments/${id}/accept`, {}, accepting);
    await command(`/v1/commitments/${id}/sign`, {}, accepting);
    await command(`/v1/commitments/${id}/sign`, {}, proposing);
  };

  // Parties are no secret: the same in both worlds.
  for (const [id, more] of [
    ['donor:japan', { ofState: 'JPN' }],
    ['donor:norway', { ofState: 'NOR' }],
    ['donor:usa', { ofState: 'USA' }],
    ['fund:peace', {}],
    ['agency:cavr', {}],
    ['agency:ngo', {}],
    ['agency:slb-police', { ofState: 'SLB' }],
    [
      'network:msg',
      { members: ['VUT', 'FJI', 'SLB'].map((each) => ({ party: `state:${each}`, as: 'member', from: '1988-01-01' })) },
    ],
    ['auditor:none', {}],
    ['auditor:narrow', {}],
    ['auditor:board', {}],
    ['auditor:other', {}],
    [
      'network:psg',
      { members: ['VUT', 'SLB', 'PLW'].map((each) => ({ party: `state:${each}`, as: 'member', from: '1988-01-01' })) },
    ],
    ['donor:canada', { ofState: 'CAN' }],
    ['auditor:keyed', {}],
    ['fund:hope', {}],
    ['agency:keeper', {}],
  ] as const) {
    await create('/v1/parties', { id, name: `Party ${id}`, category: 'ngo', ...more }, 'coordinator', `party ${id}`);
  }
  const term = { from: '2026-01-01', to: '2028-12-31' };
  const designation = { office: 'npc', ...term };
  await create(
    '/v1/designations',
    { ...designation, party: 'state:KIR', powers: ['file'], holder: 'kir-person', authorityRef: 'Note 1' },
    'coordinator',
    'designation kiribati',
  );
  const mandate = { sealed: false, reference: 'Resolution 1', ...term };
  await create(
    '/v1/mandates',
    { ...mandate, auditor: 'auditor:board', scope: { everything: true } },
    'coordinator',
    'mandate board',
  );
  await create(
    '/v1/mandates',
    { ...mandate, auditor: 'auditor:keyed', scope: { parties: ['donor:canada'] }, sealed: true },
    'canada',
    'mandate keyed',
  );

  /** In one world only. */
  const secretly = async (what: () => Promise<unknown>): Promise<void> => {
    if (!withHidden) return;
    await what();
    await app.settled();
  };
  const building: Builder = {
    app,
    withHidden,
    members: MEMBERS,
    create,
    command,
    pen,
    hide,
    secretly,
    needBody,
    file,
    submit,
    open,
    hiddenOffer,
    propose,
    by,
  };
  const files = filesOf(building);

  // Visible records, with hidden ones filed between them.
  const plain = { kinds: ['legal'], instruments: ['ATT'], authorityRef: 'Note 2' };
  const line = { kind: 'legal', description: 'Drafting', quantity: USD('100000.00') };
  const everywhere = { summary: 'public', body: 'public' };
  const visibleNeed = await open(
    await file('plain', 'vut', {
      ...plain,
      title: 'A law for all to see',
      lines: [line],
      visibility: everywhere,
      rank: 2,
    }),
    'vut',
  );
  await create(
    '/v1/mandates',
    { ...mandate, auditor: 'auditor:narrow', scope: { records: [visibleNeed] } },
    'coordinator',
    'mandate narrow',
  );
  await secretly(async () => {
    await hiddenNeed('draft', OWNER, {
      visibility: 'public',
      kinds: [SPONSORED],
      lines: [{ kind: SPONSORED, description: pen('draft')('body', 'line', OWNER), quantity: seats('9') }],
    });
    await submit(await hiddenNeed('submitted', REVIEWED, { visibility: 'public' }), 'slb');
  });
  const touchedNeed = await open(
    await file('touched', 'vut', {
      ...plain,
      title: 'Often proposed upon',
      lines: [line],
      visibility: everywhere,
      rank: 5,
    }),
    'vut',
  );
  const visibleOffer = (
    await create(
      '/v1/offers',
      { title: 'Drafting for all', lines: [{ kinds: ['legal'], capacity: USD('90000.00') }], visibility: 'public' },
      'japan',
      'offer plain',
    )
  ).id;
  await create(
    '/v1/offers',
    { title: 'Advice for all', lines: [{ kinds: ['legal'], capacity: USD('60000.00') }], visibility: 'public' },
    'norway',
    'offer norway',
  );
  await secretly(async () => {
    const returned = await hiddenNeed('returned', REVIEWED, { visibility: 'public' });
    await submit(returned, 'slb');
    const note = pen('returned')('body', 'reason', REVIEWED);
    await command(`/v1/needs/${returned}/return`, { reasons: ['quantity-missing'], note }, 'coordinator');
    const aside = await hiddenNeed('aside', REVIEWED, { visibility: 'public' });
    await submit(aside, 'slb');
    await command(
      `/v1/needs/${aside}/set-aside`,
      { code: 'not-in-proper-form', note: pen('aside')('body', 'reason', REVIEWED) },
      'coordinator',
    );
    const withdrawn = await hiddenNeed('withdrawn', REVIEWED, { visibility: 'public' });
    await submit(withdrawn, 'slb');
    const reason = { code: 'other', note: pen('withdrawn')('body', 'reason', REVIEWED) };
    await command(`/v1/needs/${withdrawn}/withdraw`, { reason }, 'slb');
  });
  const touchedOffer = (
    await create(
      '/v1/offers',
      { title: 'Often drawn on', lines: [{ kinds: ['legal'], capacity: USD('50000.00') }], visibility: 'public' },
      'japan',
      'offer touched',
    )
  ).id;
  touched.add(touchedNeed).add(touchedOffer);
  await create(
    '/v1/offers',
    {
      title: 'Tracing for all',
      lines: [{ kinds: ['tracing'], capacity: USD('7000.00') }],
      documents: [
        {
          kind: 'letter',
          title: withHidden ? pen('half')('document', 'offer', ['usa']) : 'Another letter',
          sha256: SHA,
          label: 'sealed',
        },
      ],
      visibility: 'public',
    },
    'usa',
    'offer tracing',
  );

  // The same needs in both worlds, of which outsiders see the summary alone: what stays hidden in them differs.
  for (const [n, rank] of [1, 2, 3].map((each) => [each, withHidden ? each : 4 - each] as const)) {
    const write = (field: string): string =>
      withHidden ? pen(`half${n}`)('body', field, [...REVIEWED]) : `Something else ${field}`;
    const body = needBody(write, 'legal');
    const annex = withHidden ? { risk: pen(`half${n}`)('annex', 'risk', OWNER) } : {};
    await open(
      await file(`half ${n}`, 'slb', {
        ...body,
        ...(withHidden ? {} : { urgency: 'normal', languages: ['en'], priorAid: 'none' }),
        title: `Half to be seen ${n}`,
        rank,
        annex,
        visibility: { summary: 'public', body: 'sealed' },
      }),
      'slb',
    );
  }
  const annexed = await file('annexed', 'slb', {
    ...plain,
    title: 'All but the annex',
    lines: [line],
    visibility: { ...everywhere, annex: 'named' },
    ...(withHidden ? { named: ['donor:usa', `donor:${mark('annexed', 'named', REVIEWED)}`] } : {}),
    annex: withHidden ? { risk: pen('annexed')('annex', 'risk', [...OWNER, 'usa', 'board']) } : {},
    documents: [
      {
        kind: 'letter',
        title: withHidden ? pen('annexed')('document', 'title', REVIEWED) : 'Another letter',
        sha256: SHA,
        label: 'sealed',
      },
    ],
  });
  // What a draft said before it opened is not for those who came later.
  await command(
    `/v1/needs/${annexed}/amend`,
    { problem: withHidden ? pen('annexed')('draft', 'problem', ['slb', 'coordinator', 'board']) : 'Otherwise put' },
    'slb',
  );
  await command(`/v1/needs/${annexed}/amend`, { problem: 'As it is published' }, 'slb');
  await open(annexed, 'slb');

  const sealed = { summary: 'sealed', body: 'sealed' };
  const NAMED: Seers = ['slb', 'coordinator', 'usa', 'board'];
  let sealedNeed = '';
  let namedNeed = '';
  let namedOffer = '';
  const USA: Seers = ['usa', 'board'];
  await secretly(async () => {
    // Japan and the agency are told the lines and the title by the proposal below.
    const told: Seers = ['slb', 'coordinator', 'japan', 'ngo'];
    // The verifier of a commitment on it, and the fund it applied to.
    const named: Seers = ['canada', 'hope'];
    const write = pen('sealed');
    const content = needOf(
      'sealed',
      { summary: told, body: REVIEWED, annex: OWNER },
      { visibility: { ...sealed, annex: 'sealed' } },
    ) as { lines: object[] };
    sealedNeed = hide(
      'sealed',
      'needs',
      await file('sealed', 'slb', {
        ...content,
        lines: [{ kind: 'legal', description: write('body', 'line', told), quantity: USD('1000.00') }],
      }),
      told,
      named,
    );
    await open(sealedNeed, 'slb');
    namedNeed = await open(
      await hiddenNeed(
        'named',
        NAMED,
        { visibility: { summary: 'named', body: 'named', annex: 'sealed' }, named: ['donor:usa'] },
        OWNER,
        ['hope'],
      ),
      'slb',
    );
    await open(await hiddenNeed('members', MEMBERS, { visibility: 'members' }, OWNER), 'slb');
    await open(await hiddenNeed('unpublished', MEMBERS, { visibility: 'public' }, OWNER), 'slb', false);
    await open(await hiddenNeed('eligible', NAMED, { visibility: 'eligible', kinds: ['tracing'] }, OWNER), 'slb');
    for (const to of ['circulation', 'publication'] as const) {
      const id = await hiddenNeed(
        `objected${to}`,
        to === 'circulation' ? REVIEWED : MEMBERS,
        { visibility: 'public' },
        OWNER,
      );
      await open(id, 'slb');
      await command(`/v1/needs/${id}/object`, { to }, 'slb');
    }
    const closed = await hiddenNeed('closed', REVIEWED, { visibility: { ...sealed, annex: 'sealed' } }, OWNER);
    await open(closed, 'slb');
    const reason = { code: 'other', note: pen('closed')('body', 'reason', REVIEWED) };
    await command(`/v1/needs/${closed}/withdraw`, { reason }, 'slb');

    await hiddenOffer('offerdraft', ['usa'], { draft: true, visibility: 'public' });
    const tucked = await hiddenOffer('offersealed', ['usa'], { visibility: 'sealed' });
    const suspension = { code: 'other', note: pen('offersealed')('body', 'reason', ['usa']) };
    await command(`/v1/offers/${tucked}/suspend`, { reason: suspension }, 'usa');
    namedOffer = await hiddenOffer('offernamed', [...USA, 'vut'], { visibility: 'named', named: ['state:VUT'] }, [
      'coordinator',
    ]);
    await hiddenOffer('offereligible', [...USA, 'slb'], {
      visibility: 'eligible',
      lines: [
        {
          kinds: ['tracing'],
          description: pen('offereligible')('body', 'line', [...USA, 'slb']),
          capacity: USD('300.00'),
        },
      ],
    });
    const members = await hiddenOffer('offermembers', MEMBERS, { visibility: 'members' });
    await command(`/v1/offers/${members}/withdraw`, { reason: { code: 'budget' } }, 'usa');
  });
  // Sought by one, given by two who may give too little: what is hidden could give the rest.
  await open(
    await file('sponsored', 'vut', {
      ...plain,
      title: 'Delegates to a conference',
      kinds: [SPONSORED],
      lines: [{ kind: SPONSORED, quantity: seats('6') }],
      visibility: everywhere,
    }),
    'vut',
  );
  for (const caller of ['japan', 'norway'] as const) {
    await create(
      '/v1/offers',
      { title: `Travel, by ${caller}`, lines: [{ kinds: [SPONSORED], capacity: seats('2') }], visibility: 'public' },
      caller,
      `offer travel ${caller}`,
    );
  }
  await create(
    '/v1/offers',
    { title: 'Later drafting for all', lines: [{ kinds: ['legal'], capacity: USD('10.00') }], visibility: 'public' },
    'japan',
    'offer later',
  );

  const SIDES: Seers = ['vut', 'japan', 'coordinator', 'board'];
  let parent = '';
  await secretly(async () => {
    const keep = (name: string, id: string, seers: Seers = SIDES, told: Seers = []): string =>
      hide(name, 'commitments', id, seers, told);
    const note = (name: string, seers: Seers): object => ({
      reason: { code: 'other', note: pen(name)('body', 'reason', seers) },
    });
    const withAgency: Seers = [...SIDES, 'ngo'];
    keep(
      'held',
      await propose('held', 'japan', touchedOffer, touchedNeed, '11.00', {
        implementer: 'agency:ngo',
        partOf: mark('held', 'partof', withAgency),
      }),
      withAgency,
    );
    const accepted = keep('accepted', await propose('accepted', 'vut', touchedOffer, touchedNeed, '12.00'));
    await command(`/v1/commitments/${accepted}/accept`, {}, 'japan');
    const declined = keep('declined', await propose('declined', 'japan', touchedOffer, touchedNeed, '13.00'));
    await command(`/v1/commitments/${declined}/decline`, note('declined', SIDES), 'vut');
    const left = keep('left', await propose('left', 'japan', touchedOffer, touchedNeed, '14.00'));
    await command(`/v1/commitments/${left}/withdraw`, note('left', SIDES), 'japan');
    keep(
      'lapsed',
      await propose('lapsed', 'japan', touchedOffer, touchedNeed, '15.00', { expiresAt: '2026-11-22T11:00:00Z' }),
    );

    // A hidden need on a visible offer, bound and part delivered.
    const overSealed: Seers = ['slb', 'japan', 'coordinator', 'ngo', 'canada'];
    const bound = keep(
      'overneed',
      await propose('overneed', 'slb', touchedOffer, sealedNeed, '400.00', { implementer: 'agency:ngo' }),
      overSealed,
    );
    await command(`/v1/commitments/${bound}/consent-task`, {}, 'ngo');
    await bind(bound, 'japan', 'slb');
    const write = pen('overneed');
    await command(
      `/v1/commitments/${bound}/transfers`,
      {
        kind: 'disbursement',
        from: 'donor:japan',
        to: 'agency:ngo',
        amount: USD('400.00'),
        date: '2026-11-20',
        reference: write('body', 'transfer', overSealed),
      },
      'japan',
    );
    await command(
      `/v1/commitments/${bound}/deliveries`,
      {
        leg: 1,
        quantity: USD('150.00'),
        date: '2026-11-21',
        evidence: [{ title: write('body', 'evidence', overSealed), uri: 'https://example.org/zz', sha256: SHA }],
      },
      'ngo',
    );
    await command(
      `/v1/commitments/${bound}/deliveries/1/dispute`,
      { reason: write('body', 'dispute', overSealed) },
      'slb',
    );
    await hideWhatFollows(building, bound, overSealed);

    // A visible need on a hidden offer, confirmed.
    const overNamed: Seers = ['vut', 'usa', 'coordinator', 'board'];
    parent = keep('overoffer', await propose('overoffer', 'usa', namedOffer, touchedNeed, '70.00'), overNamed, [
      'japan',
    ]);
    await bind(parent, 'vut', 'usa');
    await command(
      `/v1/commitments/${parent}/deliveries`,
      { leg: 1, quantity: USD('70.00'), date: '2026-11-21' },
      'usa',
    );
    await command(
      `/v1/commitments/${parent}/deliveries/1/confirm`,
      { note: pen('overoffer')('body', 'confirmation', overNamed) },
      'vut',
    );
    const cancelled = keep('cancelled', await propose('cancelled', 'usa', namedOffer, touchedNeed, '30.00'), overNamed);
    await bind(cancelled, 'vut', 'usa');
    await command(`/v1/commitments/${cancelled}/cancel`, note('cancelled', overNamed), 'vut');
  });
  await secretly(async () => {
    // Alike in their texts; whoever sees the bodies of both sees the pair.
    const id = duplicateIdOf({ kind: 'need', id: sealedNeed }, { kind: 'need', id: namedNeed });
    hide('pair', 'duplicates', id, REVIEWED);
    const note = pen('pair')('body', 'note', REVIEWED);
    const answer = await app.post(`/v1/duplicates/${id}/judge`, { verdict: 'same', note }, by('coordinator'));
    if (answer.status !== 200) throw new Error(`judge: ${answer.status} ${answer.text}`);
  });
  // Everybody sees this one; of what it is part of, nobody in particular.
  const shown = await propose('shown', 'japan', visibleOffer, visibleNeed, '2000.00', {
    ...(parent === '' ? {} : { partOf: parent }),
  });
  await bind(shown, 'vut', 'japan');
  await hideWithinShown(building, shown, files);
  await hideJointNeeds(building);
  await hideJointOffer(building, touchedNeed);
  const { call } = await hideInFund(building, { sealed: sealedNeed, named: namedNeed });

  await hideFindings(building, [
    // Hidden for what it rests on, and though everybody sees what it rests on.
    { name: 'findingdeal', record: { kind: 'commitment', id: parent }, seers: ['vut', 'board', 'coordinator'] },
    { name: 'findingneed', record: { kind: 'need', id: touchedNeed }, seers: ['vut', 'board', 'coordinator'] },
  ]);
  // In both worlds a run over all that the coordinator sees, of which two desks are told their own lines.
  await app.settled();
  const asked = await app.post(
    '/v1/allocations',
    { objective: 'max-value' },
    { ...by('coordinator'), headers: { 'idempotency-key': 'allocation' } },
  );
  const run = (asked.body as { id: string }).id;
  await runEnded(app.store, run);
  for (const desk of ['japan', 'norway'] as const) {
    const note = pen(`suggested${desk}`)('body', 'note', [desk, 'coordinator']);
    await command(`/v1/allocations/${run}/share`, { party: `donor:${desk}`, note }, 'coordinator');
    const told = (await app.get('/v1/suggestions', by(desk))).body as { items: { id: string }[] };
    for (const [n, { id }] of told.items.entries()) hide(`suggested ${desk} ${n}`, 'suggestions', id, [desk]);
  }

  await secretly(async () => {
    const seed = pen('sample')('body', 'seed', ['board']);
    const order = { of: 'commitments', method: 'random', size: 3, seed };
    hide('sample', 'samples', (await create('/v1/samples', order, 'board', 'sample')).id, ['board']);
  });
  await hideConfirmation(building, parent);

  const reportedOf = (name: string, seers: Seers, more: object): object => {
    const body = (field: string): string => pen(name)('body', field, seers);
    return {
      kind: 'need',
      title: body('title'),
      donors: [{ name: body('donor') }],
      kinds: ['legal'],
      instruments: ['ATT'],
      what: { lines: [{ kind: 'legal', description: body('line') }], problem: body('problem') },
      amounts: 'not-published',
      statusWords: body('status'),
      description: body('description'),
      source: { kind: 'published', reference: body('reference') },
      claims: [{ value: body('claim'), source: body('source') }],
      ...more,
    };
  };
  const published = (key: string, more: object): Promise<{ id: string }> =>
    create(
      '/v1/reported',
      {
        kind: 'need',
        title: `Published ${key}`,
        kinds: ['legal'],
        instruments: ['ATT'],
        amounts: 'not-published',
        source: { kind: 'published', reference: 'A page' },
        ...more,
      },
      'coordinator',
      `reported ${key}`,
    );
  let programme = '';
  await secretly(async () => {
    const report = async (name: string, seers: Seers, more: object): Promise<string> =>
      hide(
        name,
        'reported',
        (await create('/v1/reported', reportedOf(name, seers, more), 'coordinator', `reported ${name}`)).id,
        seers,
      );
    programme = await report('reportsealed', ['coordinator'], { visibility: 'sealed' });
    await report('reportnamed', ['coordinator', 'slb', 'slbPolice', 'board'], {
      visibility: 'named',
      beneficiaries: ['SLB'],
    });
    await report('reportmembers', MEMBERS, { visibility: 'members' });
  });
  const inReport: Seers = ['coordinator', 'slb', 'slbPolice', 'board'];
  await published('parts', {
    beneficiaries: ['SLB'],
    what: withHidden
      ? {
          annex: { risk: pen('report')('annex', 'risk', inReport) },
          documents: [{ kind: 'letter', title: pen('report')('document', 'title', ['coordinator']), label: 'sealed' }],
        }
      : { documents: [{ kind: 'letter', title: 'Another letter', label: 'sealed' }] },
    ...(programme === '' ? {} : { partOf: programme }),
  });
  const claimed = (await published('claimed', { beneficiaries: ['SLB'], what: { lines: [line] } })).id;
  await command(`/v1/reported/${claimed}/claim`, {}, 'slb');

  await secretly(async () => {
    const inTonga: Seers = ['coordinator'];
    const paper = await create(
      '/v1/designations',
      {
        ...designation,
        party: 'state:TON',
        powers: ['file'],
        holder: mark('designation', 'holder', inTonga),
        authorityRef: mark('designation', 'reference', inTonga),
      },
      'coordinator',
      'designation tonga',
    );
    hide('designation', 'designations', paper.id, inTonga);
    const given = await create(
      '/v1/mandates',
      {
        ...mandate,
        auditor: 'auditor:other',
        scope: { parties: ['state:TON'] },
        reference: mark('mandate', 'reference', inTonga),
      },
      'coordinator',
      'mandate tonga',
    );
    hide('mandate', 'mandates', given.id, inTonga);
    const ofSealed = await create(
      '/v1/mandates',
      {
        ...mandate,
        auditor: 'auditor:other',
        scope: { records: [sealedNeed] },
        sealed: true,
        reference: mark('mandatesealed', 'reference', REVIEWED),
      },
      'slb',
      'mandate sealed',
    );
    hide('mandate of a sealed record', 'mandates', ofSealed.id, REVIEWED);
  });
  app.clock.advance(25 * 3_600_000);
  await app.ticker.tickNow();
  await app.settled();
  const drafts = (await app.get('/v1/needs?status=draft', { as: CALLERS.slb })).body as { items: { id: string }[] };
  const ofClaim = drafts.items.find(({ id }) => hidden.every((each) => each.id !== id));
  if (ofClaim === undefined) throw new Error('the claimed record made no draft');
  hide('draft of a claim', 'needs', ofClaim.id, OWNER);
  return {
    app,
    hidden,
    markers,
    touched,
    files: files.all,
    visible: { need: visibleNeed, offer: visibleOffer, touchedNeed, touchedOffer, call },
    close: () => app.close(),
  };
};
