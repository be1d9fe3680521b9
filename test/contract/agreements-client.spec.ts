import type { As } from '../support/app.js';
import type { Response } from '../support/http.js';
import type { ApiClient, Json } from './api-client.js';
import {
  aNeed,
  anOffer,
  apiClient,
  bodyOf,
  CAVR,
  COORDINATOR,
  dollars,
  FIJI,
  JAPAN,
  machines,
  NORWAY,
  VANUATU,
  WAIT,
} from './api-client.js';

/**
 * Agreements and money as an outside client meets them, written from API.md and DOMAIN.md alone. Whatever is sent, the figures of the
 * answer keep to the invariants, a command that succeeds was offered in `actions`, and what is refused leaves the record as it was.
 */
const HOST: As = { party: 'network:msg', role: 'network-host' };
const BANK: As = { party: 'agency:bank', role: 'fiscal-agent' };
const VERIFIER: As = { party: 'agency:verifier', role: 'implementer' };
const FUND: As = { party: 'fund:trust', role: 'donor-desk' };
const D = '2026-11-20';
const SHA = 'a'.repeat(64);
const BUDGET = { reason: { code: 'budget' } };

let client: ApiClient;
beforeAll(async () => {
  client = await apiClient();
  for (const id of ['agency:bank', 'agency:verifier', 'fund:trust', 'network:msg']) {
    const members = ['state:VUT', 'state:FJI'].map((party) => ({ party, as: 'member', from: '1988-01-01' }));
    const category = { agency: 'ngo', fund: 'fund', network: 'regional' }[id.split(':')[0] ?? ''];
    const contact = { office: 'Desk', mailbox: 'desk@example.org' };
    const party = { id, name: id, category, contact, ...(category === 'regional' ? { members } : {}) };
    succeeded(await client.post('/v1/parties', party, COORDINATOR));
  }
});
afterAll(() => client.app.close());

const listOf = (body: Json, name: string): readonly Json[] => (body[name] ?? []) as readonly Json[];
const amountOf = (quantity: unknown): number => Number((quantity as { amount: string }).amount);
const idOf = (location: string): string => location.split('/')[3] ?? '';

const checkNeed = (body: Json): void => {
  for (const { coverage, quantity } of listOf(body, 'lines')) {
    if (typeof coverage === 'string') continue;
    const { accepted, binding, delivered, confirmed, outstanding } = coverage as Json;
    expect(amountOf(binding)).toBeGreaterThanOrEqual(amountOf(delivered));
    expect(amountOf(delivered)).toBeGreaterThanOrEqual(amountOf(confirmed));
    expect(amountOf(outstanding)).toBeCloseTo(amountOf(quantity) - amountOf(binding), 6);
    if (accepted !== undefined) expect(amountOf(accepted) + amountOf(binding)).toBeLessThanOrEqual(amountOf(quantity));
  }
};

const checkOffer = (body: Json): void => {
  for (const { capacity, held, committed, delivered, available } of listOf(body, 'lines')) {
    if (amountOf(capacity) !== amountOf(capacity)) continue;
    const open = body.status === 'open' || body.status === 'suspended';
    const free = amountOf(capacity) - amountOf(held) - amountOf(committed);
    expect(free).toBeGreaterThanOrEqual(0);
    expect(amountOf(available)).toBeCloseTo(open ? free : 0, 6);
    expect(amountOf(delivered)).toBeLessThanOrEqual(amountOf(committed));
  }
};

const checkCommitment = (body: Json): void => {
  for (const { drawn, delivered, confirmed } of listOf(body, 'legs')) {
    expect(amountOf(delivered)).toBeLessThanOrEqual(amountOf(drawn));
    expect(amountOf(confirmed)).toBeLessThanOrEqual(amountOf(delivered));
  }
};

/** I1, I2, I3 and the identities of API.md on the figures of an answer. */
const checked = (answer: Response): Response => {
  const body = bodyOf(answer);
  if ('filer' in body) checkNeed(body);
  else if ('legs' in body) checkCommitment(body);
  else if ('donor' in body && 'lines' in body) checkOffer(body);
  return answer;
};

let written = '';
const succeeded = (answer: Response): Response => {
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  written = answer.headers['consistency-token'] ?? written;
  return checked(answer);
};

/** A list, total or statement that has seen what was written last. */
const read = async (path: string, as: As): Promise<Json> =>
  bodyOf(succeeded(await client.get(path, as, { ...WAIT, 'consistency-token': written })));

const NAMED: Readonly<Record<string, string>> = { discrepancies: 'discrepancy' };

/** How a command is named in `actions`. */
const actionOf = (command: string): string => {
  const [of = '', , what] = command.split('/');
  if (what === undefined) return of;
  if (of === 'deliveries' && what !== 'correct') return what;
  return `${what}-${NAMED[of] ?? of.replace(/ies$/, 'y').replace(/s$/, '')}`;
};

const can = async (record: string, as: As): Promise<readonly string[]> =>
  bodyOf(await client.get(record, as)).actions as readonly string[];

/** Succeeds, and was offered to this caller. */
const act = async (record: string, command: string, as: As, body: object = {}): Promise<Json> => {
  const offered = await can(record, as);
  const answer = succeeded(await client.send(record, command, body, as, WAIT));
  expect(offered).toContain(actionOf(command));
  return bodyOf(answer);
};

/** The record's `ETag` once processes have written what they had to write to it. */
const standing = async (record: string, as: As): Promise<string> => {
  await client.app.settled();
  return (await client.get(record, as)).headers.etag ?? '';
};

/** Refused with this code, and the record is as it was. */
const refused = async (
  record: string,
  command: string,
  as: As,
  body: object,
  [status, code, field]: readonly [number, string, string?],
): Promise<void> => {
  const before = await standing(record, as);
  const answer = await client.send(record, command, body, as, WAIT);
  expect([command, answer.status, bodyOf(answer).code]).toEqual([command, status, code]);
  if (field !== undefined) expect(listOf(bodyOf(answer), 'errors')).toContainEqual(expect.objectContaining({ field }));
  expect(await standing(record, as)).toBe(before);
};

const leg = (offerLine: number, needLine: number, drawn: object, more: object = {}): object => ({
  offerLine,
  needLine,
  drawn,
  ...more,
});

const CASH = { kind: 'financial', description: 'cash', quantity: dollars('100000.00') };
const lines = [{ kind: 'marking-record-keeping', description: 'machines', quantity: machines('12') }, CASH];

const proposal = (need: string, offer: string, legs: readonly object[], more: object = {}): object => ({
  needId: idOf(need),
  offerId: idOf(offer),
  legs,
  ...more,
});

/** Proposed, accepted, consented and signed by those named: binding. */
const bound = async (
  body: object,
  {
    by = JAPAN,
    accept = VANUATU,
    agents = [],
    sign = [JAPAN, VANUATU],
  }: Partial<Record<'by' | 'accept', As>> & {
    readonly agents?: readonly As[];
    readonly sign?: readonly As[];
  } = {},
): Promise<string> => {
  const { location = '' } = succeeded(await client.post('/v1/commitments', body, by, WAIT)).headers;
  await act(location, 'accept', accept);
  for (const agent of agents) await act(location, 'consent-task', agent);
  for (const signatory of sign) await act(location, 'sign', signatory);
  expect(bodyOf(await client.get(location, by)).status).toBe('binding');
  return location;
};

/** A record once processes and views have handled everything: offer and need then show what the commitment is. */
const settled = async (record: string, as: As): Promise<Json> => {
  await client.app.settled();
  return bodyOf(checked(await client.get(record, as)));
};

const line = (body: Json): Json => listOf(body, 'lines')[0] ?? {};
const coverage = (body: Json): Json => line(body).coverage as Json;

describe('a joint need', () => {
  test('is listed and counted for those who consented; a shared tranche is its host’s to confirm', async () => {
    const filed = { ...aNeed({ lines }), beneficiaries: ['state:VUT', 'state:FJI'] };
    const { location: need = '' } = succeeded(await client.post('/v1/needs', filed, HOST)).headers;
    await act(need, 'consent-participation', VANUATU);
    await act(need, 'submit', HOST, { consent: { circulate: true, publish: true } });
    await act(need, 'open', COORDINATOR);
    const listed = async (): Promise<unknown> =>
      listOf(await read('/v1/needs?state=FJI', NORWAY), 'items').some(({ id }) => id === idOf(need));
    expect(await listed()).toBe(false);
    await act(need, 'consent-participation', FIJI);
    expect(await listed()).toBe(true);
    const offer = await client.openOffer();
    const agreed = await bound(proposal(need, offer, [leg(1, 1, machines('6'))], { implementer: 'agency:cavr' }), {
      accept: HOST,
      agents: [CAVR],
      sign: [JAPAN, HOST],
    });
    const quantity = machines('2');
    await act(agreed, 'deliveries', CAVR, { leg: 1, quantity, beneficiary: 'state:VUT', date: D });
    await act(agreed, 'deliveries', JAPAN, { leg: 1, quantity, date: D });
    await refused(agreed, 'deliveries/1/confirm', FIJI, {}, [403, 'forbidden']);
    await refused(agreed, 'deliveries/1/confirm', HOST, {}, [403, 'forbidden']);
    await refused(agreed, 'deliveries/2/confirm', VANUATU, {}, [403, 'forbidden']);
    expect(await can(agreed, FIJI)).not.toContain('confirm');
    await act(agreed, 'deliveries/1/confirm', VANUATU);
    await act(agreed, 'deliveries/2/confirm', HOST, { quantity: machines('1') });
    expect(amountOf(coverage(await settled(need, HOST)).confirmed)).toBe(3);
    await refused(agreed, 'deliveries', JAPAN, { leg: 1, quantity, beneficiary: 'state:PNG', date: D }, [
      409,
      'unknown-beneficiary',
      'beneficiary',
    ]);
  });
});

describe('an amendment', () => {
  test('takes more from offer and need, gives back what is less, and leaves nothing held where it is refused', async () => {
    const [need, offer] = [await client.openNeed({ lines }), await client.openOffer()];
    const agreed = await bound(proposal(need, offer, [leg(1, 1, machines('6'))]));
    const ask = (amount: string): Promise<Json> =>
      act(agreed, 'amend', JAPAN, { legs: [{ leg: 1, ...leg(1, 1, machines(amount)) }], reason: 'Counted again.' });
    const stands = async (amount: number): Promise<void> => {
      const { committed, held } = line(await settled(offer, JAPAN));
      expect([amountOf(committed), amountOf(held)]).toEqual([amount, 0]);
      expect(amountOf(coverage(await settled(need, VANUATU)).binding)).toBe(amount);
    };
    await ask('8');
    await refused(agreed, 'amend-accept', JAPAN, {}, [409, 'own-proposal']);
    await act(agreed, 'amend-accept', VANUATU);
    await stands(8);
    for (const [amount, code] of [
      ['13', 'insufficient-coverage'],
      ['21', 'insufficient-capacity'],
    ] as const) {
      await ask(amount);
      const answer = await client.send(agreed, 'amend-accept', {}, VANUATU, WAIT);
      expect([answer.status, bodyOf(answer).code]).toEqual([409, code]);
      await stands(8);
    }
    await act(agreed, 'deliveries', JAPAN, { leg: 1, quantity: machines('5'), date: D });
    const less = { legs: [{ leg: 1, ...leg(1, 1, machines('4')) }], reason: 'Fewer.' };
    await refused(agreed, 'amend', VANUATU, less, [409, 'below-delivered', 'legs[0].drawn']);
    await ask('5');
    await act(agreed, 'deliveries', JAPAN, { leg: 1, quantity: machines('1'), date: D });
    await refused(agreed, 'amend-accept', VANUATU, {}, [409, 'below-delivered']);
    await act(agreed, 'amend-withdraw', JAPAN);
    await act(agreed, 'cancel', VANUATU, BUDGET);
    await stands(6);
  });

  test('and deliveries sent at once never leave less bound than delivered', async () => {
    for (const sent of [
      [1, 2, 1],
      [3, 1, 3],
    ]) {
      const [need, offer] = [await client.openNeed({ lines }), await client.openOffer()];
      const agreed = await bound(proposal(need, offer, [leg(1, 1, machines('10'))]));
      await act(agreed, 'deliveries', JAPAN, { leg: 1, quantity: machines('3'), date: D });
      await act(agreed, 'amend', VANUATU, { legs: [{ leg: 1, ...leg(1, 1, machines('4')) }], reason: 'Fewer.' });
      await Promise.all([
        client.send(agreed, 'amend-accept', {}, JAPAN, WAIT),
        ...sent.map((amount) =>
          client.post(`${agreed}/deliveries`, { leg: 1, quantity: machines(String(amount)), date: D }, JAPAN),
        ),
      ]);
      const [{ drawn, delivered } = {}] = listOf(bodyOf(checked(await client.get(agreed, JAPAN))), 'legs');
      const agreedOn = [amountOf(drawn), amountOf(delivered)];
      const capacity = line(await settled(offer, JAPAN));
      expect([amountOf(capacity.committed), amountOf(capacity.delivered)]).toEqual(agreedOn);
      const met = coverage(await settled(need, VANUATU));
      expect([amountOf(met.binding), amountOf(met.delivered)]).toEqual(agreedOn);
    }
  });
});

/** A commitment with everything on it: machines and money, agencies, terms, a tranche, a payment short of ten dollars. */
const aRichOne = async (): Promise<string> => {
  const [need, offer] = [await client.openNeed({ lines }), await client.openOffer()];
  const terms = {
    verifier: 'agency:verifier',
    period: { from: '2026-01-01', to: '2026-12-31' },
    conditions: [{ code: 'ownership', on: 'recipient' }],
    reports: [{ kind: 'narrative', by: 'agency:cavr', due: '2026-12-01' }],
    schedule: [{ amount: dollars('500.00'), on: 'report', report: 1 }],
  };
  const legs = [leg(1, 1, machines('6')), leg(2, 2, dollars('1000.00'))];
  const named = { implementer: 'agency:cavr', fiscalAgent: 'agency:bank', terms };
  const agreed = await bound(proposal(need, offer, legs, named), { agents: [CAVR, BANK] });
  await act(agreed, 'deliveries', CAVR, { leg: 1, quantity: machines('2'), date: D });
  const payment = { kind: 'disbursement', from: 'donor:japan', to: 'agency:bank', leg: 2, date: D, reference: agreed };
  await act(agreed, 'transfers', JAPAN, { ...payment, amount: dollars('500.00'), instalment: 1 });
  await act(agreed, 'receipts', BANK, { transfer: 1, amount: dollars('490.00'), date: D, reference: agreed });
  await act(agreed, 'reports/1/file', CAVR, { date: D });
  return agreed;
};

const BODIES: Readonly<Record<string, object>> = {
  accept: {},
  decline: BUDGET,
  withdraw: BUDGET,
  cancel: BUDGET,
  'consent-task': {},
  'decline-task': BUDGET,
  sign: {},
  close: {},
  amend: { legs: [{ leg: 1, ...leg(1, 1, machines('5')) }], reason: 'x' },
  extend: { period: { to: '2027-12-31' }, reason: 'x' },
  'amend-accept': {},
  'amend-decline': {},
  'amend-withdraw': {},
  suspend: BUDGET,
  resume: {},
  deliveries: { leg: 1, quantity: machines('1'), date: D },
  'deliveries/1/confirm': {},
  'deliveries/1/dispute': { reason: 'x' },
  'deliveries/1/settle': { outcome: 'stands' },
  'deliveries/1/verify': { quantity: machines('1') },
  'deliveries/1/correct': { quantity: machines('1'), reason: 'x' },
  returns: { delivery: 1, quantity: machines('1'), reason: 'x', date: D },
  receipts: { transfer: 1, amount: dollars('1.00'), date: D, reference: 'x' },
  'transfers/1/correct': { amount: dollars('1.00'), reason: 'x' },
  'receipts/1/correct': { amount: dollars('1.00'), reason: 'x' },
  'discrepancies/1/settle': { reason: 'x' },
  'discrepancies/1/accept': { reason: 'x' },
  'conditions/1/meet': {},
  'conditions/1/waive': {},
  'reports/1/file': { date: D },
  'reports/1/accept': {},
  'reports/1/return': {},
  'reports/1/waive': {},
};

test('what `actions` does not list is refused, to every party, and writes nothing', async () => {
  const agreed = await aRichOne();
  for (const as of [JAPAN, VANUATU, CAVR, BANK, VERIFIER, COORDINATOR, NORWAY]) {
    const offered = await can(agreed, as);
    const etag = await standing(agreed, COORDINATOR);
    for (const [command, body] of Object.entries(BODIES)) {
      if (offered.includes(actionOf(command))) continue;
      const answer = await client.post(`${agreed}/${command}`, body, as, { 'if-match': etag });
      expect([as.party, command, [403, 409].includes(answer.status)]).toEqual([as.party, command, true]);
    }
    expect(await standing(agreed, COORDINATOR)).toBe(etag);
  }
});

test('what it lists succeeds: dispute, settlement, verification, return, terms; and both clocks replay to the record', async () => {
  const agreed = await aRichOne();
  expect(bodyOf(await client.get(agreed, JAPAN)).exceptions).toMatchObject([{ instalment: 1, code: 'before-trigger' }]);
  await act(agreed, 'deliveries/1/correct', CAVR, { quantity: machines('4'), reason: 'Two more were there.' });
  await act(agreed, 'deliveries/1/dispute', VANUATU, { reason: 'One is broken.' });
  await act(agreed, 'deliveries/1/settle', VANUATU, { outcome: 'reduced', quantity: machines('3') });
  expect((await act(agreed, 'deliveries/1/settle', JAPAN, { outcome: 'stands' })).flags).toContain('disputed');
  await act(agreed, 'deliveries/1/settle', JAPAN, { outcome: 'reduced', quantity: machines('3') });
  await act(agreed, 'deliveries/1/verify', VERIFIER, { quantity: machines('3') });
  await act(agreed, 'deliveries/1/confirm', VANUATU);
  await refused(agreed, 'deliveries/1/correct', CAVR, { quantity: machines('2'), reason: 'x' }, [
    409,
    'already-answered',
  ]);
  const returned = { delivery: 1, quantity: machines('1'), reason: 'Broken.', date: '2026-11-21' };
  expect(listOf(await act(agreed, 'returns', VANUATU, returned), 'legs')[0]).toMatchObject({
    delivered: machines('2'),
    confirmed: machines('2'),
  });
  await refused(agreed, 'reports/1/accept', CAVR, {}, [409, 'own-report']);
  await act(agreed, 'reports/1/return', VANUATU);
  await act(agreed, 'reports/1/file', CAVR, { date: '2026-11-21' });
  await act(agreed, 'reports/1/accept', JAPAN);
  await act(agreed, 'conditions/1/meet', JAPAN);
  await act(agreed, 'discrepancies/1/settle', BANK, { amount: dollars('490.00'), reason: 'A charge.' });
  await act(agreed, 'discrepancies/1/settle', JAPAN, { amount: dollars('490.00'), reason: 'A charge.' });
  await act(agreed, 'suspend', VANUATU, BUDGET);
  const today = { leg: 1, quantity: machines('1'), date: '2026-11-22' };
  await refused(agreed, 'deliveries', JAPAN, today, [409, 'suspended']);
  await act(agreed, 'resume', VANUATU);
  await act(agreed, 'extend', JAPAN, BODIES.extend ?? {});
  const { terms } = await act(agreed, 'amend-accept', VANUATU);
  expect(terms).toMatchObject({ period: { from: '2026-01-01', to: '2027-12-31' } });

  const { actions, revision, ...now } = bodyOf(await client.get(agreed, JAPAN));
  expect([Array.isArray(actions), typeof revision]).toEqual([true, 'number']);
  for (const clock of ['recorded', 'effective']) {
    const { body } = await client.get(`${agreed}/replay?at=2026-11-23&clock=${clock}`, JAPAN);
    expect((body as { state: Json }).state).toMatchObject(now);
  }
});

test('a new command repeated under its key writes once; without, or with a stale revision, it is not taken', async () => {
  const agreed = await aRichOne();
  const cases: readonly (readonly [As, string])[] = [
    [JAPAN, 'amend'],
    [VANUATU, 'amend-decline'],
    [JAPAN, 'extend'],
    [VANUATU, 'suspend'],
    [VANUATU, 'resume'],
    [VERIFIER, 'deliveries/1/verify'],
    [CAVR, 'deliveries/1/correct'],
    [VANUATU, 'deliveries/1/dispute'],
    [VANUATU, 'deliveries/1/settle'],
    [BANK, 'receipts/1/correct'],
    [BANK, 'discrepancies/1/settle'],
    [COORDINATOR, 'discrepancies/1/accept'],
    [JAPAN, 'conditions/1/meet'],
    [JAPAN, 'reports/1/return'],
  ];
  for (const [as, command] of cases) {
    const [path, body] = [`${agreed}/${command}`, BODIES[command] ?? {}];
    expect([command, (await client.post(path, body, as)).status]).toEqual([command, 428]);
    expect([command, (await client.post(path, body, as, { 'if-match': '"0"' })).status]).toEqual([command, 412]);
    const headers = { 'if-match': (await client.get(agreed, as)).headers.etag ?? '', 'idempotency-key': command };
    const first = succeeded(await client.post(path, body, as, headers));
    const once = await standing(agreed, as);
    const again = await client.post(path, body, as, headers);
    expect([command, again.status, again.headers.etag]).toEqual([command, first.status, once]);
    expect([command, await standing(agreed, as)]).toEqual([command, once]);
  }
});

describe('money', () => {
  const pay = (from: string, to: string, amount: string, more: object = {}): object => {
    const reference = `${from} ${to} ${amount}`;
    return { kind: 'disbursement', from, to, amount: dollars(amount), date: D, reference, ...more };
  };
  const cash = async (): Promise<string> => {
    const [need, offer] = [await client.openNeed({ lines }), await client.openOffer()];
    const named = { implementer: 'agency:cavr', fiscalAgent: 'agency:bank' };
    return bound(proposal(need, offer, [leg(2, 2, dollars('1000.00'))], named), { agents: [CAVR, BANK] });
  };
  const totals = async (): Promise<Json> => await read('/v1/totals?donor=donor:japan&currency=USD', JAPAN);
  const figure = async (name: string): Promise<number> =>
    listOf(await totals(), name).reduce((sum, quantity) => sum + amountOf(quantity), 0);

  test('is counted when its donor pays it, whoever it passes through; proposals never are', async () => {
    const direct = await cash();
    const before = await figure('disbursed');
    await act(direct, 'transfers', JAPAN, pay('donor:japan', 'state:VUT', '1000.00', { leg: 1 }));
    expect(await figure('disbursed')).toBe(before + 1000);
    const chained = await cash();
    await act(chained, 'transfers', JAPAN, pay('donor:japan', 'agency:bank', '1000.00', { leg: 1 }));
    const onward = { kind: 'onward-grant', onward: 1 };
    await act(chained, 'transfers', BANK, pay('agency:bank', 'agency:cavr', '1000.00', onward));
    await act(chained, 'transfers', CAVR, pay('agency:cavr', 'state:VUT', '1000.00', { ...onward, onward: 2 }));
    expect(await figure('disbursed')).toBe(before + 2000);
    expect(listOf(await totals(), 'excluded')).toContainEqual(
      expect.objectContaining({ commitment: idOf(chained), transfer: 2, reason: 'onward' }),
    );
    const committed = await figure('committed');
    const [need, offer] = [await client.openNeed({ lines }), await client.openOffer()];
    const open = proposal(need, offer, [leg(2, 2, dollars('777.00'))]);
    const { location = '' } = succeeded(await client.post('/v1/commitments', open, JAPAN, WAIT)).headers;
    await act(location, 'accept', VANUATU);
    expect(await figure('committed')).toBe(committed);
  });

  test('of a holder reconciles; what it does not hold, and what would run in a circle, is refused', async () => {
    const agreed = await cash();
    const no = (as: As, body: object, ...rule: [number, string, string?]): Promise<void> =>
      refused(agreed, 'transfers', as, body, rule);
    await no(BANK, pay('agency:bank', 'agency:cavr', '1.00', { kind: 'onward-grant' }), 409, 'insufficient-balance');
    await no(JAPAN, pay('donor:japan', 'agency:bank', '1000.01', { leg: 1 }), 409, 'over-disbursement', 'amount');
    await act(agreed, 'transfers', JAPAN, pay('donor:japan', 'agency:bank', '900.00', { leg: 1 }));
    const receipt = { transfer: 1, amount: dollars('880.00'), charges: dollars('20.00'), date: D, reference: agreed };
    expect((await act(agreed, 'receipts', BANK, receipt)).discrepancies).toEqual([]);
    const onward = { kind: 'onward-grant', onward: 1 };
    await no(BANK, pay('agency:bank', 'agency:cavr', '880.01', onward), 409, 'over-onward', 'amount');
    await act(agreed, 'transfers', BANK, pay('agency:bank', 'agency:cavr', '500.00', onward));
    await no(CAVR, pay('agency:cavr', 'agency:bank', '1.00', { ...onward, onward: 2 }), 409, 'cycle', 'to');
    const refund = { kind: 'refund', of: 2 };
    await no(CAVR, pay('agency:cavr', 'agency:bank', '500.01', refund), 409, 'over-refund', 'amount');
    await act(agreed, 'transfers', CAVR, pay('agency:cavr', 'agency:bank', '50.00', refund));
    await act(agreed, 'transfers', CAVR, pay('agency:cavr', 'agency:cavr', '3.00', { kind: 'interest' }));
    const spent = (amount: string, kind = 'interim'): object => {
      const budget = [{ budgetLine: 'Travel', amount: dollars(amount) }];
      return { kind, period: { from: '2026-01-01', to: D }, lines: budget, date: D };
    };
    await refused(agreed, 'expenditures', CAVR, spent('453.01'), [409, 'insufficient-balance', 'lines']);
    await act(agreed, 'expenditures', CAVR, spent('453.00'));
    await act(agreed, 'expenditures', CAVR, spent('450.00', 'certified'));
    const body = await read('/v1/statements?holder=agency:cavr&from=2026-01-01&to=2026-12-31', CAVR);
    const [usd] = listOf(body, 'currencies');
    expect(usd).toMatchObject({ reconciles: true, difference: '0.00' });
    const of = (part: unknown): number =>
      Object.values(part as Record<string, string>).reduce((a, b) => a + Number(b), 0);
    expect(Number(usd?.opening) + of(usd?.sources) - of(usd?.uses)).toBeCloseTo(Number(usd?.closing), 6);
    const left = await act(agreed, 'cancel', VANUATU, BUDGET);
    expect(left.refundsDue).toMatchObject([{ provider: 'donor:japan', quantity: dollars('900.00') }]);
  });
});

describe('a fund', () => {
  test('signs only under a decision, which names its body; its periods do not overlap', async () => {
    const book = { fund: 'fund:trust', currency: 'USD', decidingBody: { name: 'Board', members: ['donor:norway'] } };
    const year = { from: '2026-01-01', to: '2026-12-31' };
    const overlapping = { ...book, periods: [year, { from: '2026-12-31', to: '2027-12-31' }] };
    const bad = await client.post('/v1/funds', overlapping, FUND);
    expect([bad.status, JSON.stringify(bad.body)]).toEqual([400, expect.stringContaining('periods')]);
    const opened = succeeded(await client.post('/v1/funds', { ...book, periods: [year] }, FUND));
    const { location: fund = '' } = opened.headers;
    await act(fund, 'amend', FUND, { reserve: dollars('100.00') });
    const promise = { fund: 'fund:trust', amount: dollars('5000.00') };
    const { location: given = '' } = succeeded(await client.post('/v1/contributions', promise, JAPAN)).headers;
    await act(given, 'sign', JAPAN, { date: D });
    await act(given, 'payments', JAPAN, { amount: dollars('5000.00'), date: D, reference: 'C 1' });
    await act(given, 'receipts', FUND, { payment: 1, amount: dollars('5000.00'), date: D, reference: 'C 1' });

    const need = await client.openNeed({ lines });
    const { location: offer = '' } = succeeded(await client.post('/v1/offers', anOffer(), FUND)).headers;
    const terms = proposal(need, offer, [leg(2, 2, dollars('3000.00'))]);
    const { location: agreed = '' } = succeeded(await client.post('/v1/commitments', terms, FUND, WAIT)).headers;
    await act(agreed, 'accept', VANUATU);
    await act(agreed, 'sign', VANUATU);
    await refused(agreed, 'sign', FUND, {}, [409, 'decision-required']);
    const decision = (amount: string): object => {
      const allocations = [{ needId: idOf(need), amount: dollars(amount) }];
      return { body: 'Board', date: D, reference: `Decision on ${amount}`, allocations };
    };
    const { body: _body, ...without } = decision('3000.00') as Json;
    await refused(fund, 'decisions', FUND, without, [400, 'invalid-request', 'body']);
    await refused(fund, 'decisions', FUND, decision('4900.01'), [409, 'insufficient-funds', 'allocations']);
    await act(fund, 'decisions', FUND, decision('2999.99'));
    await refused(agreed, 'sign', FUND, {}, [409, 'decision-required']);
    await act(fund, 'decisions', FUND, decision('0.01'));
    expect((await act(agreed, 'sign', FUND)).status).toBe('binding');
    const paid = { kind: 'disbursement', from: 'fund:trust', to: 'state:VUT', amount: dollars('3000.00'), leg: 1 };
    await act(agreed, 'transfers', FUND, { ...paid, date: D, reference: 'P 1' });
    const body = await read('/v1/statements?fund=fund:trust&from=2026-01-01&to=2026-12-31&currency=USD', FUND);
    expect(body).toMatchObject({ currencies: [{ closing: '2000.00', reconciles: true }] });
  });

  test('that signs four commitments at once under one decision binds one', async () => {
    const need = await client.openNeed({ lines });
    const { location: offer = '' } = succeeded(await client.post('/v1/offers', anOffer(), FUND)).headers;
    const allocations = [{ needId: idOf(need), amount: dollars('100.00') }];
    const decision = { body: 'Board', date: D, reference: 'Decision on one', allocations };
    await act('/v1/funds/fund:trust', 'decisions', FUND, decision);
    const agreed: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const terms = proposal(need, offer, [leg(2, 2, dollars('100.00'))]);
      const { location = '' } = succeeded(await client.post('/v1/commitments', terms, FUND, WAIT)).headers;
      await act(location, 'accept', VANUATU);
      await act(location, 'sign', VANUATU);
      agreed.push(location);
    }
    const seen = await Promise.all(agreed.map(async (each) => (await client.get(each, FUND)).headers.etag ?? ''));
    const sign = (each: string, at: number): Promise<Response> =>
      client.post(`${each}/sign`, {}, FUND, { 'if-match': seen[at] ?? '' });
    const answers = await Promise.all(agreed.map(sign));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409]);
  });
});

test('merged needs move nothing, and unmerging gives each back as it was', async () => {
  const [absorbed, survivor, offer] = [
    await client.openNeed({ lines }),
    await client.openNeed({ lines }),
    await client.openOffer(),
  ];
  await bound(proposal(absorbed, offer, [leg(1, 1, machines('5'))]));
  succeeded(await client.post('/v1/commitments', proposal(absorbed, offer, [leg(1, 1, machines('3'))]), JAPAN, WAIT));
  const figures = async (): Promise<readonly unknown[]> => {
    await client.app.settled();
    return Promise.all([absorbed, survivor].map(async (need) => (await read(need, VANUATU)).lines));
  };
  const before = await figures();
  const five = { indicative: machines('3'), binding: machines('5') };
  expect(before[0]).toMatchObject([{ coverage: five }, {}]);
  await refused(absorbed, 'merge', VANUATU, { into: idOf(absorbed) }, [400, 'invalid-request', 'into']);
  expect(await act(absorbed, 'merge', VANUATU, { into: idOf(survivor) })).toMatchObject({ closedAs: 'superseded' });
  // As the absorbed need shows them itself: its proposals go on.
  const lineOf = async (as: As): Promise<unknown> => listOf(await settled(survivor, as), 'merged');
  expect(await lineOf(VANUATU)).toMatchObject([{ id: idOf(absorbed), lines: (await read(absorbed, VANUATU)).lines }]);
  expect(await lineOf(FIJI)).toMatchObject([{ id: idOf(absorbed), lines: (await read(absorbed, FIJI)).lines }]);
  expect(await lineOf(VANUATU)).toMatchObject([{ lines: [{ coverage: { indicative: machines('3') } }, {}] }]);
  const late = await client.post('/v1/commitments', proposal(absorbed, offer, [leg(1, 1, machines('1'))]), JAPAN, WAIT);
  expect(late.status).toBe(409);
  await act(absorbed, 'unmerge', VANUATU);
  expect((await settled(survivor, VANUATU)).merged).toEqual([]);
  expect(await figures()).toEqual(before);
});

test('shares above the whole, and bytes of another hash than declared, are refused', async () => {
  const providers = [
    { party: 'donor:japan', share: '60' },
    { party: 'donor:norway', share: '40.01' },
  ];
  const shared = await client.post('/v1/offers', anOffer({ providers }), JAPAN);
  expect([shared.status, JSON.stringify(bodyOf(shared).errors)]).toEqual([400, expect.stringContaining('share')]);
  const file = { sha256: SHA, size: 5, mediaType: 'application/pdf' };
  const { location = '' } = succeeded(await client.post('/v1/documents', file, VANUATU)).headers;
  const token = await client.app.token({ party: VANUATU.party, roles: ['npc'] });
  const authorization = `Bearer ${token}`;
  const headers = { authorization, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' };
  const sent = await fetch(`${client.app.url}${location}`, { method: 'PATCH', headers, body: 'other' });
  expect([sent.status, ((await sent.json()) as Json).code]).toEqual([409, 'hash-mismatch']);
  expect((await client.get(location, VANUATU)).status).toBe(404);
});
