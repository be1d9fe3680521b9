import { REGION_ROWS, STATE_ROWS } from './states.data.js';

export const STATES_VERSION = '1';

/** An entry of ISO 3166-1. Being listed, and how, says nothing about status. */
export interface State {
  /** ISO 3166-1 alpha-3. */
  readonly code: string;
  readonly name: string;
  /** Three-digit UN M49 code. */
  readonly m49: string;
  /** M49 regions and groups that hold it, widest first, `001` included. */
  readonly regions: readonly string[];
  /** The State that administers it, where the source names one. */
  readonly administeredBy?: string;
}

export interface Region {
  /** Three-digit UN M49 code. */
  readonly code: string;
  readonly name: string;
  /** The region that holds it; absent for the World and for groups that cut across regions. */
  readonly parent?: string;
}

// M49's groups cut across its regions: 003 is the continent, 199, 432 and 722 are groups by development.
const GROUPS: Readonly<Record<string, string>> = {
  '003': 'North America',
  '199': 'Least Developed Countries',
  '432': 'Land-locked Developing Countries',
  '722': 'Small Island Developing States',
};
const NORTH_AMERICA = ['013', '021', '029'];

const regions = new Map<string, Region>();
for (const [code, [name, parent]] of Object.entries(REGION_ROWS))
  regions.set(code, { code, name, ...(parent === null ? {} : { parent }) });
for (const [code, name] of Object.entries(GROUPS)) regions.set(code, { code, name });

function withParents(code: string): string[] {
  const parent = regions.get(code)?.parent;
  return parent === undefined ? [code] : [...withParents(parent), code];
}

const states = new Map<string, State>();
for (const [code, [m49, name, region, groups, of]] of Object.entries<readonly [string, string, string, string, string]>(
  STATE_ROWS,
)) {
  const chain = withParents(region);
  const continent = chain.some((each) => NORTH_AMERICA.includes(each)) ? ['003'] : [];
  states.set(code, {
    code,
    name,
    m49,
    regions: [...chain, ...continent, ...groups.split(' ').filter((group) => group !== '')],
    ...(of === '' ? {} : { administeredBy: of }),
  });
}

/** All entries of ISO 3166-1 by alpha-3 code, in alphabetical order. */
export const STATES: readonly State[] = [...states.values()];
/** All M49 regions and groups, the World first. */
export const REGIONS: readonly Region[] = [...regions.values()];

/** True for an ISO 3166-1 alpha-3 code in capitals. */
export function isState(value: unknown): value is string {
  return typeof value === 'string' && states.has(value);
}

/** The entry of an alpha-3 code; undefined when it is none. */
export function stateOf(alpha3: string): State | undefined {
  return states.get(alpha3);
}

/** True for the three-digit code of an M49 region or group. */
export function isRegion(value: unknown): value is string {
  return typeof value === 'string' && regions.has(value);
}

/** The M49 region or group of a code; undefined when it is none. */
export function regionOf(code: string): Region | undefined {
  return regions.get(code);
}

/** True when the M49 region or group holds the State; `001` holds every one. */
export function regionContains(region: string, alpha3: string): boolean {
  return states.get(alpha3)?.regions.includes(region) ?? false;
}

/** The sovereign an alpha-3 entry acts under: the administering State where the source names one, else itself. */
export function sovereignOf(alpha3: string): string {
  return states.get(alpha3)?.administeredBy ?? alpha3;
}
