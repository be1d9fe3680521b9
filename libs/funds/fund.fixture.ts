import type { Actor } from '#kernel';
import { SYSTEM_PROCESS } from '#kernel';
import type { Quantity } from '#vocabulary';
import type { FundEvent, FundTerms } from './fund.contract.js';

export const FUND = 'fund:unscar';
export const desk: Actor = { party: FUND, role: 'donor-desk', subject: 's' };
export const administrator: Actor = { party: 'agency:undp', role: 'fiscal-agent', subject: 's' };
export const coordinator: Actor = { party: 'agency:secretariat', role: 'coordinator', subject: 's' };
export const japan: Actor = { party: 'donor:japan', role: 'donor-desk', subject: 's', sovereign: 'JPN' };
export const vanuatu: Actor = { party: 'state:VUT', role: 'npc', subject: 's', sovereign: 'VUT' };
export const fiji: Actor = { party: 'state:FJI', role: 'mission', subject: 's', sovereign: 'FJI' };
export const process: Actor = SYSTEM_PROCESS;

export const money = (amount: number | bigint, currency = 'USD'): Quantity => ({
  measure: 'money',
  currency,
  amount: `${amount}.00`,
});

export const TERMS: FundTerms = {
  administrator: 'agency:undp',
  decidingBody: { name: 'Committee', members: ['donor:japan', 'state:FJI'] },
  currency: 'USD',
  windows: [{ code: 'pacific', name: 'Pacific' }],
  feeRates: [{ code: 'administration', percent: '7', base: 'contributions' }],
  capacityBasis: 'received',
  periods: [
    { from: '2025-01-01', to: '2025-06-30' },
    { from: '2025-07-01', to: '2025-12-31' },
  ],
};

export const established = (terms: Partial<FundTerms> = {}): FundEvent => ({
  type: 'FundEstablished',
  data: { fund: FUND, terms: { ...TERMS, ...terms } },
});

type DataOf<T extends FundEvent['type']> = Extract<FundEvent, { type: T }>['data'];

export const credited = (
  source: DataOf<'FundCredited'>['source'],
  amount: number,
  contribution = 'c1',
  n?: number,
): FundEvent => ({
  type: 'FundCredited',
  data: { source, contribution, quantity: money(amount), ...(n === undefined ? {} : { n }) },
});

export const decided = (n: number, ...amounts: readonly (readonly [needId: string, amount: number])[]): FundEvent => ({
  type: 'AllocationDecided',
  data: {
    n,
    body: 'Committee',
    date: '2026-01-04',
    reference: 'Minutes 1',
    allocations: amounts.map(([needId, amount]) => ({ needId, amount: money(amount) })),
    interests: [],
  },
});

export const used = (decision: number, needId: string, commitment: string, amount: number): FundEvent => ({
  type: 'AllocationUsed',
  data: { decision, needId, commitment, quantity: money(amount) },
});

export const released = (decision: number, needId: string, amount: number, commitment?: string): FundEvent => ({
  type: 'AllocationReleased',
  data: { decision, needId, ...(commitment === undefined ? {} : { commitment }), quantity: money(amount) },
});
