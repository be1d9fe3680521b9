import type { Quantity } from '#vocabulary';
import { formatQuantity, isDeterminate } from '#vocabulary';
import type { Change } from '#web';

/** Longest text of one side of a change; the data beside it has all of it. */
const LONGEST = 160;

/** By what people tell the elements of a list apart. */
const NAMES = ['line', 'leg', 'n', 'party', 'id', 'code', 'title'] as const;

const IRREGULAR: Readonly<Record<string, string>> = {
  deliveries: 'delivery',
  parties: 'party',
  beneficiaries: 'beneficiary',
};

const one = (several: string): string => IRREGULAR[several] ?? several.replace(/s$/, '');

/** `deliveredCredited` → `delivered credited`. */
const spaced = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isQuantity = (value: unknown): value is Quantity => isObject(value) && typeof value.measure === 'string';

const told = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (isQuantity(value)) return isDeterminate(value) ? formatQuantity(value) : 'undetermined';
  if (Array.isArray(value)) return value.length === 0 ? 'nothing' : value.map(told).join('; ');
  return Object.entries(value)
    .filter(([, inner]) => inner !== null)
    .map(([name, inner]) => `${spaced(name)} ${told(inner)}`)
    .join(', ');
};

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The parts of a path: `legs[0].delivered` → `legs`, 0, `delivered`. */
const partsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) =>
    index === undefined ? name : Number(index),
  );

const within = (value: unknown, part: string | number): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string | number, unknown>>)[part] : undefined;

const elementName = (list: string, index: number, element: unknown): string => {
  const name = isObject(element) ? NAMES.find((each) => element[each] !== undefined) : undefined;
  const said = name === undefined || !isObject(element) ? index + 1 : told(element[name]);
  return `${spaced(one(list))} ${said}`;
};

/**
 * One change of a record in words, such as `leg 1, delivered: was 0 seats, is 4 seats`.
 * @param before @param after the record as it stood; null where it did not, or not for this caller
 */
export const inWords = ({ path, from, to }: Required<Change>, before: object | null, after: object | null): string => {
  const parts = partsOf(path);
  const words: string[] = [];
  let [left, right]: unknown[] = [before, after];
  let [leftHolder, rightHolder]: unknown[] = [before, after];
  for (const part of parts) {
    [leftHolder, rightHolder] = [left, right];
    [left, right] = [within(left, part), within(right, part)];
    if (typeof part === 'string') words.push(spaced(part));
    else words.push(elementName(words.pop() ?? '', part, right ?? left));
  }
  // An amount alone says nothing: the quantity does.
  const ofQuantity = parts.at(-1) === 'amount' && (isQuantity(leftHolder) || isQuantity(rightHolder));
  if (ofQuantity) words.pop();
  const [was, is] = ofQuantity ? [leftHolder ?? null, rightHolder ?? null] : [from, to];
  const what = words.join(', ');
  if (was === null) return `${what}: now ${cut(told(is))}`;
  if (is === null) return `${what}: no more; was ${cut(told(was))}`;
  return `${what}: was ${cut(told(was))}, is ${cut(told(is))}`;
};
