import type { Caller } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import type { Quantity, Role } from '#vocabulary';
import { minorUnits, quantityOf } from '#vocabulary';
import type { CommandAccess } from '#web';
import { hasAuthority } from '#web';
import type { Contribution, ContributionCommandType } from './contribution.js';
import {
  allowsOnContribution,
  arrivalOf,
  CONTRIBUTION_COMMAND_TYPES,
  CONTRIBUTION_COMMANDS,
  mayOnContribution,
  receivedOf,
  statusOf,
} from './contribution.js';
import type { ContributionEvent } from './fund.contract.js';
import type { FundLabel } from './fund-sight.js';
import { seesLabelled } from './fund-sight.js';
import type { ReasonReader } from './fund.view.js';
import { documentsFor, reasonFor } from './fund.view.js';

const GIVERS: readonly Role[] = ['donor-desk'];
const TAKERS: readonly Role[] = ['donor-desk', 'fiscal-agent', 'implementer'];

/** Who may ever send a command on a contribution. */
export const CONTRIBUTION_ACCESS = {
  PledgeContribution: { action: 'contribution.pledge', roles: GIVERS, power: 'offer' },
  SignContribution: { action: 'contribution.sign', roles: GIVERS, power: 'sign' },
  ReportPayment: { action: 'contribution.pay', roles: GIVERS, power: 'pay' },
  ReportArrival: { action: 'contribution.receive', roles: TAKERS, power: 'pay' },
  RefundContribution: { action: 'contribution.refund', roles: TAKERS, power: 'pay' },
  CloseContribution: { action: 'contribution.close', roles: TAKERS, power: 'pay' },
  CancelContribution: { action: 'contribution.cancel', roles: GIVERS, power: 'sign' },
} as const satisfies Record<ContributionCommandType | 'PledgeContribution', CommandAccess>;

/** How the caller stands to the fund: what its book says of its keepers now. */
export interface FundKeepers {
  readonly administrator?: string;
  readonly insider: boolean;
}

export const mayContribution = (
  caller: Caller,
  type: ContributionCommandType,
  { pledge }: Contribution,
  administrator: string | undefined,
): boolean =>
  caller.roles.some((role) => mayOnContribution(type, { party: caller.party, role }, pledge, administrator));

export const labelOfContribution = (id: string, { pledge: { fund, donor, visibility } }: Contribution): FundLabel => ({
  id,
  fund,
  donor,
  visibility,
});

/** Single payments and their references are for the two sides, who keeps the fund, the coordinator and mandated auditors. */
const seesMoney = (caller: Caller, label: FundLabel, insider: boolean): boolean =>
  seesLabelled(caller, { ...label, visibility: 'named' }, insider);

/** How the caller stands to the reason that `author` gave. */
const readerOf = (caller: Caller, label: FundLabel, insider: boolean, author: string): ReasonReader => ({
  author,
  side: insider || caller.party === label.fund || caller.party === label.donor,
  audits: caller.mandates.length > 0 && seesMoney(caller, label, insider),
});

const minus = (whole: Quantity, ...parts: readonly (Quantity | undefined)[]): bigint =>
  parts.reduce((left, part) => left - (part === undefined ? 0n : minorUnits(part)), minorUnits(whole));

/** The contribution as this caller sees it, but for `revision`. */
export const contributionView = (
  caller: Caller,
  id: string,
  contribution: Contribution,
  { administrator, insider }: FundKeepers,
): object => {
  const { pledge, signed, payments, receipts, refunds, ended } = contribution;
  const { documents, reference, ...given } = pledge;
  const label = labelOfContribution(id, contribution);
  const close = seesMoney(caller, label, insider);
  const received = receivedOf(contribution);
  const missing = minus(pledge.amount, ...receipts.flatMap(({ amount, charges }) => [amount, charges]));
  return {
    id,
    as: 'to-fund',
    ...given,
    status: statusOf(contribution),
    arrival: arrivalOf(contribution),
    received,
    outstanding: quantityOf(pledge.amount, ended === undefined && missing > 0n ? missing : 0n),
    ...(signed === undefined ? {} : { signedOn: signed.date }),
    ...(signed?.valued === undefined ? {} : { valued: signed.valued }),
    ...(documents === undefined ? {} : { documents: documentsFor(caller, label, documents, insider) }),
    ...(ended?.reason === undefined
      ? {}
      : { reason: reasonFor(caller, readerOf(caller, label, insider, ended.party), ended.reason) }),
    ...(close
      ? {
          ...(reference === undefined ? {} : { reference }),
          payments,
          receipts: receipts.map((receipt) => ({ ...receipt, ...discrepancyOf(contribution, receipt) })),
          refunds,
        }
      : {}),
    actions: CONTRIBUTION_COMMAND_TYPES.filter(
      (type) =>
        allowsOnContribution(type, contribution) &&
        mayContribution(caller, type, contribution, administrator) &&
        hasAuthority(caller, CONTRIBUTION_ACCESS[type]),
    ).map((type) => CONTRIBUTION_COMMANDS[type].name),
  };
};

/** What the donor sent under this payment less what arrived of it and what it cost on the way; absent where nothing is amiss. */
const discrepancyOf = (
  { payments, receipts }: Contribution,
  { n, payment }: Contribution['receipts'][number],
): { readonly discrepancy?: Quantity } => {
  const paid = payments.find((each) => each.n === payment);
  const under = receipts.filter((each) => each.payment === payment);
  // Said once, at the last receipt of the payment.
  if (paid === undefined || under.at(-1)?.n !== n) return {};
  const rest = minus(paid.amount, ...under.flatMap(({ amount, charges }) => [amount, charges]));
  return rest === 0n ? {} : { discrepancy: quantityOf(paid.amount, rest) };
};

/** One event of a contribution's history as this caller sees it; undefined keeps only its place. */
export const contributionEventFor = (
  caller: Caller,
  id: string,
  contribution: Contribution,
  event: RecordedEvent<ContributionEvent>,
  insider: boolean,
): object | undefined => {
  const label = labelOfContribution(id, contribution);
  const close = seesMoney(caller, label, insider);
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as ContributionEvent;
  switch (fact.type) {
    case 'ContributionPledged': {
      const { documents, reference, ...given } = fact.data;
      return {
        ...given,
        ...(close && reference !== undefined ? { reference } : {}),
        ...(documents === undefined ? {} : { documents: documentsFor(caller, label, documents, insider) }),
      };
    }
    case 'ContributionClosed':
    case 'ContributionCancelled': {
      const { party, reason } = fact.data;
      return {
        party,
        ...(reason === undefined ? {} : { reason: reasonFor(caller, readerOf(caller, label, insider, party), reason) }),
      };
    }
    case 'ContributionSigned': {
      const { reference, ...signed } = fact.data;
      return { ...signed, ...(close && reference !== undefined ? { reference } : {}) };
    }
    default:
      return close ? fact.data : undefined;
  }
};
