import { auditContext } from '#audit';
import { directoryContext } from '#directory';
import { offersContext } from '#offers';
import type { Context } from '#web';

/** The contexts that one process serves. */
export const contexts: readonly Context[] = [directoryContext, offersContext, auditContext];
