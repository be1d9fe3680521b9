export { InMemoryEventStore } from './in-memory-event-store.js';
export type { StoreUnderTest } from './event-store-contract.js';
export type { BusUnderTest } from './message-bus-contract.js';
export { messageBusContract } from './message-bus-contract.js';
export { eventStoreContract, everyEvent, sampleEvent } from './event-store-contract.js';
export type { CommandBody, Given, GivenMetadata } from './records.js';
export {
  ANYONE,
  askedBy,
  frozen,
  recordedEvent,
  recordedHistory,
  stateAfter,
  TEST_TIME,
  throughJson,
} from './records.js';
export type { Asked, GivenHistory, Spec, SpecOptions, When } from './spec-for.js';
export { specFor } from './spec-for.js';
export type { ModelDump, ProjectionScenarioOptions } from './projection-scenario.js';
export { dumpOf, projectionScenario } from './projection-scenario.js';
export type { ProcessScenarioOptions, ScenarioStates, ScenarioStep } from './process-scenario.js';
export { processScenario, step } from './process-scenario.js';
export type { CounterCommand, CounterEvent, CounterRejection } from './counter.js';
export { counter, counterValues } from './counter.js';
