import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSignedLog, logTree, type SignedLogReport } from '#audit';
import { configuredLogKey, logKeyIn, logSigners, Variables } from '#hosting';
import { SystemClock } from '#kernel';
import { openModelRows } from '#read-database';
import { checkDocuments, checkLog, dataFolder, SqliteLogReader } from '#store-sqlite';
import { keyFolder } from '#web';

const folder = dataFolder();

/** The tree reckoned from the log again, held against the one that is kept and against whatever was signed. */
const signedLog = async (): Promise<SignedLogReport> => {
  const variables = new Variables(process.env);
  const place = configuredLogKey(variables) ?? { file: logKeyIn(keyFolder(folder)) };
  const signers = 'text' in place || existsSync(place.file) ? logSigners(place, new SystemClock(), undefined)() : [];
  const copyTo = variables.text('PLEDGEBOOK_LOG_COPY');
  const copy = copyTo !== undefined && existsSync(copyTo) ? readFileSync(copyTo, 'utf8') : undefined;
  const log = SqliteLogReader.open(folder);
  const tree = openModelRows(join(folder, 'read'), logTree);
  try {
    return await checkSignedLog({
      ...{ log, tree: tree?.rows, copy },
      configured: signers.map(({ verifier }) => verifier).reverse(),
    });
  } finally {
    tree?.close();
    await log.close();
  }
};

try {
  const report = checkLog(folder);
  const ownFaults = [...report.faults, ...checkDocuments(folder)];
  // What cannot be read is no tree.
  const signed = report.faults.length > 0 ? undefined : await signedLog();
  const faults = [...ownFaults, ...(signed?.faults ?? [])];
  for (const fault of faults) console.error(`fault: ${fault}`);
  console.log(
    `${folder}: ${report.events} events in ${report.streams} streams up to position ${report.position}, store ${report.storeId}: ${
      faults.length === 0 ? 'sound' : `${faults.length} faults found`
    }`,
  );
  if (signed !== undefined)
    console.log(
      `tree of ${signed.events} leaves, root ${signed.root.toString('base64')}: held against ${signed.checkpoints} signed checkpoints and ${signed.leaves} leaves that are kept`,
    );
  if (ownFaults.length > 0)
    console.error(
      'Keep the folder as it is and restore the newest backup into an empty one: npm run restore -- <backup>',
    );
  else if (faults.length > 0)
    console.error(
      'Where only leaves and tiles are at fault, the tree is built anew: npm run admin -- rebuild log-tree. Otherwise the log is not what was signed: keep the folder as it is, and restore the newest backup into an empty one.',
    );
  if (faults.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
