import { KafkaBroker, Relay } from '#bus-kafka';
import { IpcEventStore } from './ipc-event-store.js';

/** A relay. Told what to be by its arguments. */
const [brokers = '', prefix = '', storeId = '', leaseMs = '2000', checkpointEveryMs = '100'] = process.argv.slice(2);

const store = new IpcEventStore(storeId);
const broker = new KafkaBroker({ brokers: brokers.split(',') });
const relay = new Relay(store, broker, {
  prefix,
  isPublic: () => false,
  leaseMs: Number(leaseMs),
  checkpointEveryMs: Number(checkpointEveryMs),
  alarm: (alarm) => {
    process.send?.({ alarm: alarm.kind, text: 'error' in alarm ? String(alarm.error) : '' });
  },
});
relay.start();

process.on('message', (message: object) => {
  if ('status' in message) {
    void relay.status().then(({ role, wakeUps }) => process.send?.({ role, position: wakeUps.position }));
  }
  if ('stop' in message) {
    void relay
      .stop()
      .then(() => broker.close())
      .then(() => {
        process.disconnect();
      });
  }
});
process.on('disconnect', () => process.exit());
