import type { Command, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse } from '#kernel';
import { compareDecimals, decimal } from '#vocabulary';
import type { AccountsEvent, PublishedRate } from '../accounts.contract.js';

export type RatesRejectionCode = 'forbidden' | 'not-found' | 'rate-recorded';
export type RatesRejection = Rejection<RatesRejectionCode>;

/** The rates of one day. */
export interface DayOfRates {
  readonly on: string;
  readonly rates: readonly PublishedRate[];
}

export interface RecordRates extends Command {
  readonly type: 'RecordRates';
  readonly by: CommandContext;
  readonly source: string;
  readonly reference: string;
  readonly base: string;
  /** Days of the stream's year. */
  readonly days: readonly DayOfRates[];
}

/** What a source published for the days of one year. */
export interface RatesState {
  readonly source?: string;
  /** By `base currency day`: the rate as recorded. */
  readonly figures: ReadonlyMap<string, string>;
}

/** Who may record rates: what is published is copied, nothing is decided. */
export const RATE_ROLES = ['coordinator', 'operator'] as const;

/** Id of the record that holds the rates of this source and day. */
export const ratesIdOf = (source: string, on: string): string => `${source}-${on.slice(0, 4)}`;

const keyOf = (base: string, currency: string, on: string): string => `${base} ${currency} ${on}`;

const decide = (command: RecordRates, state: RatesState): Decision<AccountsEvent, RatesRejection> => {
  const { by, source, reference, base, days } = command;
  if (!RATE_ROLES.some((role) => role === by.actor.role)) {
    return refuse('forbidden', 'Rates are recorded by the coordinator, or by the operator who loads a published file.');
  }
  const events: AccountsEvent[] = [];
  for (const { on, rates } of days) {
    const fresh: PublishedRate[] = [];
    for (const { currency, rate } of rates) {
      const known = state.figures.get(keyOf(base, currency, on));
      if (known === undefined) fresh.push({ currency, rate });
      else if (compareDecimals(decimal(known), decimal(rate)) !== 0) {
        return refuse(
          'rate-recorded',
          `${source} has ${known} ${currency} for one ${base} on ${on}: a recorded rate never changes. Record another figure under a source of its own.`,
          'rates',
        );
      }
    }
    if (fresh.length > 0) events.push({ type: 'RatesRecorded', data: { source, reference, base, on, rates: fresh } });
  }
  return accept(...events);
};

const evolve = (state: RatesState, { type, data }: RecordedEvent<AccountsEvent>): RatesState => {
  if ((type as string) !== 'RatesRecorded') return state;
  const { source, base, on, rates } = data;
  const figures = new Map(state.figures);
  for (const { currency, rate } of rates) {
    const key = keyOf(base, currency, on);
    // The first recorded stands whatever a log may hold.
    if (!figures.has(key)) figures.set(key, rate);
  }
  return { source, figures };
};

/** Reference rates by source and year: each once, never another. */
export const ratesDecider: Decider<RatesState, RecordRates, AccountsEvent, RatesRejection> = {
  category: 'rates',
  initial: { figures: new Map() },
  schemas: { RatesRecorded: 1 },
  decide,
  evolve,
};
