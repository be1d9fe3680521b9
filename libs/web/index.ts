export { asksFor } from './accept.js';
export type { AsOf, ClockName, Moment } from './as-of.js';
export { AsOfField, AsOfQuery, ClockField, countsAt, momentOf, readAsOf } from './as-of.js';
export type { Asked } from './authority.js';
export { actorOf, hasAuthority } from './authority.js';
export type { CallerClaims } from './caller-directory.js';
export { CallerDirectory } from './caller-directory.js';
export { installCompression } from './compression.js';
export type { Context, ContextDeps, ContextReads } from './context.js';
export { CSV, csvLine, wantsCsv } from './csv.js';
export type { FieldSchema } from './dto.js';
export {
  AlsoChecked,
  Checked,
  Code,
  CodeList,
  DateField,
  DecimalText,
  DEFAULT_LIMIT,
  EmptyBody,
  Flag,
  InstantField,
  ListQuery,
  MomentField,
  Nested,
  Parses,
  PartyIdField,
  PeriodField,
  QuantityField,
  repeats,
  Sha256Field,
  StateCode,
  Text,
  Title,
  WebAddressField,
  WholeNumber,
} from './dto.js';
export type { HealthCheck, OwnChecks, Readiness } from './health.js';
export { Health } from './health.js';
export type { HistoryRoute } from './history-controller.js';
export { historyController } from './history-controller.js';
export { EVENT_STREAM, streamedEvent } from './event-stream.js';
export { escapedHtml } from './html.js';
export { HttpAnswer } from './http-answer.js';
export type { FieldError, ProblemInfo } from './problem.js';
export { forbidden, invalid, knownProblems, notFound, Problem, registerProblems, requireForward } from './problem.js';
export { ReadGate } from './read-gate.js';
export type { Settle } from './record-endpoints.js';
export type { EventShown } from './record-endpoints.js';
export { eventFor, RecordEndpoints, requireSameMoment, uuidOf } from './record-endpoints.js';
export type { CommandAccess, CommandBuilder, MandateReach, RecordKind, PastView } from './record-kind.js';
export type { Change } from './changes.js';
export { differences, withNulls } from './changes.js';
export { lookingBack } from './looking-back.js';
export type { ReplayStep } from './replay.js';
export { replayOf, withoutToday } from './replay.js';
export { replayController, shownAt } from './replay-controller.js';
export { showsWhole } from './record-kind.js';
export type { RequestContext } from './request-context.js';
export { Ctx } from './request-context.js';
export type { RouteActionOptions } from './route-action.js';
export { RouteAction } from './route-action.js';
export type { CursorValue } from './signing.js';
export { ConsistencyTokens, Cursors } from './signing.js';
export type { AnyRecordKind } from './record-kinds.js';
export type { Noted } from './read-notes.js';
export { ReadNotes } from './read-notes.js';
export { RecordKinds, RecordSight } from './record-kinds.js';
export { KeyRing } from './key-ring.js';
export { keyFolder, replaceSecretAt, secretAt, secretFile } from './key-folder.js';
export { DEFAULT_AUDIENCE, LocalIssuer } from './local-issuer.js';
export type { TokenRequest } from './local-issuer.js';
export { isLoopback, RequestMetrics } from './metrics.js';
export { docsAsset, docsPage, docsStart, PAGE_POLICY, problemPage } from './pages.js';
export { PROBLEM_MEDIA_TYPE, problemDocument, sendProblem } from './problem-document.js';
export { problemOf, problemOfStatus } from './problem.filter.js';
export { publishDocument } from './open-api.js';
export {
  BODY_LIMIT,
  CHUNK_TYPE,
  clientErrorHandler,
  frameworkErrors,
  installAdmission,
  installPipeline,
  pathOf,
} from './pipeline.js';
export { RateLimit } from './rate-limit.js';
export type { DeclaredRoute } from './serving.js';
export { configuredSeals, declaredRoutes, requireActions, routesOf, sealKeysOf, sharedSeals } from './serving.js';
export type {
  EraseAsked,
  PeopleAnswered,
  PeopleAsked,
  ReferencesAnswered,
  ReferencesAsked,
  SealAnswered,
  SealAsked,
  UnsealAnswered,
  UnsealAsked,
} from './remote-subject-register.js';
export { MAX_ASKED, RemoteSubjectRegister } from './remote-subject-register.js';
export { SqliteSubjectRegister } from './sqlite-subject-register.js';
export type { Place } from './sealing.js';
export type { Person, SealedAt, TextToSeal, Unsealed } from './subject-register.js';
export { KeyStoreUnavailableError, SubjectRegister } from './subject-register.js';
export type { TrustedIssuer } from './token-verifier.js';
export { TokenVerifier, trustLocal, trustOidc } from './token-verifier.js';
export { validated } from './validation.js';
export { WebModule } from './web.module.js';
export type { WebProblemCode } from './web.problems.js';
export { WEB_PROBLEMS } from './web.problems.js';
export { ReasonBody, ReasonDto, reasonOf } from './reasons.js';
