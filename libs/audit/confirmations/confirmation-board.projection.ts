import type { BoardRow, Condition, DeadlineSource, Projection, ReadQueries } from '#kernel';
import { boardOf, processCommand, rowsOf, where } from '#kernel';
import { periodEnd } from '#vocabulary';
import type { ConfirmationDeadline, ConfirmationLine } from './confirmation.contract.js';
import type { ConfirmationCommand, ConfirmationState } from './confirmation.js';
import { confirmationDecider, nextToTell, outcomesOf } from './confirmation.js';

export const CONFIRMATION_BOARD = 'confirmation-board';

const toTell = ({ confirmation }: ConfirmationState): ReturnType<typeof nextToTell> =>
  confirmation === undefined ? undefined : nextToTell(confirmation);

/** Which parties were asked to confirm what, and what falls due when. */
export const confirmationBoard: Projection = boardOf({
  name: CONFIRMATION_BOARD,
  version: 1,
  decider: confirmationDecider,
  columns: {
    auditor: ({ confirmation }) => confirmation?.auditor ?? null,
    party: ({ confirmation }) => confirmation?.party ?? null,
    status: ({ confirmation }) => confirmation?.status ?? null,
    due: ({ confirmation }) => confirmation?.due ?? null,
    told: (state) => toTell(state)?.deadline ?? null,
    deadline: (state) => {
      const next = toTell(state);
      return next === undefined ? null : periodEnd(next.day);
    },
  },
});

export interface ConfirmationFilter {
  readonly auditor?: string;
  readonly party?: string;
  readonly status?: string;
  /** Id of a commitment that is asked about. */
  readonly commitment?: string;
  /** An answer is owed, and its day has passed. */
  readonly overdue?: boolean;
}

const asksAbout = (commitment: string): Condition => ({
  sql: "EXISTS (SELECT 1 FROM json_each(r.state, '$.confirmation.lines') l WHERE json_extract(l.value, '$.commitment') = ?)",
  parameters: [commitment],
});

/** Requests, newest first, whoever may see them; `today` decides what is overdue. */
export const confirmationRows = (
  model: ReadQueries,
  { auditor, party, status, commitment, overdue }: ConfirmationFilter,
  { today, ...page }: { readonly today: string; readonly limit?: number; readonly after?: number },
): readonly BoardRow<ConfirmationState>[] =>
  rowsOf(
    model,
    [
      ...where('r.auditor = ?', auditor),
      ...where('r.party = ?', party),
      ...where('r.status = ?', status),
      ...(commitment === undefined ? [] : [asksAbout(commitment)]),
      ...where("(r.status = 'open' AND r.due < ?) = 1", overdue === true ? today : undefined),
      ...where("(r.status = 'open' AND r.due < ?) = 0", overdue === false ? today : undefined),
    ],
    page,
  );

/** A request that a party answered about an item, and whether every line of it about that agrees with the books. */
export interface AnsweredRequest {
  readonly id: string;
  readonly confirmed: boolean;
}

/** Requests of an auditor that a party answered about a commitment, or about one transfer of it. */
export const answeredAbout = (
  model: ReadQueries,
  auditor: string,
  { commitment, transfer }: { readonly commitment: string; readonly transfer?: number },
): readonly AnsweredRequest[] =>
  rowsOf<ConfirmationState>(model, [...where('r.auditor = ?', auditor), asksAbout(commitment)]).flatMap(
    ({ id, state: { confirmation } }) => {
      if (confirmation?.answer === undefined) return [];
      const outcomes = outcomesOf(confirmation).filter((_, index) => {
        const line = confirmation.lines[index];
        return line?.commitment === commitment && (transfer === undefined || isTransfer(line, transfer));
      });
      return outcomes.length === 0 ? [] : [{ id, confirmed: outcomes.every((outcome) => outcome === 'confirmed') }];
    },
  );

const isTransfer = ({ figure, n }: ConfirmationLine, transfer: number): boolean =>
  figure === 'transfer' && n === transfer;

/** Knows when a party is to be reminded, and when the day passes on which it should have answered. */
export const confirmationDeadlines = (reads: () => ReadQueries): DeadlineSource => ({
  name: 'confirmation-deadlines',
  due: (now, limit) =>
    reads()
      .all(
        'SELECT id, told, deadline FROM record WHERE deadline <= ? ORDER BY deadline, seq LIMIT ?',
        now.toISOString(),
        limit,
      )
      .map((row) => {
        const deadline = row.told as ConfirmationDeadline;
        return {
          due: row.deadline as string,
          command: processCommand({
            decider: confirmationDecider,
            id: row.id as string,
            key: deadline,
            command: (by): ConfirmationCommand => ({ type: 'PassDeadline', by, deadline }),
          }),
        };
      }),
});
