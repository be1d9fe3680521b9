import type { ProblemInfo } from '#web';

/** Refusals of a question about what would be. */
export const WHAT_IF_PROBLEMS = {
  'change-refused': { status: 409, title: 'The change could not be made' },
  'too-large-to-wait': { status: 409, title: 'Too large to be solved while you wait' },
} as const satisfies Readonly<Record<string, ProblemInfo>>;
