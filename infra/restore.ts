import { dataFolder, restoreFrom } from '#store-sqlite';

const [source, ...rest] = process.argv.slice(2);
if (source === undefined || rest.length > 0) {
  console.error('usage: npm run restore -- <source>   (a folder written by npm run backup)');
  process.exitCode = 2;
} else {
  try {
    const folder = dataFolder();
    const report = restoreFrom(source, folder);
    console.log(
      `${folder}: ${report.events} events up to position ${report.position}, store ${report.storeId}, verified`,
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
