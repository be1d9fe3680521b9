import type { EarmarkReason } from '#offers/contract';
import { earmarkReasons } from '#offers/contract';
import type { InstrumentCode } from '#vocabulary';
import { dateOf, regionOf, STATES, stateOf, stateOfParty, stateParty } from '#vocabulary';
import type { Change } from './changes.js';
import { ofEarmark, ofNeed, ofOffer } from './changes.js';
import { lineBlock, lineChanges } from './line-rules.js';
import { commonLanguages, list, overlaps, span } from './lines.js';
import type { Block, BlockCode, Facts, Pairing } from './sides.js';

/** A rule that every pairing has to pass. The table of them is ruleset 3; each is judged by itself. */
export interface HardRule {
  /** What it answers with where it fails; the rules about lines have several, of which one fails at the most. */
  readonly codes: readonly BlockCode[];
  /** What has to hold, in one sentence. */
  readonly asks: string;
  /** Fields of either record that it looks at. */
  readonly looksAt: { readonly need: readonly string[]; readonly offer: readonly string[] };
  /** Why the pairing fails it, with the facts on both sides; nothing where it passes. */
  readonly test: (pairing: Pairing) => readonly Block[];
  /** Every change of either side that bears on it; none where no change of these two records could. */
  readonly changes: (pairing: Pairing) => readonly Change[];
  /** True where several changes may be needed together; otherwise one is enough for each block. */
  readonly together?: true;
}

const WORLD = '001';

const some = <T>(part: readonly T[] | undefined): part is readonly [T, ...T[]] => part !== undefined && part.length > 0;

const common = <T>(lists: readonly (readonly T[])[]): readonly T[] =>
  (lists[0] ?? []).filter((each) => lists.every((values) => values.includes(each)));

const isOwn = ({ need, offer }: Pairing): boolean =>
  offer.sovereigns.length > 0 &&
  offer.sovereigns.every((sovereign) => sovereign !== undefined && need.sovereigns.includes(sovereign));

const EARMARK_PARTS = { beneficiary: 'beneficiaries', region: 'regions', network: 'networks' } as const;

/** The reason of the earmark itself, judged as the offer judges a proposal. */
const earmarkReason = ({ need, offer }: Pairing, code: keyof typeof EARMARK_PARTS): EarmarkReason | undefined => {
  const part = EARMARK_PARTS[code];
  const { [part]: values } = offer.earmark;
  if (!some(values)) return undefined;
  const [reason] = earmarkReasons({ earmark: { [part]: values }, lines: [] }, { ...need, needLineKinds: {} }, []);
  return reason;
};

/** As sentences stand in an answer: without the capital and the stop that the offer's refusal has. */
const asClause = (sentence: string): string =>
  `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;

const namesOf = (code: string): string => `${regionOf(code)?.name ?? code} (${code})`;

/** How many States a region holds: what adding it gives away. */
const SIZES = new Map<string, number>();
for (const { regions } of STATES) for (const code of regions) SIZES.set(code, (SIZES.get(code) ?? 0) + 1);
/** More than adding any part does. */
const WHOLLY = 1_000;

const today = ({ circumstances }: Pairing): string => dateOf(circumstances.now);

const days = (period: { readonly from?: string; readonly to?: string } | undefined): Facts =>
  period === undefined ? {} : { period };

const openOffer: HardRule = {
  codes: ['offer-not-open'],
  asks: 'The offer is open, not suspended.',
  looksAt: { need: [], offer: ['status'] },
  test: ({ offer }) =>
    offer.suspended
      ? [{ code: 'offer-not-open', because: 'the offer is suspended', need: {}, offer: { status: 'suspended' } }]
      : [],
  changes: () => [
    ofOffer({ code: 'offer-not-open', to: 'resume it', breadth: 1 }, (offer) => ({ ...offer, suspended: false })),
  ],
};

const otherSide: HardRule = {
  codes: ['same-side'],
  asks: 'Some provider is of another sovereign than every beneficiary.',
  looksAt: { need: ['beneficiaries'], offer: ['providers'] },
  test: (pairing) =>
    isOwn(pairing)
      ? [
          {
            code: 'same-side',
            because: `provider and beneficiary belong to one sovereign (${list([...new Set(pairing.offer.sovereigns)].map(String))})`,
            need: { sovereigns: pairing.need.sovereigns },
            offer: { sovereigns: pairing.offer.sovereigns },
          },
        ]
      : [],
  changes: () => [],
};

const instrument: HardRule = {
  codes: ['instrument'],
  asks: "The need is filed under one of the earmark's instruments.",
  looksAt: { need: ['instruments'], offer: ['earmark.instruments'] },
  test: ({ need, offer: { earmark } }) =>
    some(earmark.instruments) && common([earmark.instruments, need.instruments]).length === 0
      ? [
          {
            code: 'instrument',
            because: `the offer is for ${list(earmark.instruments)}; the need is filed under ${list(need.instruments) || 'none'}`,
            need: { instruments: need.instruments },
            offer: { earmark: { instruments: earmark.instruments } },
          },
        ]
      : [],
  changes: ({ need, offer: { earmark } }) => [
    ...(some(earmark.instruments) ? need.instruments : []).map((code) =>
      ofEarmark({ code: 'instrument', to: `add ${code} to the instruments of the earmark`, breadth: 1 }, (narrow) => ({
        ...narrow,
        instruments: [...(narrow.instruments ?? []), code],
      })),
    ),
    ...(earmark.instruments ?? []).map((code: InstrumentCode) =>
      ofNeed({ code: 'instrument', to: `file it under ${code} too, where that holds`, breadth: 2 }, (each) => ({
        ...each,
        instruments: [...each.instruments, code],
      })),
    ),
  ],
};

const beneficiary: HardRule = {
  codes: ['beneficiary'],
  asks: 'The earmark names every beneficiary, or none.',
  looksAt: { need: ['beneficiaries'], offer: ['earmark.beneficiaries'] },
  test: (pairing) => {
    const reason = earmarkReason(pairing, 'beneficiary');
    return reason === undefined
      ? []
      : [
          {
            code: 'beneficiary',
            because: asClause(reason.because),
            need: { beneficiaries: pairing.need.beneficiaries },
            offer: { earmark: { beneficiaries: pairing.offer.earmark.beneficiaries } },
          },
        ];
  },
  changes: ({ need, offer: { earmark } }) => {
    const { beneficiaries = [] } = earmark;
    const named = new Set(beneficiaries.map((entry) => (entry.includes(':') ? entry : stateParty(entry))));
    const outside = need.beneficiaries.filter((party) => !named.has(party));
    if (beneficiaries.length === 0 || outside.length === 0) return [];
    return [
      ofEarmark(
        {
          code: 'beneficiary',
          to: `add ${list(outside)} to the beneficiaries of the earmark`,
          breadth: outside.length,
        },
        (narrow) => ({ ...narrow, beneficiaries: [...(narrow.beneficiaries ?? []), ...outside] }),
      ),
    ];
  },
};

const region: HardRule = {
  codes: ['region'],
  asks: 'Every beneficiary lies in a region of the earmark, where it names any.',
  looksAt: { need: ['beneficiaries'], offer: ['earmark.regions'] },
  test: (pairing) => {
    const reason = earmarkReason(pairing, 'region');
    return reason === undefined
      ? []
      : [
          {
            code: 'region',
            because: asClause(reason.because),
            need: { beneficiaries: pairing.need.beneficiaries, regions: pairing.need.regions },
            offer: { earmark: { regions: pairing.offer.earmark.regions } },
          },
        ];
  },
  changes: ({ need, offer: { earmark } }) => {
    if (!some(earmark.regions)) return [];
    const each =
      need.beneficiaries.length < 2
        ? [need.regions]
        : need.beneficiaries.map((party) => stateOf(stateOfParty(party) ?? '')?.regions ?? []);
    const shared = common(each).filter((code) => code !== WORLD);
    return [...shared, WORLD]
      .filter((code) => !earmark.regions?.includes(code))
      .map((code) =>
        ofEarmark(
          {
            code: 'region',
            to: `add ${namesOf(code)} to the regions of the earmark`,
            breadth: SIZES.get(code) ?? WHOLLY,
          },
          (narrow) => ({ ...narrow, regions: [...(narrow.regions ?? []), code] }),
        ),
      );
  },
};

const network: HardRule = {
  codes: ['network'],
  asks: 'Every beneficiary is of a network of the earmark, or is one, where it names any.',
  looksAt: { need: ['beneficiaries'], offer: ['earmark.networks'] },
  test: (pairing) => {
    const reason = earmarkReason(pairing, 'network');
    return reason === undefined
      ? []
      : [
          {
            code: 'network',
            because: asClause(reason.because),
            need: { beneficiaries: pairing.need.beneficiaries, networks: pairing.need.networks },
            offer: { earmark: { networks: pairing.offer.earmark.networks } },
          },
        ];
  },
  changes: ({ need, offer: { earmark } }) => {
    if (!some(earmark.networks)) return [];
    const { beneficiaries, memberships, networks } = need;
    const shared =
      beneficiaries.length < 2 || memberships === undefined
        ? networks
        : common(beneficiaries.map((party) => [...(memberships[party] ?? []), party]));
    return [
      ...shared
        .filter((code) => code.startsWith('network:') && !earmark.networks?.includes(code))
        .map((code) =>
          ofEarmark({ code: 'network', to: `add ${code} to the networks of the earmark`, breadth: 2 }, (narrow) => ({
            ...narrow,
            networks: [...(narrow.networks ?? []), code],
          })),
        ),
      ofEarmark(
        { code: 'network', to: 'let the earmark ask for no network', breadth: WHOLLY },
        ({ networks: _, ...narrow }) => narrow,
      ),
    ];
  },
};

const traffickingNexus: HardRule = {
  codes: ['trafficking-nexus'],
  asks: 'The need has a trafficking nexus, where the earmark asks for one.',
  looksAt: { need: ['traffickingNexus'], offer: ['earmark.traffickingNexus'] },
  test: ({ need, offer: { earmark } }) =>
    earmark.traffickingNexus === true && !need.traffickingNexus
      ? [
          {
            code: 'trafficking-nexus',
            because: 'the offer serves only needs with a trafficking nexus',
            need: { traffickingNexus: false },
            offer: { earmark: { traffickingNexus: true } },
          },
        ]
      : [],
  changes: () => [
    ofNeed({ code: 'trafficking-nexus', to: 'state its trafficking nexus, where it has one', breadth: 1 }, (need) => ({
      ...need,
      traffickingNexus: true,
    })),
    ofEarmark(
      { code: 'trafficking-nexus', to: 'let the earmark ask for no trafficking nexus', breadth: 2 },
      ({ traffickingNexus: _, ...narrow }) => narrow,
    ),
  ],
};

const period: HardRule = {
  codes: ['period'],
  asks: 'The offer is not over, and both periods share a day.',
  looksAt: { need: ['period'], offer: ['period'] },
  test: (pairing) => {
    const { need, offer } = pairing;
    const facts = { code: 'period', need: days(need.period), offer: days(offer.period) } as const;
    if (offer.period?.to !== undefined && offer.period.to < today(pairing)) {
      return [{ ...facts, because: `the offer's period ended on ${offer.period.to}` }];
    }
    return overlaps(need.period, offer.period)
      ? []
      : [{ ...facts, because: `the need is for ${span(need.period)}, the offer for ${span(offer.period)}` }];
  },
  changes: (pairing) => {
    const { need, offer } = pairing;
    const least = [today(pairing), need.period?.from ?? ''].reduce((a, b) => (a > b ? a : b));
    const { from, to } = offer.period ?? {};
    const wider = {
      ...(from === undefined
        ? {}
        : { from: need.period?.to !== undefined && need.period.to < from ? need.period.to : from }),
      ...(to === undefined ? {} : { to: to < least ? least : to }),
    };
    const moved = {
      ...need.period,
      ...(need.period?.to !== undefined && from !== undefined && need.period.to < from ? { to: from } : {}),
      ...(need.period?.from !== undefined && to !== undefined && need.period.from > to ? { from: to } : {}),
    };
    return [
      ofOffer({ code: 'period', to: `let its period be ${span(wider)}`, breadth: 1 }, (each) => ({
        ...each,
        period: wider,
      })),
      ofNeed({ code: 'period', to: `let its period be ${span(moved)}`, breadth: 1 }, (each) => ({
        ...each,
        period: moved,
      })),
    ];
  },
};

const language: HardRule = {
  codes: ['language'],
  asks: 'Both sides can work in one language, where both name some.',
  looksAt: { need: ['languages'], offer: ['languages'] },
  test: ({ need, offer }) =>
    some(need.languages) && some(offer.languages) && commonLanguages(need.languages, offer.languages).length === 0
      ? [
          {
            code: 'language',
            because: `the need can work in ${list(need.languages)}, the offer in ${list(offer.languages)}`,
            need: { languages: need.languages },
            offer: { languages: offer.languages },
          },
        ]
      : [],
  changes: ({ need, offer }) => [
    ...(need.languages ?? []).map((tag) =>
      ofOffer({ code: 'language', to: `add ${tag}, by interpretation or another expert`, breadth: 1 }, (each) => ({
        ...each,
        languages: [...(each.languages ?? []), tag],
      })),
    ),
    ...(offer.languages ?? []).map((tag) =>
      ofNeed({ code: 'language', to: `add ${tag}, where it can work in it`, breadth: 2 }, (each) => ({
        ...each,
        languages: [...(each.languages ?? []), tag],
      })),
    ),
  ],
};

const nationalReport: HardRule = {
  codes: ['national-report'],
  asks: 'The need cites a national report, where the offer asks that it appears in one.',
  looksAt: { need: ['reportRefs'], offer: ['conditions'] },
  test: ({ need, offer }) =>
    offer.conditions.some(({ code }) => code === 'national-report') && !some(need.reports)
      ? [
          {
            code: 'national-report',
            because: 'the offer asks that the need appears in a national report, and the need cites none',
            need: { reportRefs: need.reports ?? [] },
            offer: { conditions: ['national-report'] },
          },
        ]
      : [],
  changes: ({ need: { instruments } }) => [
    ofNeed({ code: 'national-report', to: 'cite a national report', breadth: 1 }, (need) => ({
      ...need,
      reports: [...(need.reports ?? []), instruments[0] ?? 'UNPoA'],
    })),
    ofOffer({ code: 'national-report', to: 'drop the condition of a national report', breadth: 2 }, (offer) => ({
      ...offer,
      conditions: offer.conditions.filter(({ code }) => code !== 'national-report'),
    })),
  ],
};

const visibility: HardRule = {
  codes: ['visibility'],
  asks: "Each side may see the other's record.",
  looksAt: { need: ['visibility'], offer: ['visibility'] },
  test: ({ circumstances: { providerSeesNeed, recipientSeesOffer } }) => [
    ...(providerSeesNeed
      ? []
      : [
          {
            code: 'visibility',
            because: 'the provider may not see this need',
            need: { seenByProvider: false },
            offer: {},
          } as const,
        ]),
    ...(recipientSeesOffer
      ? []
      : [
          {
            code: 'visibility',
            because: 'the State may not see this offer',
            need: {},
            offer: { seenByState: false },
          } as const,
        ]),
  ],
  changes: () => [
    {
      side: 'need',
      code: 'visibility',
      change: 'this need: name the provider, or widen the visibility',
      breadth: 1,
      apply: (pairing) => ({ ...pairing, circumstances: { ...pairing.circumstances, providerSeesNeed: true } }),
    },
    {
      side: 'offer',
      code: 'visibility',
      change: 'this offer: name the State, or widen the visibility',
      breadth: 1,
      apply: (pairing) => ({ ...pairing, circumstances: { ...pairing.circumstances, recipientSeesOffer: true } }),
    },
  ],
  together: true,
};

const lines: HardRule = {
  codes: ['kind', 'measure', 'outstanding', 'capacity', 'below-minimum-lot'],
  asks: 'A line of the offer gives a kind the need asks for, in its measure, and enough of it is left on both.',
  looksAt: {
    need: ['lines.kind', 'lines.quantity', 'lines.coverage'],
    offer: ['lines.kinds', 'lines.capacity', 'lines.available', 'lines.minimumLot', 'earmark.kinds'],
  },
  test: (pairing) => {
    const block = lineBlock(pairing);
    return block === undefined ? [] : [block];
  },
  changes: lineChanges,
  together: true,
};

/** Ruleset 3: every pairing passes all of these. In the order they are told. */
export const HARD_RULES: readonly HardRule[] = [
  openOffer,
  otherSide,
  instrument,
  beneficiary,
  region,
  network,
  traffickingNexus,
  period,
  language,
  nationalReport,
  visibility,
  lines,
];
