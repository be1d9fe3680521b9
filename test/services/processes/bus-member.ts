import { setTimeout as wait } from 'node:timers/promises';
import { KafkaBroker, KafkaMessageBus } from '#bus-kafka';
import { takeEffect } from './effects.js';
import { IpcEventStore } from './ipc-event-store.js';

/** An instance of a service whose process takes an effect for every event. Told what to be by its arguments. */
const [brokers = '', prefix = '', storeId = '', workMs = '0', sessionMs = '3000'] = process.argv.slice(2);

const store = new IpcEventStore(storeId);
const broker = new KafkaBroker({ brokers: brokers.split(','), sessionTimeoutMs: Number(sessionMs) });
const bus = new KafkaMessageBus(store, broker, {
  prefix,
  categories: [{ name: 'counter', types: ['Raised'] }],
  alarm: (alarm) => {
    process.send?.({ alarm: alarm.kind, text: 'error' in alarm ? String(alarm.error) : '' });
  },
});
bus.subscribe('effects', ['Raised'], async (event) => {
  await wait(Number(workMs));
  await takeEffect(store, event);
  process.send?.({ handled: `${event.stream}@${event.revision}` });
});

process.on('message', (message: object) => {
  if (!('stop' in message)) return;
  void bus
    .close()
    .then(() => broker.close())
    .then(() => {
      process.disconnect();
    });
});
process.on('disconnect', () => process.exit());
