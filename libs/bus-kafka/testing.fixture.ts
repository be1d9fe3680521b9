export { InMemoryBroker } from './in-memory-broker.fixture.js';
export { SeveredBroker } from './severed-broker.fixture.js';
