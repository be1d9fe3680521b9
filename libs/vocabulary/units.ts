export const UNITS_VERSION = '1';

/**
 * Units of `items` and the decimals each is counted to. A unit that is not listed is counted in whole numbers:
 * a State must be able to ask for what it lacks before anyone has registered a unit for it.
 */
const UNIT_SCALES = {
  tonne: 3,
  kilogram: 3,
  litre: 3,
  'cubic-metre': 3,
  'square-metre': 2,
  hectare: 4,
  metre: 2,
  kilometre: 3,
  hour: 1,
  day: 1,
  week: 1,
  month: 1,
  weapon: 0,
  round: 0,
  shell: 0,
  rocket: 0,
  mine: 0,
  'explosive-device': 0,
  'marking-machine': 0,
  'stamping-machine': 0,
  'weapon-cutter': 0,
  shredder: 0,
  furnace: 0,
  safe: 0,
  'gun-rack': 0,
  lock: 0,
  padlock: 0,
  alarm: 0,
  camera: 0,
  fence: 0,
  gate: 0,
  container: 0,
  vehicle: 0,
  boat: 0,
  trailer: 0,
  forklift: 0,
  generator: 0,
  site: 0,
  'storage-site': 0,
  building: 0,
  facility: 0,
  laboratory: 0,
  armoury: 0,
  workshop: 0,
  course: 0,
  meeting: 0,
  mission: 0,
  campaign: 0,
  survey: 0,
  project: 0,
  programme: 0,
  document: 0,
  law: 0,
  regulation: 0,
  manual: 0,
  translation: 0,
  licence: 0,
  computer: 0,
  server: 0,
  printer: 0,
  database: 0,
  radio: 0,
  scanner: 0,
  detector: 0,
  microscope: 0,
  dog: 0,
  kit: 0,
  set: 0,
  ticket: 0,
  expert: 0,
  trainer: 0,
  request: 0,
  lot: 0,
  piece: 0,
} as const;

const scales = new Map<string, number>(Object.entries(UNIT_SCALES));
const UNIT = /^[a-z][a-z0-9-]{0,39}$/;

/** Registered units, in the order of the register. */
export const UNITS: readonly string[] = [...scales.keys()];

/** True for a well-formed unit: a kebab-case slug in the singular, registered or not. */
export function isUnit(value: unknown): value is string {
  return typeof value === 'string' && UNIT.test(value);
}

/** Decimals an amount of this unit may have; 0 for a unit outside the register. */
export function unitScale(unit: string): number {
  return scales.get(unit) ?? 0;
}
