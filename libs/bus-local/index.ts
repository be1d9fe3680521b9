export type { BusAlarm, LocalMessageBusOptions } from './local-message-bus.js';
export { LocalMessageBus } from './local-message-bus.js';
