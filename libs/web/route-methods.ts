/** The methods that each address has, by the patterns of the routes alone: it says the same of a record that is there, hidden or absent. */
export class RouteMethods {
  private readonly methods = new Map<string, Set<string>>();

  /** @param pattern as the router has it, such as `/v1/needs/:id` or `/log/tile/*` */
  add(pattern: string, method: string): void {
    const known = this.methods.get(pattern) ?? new Set(['OPTIONS']);
    this.methods.set(pattern, known.add(method));
  }

  /** @param path without its query, as it came @returns in the order of the alphabet; none where no route has this address */
  at(path: string): readonly string[] {
    const parts = path.split('/').map(decoded);
    const found = [...this.methods].filter(([pattern]) => holds(pattern.split('/'), parts));
    return [...new Set(found.flatMap(([, methods]) => [...methods]))].sort();
  }
}

const holds = (wanted: readonly string[], parts: readonly string[]): boolean => {
  const open = wanted.at(-1) === '*';
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return wanted.every((part, at) => part === '*' || (part.startsWith(':') ? parts[at] !== '' : part === parts[at]));
};

/** The router reads `%6E` as `n`. What cannot be read it has refused before. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};
