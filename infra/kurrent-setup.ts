import { parseArgs } from 'node:util';
import { KurrentEventStore } from '#store-kurrent';

const USAGE = `EVENTSTORE_ADMIN_URL='esdb://admin:…@host:2113?tls=true' npm run kurrent-setup -- --group <group> [--prefix <prefix>]
  gives accounts of the group the log, and keeps the relay's own streams short; see infra/kurrent`;

/** Technical streams whose newest event is all that counts, and how many stay for whoever looks into them. */
const SHORT_STREAMS = ['_relay', '_relay-partners', '_lease-relay'];
const KEPT = 10;

const run = async (url: string, group: string, prefix: string | undefined): Promise<void> => {
  const store = await KurrentEventStore.open({ url, ...(prefix === undefined ? {} : { prefix }) });
  try {
    const changed = await store.grantTo(group);
    for (const sentence of changed) console.log(sentence);
    for (const stream of SHORT_STREAMS) await store.keepNewest(stream, KEPT);
    console.log(`${SHORT_STREAMS.join(', ')} keep their newest ${KEPT} events`);
    if (url.includes('tls=false')) console.log('without TLS the server keeps these rules and enforces none of them');
  } finally {
    await store.close();
  }
};

const wrongUsage = (why: string): void => {
  console.error(`${why}\n\n${USAGE}`);
  process.exitCode = 2;
};

try {
  const { values } = parseArgs({ options: { group: { type: 'string' }, prefix: { type: 'string' } } });
  const url = process.env.EVENTSTORE_ADMIN_URL;
  if (url === undefined || url === '') wrongUsage('EVENTSTORE_ADMIN_URL is not set');
  else if (values.group === undefined) wrongUsage('--group is missing: the group of the services’ account');
  else await run(url, values.group, values.prefix);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
}
