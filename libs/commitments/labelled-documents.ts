import type { Visibility } from '#vocabulary';

/** Whether the caller sees a document under this label that this party listed (undefined where the record does not say who). */
export type AdmitsDocument = (label: Visibility, lister: string | undefined) => boolean;

interface Labelled {
  readonly sha256: unknown;
  readonly label?: unknown;
}

const isLabelled = (value: unknown): value is Labelled & { readonly label: Visibility } =>
  typeof value === 'object' && value !== null && 'sha256' in value && 'label' in value && value.label !== undefined;

/** Whoever the nearest object around a document names as the one who said so, or who owes it. */
const listerIn = (value: object): string | undefined => {
  const { party, by } = value as { readonly party?: unknown; readonly by?: unknown };
  return [party, by].find((each) => typeof each === 'string');
};

/** Values in which no document with a label of its own stands: whoever asks, nothing of them is hidden. */
export type PlainValues = Set<object>;

/** True where a document with a label of its own stands somewhere in the value. */
const holdsLabelled = (value: object, plain: ReadonlySet<object> | undefined): boolean =>
  plain?.has(value) !== true &&
  Object.values(value).some(
    (each: unknown) => typeof each === 'object' && each !== null && (isLabelled(each) || holdsLabelled(each, plain)),
  );

/**
 * Adds a value to those that are plain where it is. Only what differs from the value before it, which may be one of them, is looked at: views of
 * one record that follow each other have most in common.
 */
export const notePlain = (value: object, before: object | undefined, plain: PlainValues): void => {
  if (before !== undefined && !plain.has(before)) return;
  const isPlain = (each: unknown, then: unknown): boolean =>
    each === then || typeof each !== 'object' || each === null || !(isLabelled(each) || holdsLabelled(each, plain));
  const [now, then] = [value, before ?? {}] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const isWhole = Array.isArray(value)
    ? value.every((each, index) => isPlain(each, then[index]))
    : Object.keys(now).every((name) => isPlain(now[name], then[name]));
  if (isWhole) plain.add(value);
};

/** True where a document stands somewhere in the value that its own label hides. */
const hidesAny = (value: object, lister: string | undefined, admits: AdmitsDocument): boolean => {
  const by = Array.isArray(value) ? lister : (listerIn(value) ?? lister);
  for (const each of Object.values(value) as unknown[]) {
    if (typeof each !== 'object' || each === null) continue;
    if (isLabelled(each) && !admits(each.label, listerIn(each) ?? by)) return true;
    if (hidesAny(each, by, admits)) return true;
  }
  return false;
};

/** The value without the documents whose own label hides them, wherever in it they stand. */
export const withoutHidden = (value: object, admits: AdmitsDocument, plain?: ReadonlySet<object>): object => {
  // Most records hold none, and every answer comes this way: looking costs less than copying.
  if (!holdsLabelled(value, plain) || !hidesAny(value, undefined, admits)) return value;
  const shown = (each: unknown, lister: string | undefined): unknown => {
    if (typeof each !== 'object' || each === null) return each;
    if (Array.isArray(each)) return each.filter((one) => isShown(one, lister)).map((one) => shown(one, lister));
    const by = listerIn(each) ?? lister;
    return Object.fromEntries(
      Object.entries(each).flatMap(([name, inner]) => (isShown(inner, by) ? [[name, shown(inner, by)]] : [])),
    );
  };
  const isShown = (each: unknown, lister: string | undefined): boolean =>
    !isLabelled(each) || admits(each.label, listerIn(each) ?? lister);
  return shown(value, undefined) as object;
};
