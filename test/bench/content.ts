import type { Actor } from '#kernel';
import type { NeedContent } from '#needs/contract';
import type { OfferContent } from '#offers/contract';
import type { Kind } from '#vocabulary';
import { KINDS } from '#vocabulary';

const STATES = [
  'VUT',
  'FJI',
  'TON',
  'WSM',
  'KEN',
  'GHA',
  'SEN',
  'MLI',
  'BIH',
  'ALB',
  'MDA',
  'GEO',
  'PER',
  'JAM',
  'BLZ',
];
const DONORS = ['donor:japan', 'donor:norway', 'donor:canada', 'donor:germany', 'fund:unscar', 'fund:salient'];
const INSTRUMENTS = ['ATT', 'UNPoA', 'ITI', 'UNSCR-1540', 'firearms-protocol'] as const;
const PLACES = ['the capital', 'the northern border', 'the main port', 'two provincial depots', 'the police academy'];
const OBJECTS = ['marking machines', 'armoury doors', 'record-keeping software', 'destruction of surplus', 'courses'];
const PROBLEMS = [
  'Seized and surplus weapons are stored together with service weapons, and the register is kept on paper.',
  'The licensing unit has two officers and no access to the end-user certificates that other ministries file.',
  'Ammunition is stored beside housing; the last technical survey found no lightning protection and no fire lane.',
  'The national law predates the treaty and does not cover brokering, transit or the marking of imported arms.',
];
const OUTCOMES = [
  'Every weapon of the service is marked, recorded and counted twice a year, and the figures are published.',
  'Licences are decided on complete files within thirty days, and refusals are shared with neighbouring States.',
  'The depot meets the international ammunition guidelines at the second level, with staff trained to keep it there.',
];

const pick = <T>(list: readonly T[], n: number): T => {
  const value = list[n % list.length];
  if (value === undefined) throw new RangeError('an empty list has nothing to pick');
  return value;
};

const kindOf = (n: number): Kind => pick(KINDS, n * 7);

/** A request as an office writes it, some 1.4 KB of JSON; the same `n` always gives the same. */
export const needBody = (n: number): object => ({
  title: `${pick(OBJECTS, n)} for ${pick(PLACES, n * 3)}, phase ${1 + (n % 4)}`,
  problem: `${pick(PROBLEMS, n)} ${pick(PROBLEMS, n + 1)} Reference ${n}.`,
  outcome: pick(OUTCOMES, n),
  kinds: [kindOf(n), kindOf(n + 1)],
  instruments: [pick(INSTRUMENTS, n)],
  traffickingNexus: n % 5 === 0,
  lines: [
    {
      kind: kindOf(n),
      description: `${pick(OBJECTS, n)} with installation and two years of spare parts`,
      quantity: { measure: 'items', unit: 'marking-machine', amount: String(1 + (n % 12)) },
    },
    {
      kind: kindOf(n + 1),
      description: 'Running costs of the first year, paid against invoices of the ministry',
      quantity: { measure: 'money', currency: 'USD', amount: `${10_000 + (n % 90) * 1000}.00` },
    },
    {
      kind: 'training',
      description: `Courses for officers of ${pick(PLACES, n)}`,
      quantity: { measure: 'seats', amount: '20' },
    },
  ],
  rank: 1 + (n % 9),
  urgency: 'normal',
  period: { from: '2027-01-01', to: '2028-12-31' },
  languages: ['en', 'fr'],
  priorAid: [{ text: 'A regional seminar in 2019 trained four officers, two of whom have since left the service.' }],
  ownContribution: 'none',
  authorityRef: `Note Verbale ${n % 400}/2026`,
  requestingAuthority: 'National Commission on Small Arms',
  contactOffice: 'Permanent Mission, New York',
  annex: { sites: [`Depot ${n % 7}, sector ${n % 11}`], risk: 'Flooding in the rainy season.' },
  visibility: { summary: 'public', body: 'public', annex: 'sealed' },
});

/** The same request as a decider takes it. */
export const needContent = (n: number): NeedContent => {
  const { lines, ...rest } = needBody(n) as unknown as NeedContent;
  return {
    ...rest,
    lines: lines.map((line, index) => ({ ...line, line: index + 1 })),
    named: [],
    oversubscription: false,
  };
};

/** An offer that any need of `needBody` may draw on. */
export const offerBody = (n: number): object => ({
  title: `${pick(OBJECTS, n + 2)}: window ${n % 10} of ${pick(DONORS, n)}`,
  description: 'Open to States with a national commission; equipment is procured by the donor and shipped to the port.',
  lines: [
    {
      kinds: ['training'],
      description: 'Courses, two intakes a year',
      capacity: { measure: 'seats', amount: '100000' },
    },
    {
      kinds: ['financial', 'material'],
      description: 'Running costs',
      capacity: { measure: 'money', currency: 'USD', amount: '5000000.00' },
    },
  ],
  earmark: {},
  conditions: [{ code: 'co-financing', percent: '10' }],
  period: { from: '2026-06-01', to: '2029-06-30' },
  languages: ['en'],
  visibility: 'public',
});

export const offerContent = (n: number): OfferContent => {
  const { lines, ...rest } = offerBody(n) as unknown as OfferContent;
  return { ...rest, lines: lines.map((line, index) => ({ ...line, line: index + 1 })), named: [] };
};

/** The line of `needBody` and of `offerBody` that are both counted in seats. */
export const SEATS = { needLine: 3, offerLine: 1 } as const;

export const npcOf = (n: number): Actor => {
  const state = pick(STATES, n);
  return { party: `state:${state}`, role: 'npc', sovereign: state, designation: 'role-claim' };
};

export const deskOf = (n: number): Actor => ({
  party: pick(DONORS, n),
  role: 'donor-desk',
  designation: 'role-claim',
});

export const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator', designation: 'role-claim' };
export const AUDITOR: Actor = { party: 'auditor:court', role: 'auditor', designation: 'role-claim' };

/** Everyone that needs to be registered to act. */
export const REGISTERED: readonly string[] = DONORS;
