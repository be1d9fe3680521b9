import { readFileSync, statSync } from 'node:fs';
import { LIMITS, linesOf, readZip, Refusal, Report, verifyBundle, verifyServer } from '#evidence';
import { readFolder } from './folder.js';
import type { Orders } from './orders.js';
import { ordersIn, USAGE, UsageError } from './orders.js';
import { fetchFrom } from './server.js';

const WRONG_USAGE = 64;

const verified = async ({ subject, trust }: Orders): Promise<Report> => {
  if (/^https?:\/\//i.test(subject)) return verifyServer(fetchFrom(subject), trust);
  const about = statSync(subject, { throwIfNoEntry: false });
  if (about === undefined) throw new UsageError(`there is no ${subject}`);
  try {
    if (about.isDirectory()) return verifyBundle(readFolder(subject), trust);
    if (about.size > LIMITS.totalBytes) throw new Refusal(`it has more than ${LIMITS.totalBytes} bytes`, subject);
    return verifyBundle(await readZip(readFileSync(subject)), trust);
  } catch (error) {
    const report = new Report();
    report.refused(
      error instanceof Error ? error.message : String(error),
      error instanceof Refusal ? error.file : subject,
    );
    return report;
  }
};

try {
  const orders = ordersIn(process.argv.slice(2));
  if (orders === undefined) console.log(USAGE);
  else {
    const report = await verified(orders);
    for (const line of linesOf(report, orders.subject)) console.log(line);
    if (report.verdict !== 'verified') process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = WRONG_USAGE;
}
