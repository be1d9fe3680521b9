import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import { ROLE_POWERS } from '#vocabulary';
import type { Quantity, Role } from '#vocabulary';
import type { NeedContent, NeedEvent, NeedLine } from './need.contract.js';

/** What the specs of this lib have in common: one need of Vanuatu, and callers. */
export const usd = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount });

export const line = (n: number, quantity: Quantity): NeedLine => ({ line: n, kind: 'training', quantity });

export const CONTENT: NeedContent = {
  title: 'Marking of weapons',
  kinds: ['training'],
  instruments: ['UNPoA'],
  traffickingNexus: false,
  lines: [line(1, usd('1000.00')), line(2, { measure: 'seats', amount: '10' })],
  urgency: 'normal',
  authorityRef: 'Note Verbale 12/2026',
  visibility: { summary: 'public', body: 'members', annex: 'sealed' },
  named: [],
  oversubscription: false,
};

export const WINDOW_ENDS = '2026-01-12T09:00:00.000Z';
export const REAFFIRM_BY = '2027-01-05T09:00:00.000Z';

export const drafted = (content: Partial<NeedContent> = {}, filer = 'state:VUT'): NeedEvent => ({
  type: 'NeedDrafted',
  data: { filer, beneficiaries: [filer], content: { ...CONTENT, ...content } },
});
export const submitted = (publish: 'yes' | 'asked' = 'yes'): NeedEvent => ({
  type: 'NeedSubmitted',
  data: { consent: { circulate: 'yes', publish }, windowEnds: WINDOW_ENDS },
});
export const opened: NeedEvent = { type: 'NeedOpened', data: { reaffirmBy: REAFFIRM_BY } };

export const key = (commitment = 'c1', leg = 1): { commitment: string; leg: number; amendment: number } => ({
  commitment,
  leg,
  amendment: 0,
});
export const reserved = (quantity: Quantity, commitment = 'c1', n = 1): NeedEvent => ({
  type: 'CoverageReserved',
  data: { ...key(commitment), line: n, quantity },
});
export const bound = (quantity: Quantity, commitment = 'c1', n = 1): NeedEvent => ({
  type: 'CoverageBound',
  data: { ...key(commitment), line: n, quantity },
});

export const caller = (party: string, role: Role, more: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles: [role],
  registered: true,
  powers: new Set(ROLE_POWERS[role]),
  ...(party.startsWith('state:') ? { sovereign: party.slice('state:'.length) } : {}),
  ...more,
});
