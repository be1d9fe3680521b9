/** A place in which two values differ. */
export interface Change {
  /** Place in the record, such as `legs[0].delivered.amount`. */
  readonly path: string;
  /** Absent where there was nothing. */
  readonly from?: unknown;
  /** Absent where nothing is left. */
  readonly to?: unknown;
}

const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Where two JSON values differ: leaf by leaf where both have a branch, else the whole of what came or went. */
export const differences = (from: unknown, to: unknown, path = ''): Change[] => {
  const found: Change[] = [];
  collect(from, to, path, found);
  return found;
};

const collect = (from: unknown, to: unknown, path: string, found: Change[]): void => {
  // What a fold left untouched is the same object: nothing in it can differ.
  if (from === to) return;
  if (!isBranch(from) || !isBranch(to)) {
    found.push({ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    return;
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    for (let index = 0; index < Math.max(from.length, to.length); index += 1) {
      if (from[index] !== to[index]) collect(from[index], to[index], `${path}[${index}]`, found);
    }
    return;
  }
  const [before, after] = [entriesOf(from), entriesOf(to)];
  const compare = (key: string): void => {
    const left = before[key];
    const right = after[key];
    if (left !== right) collect(left, right, `${path}${key.startsWith('[') || path === '' ? '' : '.'}${key}`, found);
  };
  for (const key of Object.keys(before)) compare(key);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) compare(key);
};

const entriesOf = (value: object): Readonly<Record<string, unknown>> =>
  Array.isArray(value)
    ? Object.fromEntries(value.map((element: unknown, index) => [`[${index}]`, element]))
    : (value as Record<string, unknown>);

/** A change as it is served: `null` stands for what is not there. */
export const withNulls = ({ path, from = null, to = null }: Change): Required<Change> => ({ path, from, to });
