import type { NeedContent, NeedLine, NeedVisibility } from '#needs/contract';
import type { OfferContent, OfferLine, Provider } from '#offers/contract';
import type { Determinate, Quantity, Visibility } from '#vocabulary';
import { addDecimals, compare, compareDecimals, decimal, isDeterminate, parseQuantity } from '#vocabulary';
import type { PartyRef, ReportedContent } from './reported.contract.js';
import type { Claimant } from './reported.js';
import { meansDonor } from './reported.js';

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

/** Kinds of parties that may stand among the providers of an offer. */
const PROVIDER_KINDS: readonly string[] = ['donor', 'fund', 'state', 'agency', 'network'];

/** The smallest lot of a published line, where it is an amount of its capacity's measure that fits into it. */
const lotOf = (capacity: Determinate, minimumLot: string | undefined): object => {
  const lot = parseQuantity({ ...capacity, amount: minimumLot }, { unlimited: false, published: true });
  return lot.ok && isDeterminate(lot.value) && compare(lot.value, capacity) <= 0
    ? { minimumLot: lot.value.amount }
    : {};
};

interface PublishedProvider {
  readonly party: PartyRef;
  readonly share?: string;
}

/**
 * The donors of a joint offer as its draft can hold them: the claimant, who leads, and those published by their party id. `complete`
 * where that is everyone who was published.
 */
const providersIn = (
  { donors, what }: ReportedContent,
  claimant: Claimant,
): { readonly providers: readonly Provider[]; readonly complete: boolean } => {
  const published =
    'providers' in what && Array.isArray(what.providers)
      ? (what.providers as readonly PublishedProvider[])
      : donors.map((party): PublishedProvider => ({ party }));
  const own = published.find(({ party }) => meansDonor(party, claimant));
  const others = published.filter(({ party }) => !meansDonor(party, claimant));
  const known = new Map<string, PublishedProvider>();
  for (const provider of others) {
    const [party] = partyIds([provider.party]);
    if (party !== undefined && PROVIDER_KINDS.includes(party.slice(0, party.indexOf(':')))) known.set(party, provider);
  }
  const providers = [[claimant.party, own] as const, ...known].map(([party, given]): Provider => ({
    party,
    ...(given?.share === undefined ? {} : { share: given.share }),
  }));
  const total = providers.reduce((sum, { share = '0' }) => addDecimals(sum, decimal(share)), decimal('0'));
  // A published split that is more than the whole is no split: the parties state theirs.
  const split = compareDecimals(total, decimal('100')) <= 0 ? providers : providers.map(({ party }) => ({ party }));
  return { providers: split, complete: known.size === new Set(others.map(({ party }) => JSON.stringify(party))).size };
};

/**
 * The draft offer that a donor's claim makes. Several donors that are known by their party ids make it a joint one. Capacities that are
 * not published, or published of several of whom not all are known, are left to the donor: an offer's line needs a figure.
 */
export const offerFromReport = (content: ReportedContent, claimant: Claimant): OfferContent => {
  const { what } = content;
  const amount = onlyAmount(content);
  const { providers, complete } = providersIn(content, claimant);
  const published = !complete ? [] : (what.lines ?? (amount === undefined ? [] : [{ capacity: amount }]));
  const lines = published
    .map(({ kinds, description, capacity, minimumLot }): Omit<OfferLine, 'line'> | undefined =>
      capacity === undefined || !isDeterminate(capacity)
        ? undefined
        : {
            kinds: kinds ?? content.kinds,
            ...(description === undefined ? {} : { description }),
            capacity,
            ...lotOf(capacity, minimumLot),
          },
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
    ...(providers.length > 1 ? { providers } : {}),
    ...(description === undefined ? {} : { description }),
    lines,
    earmark: (what.earmark as OfferContent['earmark'] | undefined) ?? {},
    conditions: (what.conditions as OfferContent['conditions'] | undefined) ?? [],
    visibility: (what.visibility as Visibility | undefined) ?? 'members',
    named: (what.named as readonly string[] | undefined) ?? [],
  };
};
