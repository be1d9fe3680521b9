import { parseArgs } from 'node:util';
import { isPartyId, isRole, ROLES } from '#vocabulary';

const USAGE = `npm run --silent token -- --party donor:japan --role donor-desk [--role …] [--sub <person>]
Prints a token of the local issuer of the data folder (PLEDGEBOOK_DATA, ./data unless set), good for 12 hours.`;

const refuse = (message: string): never => {
  process.stderr.write(`${message}\n\n${USAGE}\n`);
  process.exit(64);
};

const print = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { party: { type: 'string' }, role: { type: 'string', multiple: true }, sub: { type: 'string' } },
  });
  const { party, role: roles = [], sub } = values;
  if (!isPartyId(party)) return refuse(`--party must be a party id such as state:VUT or donor:japan`);
  const unknown = roles.find((role) => !isRole(role));
  if (roles.length === 0 || unknown !== undefined) return refuse(`--role must be one of ${ROLES.join(', ')}`);
  // What is refused is refused at once: the framework takes a while to load.
  const [{ LocalIssuer }, { readSettings }] = await Promise.all([import('#web'), import('./settings.js')]);
  const { dataFolder, audience } = readSettings(process.env);
  const issuer = LocalIssuer.open(dataFolder);
  process.stdout.write(`${await issuer.token({ party, roles, audience, ...(sub === undefined ? {} : { sub }) })}\n`);
};

print().catch((error: unknown) => {
  refuse(error instanceof Error ? error.message : String(error));
});
