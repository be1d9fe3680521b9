export { alarmsTo, faultLine } from './alarms.js';
export type { Core, Port } from './core.module.js';
export { Drain } from './drain.js';
export type { Adapters, Host, HostOptions, Rate, Share } from './host.js';
export { addressOf, EVERYTHING, host, limitOf, SERVER } from './host.js';
export { configuredIssuer, configuredSealKeys } from './key-settings.js';
export type { LogKeyPlace } from './log-key.js';
export {
  configuredLogKey,
  exchangeLogKey,
  LOG_KEY_FILE,
  logKeyIn,
  logSigners,
  newLogKey,
  putAside,
  requiredLogKey,
  rotateLogKey,
} from './log-key.js';
export type { Closing } from './opened.js';
export { Opened } from './opened.js';
export type { Reason, Run } from './run.js';
export { EXIT, run } from './run.js';
export type { CallerSettings, ListenSettings, OidcSettings } from './settings.js';
export { configuredWitnesses } from './witness-settings.js';
export { callerSettings, DEFAULT_RATE, documentLimitOf, listenSettings, SettingError, Variables } from './settings.js';
