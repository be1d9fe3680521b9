import type { Fault, Parsed, Visibility } from '#vocabulary';
import {
  DOCUMENT_KINDS,
  EARMARK_LEVELS,
  firstInstant,
  IMPLEMENTER_TYPES,
  INSTRUMENTS,
  isAnnexVisibility,
  isDocumentKind,
  isEarmarkLevel,
  isImplementerType,
  isInstrument,
  isKind,
  isLanguage,
  isOfferCondition,
  isPartyId,
  isRegion,
  isReportedKind,
  isSha256,
  isSourceKind,
  isState,
  isUrgency,
  isVisibility,
  isWebAddress,
  lastInstant,
  OFFER_CONDITIONS,
  parseValuation,
  partyFault,
  percentFault,
  readDecimal,
  REPORTED_KINDS,
  SOURCE_KINDS,
  URGENCIES,
} from '#vocabulary';
import {
  checked,
  code,
  dateAtPrecision,
  day,
  distinct,
  either,
  flag,
  list,
  object,
  quantity,
  text,
  title,
  wholeNumber,
} from './reading.js';
import type { Read } from './reading.js';
import type { PartyRef, ReportedContent, ReportedSource, ReportedWhat } from './reported.contract.js';

/** Labels a reported record may carry: `eligible` asks who could match, and reported records are outside every match. */
export const REPORTED_VISIBILITIES = ['public', 'members', 'named', 'sealed'] as const;

const isString = (value: unknown): value is string => typeof value === 'string';
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

const kind = code(isKind, 'a kind of assistance from the code list, such as stockpile-management');
const instrument = code(isInstrument, `one of ${INSTRUMENTS.join(', ')}, regional:<code>`);
const language = code(isLanguage, 'a language tag such as en or fr');
const party = checked<string>((value) => partyFault(value));
const webAddress = code(isWebAddress, 'an absolute http or https address without user and password');
const sha256 = code(isSha256, 'a SHA-256 in 64 lower-case hexadecimal digits');
const decimalText = checked<string>((value) => {
  const read = readDecimal(value);
  return typeof read === 'string' ? read : undefined;
});
const label = code(isVisibility, 'public, members, eligible, named or sealed');

const partyRef: Read<PartyRef> = either(
  isString,
  code(
    (value): value is string => isPartyId(value) || isState(value),
    'a party id such as donor:japan, a State code such as VUT, or {"name":"as published"}',
  ),
  (value, path, faults) => {
    const read = object({ name: title }, ['name'])(value, path, faults);
    return read?.name === undefined ? undefined : { name: read.name };
  },
);
const partyRefs = distinct(partyRef, { max: 300 });

const period: Read<{ readonly from?: string; readonly to?: string }> = (value, path, faults) => {
  const read = object({ from: day, to: day })(value, path, faults);
  if (read?.from !== undefined && read.to !== undefined && read.from > read.to) {
    faults.push({ path: `${path}.to`, message: `must not be before from (${read.from})` });
  }
  return read;
};

const documents = list(
  object(
    {
      kind: code(isDocumentKind, `one of ${DOCUMENT_KINDS.join(', ')}`),
      title,
      sha256,
      label,
    },
    ['kind', 'title'],
  ),
);

const COMMON = {
  title,
  kinds: distinct(kind),
  instruments: distinct(instrument),
  languages: distinct(language),
  documents,
  named: distinct(party),
  implementers: partyRefs,
} as const;

const NEED_WHAT = {
  ...COMMON,
  problem: text(),
  outcome: text(),
  traffickingNexus: flag,
  lines: list(object({ kind, description: text(), quantity: quantity() })),
  rank: wholeNumber(1, 1_000_000),
  urgency: code(isUrgency, `one of ${URGENCIES.join(', ')}`),
  period,
  priorAid: either(
    (value) => !Array.isArray(value),
    code((value): value is 'none' => value === 'none', '"none" or a list of {"text"} or {"commitmentId"}'),
    list(object({ text: text(), commitmentId: text(100) })),
  ),
  ownContribution: either(
    (value) => !Array.isArray(value),
    code((value): value is 'none' => value === 'none', '"none" or a list of {"description","quantity"}'),
    list(object({ description: text(), quantity: quantity() }, ['description'])),
  ),
  planLink: text(2000),
  reportRefs: list(
    object({ instrument, year: wholeNumber(1900, 9999), section: title, url: webAddress }, ['instrument', 'year']),
  ),
  authorityRef: title,
  requestingAuthority: title,
  contactOffice: title,
  approached: list(object({ party: partyRef, when: dateAtPrecision, result: text() }, ['party'])),
  proposedImplementer: partyRef,
  annex: object({
    sites: list(text()),
    quantitiesHeld: list(object({ description: text(), quantity: quantity() }, ['description'])),
    risk: text(),
    accessLimits: text(),
  }),
  visibility: either(
    isString,
    label,
    object({ summary: label, body: label, annex: code(isAnnexVisibility, 'named or sealed') }),
  ),
  oversubscription: flag,
  beneficiaries: partyRefs,
  onBehalfOf: party,
} as const;

const OFFER_WHAT = {
  ...COMMON,
  description: text(),
  providers: list(object({ party: partyRef, share: checked<string>(percentFault) }, ['party'])),
  lines: list(object({ kinds: distinct(kind), description: text(), capacity: quantity(), minimumLot: decimalText })),
  earmark: object({
    beneficiaries: distinct(
      code((value): value is string => isState(value) || isPartyId(value), 'a State code such as VUT or a party id'),
    ),
    regions: distinct(code(isRegion, 'a UN M49 code such as 054')),
    networks: distinct(checked<string>((value) => partyFault(value, ['network']))),
    instruments: distinct(instrument),
    kinds: distinct(kind),
    traffickingNexus: flag,
    implementerTypes: distinct(code(isImplementerType, `one of ${IMPLEMENTER_TYPES.join(', ')}`)),
    level: code(isEarmarkLevel, `one of ${EARMARK_LEVELS.join(', ')}`),
  }),
  conditions: list(
    object(
      {
        code: code(isOfferCondition, `one of ${OFFER_CONDITIONS.join(', ')}`),
        percent: checked<string>(percentFault),
        text: text(),
      },
      ['code'],
    ),
  ),
  period,
  visibility: label,
} as const;

const COMMITMENT_WHAT = {
  ...COMMON,
  description: text(),
  offerId: text(100),
  needId: text(100),
  legs: list(
    object({
      offerLine: wholeNumber(1, 10_000),
      needLine: wholeNumber(1, 10_000),
      drawn: quantity(),
      credited: either(
        (value) => isObject(value) && Object.hasOwn(value as object, 'scope'),
        object({ scope: text() }, ['scope']),
        quantity(),
      ),
      valuation: (value: unknown, path: string, faults: Fault[]) => {
        const read = parseValuation(value);
        if (read.ok) return read.value;
        faults.push(
          ...read.faults.map(({ path: inner, message }) => ({
            path: inner === '' ? path : `${path}.${inner}`,
            message,
          })),
        );
        return undefined;
      },
    }),
  ),
  implementer: partyRef,
  fiscalAgent: partyRef,
  signatories: partyRefs,
  period,
} as const;

const WHAT = {
  need: object(NEED_WHAT),
  offer: object(OFFER_WHAT),
  /** A contribution to a fund has no creation body of its own yet: what an offer says, and the fund. */
  contribution: object({ ...OFFER_WHAT, fund: partyRef }),
  commitment: object(COMMITMENT_WHAT),
} as const;

const source: Read<ReportedSource> = object(
  {
    kind: code(isSourceKind, `one of ${SOURCE_KINDS.join(', ')}`),
    reference: text(2000),
    url: webAddress,
    publishedOn: dateAtPrecision,
    readOn: dateAtPrecision,
  },
  ['kind'],
) as Read<ReportedSource>;

const BODY = {
  kind: code(isReportedKind, `one of ${REPORTED_KINDS.join(', ')}`),
  title,
  donors: partyRefs,
  beneficiaries: partyRefs,
  kinds: COMMON.kinds,
  instruments: COMMON.instruments,
  what: ((value: unknown) => value) as Read<unknown>,
  visibility: code(
    (value): value is Visibility => (REPORTED_VISIBILITIES as readonly unknown[]).includes(value),
    `one of ${REPORTED_VISIBILITIES.join(', ')}: reported records are outside every match, so nobody is eligible`,
  ),
  amounts: either(
    (value) => !Array.isArray(value),
    code((value): value is 'not-published' => value === 'not-published', 'a list of quantities, or "not-published"'),
    list(quantity(), { min: 1, max: 100 }),
  ),
  dates: ((value, path, faults) => {
    const read = object({ agreed: dateAtPrecision, from: dateAtPrecision, to: dateAtPrecision })(value, path, faults);
    // Backwards only where no reading of the two precisions puts them in order.
    if (read?.from !== undefined && read.to !== undefined && firstInstant(read.from) > lastInstant(read.to)) {
      faults.push({ path: `${path}.to`, message: `must not be before from (${read.from})` });
    }
    return read;
  }) as Read<ReportedContent['dates']>,
  statusWords: text(),
  description: text(),
  source: ((value, path, faults) => {
    const read = source(value, path, faults);
    if (read !== undefined && isObject(value)) {
      const given = value as Record<string, unknown>;
      if (given.reference === undefined && given.url === undefined) {
        faults.push({
          path: `${path}.reference`,
          message: 'must be given where there is no url: say where this was read',
        });
      }
    }
    return read;
  }) as Read<ReportedSource>,
  claims: list(
    object(
      {
        value: either(isString, text(), quantity({ positive: false })),
        source: either(isString, text(), source),
      },
      ['value', 'source'],
    ),
  ),
  documents,
  partOf: text(100),
} as const;

export type ReportedField = keyof typeof BODY;
export const REQUIRED_FIELDS: readonly ReportedField[] = ['kind', 'title', 'source'];

/** A transcribed paper is not public, so its record is not either (API.md, reported records). */
const visibilityFaults = (visibility: unknown, source: unknown): readonly Fault[] =>
  visibility === 'public' && isObject(source) && (source as { readonly kind?: unknown }).kind === 'transcribed'
    ? [{ path: 'visibility', message: 'must be members, named or sealed: a transcribed paper is not public' }]
    : [];

const whatRead = (kind: unknown, value: unknown, faults: Fault[]): ReportedWhat | undefined =>
  isReportedKind(kind) ? WHAT[kind](value, 'what', faults) : undefined;

/** Everything wrong with one field of the body, paths from the body; `whole` is the body it stands in. */
export const faultsOfField = (
  field: ReportedField,
  value: unknown,
  whole: Readonly<Record<string, unknown>>,
): readonly Fault[] => {
  const faults: Fault[] = [];
  if (field === 'what') whatRead(whole.kind, value, faults);
  else BODY[field](value, field, faults);
  if (field === 'visibility') faults.push(...visibilityFaults(value, whole.source));
  return faults;
};

const body = object(BODY, REQUIRED_FIELDS);

/**
 * Reads the body of `POST /v1/reported`: the record's content with its defaults, or every fault at once.
 * `kind`, `title` and a source are mandatory: a fact without a source is nobody's fact.
 */
export const readReported = (input: unknown): Parsed<ReportedContent> => {
  const faults: Fault[] = [];
  const read = body(input, '', faults);
  const what = read?.what === undefined ? {} : whatRead(read.kind, read.what, faults);
  faults.push(...visibilityFaults(read?.visibility, read?.source));
  if (faults.length > 0 || read?.kind === undefined || read.title === undefined || read.source === undefined) {
    return { ok: false, faults };
  }
  const { kind: reported, title: name, donors = [], beneficiaries = [], kinds = [], instruments = [] } = read;
  const { amounts = 'not-published', dates = {}, claims = [], source: from, statusWords, description, partOf } = read;
  // `kind` and `title` are mandatory in each.
  const papers = read.documents as ReportedContent['documents'];
  return {
    ok: true,
    value: {
      kind: reported,
      title: name,
      donors,
      beneficiaries,
      kinds,
      instruments,
      what: what ?? {},
      visibility: read.visibility ?? (from.kind === 'published' ? 'public' : 'members'),
      amounts,
      dates,
      ...(statusWords === undefined ? {} : { statusWords }),
      ...(description === undefined ? {} : { description }),
      source: from,
      // `value` and `source` are mandatory in each.
      claims: claims as ReportedContent['claims'],
      ...(papers === undefined ? {} : { documents: papers }),
      ...(partOf === undefined ? {} : { partOf }),
    },
  };
};
