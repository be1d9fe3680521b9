import { Injectable } from '@nestjs/common';
import type { Folded, RecordedEvent } from '#kernel';
import type { RecordKind } from '#web';
import type { AccountsEvent } from '../accounts.contract.js';
import type { RatesRejection, RatesState, RecordRates } from './published-rates.js';
import { ratesDecider } from './published-rates.js';

/** How what a source published in a year is served: to everyone. */
@Injectable()
export class RateRecords implements RecordKind<RatesState, RecordRates, AccountsEvent, RatesRejection> {
  readonly decider = ratesDecider;
  readonly path = '/v1/rates';

  exists({ source }: RatesState): boolean {
    return source !== undefined;
  }

  sees(): boolean {
    return true;
  }

  permits(): boolean {
    return true;
  }

  view(_caller: unknown, id: string, { state }: Folded<RatesState>): object {
    const keys = [...state.figures.keys()].map((key) => key.split(' '));
    const days = [...new Set(keys.map(([, , on = '']) => on))].sort();
    return {
      id,
      source: state.source,
      bases: [...new Set(keys.map(([base]) => base))].sort(),
      currencies: [...new Set(keys.map(([, currency]) => currency))].sort(),
      from: days[0] ?? null,
      to: days.at(-1) ?? null,
      days: days.length,
      rates: state.figures.size,
    };
  }

  maskEvent(_caller: unknown, _state: RatesState, { data }: RecordedEvent<AccountsEvent>): object {
    return data;
  }
}
