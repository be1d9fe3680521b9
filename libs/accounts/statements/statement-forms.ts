import { createHash } from 'node:crypto';
import { csvLine, escapedHtml } from '#web';
import type { CurrencyStatement, ShownLine } from './statement.js';

/** A statement before its lines: whose, of which days, with which figures. */
export interface StatementHead {
  readonly holder: string;
  readonly from: string | null;
  readonly to: string;
  readonly currencies: readonly CurrencyStatement[];
}

const COLUMNS = [
  'row',
  'currency',
  'item',
  'amount',
  'date',
  'counterparty',
  'record',
  'number',
  'priorPeriod',
  'unreceipted',
  'reversal',
  'events',
] as const;

type Row = Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>;

const lineOf = (row: Row): string => csvLine(COLUMNS.map((name) => row[name] ?? ''));

const totalsOf = ({ currency, opening, sources, uses, closing, difference }: CurrencyStatement): readonly Row[] => [
  { row: 'opening', currency, amount: opening },
  ...Object.entries(sources).map(([item, amount]): Row => ({ row: 'source', currency, item, amount })),
  ...Object.entries(uses).map(([item, amount]): Row => ({ row: 'use', currency, item, amount })),
  { row: 'closing', currency, amount: closing },
  { row: 'difference', currency, amount: difference },
];

const lineRow = (line: ShownLine): Row => ({
  row: 'line',
  item: line.class,
  date: line.date,
  ...(line.figure.measure === 'money' ? { currency: line.figure.currency, amount: line.figure.amount } : {}),
  ...(line.counterparty === undefined ? {} : { counterparty: line.counterparty }),
  ...(line.record === undefined ? {} : { record: `${line.record.kind}-${line.record.id}` }),
  ...(line.number === undefined ? {} : { number: `${line.about ?? ''} ${line.number}` }),
  priorPeriod: String(line.priorPeriod),
  unreceipted: String(line.unreceipted),
  reversal: String(line.reversal),
  events: line.events.map(({ eventId }) => eventId).join(' '),
});

/** The whole statement as CSV (RFC 4180): its figures, then every line. */
export async function* statementCsv(head: StatementHead, lines: AsyncIterable<ShownLine>): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  for (const currency of head.currencies) for (const row of totalsOf(currency)) yield lineOf(row);
  for await (const line of lines) yield lineOf(lineRow(line));
}

const STYLE = `body{font:11pt/1.4 sans-serif;margin:2em auto;max-width:60em}h1{font-size:16pt}h2{font-size:13pt;margin:1.5em 0 .3em}table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.s{font-size:8pt;word-break:break-all}tfoot td,.b td{font-weight:bold}@media print{body{margin:0;max-width:none;font-size:9pt}thead{display:table-header-group}tr{break-inside:avoid}@page{margin:15mm}}`;

/** Nothing is loaded and nothing runs: the page's own style alone. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const WORDS: Readonly<Record<string, string>> = {
  received: 'Received',
  ownMoney: 'Own money',
  interest: 'Interest',
  income: 'Programme income',
  refundsReceived: 'Refunds received',
  exchangeGains: 'Exchange gains',
  passedOn: 'Passed on',
  fees: 'Fees',
  charges: 'Bank charges',
  refundsPaid: 'Refunds paid',
  spent: 'Spent',
  exchangeLosses: 'Exchange losses',
};

const figureRow = (words: string, amount: string, bold = false): string =>
  `<tr${bold ? ' class="b"' : ''}><td>${escapedHtml(words)}</td><td class="n">${escapedHtml(amount)}</td></tr>`;

const currencyTable = ({ currency, opening, sources, uses, closing, difference }: CurrencyStatement): string =>
  `<h2>${escapedHtml(currency)}</h2><table><tbody>${[
    figureRow('Opening balance', opening, true),
    ...Object.entries(sources).map(([name, amount]) => figureRow(`+ ${WORDS[name] ?? name}`, amount)),
    ...Object.entries(uses).map(([name, amount]) => figureRow(`− ${WORDS[name] ?? name}`, amount)),
    figureRow('Closing balance', closing, true),
    figureRow('Difference', difference),
  ].join('')}</tbody></table>`;

const marks = ({ unreceipted, priorPeriod, reversal, masked }: ShownLine): string =>
  [
    ...(unreceipted ? ['not yet receipted'] : []),
    ...(priorPeriod ? ['prior period'] : []),
    ...(reversal ? ['reversal'] : []),
    ...(masked === true ? ['record not shown'] : []),
  ].join(', ');

const lineHtml = (line: ShownLine): string => {
  const { currency = '', amount = '' } = line.figure.measure === 'money' ? line.figure : {};
  return `<tr><td>${escapedHtml(line.date)}</td><td>${escapedHtml(line.class)}</td><td class="n">${escapedHtml(`${amount} ${currency}`)}</td><td>${escapedHtml(line.counterparty ?? '')}</td><td>${escapedHtml(marks(line))}</td><td class="s">${line.events.map(({ eventId, type }) => escapedHtml(`${type} ${eventId}`)).join('<br>')}</td></tr>`;
};

/** The statement as a page to print: figures, then every line. */
export async function* statementPage(head: StatementHead, lines: AsyncIterable<ShownLine>): AsyncGenerator<string> {
  const title = `Statement of ${escapedHtml(head.holder)}`;
  const span = `${head.from === null ? 'From the beginning' : escapedHtml(head.from)} to ${escapedHtml(head.to)}`;
  yield `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style></head><body><h1>${title}</h1><p>${span}. Amounts in the currency they were booked in.</p>`;
  yield head.currencies.length === 0 ? '<p>Nothing moved.</p>' : head.currencies.map(currencyTable).join('');
  yield '<h2>Lines</h2><table><thead><tr><th>Date</th><th>Class</th><th class="n">Figure</th><th>Counterparty</th><th>Marks</th><th>Events</th></tr></thead><tbody>';
  for await (const line of lines) yield lineHtml(line);
  yield '</tbody></table></body></html>\n';
}
