import { rateFault } from './decimals.js';
import { momentFault } from './moments.js';
import { textFaults, TITLE_MAX } from './text.js';
import type { Fault, Parsed } from './text.js';

/** How a drawn quantity became a credited one of another measure; a stored one never changes (I12). */
export type Valuation =
  | {
      /** Credited units per drawn unit, a decimal string above 0. */
      readonly rate: string;
      /** The moment the rate was valid, at the precision its source gives. */
      readonly asOf: string;
      readonly source: string;
    }
  | {
      readonly basis: 'agreed-lump-sum';
      /** The document in which both sides agreed the sum. */
      readonly reference: string;
    };

/** Reads a valuation from untrusted JSON; every fault at once. */
export function parseValuation(input: unknown): Parsed<Valuation> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return {
      ok: false,
      faults: [{ path: '', message: 'must be {"rate","asOf","source"} or {"basis":"agreed-lump-sum","reference"}' }],
    };
  }
  const fields = input as Record<string, unknown>;
  const lumpSum = Object.hasOwn(fields, 'basis');
  const known = lumpSum ? ['basis', 'reference'] : ['rate', 'asOf', 'source'];
  const faults: Fault[] = [];
  const check = (path: string, message: string | undefined): void => {
    if (message !== undefined) faults.push({ path, message });
  };
  for (const path of Object.keys(fields)) {
    if (!known.includes(path)) check(path, `is not a field of this valuation: remove it (known: ${known.join(', ')})`);
  }
  if (lumpSum) {
    check('basis', fields.basis === 'agreed-lump-sum' ? undefined : 'must be agreed-lump-sum');
    for (const message of textFaults(fields.reference, { max: TITLE_MAX })) check('reference', message);
  } else {
    check('rate', rateFault(fields.rate));
    check('asOf', momentFault(fields.asOf));
    for (const message of textFaults(fields.source, { max: TITLE_MAX })) check('source', message);
  }
  if (faults.length > 0) return { ok: false, faults };
  const value: Valuation = lumpSum
    ? { basis: 'agreed-lump-sum', reference: fields.reference as string }
    : { rate: fields.rate as string, asOf: fields.asOf as string, source: fields.source as string };
  return { ok: true, value };
}
