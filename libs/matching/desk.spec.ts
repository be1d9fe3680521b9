import { describe, expect, test } from '@jest/globals';
import type { FindingEvent } from '#audit/contract';
import type { CommitmentEvent } from '#commitments/contract';
import type { DomainEvent, RecordedEvent } from '#kernel';
import { applyToModel } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import type { NeedContent, NeedEvent } from '#needs/contract';
import { MemoryReadDatabase } from '#read-database';
import type { Quantity } from '#vocabulary';
import { desk } from './desk.projection.js';

const AT = '2026-02-01T00:00:00.000Z';
const seats = (amount: number): Quantity => ({ measure: 'seats', amount: String(amount) });

const recorded = (stream: string, events: readonly DomainEvent[], first = 1n): RecordedEvent[] =>
  events.map((event, revision) =>
    recordedEvent(
      stream,
      revision,
      event,
      { recordedAt: AT, actor: { party: 'agency:cavr', role: 'implementer' } },
      first + BigInt(revision),
    ),
  );

/** What waits, as `party: action n`, after these events. */
const waiting = (stream: string, events: readonly DomainEvent[]): readonly string[] => {
  const database = new MemoryReadDatabase();
  const model = database.open(desk);
  applyToModel(desk, model, recorded(stream, events), (event) => event);
  const items = model.all('SELECT party, action, n FROM desk_item ORDER BY party, action, n');
  model.close();
  database.close();
  return items.map(({ party, action, n }) => `${String(party)}: ${String(action)} ${String(n)}`);
};

describe('what waits on a need', () => {
  const content = { title: 'A law', lines: [] } as unknown as NeedContent;
  const drafted = (more: object): NeedEvent => ({
    type: 'NeedDrafted',
    data: { filer: 'network:msg', beneficiaries: ['network:msg', 'state:VUT', 'state:FJI'], content, ...more },
  });
  const submitted: NeedEvent = {
    type: 'NeedSubmitted',
    data: { consent: { circulate: 'yes', publish: 'yes' }, windowEnds: AT },
  };
  const opened: NeedEvent = { type: 'NeedOpened', data: { reaffirmBy: '2027-02-01T00:00:00.000Z' } };
  const need = (...events: readonly NeedEvent[]): readonly string[] => waiting('need-n1', events);
  const consented = (party: string): NeedEvent => ({ type: 'ParticipationConsented', data: { party } });
  const OPEN = 'network:msg: reaffirm 0';

  test('is each State’s word whether it takes part', () => {
    expect(need(drafted({}))).toEqual(['state:FJI: consent-participation 0', 'state:VUT: consent-participation 0']);
    expect(need(drafted({}), consented('state:VUT'), submitted, opened)).toEqual([
      OPEN,
      'state:FJI: consent-participation 0',
    ]);
    const left: NeedEvent = { type: 'ParticipationWithdrawn', data: { party: 'state:FJI' } };
    expect(need(drafted({}), consented('state:VUT'), submitted, opened, left)).toEqual([OPEN]);
    const more: NeedEvent = {
      type: 'NeedAmended',
      data: { changes: {}, beneficiaries: ['network:msg', 'state:VUT', 'state:SLB'] },
    };
    expect(need(drafted({}), consented('state:VUT'), submitted, opened, more)).toEqual([
      OPEN,
      'state:SLB: consent-participation 0',
    ]);
    expect(need(drafted({}), { type: 'NeedWithdrawn', data: {} })).toEqual([]);
  });

  test('is the State’s ratification of what was transcribed for it', () => {
    const transcript = drafted({
      ...{ filer: 'agency:secretariat', onBehalfOf: 'state:VUT', beneficiaries: ['state:VUT'] },
    });
    expect(need(transcript)).toEqual([]);
    expect(need(transcript, submitted)).toEqual([': open 0', 'state:VUT: ratify 0']);
    expect(need(transcript, submitted, opened)).toEqual(['state:VUT: ratify 0', 'state:VUT: reaffirm 0']);
    expect(need(transcript, submitted, { type: 'NeedRatified', data: {} }, opened)).toEqual(['state:VUT: reaffirm 0']);
    const objected: NeedEvent = { type: 'NeedObjected', data: { to: 'publication' } };
    const returned: NeedEvent = { type: 'NeedReturned', data: { reasons: [] } };
    expect(need(transcript, submitted, objected, returned, submitted)).toEqual([': open 0']);
  });

  test('is no opening of what the State objects to, or of what is for nobody yet', () => {
    const own = drafted({ filer: 'state:VUT', beneficiaries: ['state:VUT'] });
    const objects = (to: 'circulation' | 'publication'): NeedEvent => ({ type: 'NeedObjected', data: { to } });
    expect(need(own, submitted)).toEqual([': open 0']);
    expect(need(own, submitted, objects('publication'))).toEqual([': open 0']);
    expect(need(own, submitted, objects('circulation'))).toEqual([': review 0']);
    const returned: NeedEvent = { type: 'NeedReturned', data: { reasons: [] } };
    expect(need(own, submitted, objects('circulation'), returned, submitted)).toEqual([': open 0']);
    const joint = drafted({ beneficiaries: ['state:VUT'] });
    const left: NeedEvent = { type: 'ParticipationWithdrawn', data: { party: 'state:VUT' } };
    expect(need(joint, submitted)).toEqual([': review 0', 'state:VUT: consent-participation 0']);
    expect(need(joint, submitted, consented('state:VUT'))).toEqual([': open 0']);
    expect(need(joint, consented('state:VUT'), submitted, left)).toEqual([': review 0']);
    const handed: NeedEvent = { type: 'NeedAmended', data: { changes: {}, beneficiaries: ['state:FJI'] } };
    expect(need(joint, consented('state:VUT'), handed, submitted)).toEqual([
      ': review 0',
      'state:FJI: consent-participation 0',
    ]);
  });

  test('asks no State to take part in what is dormant, until it is taken up again', () => {
    const slept: NeedEvent = { type: 'NeedFellDormant', data: {} };
    const reopened: NeedEvent = { type: 'NeedReopened', data: { reaffirmBy: '2028-02-01T00:00:00.000Z' } };
    const before = [drafted({ beneficiaries: ['network:msg', 'state:FJI'] }), submitted, opened, slept] as const;
    expect(need(...before)).toEqual(['network:msg: reopen 0']);
    expect(need(...before, reopened)).toEqual([OPEN, 'state:FJI: consent-participation 0']);
  });

  test('rests while the need is merged into another', () => {
    const merged: NeedEvent = { type: 'NeedSuperseded', data: { into: 'n2' } };
    const unmerged = (as: 'absorbed' | 'survivor'): NeedEvent => ({ type: 'NeedUnmerged', data: { other: 'n2', as } });
    expect(need(drafted({}), submitted, opened, merged)).toEqual([]);
    expect(need(drafted({ beneficiaries: ['network:msg'] }), submitted, opened, merged, unmerged('absorbed'))).toEqual([
      OPEN,
    ]);
    expect(need(drafted({ beneficiaries: ['network:msg'] }), submitted, opened, unmerged('survivor'))).toEqual([OPEN]);
  });
});

describe('what waits on a commitment', () => {
  const proposed: CommitmentEvent = {
    type: 'CommitmentProposed',
    data: {
      ...{ offerId: 'o1', needId: 'n1', side: 'recipient', proposedBy: 'state:VUT', filer: 'state:VUT' },
      providers: ['donor:japan', 'donor:norway'],
      beneficiaries: ['state:VUT'],
      legs: [],
      implementer: 'agency:cavr',
      signatories: ['donor:japan', 'donor:norway', 'state:VUT'],
      expiresAt: '2026-03-01T00:00:00.000Z',
      conditions: [],
      earmarkFacts: {
        ...{ beneficiaries: [], networks: [], regions: [], instruments: [], traffickingNexus: false },
        needLineKinds: {},
      },
    },
  };
  const held: CommitmentEvent = { type: 'CommitmentHeld', data: {} };
  const accepted: CommitmentEvent = { type: 'CommitmentAccepted', data: {} };
  const consented = (agency: string): CommitmentEvent => ({
    type: 'TaskConsented',
    data: { agency, as: ['implementer'] },
  });
  const signed = (party: string): CommitmentEvent => ({ type: 'CommitmentSigned', data: { party } });
  const bound: CommitmentEvent = { type: 'CommitmentBound', data: {} };
  const BINDING = [proposed, held, accepted, consented('agency:cavr'), bound];
  const wait = (...events: readonly CommitmentEvent[]): readonly string[] => waiting('commitment-c1', events);

  test('is the acceptance of either provider of a joint offer, and the signature of both', () => {
    expect(wait(proposed, held, consented('agency:cavr'))).toEqual(['donor:japan: accept 0', 'donor:norway: accept 0']);
    expect(wait(proposed, held, accepted, consented('agency:cavr'), signed('donor:japan'))).toEqual([
      'donor:norway: sign 0',
      'state:VUT: sign 0',
    ]);
  });

  const wished = (
    changes: Extract<CommitmentEvent, { type: 'AmendmentProposed' }>['data']['changes'],
  ): CommitmentEvent => ({
    type: 'AmendmentProposed',
    data: { n: 1, party: 'donor:japan', side: 'provider', changes, reason: 'more', expiresAt: AT },
  });
  const agreed = {
    type: 'AmendmentAgreed',
    data: { n: 1, party: 'state:VUT', increases: [], earmarkFacts: {} },
  } as unknown as CommitmentEvent;
  const amended = (
    changes: Extract<CommitmentEvent, { type: 'CommitmentAmended' }>['data']['changes'],
  ): CommitmentEvent => ({
    type: 'CommitmentAmended',
    data: { n: 1, changes, legs: [], increases: [], decreases: [], recredited: [] },
  });

  test('is the other side’s answer to an amendment, until it ends', () => {
    expect(wait(...BINDING, wished({}))).toEqual(['state:VUT: amend-accept 1']);
    expect(wait(...BINDING, wished({}), agreed)).toEqual([]);
    expect(wait(...BINDING, wished({}), { type: 'AmendmentLapsed', data: { n: 1 } })).toEqual([]);
    expect(wait(...BINDING, agreed)).toEqual([]);
    const cancelled: CommitmentEvent = {
      type: 'CommitmentCancelled',
      data: { party: 'state:VUT', reason: { code: 'budget' } },
    };
    expect(wait(...BINDING, wished({}), cancelled)).toEqual([]);
  });

  test('is the consent of an agency that an amendment would name', () => {
    const changes = { implementer: 'agency:unidir', fiscalAgent: 'agency:unidir' };
    expect(wait(...BINDING, wished(changes))).toEqual(['agency:unidir: consent-task 0', 'state:VUT: amend-accept 1']);
    expect(wait(...BINDING, wished(changes), agreed)).toEqual(['agency:unidir: consent-task 0']);
    expect(wait(...BINDING, wished(changes), consented('agency:unidir'), agreed)).toEqual([]);
    expect(wait(proposed, held, wished({ fiscalAgent: 'agency:cavr' }))).toContain('agency:cavr: consent-task 0');
    expect(
      wait(proposed, held, accepted, wished({ implementer: null }), agreed, amended({ implementer: null })),
    ).toEqual(['donor:japan: sign 0', 'donor:norway: sign 0', 'state:VUT: sign 0']);
  });

  test('is every signature again once an amendment took effect before binding', () => {
    const before = [proposed, held, accepted, consented('agency:cavr'), signed('donor:japan')];
    expect(wait(...before, wished({}), agreed, amended({}))).toEqual([
      'donor:japan: sign 0',
      'donor:norway: sign 0',
      'state:VUT: sign 0',
    ]);
  });

  const tranche = { quantity: seats(2), drawn: seats(2), credited: seats(2) };
  const delivered: CommitmentEvent = {
    type: 'DeliveryReported',
    data: { n: 1, party: 'donor:japan', leg: 1, date: '2026-02-01', ...tranche },
  };
  const disputed: CommitmentEvent = { type: 'DeliveryDisputed', data: { n: 1, party: 'state:VUT', reason: 'fewer' } };
  const stated = (as: 'provider' | 'recipient' | 'mediator'): CommitmentEvent => ({
    type: 'SettlementStated',
    data: { n: 1, party: 'state:VUT', as, outcome: 'stands' },
  });

  test('is a settlement from both sides, then from the one that did not speak last', () => {
    const open = [...BINDING, delivered, disputed];
    const both = ['donor:japan: settle 1', 'donor:norway: settle 1', 'state:VUT: settle 1'];
    expect(wait(...open)).toEqual(both);
    expect(wait(...open, stated('mediator'))).toEqual(both);
    expect(wait(...open, stated('recipient'))).toEqual(both.slice(0, 2));
    expect(wait(...open, stated('recipient'), stated('provider'))).toEqual(both.slice(2));
    const settled: CommitmentEvent = { type: 'DisputeSettled', data: { n: 1, outcome: 'stands', ...tranche } };
    expect(wait(...open, settled)).toEqual(['state:VUT: confirm 1']);
    const confirmed: CommitmentEvent = {
      type: 'DeliveryConfirmed',
      data: { n: 1, party: 'state:VUT', condition: 'usable', ...tranche },
    };
    expect(wait(...open, confirmed)).toEqual([]);
    expect(wait(...BINDING, stated('provider'))).toEqual([]);
  });

  test('is the host’s where a tranche is for all States of its need, and theirs where it delivered itself', () => {
    const joint = (data: object): CommitmentEvent => ({
      ...proposed,
      data: { ...proposed.data, beneficiaries: ['state:VUT', 'state:FJI'], ...data },
    });
    const hosted = [joint({ filer: 'network:msg' }), ...BINDING.slice(1)];
    expect(wait(...hosted, delivered)).toEqual(['network:msg: confirm 1']);
    const own = { ...delivered, data: { ...delivered.data, party: 'network:msg' } } as CommitmentEvent;
    expect(wait(...hosted, own)).toEqual(['state:FJI: confirm 1', 'state:VUT: confirm 1']);
    // Who filed on behalf of States does not act for them.
    expect(wait(joint({ filer: 'agency:secretariat' }), ...BINDING.slice(1), delivered)).toEqual([
      'state:FJI: confirm 1',
      'state:VUT: confirm 1',
    ]);
  });

  const sentBack = (amount: number): CommitmentEvent => ({
    type: 'ReturnReported',
    data: {
      ...{ n: 1, delivery: 1, party: 'state:VUT', leg: 1, reason: 'broken', date: '2026-02-01' },
      ...{ quantity: seats(amount), drawn: seats(amount), credited: seats(amount) },
    },
  });

  test('is nothing of a tranche that was sent back whole, be it unanswered or disputed', () => {
    const unanswered = [...BINDING, delivered];
    expect(wait(...unanswered, sentBack(1))).toEqual(['state:VUT: confirm 1']);
    expect(wait(...unanswered, sentBack(1), sentBack(1))).toEqual([]);
    const open = [...unanswered, disputed];
    expect(wait(...open, sentBack(1))).toHaveLength(3);
    expect(wait(...open, sentBack(2))).toEqual([]);
    const less = { quantity: seats(1), drawn: seats(1), credited: seats(1) };
    const settled: CommitmentEvent = { type: 'DisputeSettled', data: { n: 1, outcome: 'reduced', ...less } };
    expect(wait(...open, sentBack(1), settled)).toEqual([]);
    expect(wait(...open, settled)).toEqual(['state:VUT: confirm 1']);
    expect(wait(...BINDING, sentBack(1))).toEqual([]);
    // Too small for a figure in the measure drawn, half of it sent back.
    const [none, part] = [{ drawn: seats(0) }, { drawn: seats(0), credited: seats(1), quantity: seats(1) }];
    const small = { ...delivered, data: { ...delivered.data, ...none } } as CommitmentEvent;
    const half = { ...sentBack(1), data: { ...sentBack(1).data, ...part } } as CommitmentEvent;
    expect(wait(...BINDING, small, half)).toEqual(['state:VUT: confirm 1']);
    expect(wait(...BINDING, small, half, half)).toEqual([]);
    const words = { credited: { measure: 'undetermined', why: 'to-be-assessed' } };
    const scoped = { ...delivered, data: { ...delivered.data, ...words } } as CommitmentEvent;
    const sent = { ...sentBack(1), data: { ...sentBack(1).data, ...words } } as CommitmentEvent;
    expect(wait(...BINDING, scoped, sent)).toEqual(['state:VUT: confirm 1']);
    expect(wait(...BINDING, scoped, sent, sent)).toEqual([]);
    const assessed = {
      ...amended({}),
      data: { ...amended({}).data, recredited: [{ leg: 1, delivery: 1, credited: seats(3) }] },
    };
    const rest = { ...sentBack(1), data: { ...sentBack(1).data, credited: seats(3) } } as CommitmentEvent;
    expect(wait(...BINDING, scoped, sent, assessed as CommitmentEvent)).toEqual(['state:VUT: confirm 1']);
    expect(wait(...BINDING, scoped, sent, assessed as CommitmentEvent, rest)).toEqual([]);
  });

  test('is a closing that one side proposed, until something of what had come is sent back', () => {
    const closing: CommitmentEvent = { type: 'CloseProposed', data: { side: 'recipient', party: 'state:VUT' } };
    const confirmed: CommitmentEvent = {
      type: 'DeliveryConfirmed',
      data: { n: 1, party: 'state:VUT', condition: 'usable', ...tranche },
    };
    const open = [...BINDING, delivered, confirmed, closing];
    const both = ['donor:japan: close 0', 'donor:norway: close 0'];
    expect(wait(...open)).toEqual(both);
    expect(wait(...open, sentBack(1))).toEqual([]);
    const cancelled: CommitmentEvent = {
      type: 'CommitmentCancelled',
      data: { party: 'state:VUT', reason: { code: 'budget' } },
    } as unknown as CommitmentEvent;
    expect(wait(...BINDING, delivered, confirmed, cancelled, closing, sentBack(1))).toEqual(both);
  });

  test('is no task that its agency declined', () => {
    const declined: CommitmentEvent = {
      type: 'TaskDeclined',
      data: { agency: 'agency:cavr', reason: { code: 'other' } },
    } as unknown as CommitmentEvent;
    const asked = ['agency:cavr: consent-task 0', 'donor:japan: accept 0', 'donor:norway: accept 0'];
    expect(wait(proposed, held)).toEqual(asked);
    expect(wait(proposed, held, declined)).toEqual(asked.slice(1));
    expect(wait(proposed, held, consented('agency:cavr'), declined)).toEqual(asked.slice(1));
    expect(wait(proposed, held, declined, consented('agency:cavr'))).toEqual(asked.slice(1));
  });

  test('is asked of whom a corrected delivery names', () => {
    const corrected: CommitmentEvent = {
      type: 'DeliveryCorrected',
      data: {
        ...{ n: 1, party: 'donor:japan', leg: 1, date: '2026-02-01', reason: 'to another', ...tranche },
        beneficiary: 'state:FJI',
      },
    };
    expect(wait(...BINDING, delivered, corrected)).toEqual(['state:FJI: confirm 1']);
    expect(wait(...BINDING, corrected)).toEqual([]);
  });

  test('is due when the commitment would close unconfirmed: 180 days after the newest word of any tranche', () => {
    const told = (...days: readonly (readonly [day: string, event: CommitmentEvent])[]): readonly unknown[] => {
      const database = new MemoryReadDatabase();
      const model = database.open(desk);
      const story = [...BINDING.map((event) => ['2026-01-01', event] as const), ...days].map(([day, event], revision) =>
        recordedEvent(
          'commitment-c1',
          revision,
          event,
          { recordedAt: `${day}T00:00:00.000Z`, actor: { party: 'agency:cavr', role: 'implementer' } },
          BigInt(revision + 1),
        ),
      );
      applyToModel(desk, model, story, (event) => event);
      const items = model.all("SELECT n, since, due FROM desk_item WHERE action = 'confirm' ORDER BY n");
      model.close();
      database.close();
      return items.map(({ n, since, due }) => [Number(n), String(since).slice(0, 10), String(due).slice(0, 10)]);
    };
    const first = ['2026-02-01', delivered] as const;
    const second = ['2026-03-01', { ...delivered, data: { ...delivered.data, n: 2 } } as CommitmentEvent] as const;
    const corrected: CommitmentEvent = {
      type: 'DeliveryCorrected',
      data: { ...{ n: 1, party: 'donor:japan', leg: 1, date: '2026-02-01', reason: 'miscounted' }, ...tranche },
    };
    expect(told(first)).toEqual([[1, '2026-02-01', '2026-07-31']]);
    expect(told(first, second)).toEqual([
      [1, '2026-02-01', '2026-08-28'],
      [2, '2026-03-01', '2026-08-28'],
    ]);
    expect(told(first, ['2026-03-01', corrected])).toEqual([[1, '2026-03-01', '2026-08-28']]);
    const closed = { type: 'CommitmentClosed', data: { as: 'unconfirmed', openDiscrepancies: [] } } as CommitmentEvent;
    const confirmed: CommitmentEvent = {
      type: 'DeliveryConfirmed',
      data: { n: 2, party: 'state:VUT', condition: 'usable', ...tranche },
    };
    expect(told(first, second, ['2026-04-01', confirmed])).toEqual([[1, '2026-02-01', '2026-08-28']]);
    expect(told(first, second, ['2026-08-28', closed], ['2026-09-01', confirmed])).toEqual([
      [1, '2026-02-01', '2027-02-28'],
    ]);
  });

  test('is a discrepancy, for its two ends and the coordinator, until it is settled, accepted or gone', () => {
    const usd: Quantity = { measure: 'money', currency: 'USD', amount: '5.00' };
    const receipt = {
      ...{ n: 1, transfer: 1, party: 'agency:cavr', amount: usd, date: '2026-02-01' },
      discrepancy: { n: 1, quantity: usd, sign: 'short' as const },
    };
    const received: CommitmentEvent = { type: 'ReceiptReported', data: receipt };
    const open = [...BINDING, received];
    const coordinator = ': accept-discrepancy 1';
    const providers = ['donor:japan: settle-discrepancy 1', 'donor:norway: settle-discrepancy 1'];
    expect(wait(...open)).toEqual([coordinator, 'agency:cavr: settle-discrepancy 1', ...providers]);
    const said: CommitmentEvent = {
      type: 'DiscrepancySettlementStated',
      data: { n: 1, side: 'recipient', party: 'agency:cavr', reason: 'a charge' },
    };
    expect(wait(...open, said)).toEqual([coordinator, ...providers]);
    expect(wait(...BINDING, said)).toEqual([]);
    expect(wait(...open, { type: 'DiscrepancySettled', data: { n: 1 } })).toEqual([]);
    const { discrepancy, party, ...whole } = receipt;
    const again = (more: object): CommitmentEvent => ({
      type: 'ReceiptCorrected',
      data: { ...whole, reason: 'read again', ...more },
    });
    expect(wait(...open, again({}))).toEqual([]);
    expect(wait(...open, again({ discrepancy }))).toEqual([
      coordinator,
      `${party}: settle-discrepancy 1`,
      ...providers,
    ]);
  });

  test('is each report that is owed, and the other side’s answer once it is filed', () => {
    const report = (n: number, by: string): object => ({ n, kind: 'financial', by, due: '2026-06-30' });
    const reports = [report(1, 'agency:cavr'), report(2, 'state:VUT'), report(3, 'donor:japan')];
    const promised = { ...proposed, data: { ...proposed.data, terms: { reports } } } as CommitmentEvent;
    const about = (
      type: 'ReportFiled' | 'ReportAccepted' | 'ReportReturned' | 'ReportWaived',
      n: number,
    ): CommitmentEvent =>
      type === 'ReportFiled'
        ? { type, data: { n, party: 'x', date: '2026-01-05' } }
        : { type, data: { n, party: 'x' } };
    expect(wait(promised, held, accepted, consented('agency:cavr'))).not.toContain('agency:cavr: file-report 1');
    const start = [promised, held, accepted, consented('agency:cavr'), bound];
    const owed = ['agency:cavr: file-report 1', 'donor:japan: file-report 3', 'state:VUT: file-report 2'];
    expect(wait(...start)).toEqual(owed);
    expect(wait(...start, about('ReportFiled', 1), about('ReportWaived', 2), about('ReportAccepted', 9))).toEqual([
      'donor:japan: accept-report 1',
      'donor:japan: file-report 3',
      'donor:norway: accept-report 1',
      'state:VUT: accept-report 1',
    ]);
    expect(wait(...start, about('ReportFiled', 2), about('ReportAccepted', 3))).toEqual([
      'agency:cavr: file-report 1',
      'donor:japan: accept-report 2',
      'donor:norway: accept-report 2',
    ]);
    expect(wait(...start, about('ReportFiled', 1), about('ReportReturned', 1))).toEqual(owed);
    const fewer = amended({ terms: { reports: reports.slice(0, 1) } } as unknown as Parameters<typeof amended>[0]);
    expect(wait(...start, about('ReportWaived', 1), fewer)).toEqual([]);
  });

  test('I13: is the same in batches of every size, after restarts and redelivery', () => {
    const story = [...BINDING, wished({ implementer: 'agency:unidir' }), delivered, disputed, stated('provider')];
    const drafted: NeedEvent = {
      type: 'NeedDrafted',
      data: { filer: 'network:msg', beneficiaries: ['state:VUT'], content: {} as NeedContent },
    };
    const dump = projectionScenario(desk, [
      ...recorded('commitment-c1', story),
      ...recorded('need-n1', [drafted], BigInt(story.length + 1)),
    ]);
    expect(dump.desk_item).toHaveLength(4);
  });
});

describe('what waits on a finding', () => {
  const written: FindingEvent = {
    type: 'FindingWritten',
    data: {
      ...{ auditor: 'auditor:court', mandate: 'm1', owner: 'agency:cavr', records: [], events: [] },
      content: { severity: 'low', title: 'One', text: 'So.', recommendation: 'Otherwise.' },
      ...{ answerBy: '2026-03-01', due: '2026-06-30' },
    },
  };
  const answered = (response: 'agreed' | 'disagreed'): FindingEvent => ({
    type: 'FindingAnswered',
    data: { party: 'agency:cavr', response, text: 'Yes.' },
  });
  const amended = (changes: object): FindingEvent => ({
    type: 'FindingAmended',
    data: { mandate: 'm1', changes, reason: 'Better' },
  });
  const claimed: FindingEvent = {
    type: 'ImplementationClaimed',
    data: { party: 'agency:cavr', text: 'Done.', evidence: [] },
  };
  const FOUND = { auditor: 'auditor:firm', mandate: 'm2', note: 'Read.' };
  const finding = (...events: readonly FindingEvent[]): readonly string[] =>
    waiting('finding-f1', [written, ...events]);

  test('is its owner’s answer and implementation, and the word of the auditor who wrote it', () => {
    expect(finding()).toEqual(['agency:cavr: answer 0']);
    expect(finding(amended({ title: 'Two' }))).toEqual(['agency:cavr: answer 0']);
    expect(finding(answered('agreed'))).toEqual(['agency:cavr: implement 0']);
    expect(finding(answered('agreed'), amended({}))).toEqual(['agency:cavr: implement 0']);
    expect(finding(answered('agreed'), amended({ title: 'Two' }))).toEqual(['agency:cavr: answer 0']);
    expect(finding(answered('disagreed'))).toEqual(['auditor:court: close 0']);
    expect(finding(answered('agreed'), claimed)).toEqual(['auditor:court: verify 0']);
    const rejected: FindingEvent = { type: 'ImplementationRejected', data: { ...FOUND, due: '2026-09-30' } };
    expect(finding(answered('agreed'), claimed, rejected)).toEqual(['agency:cavr: implement 0']);
    const verified: FindingEvent = { type: 'ImplementationVerified', data: FOUND };
    expect(finding(answered('agreed'), claimed, verified)).toEqual(['auditor:court: close 0']);
    const closed: FindingEvent = { type: 'FindingClosed', data: { ...FOUND, as: 'implemented' } };
    expect(finding(answered('agreed'), claimed, verified, closed)).toEqual([]);
  });
});
