import { parseArgs } from 'node:util';
import { startKafka } from './kafka.js';

const USAGE = `npm run kafka -- [--port <port>] [--folder <folder>] [--cache <folder>]      starts a Kafka broker on this machine, until Ctrl-C

  --port    where it listens on 127.0.0.1 (9092 unless given)
  --folder  where it keeps its data; without it the data goes when it stops
  --cache   where the jars are kept that Maven fetched (node_modules/.cache/local-brokers)`;

const main = async (args: readonly string[]): Promise<number> => {
  let given: { readonly port?: string; readonly folder?: string; readonly cache?: string; readonly help?: boolean };
  try {
    const text = { type: 'string' } as const;
    given = parseArgs({
      args: [...args],
      options: { port: text, folder: text, cache: text, help: { type: 'boolean' } },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (given.help === true) {
    console.log(USAGE);
    return 0;
  }
  const port = Number(given.port ?? '9092');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    console.error(`--port is ${given.port ?? ''}, not a port: give a number from 1 to 65535`);
    return 2;
  }
  const { folder, cache } = given;
  const kafka = await startKafka({
    port,
    ...(folder === undefined ? {} : { folder }),
    ...(cache === undefined ? {} : { cache }),
  });
  console.log(`Kafka ${kafka.version} answers. Clients are told\n  KAFKA_BROKERS=${kafka.brokers}\nCtrl-C stops it.`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await kafka.stop();
  return 0;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
