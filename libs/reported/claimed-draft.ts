import type { NeedContent, NeedLine, NeedVisibility } from '#needs/contract';
import type { OfferContent, OfferLine } from '#offers/contract';
import type { Quantity, Visibility } from '#vocabulary';
import { isDeterminate } from '#vocabulary';
import type { ReportedContent } from './reported.contract.js';

const NOT_STATED: Quantity = { measure: 'undetermined', why: 'not-stated' };

/** A figure published for several is nobody's alone, and an unpublished split is never divided by us. */
const isShared = (parties: readonly unknown[]): boolean => parties.length > 1;

/** The one published figure, where there is exactly one: two figures may be the same money in two currencies. */
const onlyAmount = ({ amounts }: ReportedContent): Quantity | undefined =>
  amounts !== 'not-published' && amounts.length === 1 ? amounts[0] : undefined;

/** What stays of `what` once the fields that have their own place are taken out. */
const without = (what: object, ...fields: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(what).filter(([field]) => !fields.includes(field)));

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** References to others that a draft can hold: party ids. Published names stay in the reported record. */
const partyIds = (refs: unknown): readonly string[] =>
  Array.isArray(refs) ? refs.filter((ref): ref is string => typeof ref === 'string' && ref.includes(':')) : [];

/** Documents a draft can hold: those whose hash is known. */
const documentsIn = ({ what, documents = [] }: ReportedContent): object => {
  const own = Array.isArray(what.documents) ? (what.documents as object[]) : [];
  const hashed = [...own, ...documents].filter((document) => 'sha256' in document);
  return hashed.length === 0 ? {} : { documents: hashed };
};

const needVisibility = (given: unknown): NeedVisibility => {
  const defaults: NeedVisibility = { summary: 'members', body: 'members', annex: 'sealed' };
  if (typeof given === 'string') return { ...defaults, summary: given as Visibility, body: given as Visibility };
  return typeof given === 'object' && given !== null ? { ...defaults, ...given } : defaults;
};

/**
 * The draft need that a beneficiary's claim makes: what was published and nothing else. A line whose kind nobody published is left
 * to the party to write; a quantity nobody published, or published for several together, is `undetermined`. The labels are a
 * draft's defaults, however public the publication: the State says anew who may see its need.
 */
export const needFromReport = (content: ReportedContent): NeedContent => {
  const { what } = content;
  const [firstKind] = content.kinds;
  const amount = onlyAmount(content);
  const shared = isShared(content.beneficiaries);
  const published =
    what.lines ??
    (amount === undefined
      ? []
      : [{ quantity: amount, ...(content.description === undefined ? {} : { description: content.description }) }]);
  const lines = published
    .map(({ kind, description, quantity }): Omit<NeedLine, 'line'> | undefined => {
      const known = kind ?? firstKind;
      if (known === undefined) return undefined;
      return {
        kind: known,
        ...(description === undefined ? {} : { description }),
        quantity: shared ? NOT_STATED : (quantity ?? NOT_STATED),
      };
    })
    .filter((line) => line !== undefined)
    .map((line, index): NeedLine => ({ line: index + 1, ...line }));
  const problem = asText(what.problem) ?? content.description;
  const approached = Array.isArray(what.approached)
    ? (what.approached as { readonly party?: unknown }[]).filter(({ party }) => partyIds([party]).length === 1)
    : [];
  const [proposedImplementer] = partyIds([what.proposedImplementer]);
  return {
    urgency: 'normal',
    traffickingNexus: false,
    oversubscription: false,
    named: [],
    // Read by `readReported`, so every field left has the shape that a need's creation gives it.
    ...(without(
      what,
      'implementers',
      'beneficiaries',
      'onBehalfOf',
      'lines',
      'visibility',
      'documents',
      'approached',
      'proposedImplementer',
    ) as Partial<NeedContent>),
    ...documentsIn(content),
    title: asText(what.title) ?? content.title,
    kinds: (what.kinds as NeedContent['kinds'] | undefined) ?? content.kinds,
    instruments: (what.instruments as NeedContent['instruments'] | undefined) ?? content.instruments,
    lines,
    ...(problem === undefined ? {} : { problem }),
    ...(approached.length === 0 ? {} : { approached: approached as NonNullable<NeedContent['approached']> }),
    ...(proposedImplementer === undefined ? {} : { proposedImplementer }),
    visibility: needVisibility(what.visibility),
  };
};

/**
 * The draft offer that a donor's claim makes. Capacities that are not published, or published of several donors together, are left
 * to the donor: an offer's line needs a figure.
 */
export const offerFromReport = (content: ReportedContent): OfferContent => {
  const { what } = content;
  const amount = onlyAmount(content);
  const published = isShared(content.donors)
    ? []
    : (what.lines ?? (amount === undefined ? [] : [{ capacity: amount }]));
  const lines = published
    .map(({ kinds, description, capacity }): Omit<OfferLine, 'line'> | undefined =>
      capacity === undefined || !isDeterminate(capacity)
        ? undefined
        : { kinds: kinds ?? content.kinds, ...(description === undefined ? {} : { description }), capacity },
    )
    .filter((line) => line !== undefined)
    .map((line, index): OfferLine => ({ line: index + 1, ...line }));
  const description = asText(what.description) ?? content.description;
  return {
    ...(without(
      what,
      'implementers',
      'providers',
      'fund',
      'kinds',
      'instruments',
      'lines',
      'visibility',
      'documents',
    ) as Partial<OfferContent>),
    ...documentsIn(content),
    title: asText(what.title) ?? content.title,
    ...(description === undefined ? {} : { description }),
    lines,
    earmark: (what.earmark as OfferContent['earmark'] | undefined) ?? {},
    conditions: (what.conditions as OfferContent['conditions'] | undefined) ?? [],
    visibility: (what.visibility as Visibility | undefined) ?? 'members',
    named: (what.named as readonly string[] | undefined) ?? [],
  };
};
