import { once } from 'node:events';
import { Kafka, logLevel } from 'kafkajs';

/** Reads a topic to its first message, as a partner does with the account of its environment, and prints the type of it. */
const [topic = '', groupId = ''] = process.argv.slice(2);
const {
  KAFKA_BROKERS: brokers = '',
  KAFKA_SASL_USERNAME: username = '',
  KAFKA_SASL_PASSWORD: password = '',
} = process.env;
const PATIENCE_MS = 15_000;
const kafka = new Kafka({
  brokers: brokers.split(','),
  ssl: true,
  sasl: { mechanism: 'scram-sha-256', username, password },
  logLevel: logLevel.NOTHING,
  retry: { retries: 1 },
});
const fail = (why: unknown): never => {
  // kafkajs wraps what happened in what it did about it.
  let told = why;
  while (told instanceof Error && told.cause instanceof Error) told = told.cause;
  console.error(told instanceof Error ? told.message : told);
  process.exit(1);
};
setTimeout(fail, PATIENCE_MS, 'nothing came').unref();
const consumer = kafka.consumer({ groupId });
const told = new EventTarget();
try {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  consumer.on('consumer.crash', ({ payload }) => fail(payload.error));
  const first = once(told, 'message');
  await consumer.run({
    eachMessage: async ({ message }) => {
      console.log(String(message.headers?.ce_type));
      told.dispatchEvent(new Event('message'));
    },
  });
  await first;
  await consumer.disconnect();
} catch (error) {
  fail(error);
}
