export { EventStoreStandIn } from './stand-in.js';
