import { relative } from 'node:path';

/** The address of a server that this suite talks to; says so in the run's output. */
export const talksTo = (variable: 'KAFKA_BROKERS' | 'EVENTSTORE_URL'): string => {
  const address = process.env[variable];
  if (address === undefined || address === '') {
    throw new Error(`${variable} is not set: run the suite through npm run test:services, which starts what it needs`);
  }
  const which = process.env[`${variable}_STARTED`] ?? `as ${variable} says`;
  process.stdout.write(
    `${relative(process.cwd(), expect.getState().testPath ?? '')} talks to ${address.replace(/\/\/.*@/, '//')} (${which})\n`,
  );
  return address;
};
