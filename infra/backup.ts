import { backUp, dataFolder } from '#store-sqlite';

const [target, ...rest] = process.argv.slice(2);
if (target === undefined || rest.length > 0) {
  console.error('usage: npm run backup -- <target>   (a folder that does not exist yet, or is empty)');
  process.exitCode = 2;
} else {
  try {
    const report = backUp(dataFolder(), target);
    console.log(
      `${target}: ${report.events} events up to position ${report.position}, store ${report.storeId}, verified`,
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
