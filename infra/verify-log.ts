import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { linesOf, type Report, type Trust } from '#evidence';
import { messageOf } from '#kernel';
import { KurrentEventStore } from '#store-kurrent';
import { SqliteLogReader } from '#store-sqlite';
import { ordersIn, UsageError } from '../apps/verify/orders.js';
import { verifyExport, verifyStoredLog } from './log-verification.js';

const USAGE = `npm run verify-log -- <data folder | event store url | export.ndjson> [options]

Reads a whole log, also beside a running server, and proves that it is the one that was signed. Nothing is written to it.

  --key <key or file>        the log's verifier key
  --checkpoint <file>        a checkpoint kept outside (PLEDGEBOOK_LOG_COPY, or one seen before); may be said again
  --receipt <file>           a .tlog-proof that was handed out: its event must be there; may be said again

PLEDGEBOOK_PREFIX (pledgebook) names the log on an event store (esdb://host:2113?tls=false).
An export is GET /v1/audit/events?openings=true as application/x-ndjson, from its start, also with a filter; - reads it from standard input.
Exit codes: 0 verified, 1 refused or in doubt, 64 wrong usage.`;

const WRONG_USAGE = 64;
const DEFAULT_PREFIX = 'pledgebook';
const URL_OF_STORE = /^(esdb|kurrentdb|kdb)(\+discover)?:\/\//;

const verified = async (subject: string, trust: Trust): Promise<Report> => {
  if (URL_OF_STORE.test(subject)) {
    const prefix = process.env.PLEDGEBOOK_PREFIX ?? '';
    const store = await KurrentEventStore.open({
      url: subject,
      prefix: prefix === '' ? DEFAULT_PREFIX : prefix,
      existing: true,
    });
    try {
      return await verifyStoredLog(store, trust);
    } finally {
      await store.close();
    }
  }
  if (subject === '-') return verifyExport(createInterface({ input: process.stdin, crlfDelay: Infinity }), trust);
  const about = statSync(subject, { throwIfNoEntry: false });
  if (about === undefined) throw new UsageError(`there is no ${subject}`);
  if (!about.isDirectory())
    return verifyExport(createInterface({ input: createReadStream(subject), crlfDelay: Infinity }), trust);
  const log = SqliteLogReader.open(subject);
  try {
    return await verifyStoredLog(
      {
        readAll: (after, limit) => log.readChecked(after, limit),
        readStream: (stream, from, limit) => log.readStream(stream, from, limit),
      },
      trust,
    );
  } finally {
    await log.close();
  }
};

try {
  const orders = ordersIn(process.argv.slice(2));
  if (orders === undefined) console.log(USAGE);
  else {
    const { subject, trust } = orders;
    if (trust.witnesses.length > 0)
      throw new UsageError('--witness is of pledgebook-verify: a log holds no cosignatures');
    const report = await verified(subject, trust);
    for (const line of linesOf(report, subject)) console.log(line);
    if (report.verdict !== 'verified') process.exitCode = 1;
  }
} catch (error) {
  if (error instanceof UsageError || error instanceof RangeError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = WRONG_USAGE;
  } else {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
