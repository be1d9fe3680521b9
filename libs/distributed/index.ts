export { openInstance } from './instance.js';
export type { RelayingOptions } from './relaying.js';
export { createRelaying } from './relaying.js';
export { runService } from './run-service.js';
export { createService } from './service.js';
export { kafkaSettings, readInstanceSettings, serverSettings, sharedSecret } from './settings.js';
