import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import type { Quantity, Role } from '#vocabulary';
import type { CommandAccess } from '#web';
import { hasAuthority } from '#web';
import type { FundDocument, FundEvent, FundReason, FundTerms } from './fund.contract.js';
import type { Contributions } from './fund-boards.js';
import { seesBook, seesLabelled } from './fund-sight.js';
import type { AllocationDecision, FundBook, FundCommandType } from './fund.js';
import { FUND_COMMAND_TYPES, FUND_COMMANDS, figuresOf, mayOnFund, moneyOf } from './fund.js';

const KEEPERS: readonly Role[] = ['donor-desk', 'fiscal-agent', 'implementer'];

/** Who may ever send a command to a fund's book. */
export const FUND_ACCESS = {
  EstablishFund: { action: 'fund.establish', roles: ['coordinator', 'donor-desk'] },
  AmendFundTerms: { action: 'fund.amend', roles: ['coordinator', 'donor-desk'] },
  BookFund: { action: 'fund.book', roles: KEEPERS, power: 'pay' },
  DecideAllocations: { action: 'fund.decide', roles: ['donor-desk'], power: 'sign' },
  ReleaseDecision: { action: 'fund.release', roles: ['donor-desk'], power: 'sign' },
  ClosePeriod: { action: 'fund.close-period', roles: KEEPERS, power: 'pay' },
  AttachFundDocument: { action: 'fund.document', roles: KEEPERS },
} as const satisfies Record<FundCommandType | 'EstablishFund', CommandAccess>;

/** True where some role of the caller may send the command on this fund's book. */
export const mayFund = (caller: Caller, type: FundCommandType, book: Pick<FundBook, 'fund' | 'terms'>): boolean =>
  caller.roles.some((role) => mayOnFund(type, { party: caller.party, role }, book));

/** Which needs this caller may be told of. */
export type KnowsNeed = (needId: string) => boolean;

/** Documents may carry a label of their own, stricter than the record's. */
export const documentsFor = (
  caller: Caller,
  owner: { readonly id: string; readonly fund: string; readonly donor?: string },
  documents: readonly FundDocument[],
  insider: boolean,
): readonly FundDocument[] =>
  documents.filter(
    ({ label }) => label === undefined || seesLabelled(caller, { ...owner, visibility: label }, insider),
  );

/** How a caller stands to a reason. */
export interface ReasonReader {
  readonly author: string;
  /** The caller stands on one of the two sides. */
  readonly side: boolean;
  /** The caller is an auditor of the record. */
  readonly audits: boolean;
}

/**
 * A reason is for all who see what it ends; its note for its author, for whom it is addressed to (the other side unless told) and for
 * auditors of the record.
 */
export const reasonFor = (
  caller: Caller,
  { author, side, audits }: ReasonReader,
  { code, note, noteFor = 'other-side' }: FundReason,
): FundReason =>
  note !== undefined &&
  (caller.party === author || audits || (noteFor === 'coordinator' ? hasRole(caller, 'coordinator') : side))
    ? { code, note, noteFor }
    : { code };

const termsFor = (terms: Partial<FundTerms>, inside: boolean): Partial<FundTerms> => {
  if (inside) return terms;
  const { reserve: _, ...rest } = terms;
  return rest;
};

/** The fund's position as quantities: every part, and what may still be allocated. */
const capacityOf = (book: FundBook): object => {
  const money = (minor: bigint): Quantity => moneyOf(book.terms, minor);
  return {
    basis: book.terms.capacityBasis,
    ...Object.fromEntries(Object.entries(figuresOf(book)).map(([part, minor]) => [part, money(minor as bigint)])),
  };
};

const decisionFor = (
  caller: Caller,
  fund: string,
  { allocations, documents, ...decision }: AllocationDecision,
  inside: boolean,
  knows: KnowsNeed,
): object => ({
  ...decision,
  allocations: allocations.map(({ needId, amount, released, used, call, application }) => ({
    ...(knows(needId) ? { needId } : {}),
    amount,
    ...(inside
      ? {
          ...(call === undefined ? {} : { call }),
          ...(application === undefined ? {} : { application }),
          released,
          used,
        }
      : {}),
  })),
  ...(documents === undefined ? {} : { documents: documentsFor(caller, { id: fund, fund }, documents, inside) }),
});

/** The fund as this caller sees it, but for `revision`. Its own figures are true for everyone who sees it. */
export const fundView = (caller: Caller, book: FundBook, contributions: Contributions, knows: KnowsNeed): object => {
  const { fund, terms, decisions, documents, closedPeriods, bookings } = book;
  const inside = seesBook(caller, fund, terms);
  const { periods, ...rest } = termsFor(terms, inside) as FundTerms;
  return {
    id: fund,
    fund,
    ...rest,
    periods: periods.map((period) => ({
      ...period,
      closed: closedPeriods.some(({ from, to }) => from === period.from && to === period.to),
    })),
    contributions,
    decisions: decisions.map((decision) => decisionFor(caller, fund, decision, inside, knows)),
    documents: documentsFor(caller, { id: fund, fund }, documents, inside),
    ...(inside ? { bookings, capacity: capacityOf(book) } : {}),
    actions: FUND_COMMAND_TYPES.filter(
      (type) => mayFund(caller, type, book) && hasAuthority(caller, FUND_ACCESS[type]),
    ).map((type) => FUND_COMMANDS[type].name),
  };
};

/** What a movement of the book names beside money, and whether this caller may be told. */
export interface KnownRecords {
  readonly need: KnowsNeed;
  readonly contribution: boolean;
  readonly commitment: boolean;
}

/** One event of a fund's history as this caller sees it; undefined keeps only its place. */
export const fundEventFor = (
  caller: Caller,
  { fund, terms }: FundBook,
  event: RecordedEvent<FundEvent>,
  knows: KnownRecords,
): object | undefined => {
  const inside = seesBook(caller, fund, terms);
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as FundEvent;
  switch (fact.type) {
    case 'FundEstablished':
      return { ...fact.data, terms: termsFor(fact.data.terms, inside) };
    case 'FundTermsAmended':
      return { changes: termsFor(fact.data.changes, inside) };
    case 'AllocationDecided': {
      const { allocations, documents, ...decision } = fact.data;
      return {
        ...decision,
        allocations: allocations.map(({ needId, call, application, amount }) => ({
          ...(knows.need(needId) ? { needId } : {}),
          ...(inside && call !== undefined ? { call } : {}),
          ...(inside && application !== undefined ? { application } : {}),
          amount,
        })),
        ...(documents === undefined ? {} : { documents: documentsFor(caller, { id: fund, fund }, documents, inside) }),
      };
    }
    case 'PeriodClosed':
      return fact.data;
    case 'FundDocumentAttached':
      return documentsFor(caller, { id: fund, fund }, [fact.data.document], inside).length > 0 ? fact.data : undefined;
    case 'FundBooked':
      return inside ? fact.data : undefined;
    case 'FundCredited': {
      if (!inside) return undefined;
      const { contribution, commitment, ...rest } = fact.data;
      return {
        ...rest,
        ...(contribution !== undefined && knows.contribution ? { contribution } : {}),
        ...(commitment !== undefined && knows.commitment ? { commitment } : {}),
      };
    }
    default: {
      if (!inside) return undefined;
      const { needId, commitment, ...rest } = fact.data;
      return {
        ...rest,
        ...(knows.need(needId) ? { needId } : {}),
        ...(commitment !== undefined && knows.commitment ? { commitment } : {}),
      };
    }
  }
};
