import { createHash } from 'node:crypto';
import type { As, TestApp } from '../support/app.js';
import type { CallerName, HiddenKind } from './hidden-world.js';

type Seers = readonly CallerName[];

/** A file that only `seers` may have, and its bytes. */
export interface HiddenFile {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Buffer;
  readonly seers: Seers;
}

/** What a world is filled with; `hidden-world.ts` says what each does. */
export interface Builder {
  readonly app: TestApp;
  readonly withHidden: boolean;
  readonly members: Seers;
  readonly create: (
    path: string,
    body: object,
    caller: CallerName,
    key: string,
    wait?: boolean,
  ) => Promise<{ id: string }>;
  readonly command: (path: string, body: object, caller: CallerName) => Promise<void>;
  readonly pen: (name: string) => (part: string, field: string, seers: Seers) => string;
  readonly hide: (name: string, kind: HiddenKind, id: string, seers: Seers, told?: Seers) => string;
  readonly secretly: (what: () => Promise<unknown>) => Promise<void>;
  readonly needBody: (body: (field: string) => string, kind: string) => object;
  readonly file: (name: string, caller: CallerName, body: object) => Promise<string>;
  readonly submit: (id: string, caller: CallerName) => Promise<void>;
  readonly open: (id: string, caller: CallerName) => Promise<string>;
  readonly hiddenOffer: (name: string, seers: Seers, more: object, told?: Seers) => Promise<string>;
  readonly propose: (
    name: string,
    caller: CallerName,
    offerId: string,
    needId: string,
    amount: string,
    more?: object,
  ) => Promise<string>;
  readonly by: (caller: CallerName) => { readonly as?: As };
}

const USD = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });
const SHA = 'b'.repeat(64);
const SEALED = { summary: 'sealed', body: 'sealed', annex: 'sealed' };
const PUBLIC = { summary: 'public', body: 'public' };
const PLAIN = {
  kinds: ['legal'],
  instruments: ['ATT'],
  authorityRef: 'Note 2',
  lines: [{ kind: 'legal', description: 'Drafting', quantity: USD('4000.00') }],
};

/** Needs of several States, filed on behalf of one, and merged. */
export const hideJointNeeds = async (on: Builder): Promise<void> => {
  const { withHidden, secretly, file, pen, hide, command, submit, open, needBody } = on;
  await secretly(async () => {
    const asked: Seers = ['host', 'slb', 'vut', 'coordinator'];
    const write = pen('joint');
    const joint = hide(
      'joint',
      'needs',
      await file('joint', 'host', {
        ...needBody((field) => write('body', field, asked), 'legal'),
        title: write('summary', 'title', asked),
        annex: { risk: write('annex', 'risk', ['host', 'slb']) },
        visibility: SEALED,
        beneficiaries: ['state:SLB', 'state:VUT'],
      }),
      asked,
    );
    await command(`/v1/needs/${joint}/consent-participation`, {}, 'slb');
    await submit(joint, 'host');
    await drafted(on, 'jointdraft', 'host', ['host', 'slb'], { beneficiaries: ['state:SLB'] });
  });
  // Who else was asked to take part is known to those who do, and to nobody beside them.
  const shown = await file('joint shown', 'host', {
    ...PLAIN,
    title: 'Together',
    visibility: PUBLIC,
    beneficiaries: ['state:SLB', ...(withHidden ? ['state:PLW'] : [])],
  });
  await command(`/v1/needs/${shown}/consent-participation`, {}, 'slb');
  await open(shown, 'host');

  await secretly(async () => {
    const behalf = await drafted(on, 'behalf', 'coordinator', ['coordinator'], { onBehalfOf: 'state:TON' });
    await submit(behalf, 'coordinator');
  });

  const merging = async (key: string, visibility: object, title: string): Promise<string> =>
    open(await file(key, 'vut', { ...PLAIN, title, visibility }), 'vut');
  const own: Seers = ['vut', 'coordinator'];
  const survivor = await merging('merge survivor', PUBLIC, 'What is left of several');
  await secretly(async () => {
    for (const name of ['absorbed', 'parted']) {
      const absorbed = await merging(`merge ${name}`, SEALED, pen(name)('summary', 'title', own));
      hide(name, 'needs', absorbed, own);
      await command(`/v1/needs/${absorbed}/merge`, { into: survivor }, 'vut');
      if (name === 'parted') await command(`/v1/needs/${absorbed}/unmerge`, {}, 'vut');
    }
  });
  const gone = await merging('merge gone', PUBLIC, 'What went into another');
  const sealed = await merging(
    'merge sealed',
    SEALED,
    withHidden ? pen('into')('summary', 'title', own) : 'Under another title',
  );
  hide('into', 'needs', sealed, own);
  await command(`/v1/needs/${gone}/merge`, { into: sealed }, 'vut');
};

/** A draft all of whose parts are for the same callers. */
const drafted = async (
  { file, pen, hide, needBody }: Builder,
  name: string,
  caller: CallerName,
  seers: Seers,
  more: object,
): Promise<string> => {
  const write = pen(name);
  const body = {
    ...needBody((field) => write('body', field, seers), 'legal'),
    title: write('summary', 'title', seers),
    visibility: SEALED,
    ...more,
  };
  return hide(name, 'needs', await file(name, caller, body), seers);
};

/** An offer of several, whose co-providers nobody is told of, and a proposal on it. */
export const hideJointOffer = async (on: Builder, touchedNeed: string): Promise<void> => {
  const { secretly, hiddenOffer, propose, hide, pen } = on;
  await secretly(async () => {
    const offer = await hiddenOffer(
      'jointoffer',
      ['usa', 'canada', 'vut', 'ngo'],
      { visibility: 'sealed', providers: [{ party: 'donor:usa' }, { party: 'donor:canada' }] },
      ['coordinator', 'keyed'],
    );
    const sides: Seers = ['vut', 'usa', 'canada', 'keyed', 'coordinator', 'ngo'];
    const write = (field: string): string => pen('jointheld')('body', field, sides);
    const id = await propose('jointheld', 'usa', offer, touchedNeed, '21.00', {
      implementer: 'agency:ngo',
      terms: {
        agreements: [
          {
            kind: 'grant',
            parties: ['donor:usa', 'donor:canada'],
            reference: write('agreement'),
            date: '2026-11-01',
            legallyBinding: true,
            subjectTo: write('subject'),
          },
        ],
        conditions: [{ code: 'other', text: write('condition'), on: 'recipient' }],
        reports: [{ kind: 'narrative', by: 'agency:ngo', due: '2027-02-01' }],
      },
    });
    hide('jointheld', 'commitments', id, sides);
  });
};

/** Everything that goes on in a commitment that is hidden as a whole, once it is bound. */
export const hideWhatFollows = async ({ command, pen }: Builder, commitment: string, seers: Seers): Promise<void> => {
  const write = (field: string): string => pen('overneed')('later', field, seers);
  const to = (path: string): string => `/v1/commitments/${commitment}/${path}`;
  await command(
    to('amend'),
    {
      reason: write('amendment'),
      terms: {
        conditions: [{ code: 'other', text: write('condition'), on: 'recipient' }],
        reports: [{ kind: 'financial', by: 'agency:ngo', due: '2026-12-01' }],
        verifier: 'donor:canada',
      },
    },
    'slb',
  );
  await command(to('amend-accept'), {}, 'japan');
  await command(to('transfers/1/correct'), { reference: write('reference'), reason: write('correction') }, 'japan');
  await command(
    to('receipts'),
    { transfer: 1, amount: USD('390.00'), date: '2026-11-21', reference: write('receipt') },
    'ngo',
  );
  await command(to('discrepancies/1/settle'), { amount: USD('390.00'), reason: write('settlement') }, 'japan');
  await command(
    to('expenditures'),
    {
      kind: 'interim',
      period: { from: '2026-10-01', to: '2026-10-31' },
      lines: [{ budgetLine: write('budget'), amount: USD('9.00') }],
      invoices: [write('invoice')],
      date: '2026-11-21',
    },
    'ngo',
  );
  await command(to('deliveries'), { leg: 1, quantity: USD('20.00'), date: '2026-11-21' }, 'ngo');
  await command(
    to('returns'),
    { delivery: 2, quantity: USD('5.00'), reason: write('return'), date: '2026-11-21' },
    'ngo',
  );
  await command(to('deliveries/2/verify'), { quantity: USD('15.00'), note: write('verification') }, 'canada');
  await command(to('reports/1/file'), { date: '2026-11-21', reference: write('filing') }, 'ngo');
  await command(to('reports/1/return'), { note: write('returned') }, 'japan');
  await command(to('conditions/1/meet'), { note: write('met') }, 'japan');
  await command(
    to('suspend'),
    {
      reason: {
        code: 'other',
        note: pen('overneed')(
          'later',
          'suspension',
          seers.filter((each) => each !== 'canada' && each !== 'ngo'),
        ),
      },
    },
    'slb',
  );
};

/** In a commitment that everybody sees: proposals to change it, and papers under labels of their own. */
export const hideWithinShown = async (
  { command, pen, secretly }: Builder,
  commitment: string,
  files: Files,
): Promise<void> => {
  await secretly(async () => {
    const sides: Seers = ['vut', 'japan', 'coordinator', 'board'];
    const write = pen('shown');
    const to = (path: string): string => `/v1/commitments/${commitment}/${path}`;
    const terms = (field: string): object => ({
      conditions: [{ code: 'other', text: write('body', field, sides), on: 'recipient' }],
    });
    await command(to('amend'), { reason: write('body', 'reason', sides), terms: terms('condition') }, 'vut');
    const note = { code: 'other', note: write('body', 'declined', sides) };
    await command(to('amend-decline'), { reason: note }, 'japan');
    await command(to('amend'), { reason: write('body', 'again', sides), terms: terms('second') }, 'japan');
    for (const [caller, label, seers] of [
      ['vut', 'sealed', ['vut']],
      ['japan', 'named', sides],
    ] as const) {
      const sha256 = await files.upload(`shown${label}`, caller, seers);
      const title = write('document', label, seers);
      await command(to('documents'), { kind: 'report', title, sha256, label }, caller);
    }
  });
};

/** A fund that everybody knows, with what of its books, contributions and calls is not for everybody. */
export const hideInFund = async (
  on: Builder,
  needs: { readonly sealed: string; readonly named: string },
): Promise<{ readonly call: string }> => {
  const { create, command, pen, hide, secretly, withHidden } = on;
  const fund = 'fund:hope';
  await create(
    '/v1/funds',
    {
      fund,
      administrator: 'agency:keeper',
      decidingBody: { name: 'Committee', members: ['state:VUT'] },
      currency: 'USD',
      windows: [{ code: 'pacific', name: 'Pacific' }],
      ...(withHidden ? { reserve: USD('10.00') } : {}),
    },
    'coordinator',
    'fund hope',
  );
  const contribute = async (
    key: string,
    caller: CallerName,
    amount: string,
    more: object,
    text = (field: string): string => `A ${field}`,
  ): Promise<string> => {
    const { id } = await create(
      '/v1/contributions',
      { fund, amount: USD(amount), reference: text('pledge'), ...more },
      caller,
      `contribution ${key}`,
    );
    const to = (path: string): string => `/v1/contributions/${id}/${path}`;
    await command(to('sign'), { reference: text('agreement') }, caller);
    await command(to('payments'), { amount: USD(amount), date: '2026-11-20', reference: text('payment') }, caller);
    await command(
      to('receipts'),
      { payment: 1, amount: USD(amount), date: '2026-11-21', reference: text('receipt') },
      'hope',
    );
    return id;
  };
  await contribute('norway', 'norway', '500.00', { visibility: 'public' });
  await contribute('usa', 'usa', '300.00', { visibility: 'public' });
  const inside: Seers = ['hope', 'keeper', 'vut', 'coordinator', 'board'];
  await secretly(async () => {
    const given = async (name: string, caller: CallerName, visibility: string, seers: Seers): Promise<string> => {
      const write = (field: string): string => pen(name)('body', field, seers);
      const more = {
        visibility,
        earmark: { text: write('earmark') },
        documents: [
          {
            kind: 'letter',
            title: pen(name)('document', 'title', [
              'hope',
              'coordinator',
              caller,
              ...(caller === 'canada' ? (['keyed'] as const) : []),
            ]),
            sha256: SHA,
            label: 'sealed',
          },
        ],
      };
      return hide(name, 'contributions', await contribute(name, caller, '200.00', more, write), seers);
    };
    const sealed = await given('givensealed', 'canada', 'sealed', ['canada', 'keyed', 'hope', 'coordinator']);
    await command(
      `/v1/contributions/${sealed}/refunds`,
      {
        amount: USD('20.00'),
        date: '2026-11-21',
        reference: pen('givensealed')('body', 'refund', ['canada', 'keyed', 'hope', 'coordinator']),
      },
      'hope',
    );
    await given('givennamed', 'usa', 'named', [...inside, 'usa']);
    const left = await create(
      '/v1/contributions',
      { fund, amount: USD('70.00'), visibility: 'named' },
      'usa',
      'contribution left',
    );
    hide('givenleft', 'contributions', left.id, [...inside, 'usa']);
    const note = pen('givenleft')('body', 'note', ['usa', 'coordinator', 'board']);
    await command(
      `/v1/contributions/${left.id}/cancel`,
      { reason: { code: 'other', note, noteFor: 'coordinator' } },
      'usa',
    );
    const write = (field: string): string => pen('book')('body', field, inside);
    const book = `/v1/funds/${fund}`;
    await command(
      `${book}/bookings`,
      { kind: 'interest', amount: USD('3.00'), date: '2026-11-20', reference: write('booking') },
      'keeper',
    );
    const title = pen('book')('document', 'title', ['hope', 'coordinator']);
    await command(`${book}/documents`, { document: { kind: 'report', title, sha256: SHA, label: 'sealed' } }, 'hope');
  });
  const { id: call } = await create(
    '/v1/calls',
    { fund, title: 'For all', opens: '2026-11-01', closes: '2027-11-30', visibility: 'public' },
    'hope',
    'call shown',
  );
  await secretly(async () => {
    const own: Seers = ['hope', 'coordinator'];
    const write = (field: string): string => pen('callsealed')('body', field, own);
    const sealed = await create(
      '/v1/calls',
      {
        fund,
        title: write('title'),
        opens: '2026-11-01',
        closes: '2027-11-30',
        criteria: [{ code: 'urgency', text: write('criterion') }],
        visibility: 'sealed',
      },
      'hope',
      'call sealed',
    );
    hide('callsealed', 'calls', sealed.id, own);
    const applied: Seers = ['hope', 'slb', 'coordinator', 'board'];
    const judging: Seers = ['hope', 'coordinator', 'board'];
    const to = (path: string): string => `/v1/calls/${call}/${path}`;
    for (const needId of [needs.sealed, needs.named]) {
      await command(to('applications'), { needId, amount: USD('50.00') }, 'slb');
    }
    for (const n of [1, 2]) {
      const reason = pen('applied')('body', `screening${n}`, applied);
      await command(to(`applications/${n}/screen`), { eligible: true, reason }, 'hope');
      const note = pen('applied')('body', `ranking${n}`, judging);
      await command(to(`applications/${n}/rank`), { rank: n, note }, 'hope');
    }
    const declined = { code: 'budget', note: pen('applied')('body', 'declined', applied) };
    await command(to('applications/2/decide'), { outcome: 'declined', reason: declined }, 'hope');
    await command(
      `/v1/funds/${fund}/decisions`,
      {
        body: 'Committee',
        date: '2026-11-21',
        reference: pen('decided')('body', 'reference', on.members),
        allocations: [{ needId: needs.sealed, amount: USD('50.00'), call, application: 1 }],
        documents: [
          {
            kind: 'report',
            title: pen('decided')('document', 'title', ['hope', 'coordinator']),
            sha256: SHA,
            label: 'sealed',
          },
        ],
      },
      'hope',
    );
  });
  return { call };
};

/** Files that are brought for hidden places. */
export interface Files {
  readonly all: readonly HiddenFile[];
  upload(name: string, caller: CallerName, seers: Seers): Promise<string>;
}

export const filesOf = ({ app, by }: Builder): Files => {
  const all: HiddenFile[] = [];
  return {
    all,
    upload: async (name, caller, seers) => {
      const bytes = Buffer.from(`The bytes of ${name}`);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const request = by(caller);
      const document = { sha256, size: bytes.length, mediaType: 'text/plain', name: `${name}.txt` };
      const declared = await app.post('/v1/documents', document, request);
      const sent = await app.send('PATCH', `/v1/documents/${sha256}`, {
        ...request,
        headers: { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
        body: bytes,
      });
      if (declared.status !== 201 || sent.status !== 204) throw new Error(`${name}: ${declared.status} ${sent.status}`);
      all.push({ name, sha256, bytes, seers });
      return sha256;
    },
  };
};

/** What an auditor finds of a record, and Vanuatu answers to it. */
export const hideFindings = async (
  { app, command, create, by, hide, pen, secretly }: Builder,
  findings: readonly {
    readonly name: string;
    readonly record: { readonly kind: 'need' | 'commitment'; readonly id: string };
    readonly seers: Seers;
  }[],
): Promise<void> =>
  secretly(async () => {
    for (const { name, record, seers } of findings) {
      const write = (field: string): string => pen(name)('body', field, seers);
      const { body } = await app.get(`/v1/${record.kind}s/${record.id}/history`, by('board'));
      const [first] = (body as { items: { eventId: string }[] }).items;
      const { id } = await create(
        '/v1/findings',
        {
          ...{ severity: 'high', owner: 'state:VUT', due: '2027-12-31', records: [record], eventIds: [first?.eventId] },
          ...{ title: write('title'), text: write('text'), recommendation: write('recommendation') },
          ...{ criteria: write('criteria'), cause: write('cause'), effect: write('effect') },
        },
        'board',
        `finding ${name}`,
      );
      hide(name, 'findings', id, seers);
      const action = { text: write('action'), by: '2027-06-30' };
      await command(`/v1/findings/${id}/answer`, { response: 'agreed', text: write('answer'), action }, 'vut');
      const evidence = [{ title: write('evidence'), sha256: SHA }];
      await command(`/v1/findings/${id}/implement`, { text: write('claim'), evidence }, 'vut');
    }
  });

/** What an auditor asks Vanuatu of a commitment, and it answers: of interest to nobody else, whoever sees the commitment. */
export const hideConfirmation = async (
  { command, create, hide, pen, secretly }: Builder,
  commitment: string,
): Promise<void> =>
  secretly(async () => {
    const seers: Seers = ['vut', 'board'];
    const write = (field: string): string => pen('confirmation')('body', field, seers);
    const { id } = await create(
      '/v1/confirmation-requests',
      { party: 'state:VUT', commitments: [commitment], asks: ['leg'], note: write('note'), due: '2027-12-31' },
      'board',
      'confirmation',
    );
    hide('confirmation', 'confirmation-requests', id, seers);
    const answers = [{ line: 1, says: 'disagrees', note: write('answer') }];
    await command(`/v1/confirmation-requests/${id}/answer`, { answers }, 'vut');
    await command(`/v1/confirmation-requests/${id}/close`, { as: 'withdrawn', reason: write('reason') }, 'board');
  });
