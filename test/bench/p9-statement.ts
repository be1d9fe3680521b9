import { currenciesOf, holderLedger, ledgerLines } from '#accounts';
import type { ReadModel, RecordedEvent } from '#kernel';
import { applyToModel, derivedId } from '#kernel';
import { SqliteReadDatabase } from '#read-database';
import type { Folders } from './folders.js';
import { quantile } from './measure.js';
import type { Figure } from './report.js';

const HOLDER = 'agency:cavr';
const DONOR = 'donor:japan';
/** Transfers of one commitment. */
const PER_COMMITMENT = 200;
/** Days over which transfers are dated: six years. */
const DAYS = 2_190;
const BATCH = 500;
const PAGE = 50;

/**
 * A statement of one holder, from its read model on disk: figures of every currency and a page of lines. Every transfer reaches this holder;
 * half are receipted, every third is passed on.
 */
export const readingStatements = (
  folders: Folders,
  { transfers, reads }: { readonly transfers: number; readonly reads: number },
): readonly Figure[] => {
  const database = new SqliteReadDatabase(folders.fresh('statement'));
  const model = database.open(holderLedger);
  try {
    const begun = performance.now();
    let applied = 0;
    let batch: RecordedEvent[] = [];
    const flush = (): void => {
      applyToModel(holderLedger, model, batch, (event) => event);
      applied += batch.length;
      batch = [];
    };
    for (const event of moneyEvents(transfers)) {
      batch.push(event);
      if (batch.length === BATCH) flush();
    }
    if (batch.length > 0) flush();
    const built = (performance.now() - begun) / 1000;
    const whole = timed(reads, () => statement(model, '0001-01-01', '9999-12-31'));
    const year = timed(reads, (n) => statement(model, `${2018 + (n % 5)}-07-01`, `${2019 + (n % 5)}-06-30`));
    return [
      { name: `events of ${transfers} transfers into the ledger`, value: applied / built, unit: 'ev/s' },
      { name: 'statement of all years, p50', value: quantile(whole, 0.5), unit: 'ms' },
      {
        name: 'statement of all years, p95',
        value: quantile(whole, 0.95),
        unit: 'ms',
        target: { bound: 'at most', value: 100 },
      },
      { name: 'statement of one year, p50', value: quantile(year, 0.5), unit: 'ms' },
      { name: 'statement of one year, p95', value: quantile(year, 0.95), unit: 'ms' },
    ];
  } finally {
    model.close();
    database.close();
  }
};

const timed = (reads: number, read: (n: number) => void): readonly number[] =>
  Array.from({ length: reads }, (_, n) => {
    const begun = performance.now();
    read(n);
    return performance.now() - begun;
  });

/** What a request reads: and it must reconcile, or the measure is of nothing. */
const statement = (model: ReadModel, from: string, to: string): void => {
  const currencies = currenciesOf(model, { holder: HOLDER }, { from, to }, false);
  const lines = ledgerLines(model, { holder: HOLDER }, { from, to }, undefined, PAGE + 1);
  if (currencies.length === 0 || lines.length === 0 || currencies.some(({ reconciles }) => !reconciles)) {
    throw new Error(`the statement from ${from} to ${to} does not reconcile`);
  }
};

function* moneyEvents(transfers: number): Generator<RecordedEvent> {
  let position = 0n;
  const revisions = new Map<string, number>();
  const event = (stream: string, type: string, data: object): RecordedEvent => {
    position += 1n;
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    const moment = '2026-01-05T09:00:00.000Z';
    return {
      id: derivedId('bench', String(position)),
      stream,
      type,
      data,
      metadata: {
        commandId: '',
        correlationId: '',
        causationId: null,
        actor: { party: DONOR, role: 'donor-desk' },
        effectiveAt: moment,
        recordedAt: moment,
        schema: 1,
        salt: '00'.repeat(32),
      },
      revision,
      position,
    };
  };
  for (let n = 0; n < transfers; n += 1) {
    const stream = `commitment-${derivedId('bench-commitment', String(Math.floor(n / PER_COMMITMENT)))}`;
    const place = n % PER_COMMITMENT;
    if (place === 0) {
      yield event(stream, 'CommitmentProposed', {
        providers: [DONOR],
        beneficiaries: ['state:VUT'],
        filer: 'state:VUT',
        legs: [],
      });
    }
    const currency = ['USD', 'EUR', 'JPY', 'AUD'][n % 4];
    const amount = { measure: 'money', currency, amount: currency === 'JPY' ? String(1000 + n) : `${1000 + n}.25` };
    const date = new Date(Date.UTC(2018, 0, 1 + ((n * 37) % DAYS))).toISOString().slice(0, 10);
    const onward = n % 3 === 0 && place > 0;
    yield event(stream, 'TransferReported', {
      n: place + 1,
      kind: onward ? 'onward-grant' : 'disbursement',
      from: onward ? HOLDER : DONOR,
      to: onward ? 'agency:ngo' : HOLDER,
      amount,
      date,
    });
    if (n % 2 === 0) {
      const party = onward ? 'agency:ngo' : HOLDER;
      yield event(stream, 'ReceiptReported', { n: place + 1, transfer: place + 1, party, amount, date });
    }
  }
}
