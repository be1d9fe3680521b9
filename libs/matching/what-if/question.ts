import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { NeedChanges } from '#needs/filing';
import { AmendNeedDto, changesOf as needChangesOf, contentOf as needContentOf, FILING_ROLES } from '#needs/filing';
import type { OfferChanges } from '#offers/posting';
import { AmendOfferDto, changesOf as offerChangesOf, contentOf as offerContentOf, DESK_ROLES } from '#offers/posting';
import type { FieldError } from '#web';
import { DEFAULT_LIMIT, invalid, validated } from '#web';
import type { AllocationOrder } from '../allocation/allocation.contract.js';
import { orderOf } from '../allocation/allocations.dto.js';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { NEWEST, type RulesetVersion } from '../rules/rulesets.js';
import type { SupposedChange } from './supposing.js';
import type { ChangeDto, WhatIfDto } from './what-if.dto.js';
import { MOST_ASKED, SupposedNeedDto, SupposedOfferDto } from './what-if.dto.js';

/** A record that there is, and where the request names it. */
export interface Named {
  readonly id: string;
  readonly field: string;
}

/** What is asked, once the body is found well-formed. */
export interface Question {
  /** Records that there are and whose matches are asked for; those that change too. */
  readonly needs: readonly Named[];
  readonly offers: readonly Named[];
  /** Records that there are not, by reference. */
  readonly newNeeds: ReadonlyMap<string, Omit<IndexedNeed, 'openedAt' | 'reaffirmBy'>>;
  readonly newOffers: ReadonlyMap<string, Omit<IndexedOffer, 'openedAt'>>;
  readonly changes: readonly (SupposedChange & { readonly field: string })[];
  readonly withBlocked: boolean;
  readonly limit: number;
  readonly ruleset: RulesetVersion;
  readonly allocation?: AllocationOrder;
}

/** @throws {Problem} 400 for what the whole of the body shows to be wrong */
export const questionOf = (body: WhatIfDto, caller: Caller): Question => {
  const {
    offers = [],
    needs = [],
    change = [],
    includeBlocked = false,
    limit = DEFAULT_LIMIT,
    ruleset = NEWEST,
  } = body;
  const errors: FieldError[] = change.flatMap((each, place) => changeFaults(each, `change[${place}]`));
  if (errors.length > 0) throw invalid(errors);
  const changes = change.map((each, place) => ({ ...changeOf(each), field: `change[${place}]` }));
  const asked: Question = {
    needs: distinct([...idsIn(needs, 'needs'), ...changes.flatMap((each) => namedBy(each, 'needId'))]),
    offers: distinct([...idsIn(offers, 'offers'), ...changes.flatMap((each) => namedBy(each, 'offerId'))]),
    newNeeds: createdIn(
      needs,
      'need',
      (element, field) => {
        const dto = read(SupposedNeedDto, element);
        return [dto.ref, supposedNeed(dto, caller, field, errors)] as const;
      },
      errors,
    ),
    newOffers: createdIn(
      offers,
      'offer',
      (element, field) => {
        const dto = read(SupposedOfferDto, element);
        return [dto.ref, supposedOffer(dto, caller, field, errors)] as const;
      },
      errors,
    ),
    changes,
    ...{ withBlocked: includeBlocked, limit, ruleset },
    ...(body.allocation === undefined ? {} : { allocation: orderOf(body.allocation, 'allocation.') }),
  };
  for (const ref of asked.newNeeds.keys()) {
    if (asked.newOffers.has(ref))
      errors.push({ field: 'offers', message: `the reference ${ref} is that of a need too` });
  }
  const size = asked.needs.length + asked.offers.length + asked.newNeeds.size + asked.newOffers.size;
  if (size === 0) errors.push({ field: '', message: 'must name something in offers, needs or change' });
  if (size > MOST_ASKED) {
    errors.push({ field: '', message: `is about ${size} records: ask about at most ${MOST_ASKED} at once` });
  }
  if (errors.length > 0) throw invalid(errors);
  return asked;
};

const changeFaults = (
  { offerId, needId, set, add, line, newLines, unlock }: ChangeDto,
  field: string,
): FieldError[] => {
  if (unlock !== undefined) {
    return [
      ...(offerId === undefined || needId === undefined
        ? [{ field: `${field}.unlock`, message: 'stands beside needId and offerId, the pairing that it unlocks' }]
        : []),
      ...Object.entries({ set, add, line, newLines })
        .filter(([, value]) => value !== undefined)
        .map(([name]) => ({ field: `${field}.${name}`, message: 'is a change of its own: not beside unlock' })),
    ];
  }
  const one = (offerId === undefined) !== (needId === undefined);
  return [
    ...(one ? [] : [{ field, message: 'names one record, by offerId or needId; both only beside unlock' }]),
    ...(set === undefined && add === undefined && newLines === undefined
      ? [{ field, message: 'says what changes: set, add, newLines or unlock' }]
      : []),
    ...(line !== undefined && add === undefined
      ? [{ field: `${field}.line`, message: 'stands beside add; lines are changed with set.lines' }]
      : []),
  ];
};

const changeOf = ({ offerId, needId, set, add, line, newLines, unlock }: ChangeDto): SupposedChange => {
  if (unlock !== undefined) return { needId: needId ?? '', offerId: offerId ?? '', unlock };
  const more = { ...(add === undefined ? {} : { add }), ...(line === undefined ? {} : { line }) };
  const amended = newLines === undefined ? {} : { lines: newLines };
  if (offerId !== undefined) {
    const changes = (asked: object): OfferChanges => offerChangesOf(read(AmendOfferDto, asked), '');
    const { lines } = changes(amended);
    return {
      ...{ offerId, ...more },
      ...(set === undefined ? {} : { set: changes(set) }),
      ...(lines === undefined ? {} : { newLines: lines }),
    };
  }
  const changes = (asked: object): NeedChanges => needChangesOf(read(AmendNeedDto, asked));
  const { lines } = changes(amended);
  return {
    ...{ needId: needId ?? '', ...more },
    ...(set === undefined ? {} : { set: changes(set) }),
    ...(lines === undefined ? {} : { newLines: lines }),
  };
};

/** What the body's own check has found to be well-formed. */
const read = <T extends object>(dto: new () => T, value: object): T => {
  const result = validated(dto, value);
  if (!result.ok) throw invalid(result.errors);
  return result.value as T;
};

const idsIn = (list: readonly (string | object)[], name: string): readonly Named[] =>
  list.flatMap((element, place) => (typeof element === 'string' ? [{ id: element, field: `${name}[${place}]` }] : []));

const namedBy = (change: SupposedChange & { readonly field: string }, name: 'needId' | 'offerId'): readonly Named[] =>
  name in change
    ? [{ id: (change as unknown as Readonly<Record<string, string>>)[name] ?? '', field: `${change.field}.${name}` }]
    : [];

const distinct = (named: readonly Named[]): readonly Named[] =>
  [...new Map([...named].reverse().map((each) => [each.id, each])).values()].reverse();

const createdIn = <T>(
  list: readonly (string | object)[],
  kind: 'need' | 'offer',
  made: (element: object, field: string) => readonly [ref: string | undefined, record: T],
  errors: FieldError[],
): ReadonlyMap<string, T> => {
  const created = new Map<string, T>();
  list.forEach((element, place) => {
    if (typeof element === 'string') return;
    const field = `${kind}s[${place}]`;
    const [ref = `${kind}-${place + 1}`, record] = made(element, field);
    if (created.has(ref))
      errors.push({ field: `${field}.ref`, message: `${ref} stands here twice: give each its own` });
    created.set(ref, record);
  });
  return created;
};

/** Everyone it names takes part. It has no filer: behind it stands whoever asks. */
const supposedNeed = (
  dto: SupposedNeedDto,
  caller: Caller,
  field: string,
  errors: FieldError[],
): Omit<IndexedNeed, 'openedAt' | 'reaffirmBy'> => {
  const { ref: _, ...body } = dto;
  const own = hasRole(caller, ...FILING_ROLES) ? [caller.party] : [];
  const beneficiaries = dto.beneficiaries ?? (dto.onBehalfOf === undefined ? own : [dto.onBehalfOf]);
  if (beneficiaries.length === 0) {
    errors.push({ field: `${field}.beneficiaries`, message: 'must say for whom, such as ["state:VUT"]' });
  }
  return { open: true, filer: '', beneficiaries, consents: beneficiaries, content: needContentOf(body), reserved: {} };
};

const supposedOffer = (
  dto: SupposedOfferDto,
  caller: Caller,
  field: string,
  errors: FieldError[],
): Omit<IndexedOffer, 'openedAt'> => {
  const { ref: _ref, donor, ...body } = dto;
  const own = hasRole(caller, ...DESK_ROLES) ? caller.party : '';
  const provider = donor ?? dto.providers?.[0]?.party ?? own;
  if (dto.providers?.some(({ party }) => party === provider) === false) {
    errors.push({ field: `${field}.providers`, message: `must hold its lead (${provider})` });
  }
  return { status: 'open', provider, content: offerContentOf(body, provider), reserved: {} };
};
