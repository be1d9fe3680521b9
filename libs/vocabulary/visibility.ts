import { isCodeOf } from './code-list.js';

export const VISIBILITY_VERSION = '1';

/** Who may see a part of a record, from the widest label to the strictest. */
export const VISIBILITIES = ['public', 'members', 'eligible', 'named', 'sealed'] as const;
export type Visibility = (typeof VISIBILITIES)[number];
export const isVisibility = isCodeOf(VISIBILITIES);

/** Labels an annex may carry: never wider than `named`. */
export const ANNEX_VISIBILITIES = ['named', 'sealed'] as const;
export type AnnexVisibility = (typeof ANNEX_VISIBILITIES)[number];
export const isAnnexVisibility = isCodeOf(ANNEX_VISIBILITIES);

/** The stricter of two labels: what a commitment takes from its need's body and its offer once it binds. */
export function stricterVisibility(a: Visibility, b: Visibility): Visibility {
  return VISIBILITIES.indexOf(a) >= VISIBILITIES.indexOf(b) ? a : b;
}
