import { formatQuantity } from '#vocabulary';
import type { Quantity } from '#vocabulary';

/** Writes one line of the story. */
export type Say = (line?: string) => void;

/** The end of an id: enough to tell the few records of a demo apart. */
export const short = (idOrPath: string): string => `…${idOrPath.slice(-6)}`;

/** A quantity as people read it: `USD 48,000` and `2 seats`. */
export const shown = (quantity: unknown): string => {
  if (typeof quantity === 'string') return quantity;
  const value = quantity as Quantity;
  if (value.measure !== 'money') return formatQuantity(value);
  const [whole = '', cents = ''] = value.amount.split('.');
  const figure = whole.replace(/\B(?=(\d{3})+$)/g, ',') + (/^0*$/.test(cents) ? '' : `.${cents}`);
  const qualifier =
    value.qualifier === undefined || value.qualifier === 'exact' ? '' : `${value.qualifier.replace('-', ' ')} `;
  return `${qualifier}${value.currency} ${figure}`;
};

/** A heading with room above it. */
export const heading = (say: Say, title: string): void => {
  say();
  say(title);
  say('-'.repeat(title.length));
};

/** One step: who acts, and what it does. */
export const step = (say: Say, who: string, what: string): void => {
  say();
  say(`${who}: ${what}`);
};

/** Text in two columns. */
export const pair = (say: Say, left: string, right: string): void => {
  say(`  ${left.padEnd(22)} ${right}`);
};
