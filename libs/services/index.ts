export { categories } from './categories.js';
export { contexts } from './contexts.js';
export { ROUTE_SUMMARIES } from './route-summaries.js';
export { PublicRecords } from './public-records.js';
export type { ServiceName } from './route-table.js';
export { isOfEveryApp, ROUTE_TABLE, serviceOf, SERVICES } from './route-table.js';
export type { ServiceShare } from './share.js';
export { relayShare, shareOf } from './share.js';
