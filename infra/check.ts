import { checkDocuments, checkLog, dataFolder } from '#store-sqlite';

const folder = dataFolder();
try {
  const report = checkLog(folder);
  const faults = [...report.faults, ...checkDocuments(folder)];
  for (const fault of faults) console.error(`fault: ${fault}`);
  console.log(
    `${folder}: ${report.events} events in ${report.streams} streams up to position ${report.position}, store ${report.storeId}: ${
      faults.length === 0 ? 'sound' : `${faults.length} faults found`
    }`,
  );
  if (faults.length > 0) {
    console.error(
      'Keep the folder as it is and restore the newest backup into an empty one: npm run restore -- <backup>',
    );
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
