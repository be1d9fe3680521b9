import { advancesAgeing } from './advances-ageing.js';
import { bodyInterests } from './body-interests.js';
import type { Check } from './check.js';
import { contributionsUnpaid } from './contributions-unpaid.js';
import { duplicateReferences } from './duplicate-references.js';
import { earlyInstalments } from './early-instalments.js';
import { earmarks } from './earmarks.js';
import { feeRates } from './fee-rates.js';
import { lateEntries } from './late-entries.js';
import { reportsLate } from './reports-late.js';
import { sameHands } from './same-hands.js';

/** The checks an auditor runs, in the order they are listed. */
export const CHECKS: readonly Check[] = [
  contributionsUnpaid,
  advancesAgeing,
  feeRates,
  earmarks,
  duplicateReferences,
  sameHands,
  bodyInterests,
  lateEntries,
  earlyInstalments,
  reportsLate,
];
