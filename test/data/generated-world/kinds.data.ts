import type { GlobalInstrument, Kind } from '#vocabulary';

/** One way in which help of a kind is asked for and given: what it is, in which measure, and how much a State usually asks. */
export interface Sort {
  readonly what: string;
  readonly measure:
    | { readonly measure: 'money' }
    | { readonly measure: 'person-days' }
    | { readonly measure: 'seats' }
    | { readonly measure: 'items'; readonly unit: string };
  /** The middle of what is asked: half of the requests ask less. Money in its main unit. */
  readonly middle: number;
}

export interface KindOfWorld {
  readonly kind: Kind;
  /** How often it is asked for, beside the others. */
  readonly often: number;
  readonly instruments: readonly GlobalInstrument[];
  readonly sorts: readonly Sort[];
}

const money = (what: string, middle: number): Sort => ({ what, measure: { measure: 'money' }, middle });
const days = (what: string, middle: number): Sort => ({ what, measure: { measure: 'person-days' }, middle });
const seats = (what: string, middle: number): Sort => ({ what, measure: { measure: 'seats' }, middle });
const items = (what: string, unit: string, middle: number): Sort => ({
  what,
  measure: { measure: 'items', unit },
  middle,
});

/** Kinds as the published requests and projects spread over them: stocks, training and marking first, seldom the rest. */
export const KINDS_OF_WORLD: readonly KindOfWorld[] = [
  {
    kind: 'stockpile-management',
    often: 16,
    instruments: ['UNPoA', 'ammunition-framework'],
    sorts: [
      money('Safe storage of weapons and ammunition', 240_000),
      days('Survey of depots and a plan for them', 60),
      items('Rebuilding of storage sites', 'storage-site', 4),
    ],
  },
  {
    kind: 'training',
    often: 16,
    instruments: ['UNPoA', 'ATT', 'UNSCR-1540'],
    sorts: [
      seats('Course for officers who keep stocks', 24),
      seats('Course for licensing and customs officers', 18),
      days('Trainers for the police academy', 45),
    ],
  },
  {
    kind: 'marking-record-keeping',
    often: 12,
    instruments: ['ITI', 'UNPoA'],
    sorts: [
      items('Marking machines', 'marking-machine', 5),
      money('Electronic register of weapons', 130_000),
      days('Marking of the stocks of the police', 80),
    ],
  },
  {
    kind: 'legislative',
    often: 8,
    instruments: ['ATT', 'firearms-protocol', 'UNSCR-1540'],
    sorts: [days('Drafting of an act on arms control', 40), money('Drafting and translation of an act', 60_000)],
  },
  {
    kind: 'border-control',
    often: 8,
    instruments: ['UNSCR-1540', 'firearms-protocol'],
    sorts: [
      items('Scanners for border posts', 'scanner', 3),
      money('Joint patrols at the border', 170_000),
      seats('Course for border guards', 30),
    ],
  },
  {
    kind: 'surplus-destruction',
    often: 7,
    instruments: ['UNPoA', 'ammunition-framework'],
    sorts: [
      items('Destruction of surplus ammunition', 'tonne', 90),
      items('Destruction of surplus small arms', 'weapon', 4_000),
      money('Destruction of surplus and seized weapons', 150_000),
    ],
  },
  {
    kind: 'transfer-control',
    often: 6,
    instruments: ['ATT'],
    sorts: [days('Advice on risk assessment of exports', 30), money('Licensing software', 90_000)],
  },
  {
    kind: 'meeting-sponsorship',
    often: 6,
    instruments: ['ATT', 'UNPoA'],
    sorts: [seats('Delegates to a conference of States', 2)],
  },
  {
    kind: 'institution-building',
    often: 5,
    instruments: ['UNPoA', 'ATT'],
    sorts: [money('National commission on small arms', 110_000), days('Adviser to the national commission', 90)],
  },
  {
    kind: 'physical-protection',
    often: 4,
    instruments: ['UNSCR-1540', 'UNPoA'],
    sorts: [items('Armoury doors and racks', 'gun-rack', 40), money('Fences and cameras of depots', 140_000)],
  },
  {
    kind: 'control-lists-licensing',
    often: 3,
    instruments: ['UNSCR-1540', 'ATT'],
    sorts: [days('A national control list', 35)],
  },
  {
    kind: 'public-awareness',
    often: 3,
    instruments: ['UNPoA'],
    sorts: [money('Campaign against illicit weapons', 45_000)],
  },
  {
    kind: 'tracing',
    often: 3,
    instruments: ['ITI'],
    sorts: [seats('Course on tracing requests', 12), items('Ballistic laboratory', 'laboratory', 1)],
  },
  {
    kind: 'detection-and-protection',
    often: 2,
    instruments: ['UNSCR-1540'],
    sorts: [items('Detectors for customs posts', 'detector', 12)],
  },
  {
    kind: 'universalisation',
    often: 1,
    instruments: ['ATT'],
    sorts: [money('Ratification seminar for parliament', 25_000)],
  },
];
