import { parseArgs } from 'node:util';
import { Control } from './control.js';
import { EventStoreStandIn } from './stand-in.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    folder: { type: 'string' },
    'control-port': { type: 'string' },
    certificate: { type: 'string' },
    account: { type: 'string' },
  },
});

const portOf = (text = '0'): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`${text} is no port: 0 to 65535`);
  return port;
};

const standIn = await EventStoreStandIn.start({
  port: portOf(values.port),
  ...(values.folder === undefined ? {} : { folder: values.folder }),
  certificate: values.certificate,
  account: values.account,
});
const control = await Control.start(standIn, portOf(values['control-port']));
// The first line to wait for says where clients go; it comes last, so that the other is there as well.
console.log(`control on ${control.url}`);
console.log(`ready on ${standIn.url}`);

const stop = (): void => {
  control.stop();
  void standIn.stop();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
