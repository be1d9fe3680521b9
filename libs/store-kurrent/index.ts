export type { KurrentEventStoreOptions } from './kurrent-event-store.js';
export { KurrentEventStore } from './kurrent-event-store.js';
