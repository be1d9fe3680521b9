import type { Context } from '#web';

/** The contexts that one process serves. */
export const contexts: readonly Context[] = [];
