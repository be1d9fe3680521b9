export { mailboxFault, telephoneFault } from './contact.js';
export { KINDS_VERSION, KINDS, isKind } from './kinds.js';
export type { Kind } from './kinds.js';
export { INSTRUMENTS_VERSION, INSTRUMENTS, isGlobalInstrument, isInstrument, INSTRUMENT_WORDS } from './instruments.js';
export type { GlobalInstrument, InstrumentCode } from './instruments.js';
export {
  VISIBILITY_VERSION,
  VISIBILITIES,
  isVisibility,
  ANNEX_VISIBILITIES,
  isAnnexVisibility,
  stricterVisibility,
} from './visibility.js';
export type { Visibility, AnnexVisibility } from './visibility.js';
export {
  REFUSAL_REASONS_VERSION,
  REFUSAL_REASONS,
  isRefusalReason,
  NOTE_AUDIENCES,
  isNoteAudience,
} from './refusal-reasons.js';
export type { RefusalReasonCode, NoteAudience } from './refusal-reasons.js';
export { ROLES_VERSION, ROLES, isRole, OFFICES, isOffice, POWERS, isPower, ROLE_POWERS } from './roles.js';
export type { Role, Office, Power } from './roles.js';
export {
  PARTY_CATEGORIES_VERSION,
  PARTY_CATEGORIES,
  isPartyCategory,
  MEMBER_ROLES,
  isMemberRole,
  IMPLEMENTER_TYPES,
  isImplementerType,
} from './party-categories.js';
export type { PartyCategory, MemberRole, ImplementerType } from './party-categories.js';
export { URGENCY_VERSION, URGENCIES, isUrgency } from './urgency.js';
export type { Urgency } from './urgency.js';
export {
  REVIEW_CODES_VERSION,
  RETURN_REASONS,
  isReturnReason,
  SET_ASIDE_CODES,
  isSetAsideCode,
  OBJECTION_TARGETS,
  isObjectionTarget,
  DUPLICATE_VERDICTS,
  isDuplicateVerdict,
} from './review-codes.js';
export type { ReturnReason, SetAsideCode, ObjectionTarget, DuplicateVerdict } from './review-codes.js';
export {
  FINDING_CODES_VERSION,
  FINDING_SEVERITIES,
  isFindingSeverity,
  FINDING_RESPONSES,
  isFindingResponse,
  VERIFICATION_OUTCOMES,
  isVerificationOutcome,
  FINDING_CLOSINGS,
  isFindingClosing,
  AUDITED_KINDS,
  isAuditedKind,
} from './finding-codes.js';
export type {
  FindingSeverity,
  FindingResponse,
  VerificationOutcome,
  FindingClosing,
  AuditedKind,
} from './finding-codes.js';
export {
  CONFIRMATION_CODES_VERSION,
  CONFIRMED_FIGURES,
  isConfirmedFigure,
  CONFIRMATION_ANSWERS,
  isConfirmationAnswer,
  CONFIRMATION_CLOSINGS,
  isConfirmationClosing,
} from './confirmation-codes.js';
export type { ConfirmedFigure, ConfirmationAnswer, ConfirmationClosing } from './confirmation-codes.js';
export { TRANSFER_KINDS_VERSION, TRANSFER_KINDS, isTransferKind } from './transfer-kinds.js';
export type { TransferKind } from './transfer-kinds.js';
export {
  DELIVERY_CONDITIONS_VERSION,
  DELIVERY_CONDITIONS,
  isDeliveryCondition,
  SETTLEMENT_OUTCOMES,
  isSettlementOutcome,
} from './delivery-conditions.js';
export type { DeliveryCondition, SettlementOutcome } from './delivery-conditions.js';
export {
  CLOSING_OUTCOMES_VERSION,
  NEED_CLOSINGS,
  isNeedClosing,
  NEED_OUTCOMES,
  isNeedOutcome,
  OFFER_OUTCOMES,
  isOfferOutcome,
  COMMITMENT_OUTCOMES,
  isCommitmentOutcome,
} from './closing-outcomes.js';
export type { NeedClosing, NeedOutcome, OfferOutcome, CommitmentOutcome } from './closing-outcomes.js';
export {
  REPORTED_KINDS_VERSION,
  REPORTED_KINDS,
  isReportedKind,
  SOURCE_KINDS,
  isSourceKind,
} from './reported-kinds.js';
export type { ReportedKind, SourceKind } from './reported-kinds.js';
export { EARMARK_LEVELS_VERSION, EARMARK_LEVELS, isEarmarkLevel } from './earmark-levels.js';
export type { EarmarkLevel } from './earmark-levels.js';
export { OFFER_CONDITIONS_VERSION, OFFER_CONDITIONS, isOfferCondition } from './offer-conditions.js';
export type { OfferConditionCode } from './offer-conditions.js';
export { DOCUMENT_KINDS_VERSION, DOCUMENT_KINDS, isDocumentKind } from './document-kinds.js';
export type { DocumentKind } from './document-kinds.js';
export { MANDATE_SCOPES_VERSION, MANDATE_SCOPES, isMandateScope } from './mandate-scopes.js';
export type { MandateScopeKind } from './mandate-scopes.js';
export { isLanguage } from './languages.js';
export { TITLE_MAX, TEXT_MAX, isWellFormedText, textFaults, isSha256, isWebAddress } from './text.js';
export type { Fault, Parsed, TextRule } from './text.js';
export {
  MAX_DIGITS,
  readDecimal,
  decimal,
  fixedDecimal,
  withoutTrailingZeros,
  formatDecimal,
  compareDecimals,
  addDecimals,
  multiplyDecimals,
  rateFault,
  percentFault,
  shareFault,
} from './decimals.js';
export type { Decimal } from './decimals.js';
export { CURRENCIES_VERSION, currencyOf, ACTIVE_CURRENCIES } from './currencies.js';
export type { Currency } from './currencies.js';
export { UNITS_VERSION, UNITS, isUnit, unitScale } from './units.js';
export {
  QUANTITIES_VERSION,
  MEASURES,
  isMeasure,
  QUALIFIERS,
  isQualifier,
  UNDETERMINED_CAUSES,
  isUndeterminedCause,
  QuantityError,
  parseQuantity,
  isDeterminate,
  isUnlimited,
  isRival,
  sameMeasure,
  minorUnits,
  quantityOf,
  zeroLike,
  measureKey,
  add,
  subtract,
  compare,
  formatQuantity,
  rateHolds,
  sumByMeasure,
} from './quantity.js';
export type {
  Measure,
  Qualifier,
  UndeterminedCause,
  Money,
  PersonDays,
  Seats,
  Items,
  Access,
  Undetermined,
  Quantity,
  Determinate,
  QuantityRule,
} from './quantity.js';
export { parseValuation } from './valuation.js';
export type { Valuation } from './valuation.js';
export {
  isRealDate,
  readMoment,
  isInstant,
  momentFault,
  dateFault,
  lastInstant,
  firstInstant,
  latestDateAnywhere,
  isFuture,
  dateOf,
  addDays,
  addWorkingDays,
} from './moments.js';
export type { Precision, Moment } from './moments.js';
export { parsePeriod, periodStart, periodEnd, periodsOverlap, periodHolds } from './period.js';
export type { OpenPeriod, Period, PeriodRule } from './period.js';
export {
  STATES_VERSION,
  STATES,
  REGIONS,
  isState,
  stateOf,
  isRegion,
  regionOf,
  regionContains,
  sovereignOf,
} from './states.js';
export type { State, Region } from './states.js';
export {
  ORGANISATIONS_VERSION,
  ORGANISATIONS,
  organisationOf,
  membershipHolds,
  membersOf,
  isMemberOf,
  organisationsOf,
} from './organisations.js';
export type { Membership, Organisation } from './organisations.js';
export { PARTY_KINDS, isPartyId, partyFault, partyKind, stateOfParty, stateParty } from './parties.js';
export type { PartyKind, PartyId } from './parties.js';
export { isCodeOf } from './code-list.js';
