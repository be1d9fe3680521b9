import type { Command, Decider, Projection, Rejection } from '#kernel';
import { accept, refuse, rowByRow } from '#kernel';

export type CounterEvent =
  | { readonly type: 'Raised'; readonly data: { readonly by: number } }
  | { readonly type: 'Doubled'; readonly data: Record<string, never> }
  | { readonly type: 'Noted'; readonly data: { readonly text: string } };

export type CounterCommand =
  | (Command & { readonly type: 'Raise'; readonly amount: number })
  | (Command & { readonly type: 'RaiseTo'; readonly to: number })
  | (Command & { readonly type: 'RaiseTwice'; readonly amount: number })
  | (Command & { readonly type: 'Note'; readonly text: string });

export type CounterRejection = Rejection<'too-high' | 'nothing-to-note'>;

/** A counter that never exceeds 100: the smallest record with a rule. */
export const counter: Decider<{ readonly value: number }, CounterCommand, CounterEvent, CounterRejection> = {
  category: 'counter',
  initial: { value: 0 },
  schemas: { Raised: 1, Doubled: 1, Noted: 1 },
  decide: (command, state) => {
    switch (command.type) {
      case 'Raise':
      case 'RaiseTwice': {
        const times = command.type === 'Raise' ? 1 : 2;
        if (state.value + command.amount * times > 100)
          return refuse('too-high', 'The counter ends at 100: ask for less.', 'by');
        return accept(
          ...Array.from({ length: times }, () => ({ type: 'Raised', data: { by: command.amount } }) as const),
        );
      }
      case 'RaiseTo':
        return command.to > state.value ? accept({ type: 'Raised', data: { by: command.to - state.value } }) : accept();
      case 'Note':
        return command.text === ''
          ? refuse('nothing-to-note', 'Say something.')
          : accept({ type: 'Noted', data: { text: command.text } });
    }
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'Raised':
        return { value: state.value + (event.data as { by: number }).by };
      case 'Doubled':
        return { value: state.value * 2 };
      default:
        return state;
    }
  },
};

/** Which counter stands where. */
export const counterValues: Projection = {
  name: 'counter-values',
  version: 1,
  handles: ['Raised'],
  schema: 'CREATE TABLE value (stream TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;',
  begin: rowByRow((tx, event) => {
    tx.run(
      'INSERT INTO value VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET value = value + excluded.value',
      event.stream,
      (event.data as { by: number }).by,
    );
  }),
};
