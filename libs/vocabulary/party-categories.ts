import { isCodeOf } from './code-list.js';

export const PARTY_CATEGORIES_VERSION = '1';

/** What sort of body a party is. */
export const PARTY_CATEGORIES = [
  'bilateral',
  'regional',
  'multilateral',
  'sub-national',
  'fund',
  'foundation',
  'un-entity',
  'ngo',
  'private',
] as const;
export type PartyCategory = (typeof PARTY_CATEGORIES)[number];
export const isPartyCategory = isCodeOf(PARTY_CATEGORIES);

/** How a party belongs to a network. */
export const MEMBER_ROLES = ['member', 'associate', 'observer'] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];
export const isMemberRole = isCodeOf(MEMBER_ROLES);

/** Sorts of implementer an earmark may ask for: the party categories, and bodies of the beneficiary State. */
export const IMPLEMENTER_TYPES = [
  'bilateral',
  'regional',
  'multilateral',
  'sub-national',
  'fund',
  'foundation',
  'un-entity',
  'ngo',
  'private',
  'state',
] as const;
export type ImplementerType = (typeof IMPLEMENTER_TYPES)[number];
export const isImplementerType = isCodeOf(IMPLEMENTER_TYPES);
