import type { InstrumentCode, Kind, Qualifier, ReportedKind } from '#vocabulary';

/**
 * How the words of the three case files are written in our code lists. Only what the words themselves say is mapped; what they do not
 * say stays unsaid, and is listed as a gap of its row.
 */

/** `assistance_type` of needs.csv. */
export const KINDS_OF_ASSISTANCE: Readonly<Record<string, readonly Kind[]>> = {
  legal: ['legal'],
  legislative: ['legislative'],
  institution_building: ['institution-building'],
  administrative_technical: ['administrative', 'technical'],
  financial: ['financial'],
  material: ['material'],
  stockpile_management: ['stockpile-management'],
  training: ['training'],
  physical_protection: ['physical-protection'],
  awareness: ['public-awareness'],
  unspecified: [],
};

/** `kind` of commitments.csv, where the word is one of ours; a grant or a project says nothing about the kind of assistance. */
export const KINDS_OF_COMMITMENT: Readonly<Record<string, readonly Kind[]>> = {
  training: ['training'],
  destruction: ['surplus-destruction'],
  'technical assistance': ['technical'],
  equipment: ['material'],
  'works and equipment': ['material'],
};

/** `kind` of offers.csv: money given or promised to a fund or channel is a contribution, what asks for takers is an offer. */
export const RECORD_KIND_OF_OFFER: Readonly<Record<string, ReportedKind>> = {
  'multi-donor fund': 'offer',
  'pledging mechanism': 'offer',
  pledge: 'offer',
  decision: 'offer',
  'phase estimate': 'offer',
  contribution: 'contribution',
  'pledge confirmed': 'contribution',
  'contributions mobilised': 'contribution',
  contributions: 'contribution',
  'extra-budgetary': 'contribution',
  donations: 'contribution',
};

/** `instrument` of needs.csv. Empty: the words name no instrument of the code list. */
export const INSTRUMENTS_OF: Readonly<Record<string, readonly InstrumentCode[]>> = {
  'UNSCR 1540': ['UNSCR-1540'],
  'OSCE SALW/SCA': ['regional:OSCE-SALW'],
  'ATT + UNPoA': ['ATT', 'UNPoA'],
  // A fund, and a subject: neither is an instrument.
  'NATO/PfP Trust Fund': [],
  'SALW (regional)': [],
};

/** `unit` of needs.csv, in the singular of the register of units. */
export const UNITS_OF: Readonly<Record<string, string>> = {
  sites: 'site',
  'sites (15 stations + 1 centre)': 'site',
  'storage sites': 'storage-site',
  facility: 'facility',
  laboratory: 'laboratory',
  weapons: 'weapon',
  tonnes: 'tonne',
  requests: 'request',
};

/** Country names as the files print them. Everything else that is named stays in its own words. */
export const STATES_BY_NAME: Readonly<Record<string, string>> = {
  Andorra: 'AND',
  Argentina: 'ARG',
  Australia: 'AUS',
  Austria: 'AUT',
  Bulgaria: 'BGR',
  Canada: 'CAN',
  'Costa Rica': 'CRI',
  Cyprus: 'CYP',
  'Czech Republic': 'CZE',
  Denmark: 'DNK',
  Finland: 'FIN',
  France: 'FRA',
  Germany: 'DEU',
  Ireland: 'IRL',
  Japan: 'JPN',
  Mexico: 'MEX',
  Montenegro: 'MNE',
  Netherlands: 'NLD',
  'New Zealand': 'NZL',
  Norway: 'NOR',
  Philippines: 'PHL',
  Poland: 'POL',
  Portugal: 'PRT',
  'Republic of Korea': 'KOR',
  Slovenia: 'SVN',
  Spain: 'ESP',
  Sweden: 'SWE',
  Switzerland: 'CHE',
  Tajikistan: 'TJK',
  Turkey: 'TUR',
  'United Kingdom': 'GBR',
  'United States': 'USA',
  'United States (lead)': 'USA',
};

/** Beneficiaries named outside the column of codes: words of the row's own text. */
export const BENEFICIARIES_IN_WORDS: Readonly<Record<string, readonly string[]>> = {
  'N-1540-2010-LIST': ['CARICOM', 'SICA'],
};

/** Figures that the row's own words qualify. */
export const QUALIFIERS: Readonly<Record<string, { readonly qualifier: Qualifier; readonly because: string }>> = {
  'O-OSCE-SEE-2021': { qualifier: 'at-least', because: 'more than EUR 10 million' },
  'O-NATO-5Y': { qualifier: 'at-least', because: 'raised in the first five years (more than)' },
  'O-NATO-UKR-I': { qualifier: 'about', because: 'phase estimate' },
  'O-OSCE-2009': { qualifier: 'at-most', because: 'granted over the last four years (almost)' },
  'O-EUMS-2007': { qualifier: 'at-least', because: 'donated by the end of 2007 (more than)' },
};

/** One contribution published in two currencies: the second figure, which is never added to the first. */
export const SECOND_FIGURE: Readonly<
  Record<string, { readonly currency: string; readonly amount: string; readonly qualifier?: Qualifier }>
> = {
  'O-MPTF-DEU-2020': { currency: 'USD', amount: '4950000' },
  'O-MPTF-GBR-2020': { currency: 'USD', amount: '2610000' },
  'O-MPTF-SWE-2022': { currency: 'USD', amount: '550000', qualifier: 'about' },
};

interface Contradiction {
  readonly value:
    string | { readonly measure: string; readonly amount: string; readonly unit?: string; readonly currency?: string };
  readonly source: string;
}

/** What another source prints for the same fact, by reference and item: both stand, nobody decides here. */
export const CONTRADICTIONS: Readonly<Record<string, readonly Contradiction[]>> = {
  'N-NATO-UKR-MUN/1': [
    { value: { measure: 'items', unit: 'tonne', amount: '133000' }, source: 'nyjtimes.com' },
    { value: { measure: 'items', unit: 'tonne', amount: '133' }, source: 'for-ua.com/article/1005044' },
  ],
  'N-NATO-UKR-MUN/2': [
    { value: { measure: 'items', unit: 'weapon', amount: '1500000' }, source: 'nyjtimes.com' },
    { value: { measure: 'items', unit: 'weapon', amount: '135000000' }, source: 'for-ua.com/article/1005044' },
  ],
  'C-US-KGZ-CA': [
    { value: { measure: 'money', currency: 'USD', amount: '282000' }, source: 'kg.usembassy.gov' },
    { value: { measure: 'money', currency: 'USD', amount: '82000' }, source: 'silkroadnews.org' },
  ],
};

/** Rows that are part of another row, and the words that say so: a parent's amount is never added to its children's. */
export const PART_OF: Readonly<Record<string, { readonly parent: string; readonly because: string }>> = {
  'C-UNLIREC-SUR': { parent: 'C-US-CARIB', because: 'umbrella of the country rows' },
  'C-UNLIREC-ATG': { parent: 'C-US-CARIB', because: 'umbrella of the country rows' },
  'C-UNLIREC-BLZ': { parent: 'C-US-CARIB', because: 'umbrella of the country rows' },
  'C-UNLIREC-VCT': { parent: 'C-US-CARIB', because: 'umbrella of the country rows' },
  'C-UNLIREC-BRB': { parent: 'C-US-CARIB', because: 'launch of the next phase of the Caribbean package' },
  'O-MPTF-SWE-2022': {
    parent: 'O-MPTF-2022',
    because: 'Sweden is one of its donors, in the same year and for the same fund',
  },
  'C-UNSCAR-AFP2': { parent: 'O-UNSCAR-2016', because: 'a project of that fund, whose row counts 39 since 2013' },
  'C-UNSCAR-GCSP': { parent: 'O-UNSCAR-2016', because: 'a project of that fund, whose row counts 39 since 2013' },
  'C-UNSCAR-PSAAG-2014': { parent: 'O-UNSCAR-2016', because: 'a project of that fund, whose row counts 39 since 2013' },
};

/** Rows that look like parts of another row but are not linked, and why. */
export const NOT_LINKED: readonly { readonly refs: string; readonly because: string }[] = [
  {
    refs: 'C-UNLIREC-DOM',
    because: 'the umbrella names 13 CARICOM countries, and the Dominican Republic is not one of them',
  },
  { refs: 'C-OSCE-TJK-I, C-OSCE-TJK-II', because: 'two phases of one programme, but no row stands for the programme' },
  { refs: 'O-NATO-UKR-I', because: 'phase one of four, but no row stands for the programme' },
  {
    refs: 'N-1540-ARM-2008, N-1540-ARM-2015',
    because: 'N-1540-2010-LIST names Armenia, but does not say which of its requests it counts',
  },
  {
    refs: 'O-MPTF-DEU-2020, O-MPTF-GBR-2020',
    because: 'within the fund total that O-MPTF-2022 mentions, but not within its amount for 2022',
  },
];

interface EarmarkWords {
  readonly level?: 'unearmarked' | 'thematic' | 'geographic' | 'need-specific';
  readonly beneficiaries?: readonly string[];
}

/** `earmarking` of offers.csv; undefined: the words have no code of ours. */
export const EARMARKS: Readonly<Record<string, EarmarkWords | undefined>> = {
  unearmarked: { level: 'unearmarked' },
  regional: { level: 'geographic' },
  'earmarked: MKD + GEO': { level: 'geographic', beneficiaries: ['MKD', 'GEO'] },
  'earmarked: UKR': { level: 'geographic', beneficiaries: ['UKR'] },
  'fund level': undefined,
  various: undefined,
};

/** Conditions that an offer's own words state. */
export const CONDITIONS: Readonly<Record<string, readonly { readonly code: string; readonly text: string }[]>> = {
  'O-OSCE-REPO': [{ code: 'prior-written-consent', text: "donor's prior written consent for every use" }],
};
