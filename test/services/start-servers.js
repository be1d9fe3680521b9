import { startServers } from '../../dist/test/services/servers.js';

/** Before all suites: what the environment does not name is started, and named there. */
export default async () => {
  process.env.PLEDGEBOOK_SHAPE = 'services';
  globalThis.startedServers = await startServers(process.env, (line) => process.stdout.write(`${line}\n`));
};
