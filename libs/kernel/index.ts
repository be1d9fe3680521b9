export type { Actor, DomainEvent, EventMetadata, EventToAppend, Json, RecordedEvent } from './events.js';
export { isOfProcess, SYSTEM_PROCESS, SYSTEM_TIMER, supposed, technicalEvent } from './events.js';
export type { Sealed } from './sealed.js';
export type { AppendReceipt, ExpectedRevision, Subscription, SubscriptionOptions } from './event-store.js';
export {
  EventStore,
  InvalidAppendError,
  MAX_APPEND_BYTES,
  NO_STREAM,
  StoreUnavailableError,
  WrongRevisionError,
} from './event-store.js';
export { lastEventOf } from './last-event.js';
export { LogLineage } from './log-lineage.js';
export type { SharedWriteGateOptions } from './write-gate.js';
export { SharedWriteGate, WriteGate, WRITES_STREAM, WritesRefusedError } from './write-gate.js';
export type { SerialisedEvent } from './serialised-append.js';
export { serialisedAppend } from './serialised-append.js';
export { LocalDelivery } from './local-delivery.js';
export { Clock, ManualClock, SystemClock } from './clock.js';
export { canonicalJson, derivedId, eventIdOf, isUuid, newId, newSalt, requestHashOf } from './ids.js';
export type { Command, CommandContext, Decider, Decision, Rejection } from './decider.js';
export type { LifeCycleRule, RuleRow } from './life-cycle.js';
export { ruleAmong } from './life-cycle.js';
export { accept, categoryOfStream, idOfStream, refuse, streamOf } from './decider.js';
export type { StreamSchemas, Upcaster } from './upcasting.js';
export { NewerEventError, Upcasting } from './upcasting.js';
export type { CommandMeta, CommandReceipt, Folded, Outcome, TransactOptions } from './transact.js';
export { ContentionError, emptyFold, foldOnto, Transactor } from './transact.js';
export type {
  Projection,
  ProjectionBatch,
  ProjectionStatus,
  ReadModel,
  ReadQueries,
  ReadTransaction,
  SqlRow,
  SqlValue,
} from './projection.js';
export { ReadDatabase, ReadModelUnavailableError, rowByRow } from './projection.js';
export type { BoardRow, Condition } from './record-board.js';
export { boardOf, rowsOf, where } from './record-board.js';
export type { BusSubscription, DeadLetter, Process, ProcessCommand, ProcessReads, StuckMessage } from './process.js';
export { MessageBus, processCommand, UnansweredRefusalError } from './process.js';
export type { DeadlineSource, DueDeadline } from './deadlines.js';
export { deadlineCommandId } from './deadlines.js';
export { backoffMs, messageOf, pause, TURN_MS, Turns, yieldToLoop } from './backoff.js';
export type { FeedOptions } from './feed.js';
export { Feed } from './feed.js';
export { recentlyUsed } from './recently-used.js';
export type { ProjectionAlarm, ProjectionNote, ProjectionRunnerOptions } from './projection-runner.js';
export { applyToModel, PoisonEventError, ProjectionRunner } from './projection-runner.js';
export type { ProcessAlarm, ProcessRunnerOptions } from './process-runner.js';
export { describeProcessAlarm, ProcessRunner } from './process-runner.js';
export { failureOf, framesOf } from './failure.js';
export type { DeadlineAlarm, DeadlineTickerOptions } from './deadline-ticker.js';
export { DeadlineTicker } from './deadline-ticker.js';
