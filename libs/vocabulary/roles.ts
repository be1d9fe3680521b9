import { isCodeOf } from './code-list.js';

export const ROLES_VERSION = '1';

/** Roles a token may claim. */
export const ROLES = [
  'npc',
  'mission',
  'line-ministry',
  'donor-desk',
  'implementer',
  'fiscal-agent',
  'network-host',
  'coordinator',
  'auditor',
  'operator',
] as const;
export type Role = (typeof ROLES)[number];
export const isRole = isCodeOf(ROLES);

/** Offices a party may designate a holder for. The operator is hosting staff and is nobody's designation. */
export const OFFICES = [
  'npc',
  'mission',
  'line-ministry',
  'donor-desk',
  'implementer',
  'fiscal-agent',
  'network-host',
  'coordinator',
  'auditor',
] as const;
export type Office = (typeof OFFICES)[number];
export const isOffice = isCodeOf(OFFICES);

/** What a designation may allow. */
export const POWERS = [
  'file',
  'consent',
  'accept',
  'sign',
  'confirm',
  'offer',
  'propose',
  'pay',
  'deliver',
  'designate',
] as const;
export type Power = (typeof POWERS)[number];
export const isPower = isCodeOf(POWERS);

/**
 * What each role may do where no designation narrows it (DOMAIN, roles table).
 * A State that offers does so through its `donor-desk`: the State offices never post offers.
 * A fiscal agent holds and passes on money and never decides.
 */
export const ROLE_POWERS: Readonly<Record<Role, readonly Power[]>> = {
  npc: ['file', 'consent', 'accept', 'sign', 'confirm', 'propose', 'pay', 'deliver'],
  mission: ['file', 'consent', 'accept', 'sign', 'confirm', 'propose', 'pay', 'deliver', 'designate'],
  'line-ministry': ['file', 'consent', 'accept', 'sign', 'confirm', 'propose', 'pay', 'deliver'],
  'donor-desk': ['offer', 'propose', 'accept', 'sign', 'pay', 'consent', 'deliver', 'designate'],
  implementer: ['consent', 'deliver', 'pay', 'offer', 'propose', 'accept', 'sign', 'designate'],
  'fiscal-agent': ['consent', 'pay', 'designate'],
  'network-host': ['file', 'offer', 'propose', 'consent', 'accept', 'sign', 'confirm', 'pay', 'deliver', 'designate'],
  coordinator: [],
  auditor: [],
  operator: [],
};
