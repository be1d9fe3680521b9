import type { Caller } from '#directory/contract';
import type { BoardRow, Condition } from '#kernel';
import { ProjectionRunner, rowsOf, where } from '#kernel';
import type { Determinate, Quantity } from '#vocabulary';
import { sumByMeasure } from '#vocabulary';
import { Injectable } from '@nestjs/common';
import { CALL_BOARD } from './call-board.projection.js';
import type { Call, CallState, CallStatus } from './call.js';
import { CONTRIBUTION_BOARD } from './contribution-board.projection.js';
import type { Contribution, ContributionState, ContributionStatus } from './contribution.js';
import { FUND_BOARD } from './fund-board.projection.js';
import { seenFunds, seenLabelled } from './fund-sight.js';
import type { FundBook, FundState } from './fund.js';

/** A page asked for: so many, after where the page before ended. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: number;
}

export interface ContributionFilter {
  readonly fund?: string;
  readonly donor?: string;
  readonly status?: ContributionStatus;
  /** Pledged on this day or later, or before. */
  readonly from?: string;
  readonly to?: string;
}

export interface CallFilter {
  readonly fund?: string;
  readonly status?: CallStatus;
}

/** A row whose record exists: every board row does. */
export type RowOf<T> = Omit<BoardRow<never>, 'state'> & { readonly record: T };

/** What was given to a fund, in the currencies it was given in. Each holds the next: what was received had been signed. */
export interface Contributions {
  readonly pledged: readonly Determinate[];
  readonly signed: readonly Determinate[];
  readonly received: readonly Determinate[];
}

const PLENTY = 10_000;

/** Lists of funds, contributions and calls as a caller may see them. */
@Injectable()
export class FundBoards {
  constructor(private readonly runner: ProjectionRunner) {}

  funds(caller: Caller, filter: { readonly currency?: string }, page: PageRequest): readonly RowOf<FundBook>[] {
    const conditions = [seenFunds(caller), ...where('r.currency = ?', filter.currency)];
    return rowsOf<FundState>(this.runner.model(FUND_BOARD), conditions, page).flatMap(({ state: { book }, ...row }) =>
      book === undefined ? [] : [{ ...row, record: book }],
    );
  }

  contributions(caller: Caller, filter: ContributionFilter, page: PageRequest): readonly RowOf<Contribution>[] {
    return this.contributionRows(
      [
        seenLabelled(caller, this.insiderOf(caller)),
        ...where('r.fund = ?', filter.fund),
        ...where('r.donor = ?', filter.donor),
        ...where('r.status = ?', filter.status),
        ...where('r.day >= ?', filter.from),
        ...where('r.day <= ?', filter.to),
      ],
      page,
    );
  }

  calls(caller: Caller, { fund, status }: CallFilter, today: string, page: PageRequest): readonly RowOf<Call>[] {
    const conditions = [
      seenLabelled(caller, this.insiderOf(caller)),
      ...where('r.fund = ?', fund),
      ...(status === undefined ? [] : [inStatus(status, today)]),
    ];
    return rowsOf<CallState>(this.runner.model(CALL_BOARD), conditions, page).flatMap(({ state: { call }, ...row }) =>
      call === undefined ? [] : [{ ...row, record: call }],
    );
  }

  /** Everything given to a fund, whoever may see which part: the figures of a fund are true for everyone who sees it. */
  contributionsTo(fund: string): readonly RowOf<Contribution>[] {
    return this.contributionRows(where('r.fund = ?', fund), { limit: PLENTY });
  }

  /** What was pledged, signed and received in all; what was left or cancelled counts with what had arrived. */
  summaryOf(fund: string): Contributions {
    const all = this.contributionsTo(fund).map(({ record }) => record);
    const arrived = ({ receipts }: Contribution): readonly Quantity[] => receipts.map(({ amount }) => amount);
    const live = (contribution: Contribution): readonly Quantity[] =>
      contribution.ended === undefined ? [contribution.pledge.amount] : arrived(contribution);
    return {
      pledged: sumByMeasure(all.flatMap(live)),
      signed: sumByMeasure(all.filter(({ signed }) => signed !== undefined).flatMap(live)),
      received: sumByMeasure(all.flatMap(arrived)),
    };
  }

  private contributionRows(conditions: readonly Condition[], page: PageRequest): readonly RowOf<Contribution>[] {
    return rowsOf<ContributionState>(this.runner.model(CONTRIBUTION_BOARD), conditions, page).flatMap(
      ({ state: { contribution }, ...row }) => (contribution === undefined ? [] : [{ ...row, record: contribution }]),
    );
  }

  /** Funds that the caller's party administers or helps to decide for. */
  private insiderOf({ party }: Caller): readonly string[] {
    return this.runner
      .model(FUND_BOARD)
      .all(
        'SELECT id FROM record WHERE administrator = ? OR EXISTS (SELECT 1 FROM json_each(members) m WHERE m.value = ?)',
        party,
        party,
      )
      .map((row) => row.id as string);
  }
}

const inStatus = (status: CallStatus, today: string): Condition => {
  switch (status) {
    case 'closed':
      return { sql: "r.closed = '1'", parameters: [] };
    case 'announced':
      return { sql: "(r.closed = '0' AND r.opens > ?)", parameters: [today] };
    case 'open':
      return { sql: "(r.closed = '0' AND r.opens <= ? AND r.closes >= ?)", parameters: [today, today] };
    case 'over':
      return { sql: "(r.closed = '0' AND r.closes < ?)", parameters: [today] };
  }
};
