/** A type guard for one of our code lists; exact, case-sensitive, and safe for any JSON value. */
export function isCodeOf<const Code extends string>(codes: readonly Code[]): (value: unknown) => value is Code {
  const known = new Set<unknown>(codes);
  return (value): value is Code => known.has(value);
}
