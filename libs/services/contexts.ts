import { accountsContext, checksContext } from '#accounts';
import { auditContext } from '#audit';
import { commitmentsContext } from '#commitments';
import { directoryContext, subjectsContext } from '#directory';
import { documentsContext } from '#documents';
import { fundsContext } from '#funds';
import { matchingContext } from '#matching';
import { ClaimedNeeds, needsContext } from '#needs';
import { ClaimedOffers, offersContext } from '#offers';
import { reportedContext } from '#reported';
import type { Context } from '#web';

/** The contexts that one process serves. */
export const contexts: readonly Context[] = [
  directoryContext,
  subjectsContext,
  needsContext,
  offersContext,
  commitmentsContext,
  fundsContext,
  reportedContext([new ClaimedNeeds(), new ClaimedOffers()]),
  accountsContext,
  checksContext,
  documentsContext,
  matchingContext,
  auditContext,
];
