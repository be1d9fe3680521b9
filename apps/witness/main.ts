import { pino } from 'pino';
import { createServer } from './server.js';
import { readWitnessSettings, WitnessSettingError } from './settings.js';
import { Witness } from './witness.js';
import { openWitness } from './witness-key.js';

/** As in sysexits.h. */
const EXIT_SOFTWARE = 70;
const EXIT_CONFIG = 78;

const start = async (): Promise<void> => {
  const settings = readWitnessSettings(process.env);
  const logger = pino({ base: null });
  const { signer, cosigned } = openWitness(settings);
  const witness = new Witness(signer, settings.logs, cosigned);
  const server = createServer({ witness, logger, rate: settings.rate });
  server.addHook('onClose', async () => {
    cosigned.close();
  });
  // Whoever reads that it is ready may stop it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      server.close().then(() => process.exit(0), fail);
    });
  try {
    const address = await server.listen({ host: settings.host, port: settings.port });
    process.stdout.write(`Witness ${witness.verifierKey} is ready on ${address} (memory in ${settings.folder})\n`);
  } catch (error) {
    await server.close();
    throw error;
  }
};

const fail = (error: unknown): never => {
  const isSetting = error instanceof WitnessSettingError;
  const said = isSetting ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`witness: ${said}\n`);
  process.exit(isSetting ? EXIT_CONFIG : EXIT_SOFTWARE);
};

start().catch(fail);
