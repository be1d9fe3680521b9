import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { CommitmentRejectionCode } from './commitment.js';

type OwnCode = Exclude<CommitmentRejectionCode, 'forbidden' | 'not-found'>;

const refusal = (title: string): ProblemInfo => ({ status: 409, title });

/** What each refusal of a commitment looks like over HTTP: exhaustive, or it does not compile. */
export const COMMITMENT_PROBLEMS: Readonly<Record<OwnCode, ProblemInfo>> = registerProblems({
  'already-exists': refusal('The record exists already'),
  'need-not-open': refusal('The need is not open'),
  'offer-not-open': refusal('The offer is not open'),
  earmark: refusal('The offer’s earmark excludes this need'),
  'unknown-line': refusal('There is no such line'),
  'undetermined-line': refusal('The line has no quantity yet'),
  'measure-mismatch': refusal('The measures do not fit'),
  'valuation-required': refusal('A valuation is required'),
  'valuation-mismatch': refusal('The valuation does not fit the quantities'),
  'unknown-agency': refusal('The agency is not registered'),
  'unknown-signatory': refusal('The party cannot sign this commitment'),
  'below-minimum-lot': refusal('Less is drawn than the offer’s minimum lot'),
  'unknown-leg': refusal('There is no such leg'),
  'unknown-transfer': refusal('There is no such transfer'),
  'unknown-beneficiary': refusal('The party is no beneficiary of this commitment'),
  expired: refusal('The time limit has passed'),
  'not-due': refusal('The deadline has not come'),
  'not-proposed': refusal('The commitment is not a proposal any more'),
  'not-accepted': refusal('The commitment is not accepted'),
  'not-binding': refusal('The commitment is not binding'),
  'not-confirmed': refusal('The commitment is neither confirmed nor cancelled'),
  'not-held': refusal('The offer has not held capacity'),
  'own-proposal': refusal('A proposal is not accepted by its own side'),
  'own-delivery': refusal('A delivery is not confirmed by its own side'),
  'acceptance-pending': refusal('The acceptance awaits the need’s answer'),
  'already-consented': refusal('The agency has consented'),
  'already-declined': refusal('The agency has declined'),
  'already-signed': refusal('The signatory has signed'),
  'already-confirmed': refusal('The delivery is confirmed'),
  'already-disputed': refusal('The delivery is disputed'),
  'already-settled': refusal('The discrepancy is settled'),
  'already-proposed': refusal('This side has proposed the closing'),
  'currency-mismatch': refusal('The currencies do not fit'),
  'onward-mismatch': refusal('Only the receiver of a transfer passes it on'),
  'refund-mismatch': refusal('A refund goes back the way the transfer came'),
  'over-refund': refusal('More would be refunded than was sent'),
  'over-disbursement': refusal('More would be paid out than is bound'),
  'over-delivery': refusal('More would be delivered than is committed'),
  'over-confirmation': refusal('More would be confirmed than was reported'),
  'open-discrepancies': refusal('Discrepancies are open'),
  'unknown-instalment': refusal('There is no such instalment'),
  'unknown-condition': refusal('There is no such condition'),
  'unknown-report': refusal('There is no such report'),
  'over-schedule': refusal('More is planned than the money legs bind'),
  'terms-mismatch': refusal('The terms do not fit the commitment'),
  'terms-in-use': refusal('What was paid, filed or answered cannot vanish'),
  'not-an-extension': refusal('An extension moves dates later and nothing else'),
  suspended: refusal('The commitment is suspended'),
  'already-suspended': refusal('This side has suspended the commitment'),
  'not-suspended': refusal('This side has suspended nothing'),
  'own-condition': refusal('A condition is not answered by the side it lies on'),
  'own-report': refusal('A report is not answered by its author’s side'),
  'already-answered': refusal('It has been answered'),
  'not-filed': refusal('The report is not filed'),
  'open-reports': refusal('Reports are owed'),
});

/** What offer, need or a closing answered while a caller waited (`Prefer: wait`). */
export const ANSWER_PROBLEMS = registerProblems({
  'insufficient-capacity': refusal('The offer has not enough capacity left'),
  'insufficient-coverage': refusal('The need needs less than that'),
  'need-closed': refusal('The need has closed'),
  'offer-closed': refusal('The offer has closed'),
});
