import type { Actor, Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { Kind, NeedClosing, NeedOutcome, ObjectionTarget, Power, Quantity, Role } from '#vocabulary';
import {
  addDays,
  addWorkingDays,
  isDeterminate,
  isRival,
  minorUnits,
  quantityOf,
  sameMeasure,
  sovereignOf,
  stateOfParty,
} from '#vocabulary';
import type { CoverageBook } from './coverage.js';
import { foldCoverage, hasLive, isInUse } from './coverage.js';
import type { CoverageCommand } from './need-coverage.js';
import { committedOn, decideCoverage, figuresOfLine } from './need-coverage.js';
import type {
  DocumentRef,
  GivenReason,
  NeedContent,
  NeedEvent,
  NeedFacts,
  NeedLine,
  NeedVisibility,
  Participant,
} from './need.contract.js';
import { countedOf, participantsOf } from './need.contract.js';

/** Why a command to a need is refused. */
export type NeedRejectionCode =
  | 'not-found'
  | 'already-exists'
  | 'forbidden'
  | 'wrong-status'
  | 'incomplete'
  | 'consent-missing'
  | 'objected'
  | 'window-open'
  | 'not-due'
  | 'no-beneficiary'
  | 'last-participant'
  | 'participant-consented'
  | 'below-committed'
  | 'line-in-use'
  | 'unknown-line'
  | 'not-undetermined'
  | 'live-commitments'
  | 'survivor-not-open'
  | 'other-beneficiaries'
  | 'not-met'
  | 'not-bound'
  | 'beyond-bound';
export type NeedRejection = Rejection<NeedRejectionCode>;

export type NeedStatus = NeedFacts['status'];

/** What the filer said when submitting. */
export interface NeedSubmission {
  readonly circulate: 'yes' | 'asked';
  readonly publish: 'yes' | 'asked';
}

export interface NeedState extends CoverageBook {
  /** `absent` before the first event. */
  readonly status: 'absent' | NeedStatus;
  readonly closedAs?: NeedOutcome;
  readonly filer: string;
  /** Those it counts for: in a joint need each State from its consent on. */
  readonly beneficiaries: readonly string[];
  /** Everyone it names as beneficiary, in the order of filing. */
  readonly participants: readonly Participant[];
  readonly onBehalfOf?: string;
  readonly claimedFrom?: string;
  /** A coordinator's transcript that its State has neither ratified nor objected to. */
  readonly transcribed: boolean;
  readonly content: NeedContent;
  /** Highest line number ever given: numbers are never reused. */
  readonly lastLine: number;
  /** The latest submission; once there, the coordinator sees the need. */
  readonly submission?: NeedSubmission;
  /** When its objection window ends, RFC 3339 UTC; empty before. */
  readonly windowEnds: string;
  /** What the latest review said, while it stands. */
  readonly review?:
    | { readonly as: 'returned'; readonly reasons: readonly string[]; readonly note?: string }
    | { readonly as: 'set-aside'; readonly code: string; readonly note?: string };
  /** Objections since the latest submission. */
  readonly objections: readonly ObjectionTarget[];
  /** Opened at least once: from then on the labels decide who sees it. */
  readonly opened: boolean;
  /** Revision of the opening, which happens once; 0 before. */
  readonly openedAt: number;
  /** RFC 3339 UTC; empty before it first opened. */
  readonly reaffirmBy: string;
  readonly waivers: readonly { readonly line: number; readonly reason: string }[];
  readonly withdrawnFor?: GivenReason;
  /** Quantities set after the fact, with the assessor's report. */
  readonly assessments: readonly { readonly lines: readonly number[]; readonly report: DocumentRef }[];
  /** The need that took this one in, while it does. */
  readonly supersededBy?: string;
  /** Needs this one took in. */
  readonly absorbed: readonly string[];
}

/** A line in an amendment: with `line` it is that line; without any number in the list, the place in the list says which. */
export interface LineChange {
  readonly line?: number;
  readonly kind: Kind;
  readonly description?: string;
  readonly quantity: Quantity;
}

/** What an amendment may change; parts of `visibility` left out stay as they are. */
export type NeedChanges = Partial<Omit<NeedContent, 'lines' | 'visibility'>> & {
  readonly lines?: readonly LineChange[];
  readonly visibility?: Partial<NeedVisibility>;
  /** Everyone the need is to name. */
  readonly beneficiaries?: readonly string[];
};

/** What a merge looks at in the need that is to survive. */
export interface SurvivorFacts {
  readonly status: NeedStatus;
  readonly beneficiaries: readonly string[];
  /** Who files for it. */
  readonly principal: string;
}

type FiledCommand = Command &
  (
    | {
        readonly type: 'DraftNeed';
        readonly filer: string;
        readonly beneficiaries: readonly string[];
        /** The State whose note a coordinator transcribes. */
        readonly onBehalfOf?: string;
        readonly claimedFrom?: string;
        readonly content: NeedContent;
      }
    | {
        readonly type: 'SubmitNeed';
        readonly consent: { readonly circulate: 'yes' | 'asked'; readonly publish: 'yes' | 'asked' };
      }
    | { readonly type: 'ReturnNeed'; readonly reasons: readonly string[]; readonly note?: string }
    | { readonly type: 'SetAsideNeed'; readonly code: string; readonly note?: string }
    | { readonly type: 'ObjectNeed'; readonly to: ObjectionTarget }
    | { readonly type: 'OpenNeed' }
    | { readonly type: 'AmendNeed'; readonly changes: NeedChanges }
    | { readonly type: 'ReaffirmNeed' }
    /** `standstillMs`: for how long since the due date the State kept designations of which none was valid. */
    | { readonly type: 'FallDormant'; readonly standstillMs: number }
    | { readonly type: 'ReopenNeed' }
    /** `groupLive`: a commitment on a need that it absorbed is live. */
    | { readonly type: 'WithdrawNeed'; readonly reason?: GivenReason; readonly groupLive?: boolean }
    | {
        readonly type: 'CloseNeed';
        readonly outcome: NeedClosing;
        readonly waivers: readonly { readonly line: number; readonly reason: string }[];
        readonly groupLive?: boolean;
      }
    | { readonly type: 'ConsentParticipation' }
    | { readonly type: 'WithdrawParticipation' }
    | { readonly type: 'RatifyNeed' }
    | {
        readonly type: 'AssessNeed';
        readonly lines: readonly { readonly line: number; readonly quantity: Quantity }[];
        readonly report: DocumentRef;
      }
    | { readonly type: 'MergeNeed'; readonly into: string; readonly survivor: SurvivorFacts }
    | { readonly type: 'UnmergeNeed' }
    /** The survivor's side of a merge and of its end. */
    | { readonly type: 'RecordMerge'; readonly absorbed: string }
    | { readonly type: 'RecordUnmerge'; readonly absorbed: string }
    /** Takes a merge back that its survivor refused. */
    | { readonly type: 'UndoMerge'; readonly into: string }
  );
export type NeedCommand = FiledCommand | CoverageCommand;
export type NeedCommandType = NeedCommand['type'];

/** Offices that act for a State or authority, and the host of a network. */
export const STATE_OFFICES = ['npc', 'mission', 'line-ministry'] as const satisfies readonly Role[];
export const FILING_ROLES = [...STATE_OFFICES, 'network-host'] as const satisfies readonly Role[];

/**
 * `filer`: who writes the need. `state`: the State or host it is filed for. `member`: also each State that takes part. `participant`: a
 * State that a joint need names beside these. `represented`: the State a coordinator filed for.
 */
export type Who =
  | 'filer'
  | 'state'
  | 'member'
  | 'participant'
  | 'represented'
  | 'coordinator'
  | 'coordinator-or-timer'
  | 'timer'
  | 'process';

export interface NeedCommandRule {
  /** As the last part of its route and in `actions`; absent for commands that have none. */
  readonly action?: string;
  readonly from: readonly NeedStatus[];
  readonly who: Who;
  /** The power a person of the State needs. */
  readonly power?: Power;
}

const EVERY: readonly NeedStatus[] = ['draft', 'submitted', 'returned', 'set-aside', 'open', 'dormant', 'closed'];

/** DOMAIN's table of the need: used to decide, to permit and to list `actions`. Filing itself (DraftNeed) has no row: there is no need yet. */
export const NEED_COMMANDS = {
  SubmitNeed: { action: 'submit', from: ['draft', 'returned', 'set-aside'], who: 'filer', power: 'file' },
  ReturnNeed: { action: 'return', from: ['submitted'], who: 'coordinator' },
  SetAsideNeed: { action: 'set-aside', from: ['submitted'], who: 'coordinator' },
  ObjectNeed: { action: 'object', from: ['submitted', 'open'], who: 'member', power: 'consent' },
  RatifyNeed: { action: 'ratify', from: EVERY, who: 'represented', power: 'consent' },
  ConsentParticipation: {
    action: 'consent-participation',
    from: ['draft', 'submitted', 'returned', 'set-aside', 'open'],
    who: 'participant',
    power: 'consent',
  },
  WithdrawParticipation: {
    action: 'withdraw-participation',
    from: ['draft', 'submitted', 'returned', 'set-aside', 'open'],
    who: 'participant',
    power: 'consent',
  },
  OpenNeed: { action: 'open', from: ['submitted'], who: 'coordinator-or-timer' },
  AmendNeed: { action: 'amend', from: ['draft', 'returned', 'set-aside', 'open'], who: 'filer', power: 'file' },
  AssessNeed: { action: 'assess', from: ['open'], who: 'state', power: 'file' },
  MergeNeed: { action: 'merge', from: ['open', 'dormant'], who: 'state', power: 'file' },
  UnmergeNeed: { action: 'unmerge', from: ['closed'], who: 'state', power: 'file' },
  ReaffirmNeed: { action: 'reaffirm', from: ['open', 'dormant'], who: 'state', power: 'file' },
  FallDormant: { from: ['open'], who: 'timer' },
  ReopenNeed: { action: 'reopen', from: ['dormant'], who: 'state', power: 'file' },
  WithdrawNeed: {
    action: 'withdraw',
    from: ['draft', 'submitted', 'returned', 'set-aside', 'open', 'dormant'],
    who: 'state',
    power: 'file',
  },
  CloseNeed: { action: 'close', from: ['open'], who: 'state', power: 'file' },
  // A reservation asked of a need that is not open is answered by an event, so the table lets it through.
  RecordMerge: { from: EVERY, who: 'process' },
  RecordUnmerge: { from: EVERY, who: 'process' },
  UndoMerge: { from: EVERY, who: 'process' },
  ReserveCoverage: { from: EVERY, who: 'process' },
  BindCoverage: { from: EVERY, who: 'process' },
  AmendCoverage: { from: EVERY, who: 'process' },
  DeliverCoverage: { from: EVERY, who: 'process' },
  ConfirmCoverage: { from: EVERY, who: 'process' },
  ReturnCoverage: { from: EVERY, who: 'process' },
  CorrectCoverage: { from: EVERY, who: 'process' },
  ReleaseCoverage: { from: EVERY, who: 'process' },
  ReopenCoverage: { from: EVERY, who: 'process' },
} as const satisfies Record<Exclude<NeedCommandType, 'DraftNeed'>, NeedCommandRule>;

/** Days between two reaffirmations, and days after the due date at which a need falls dormant. */
export const REAFFIRM_DAYS = 365;
export const DORMANT_DAYS = 90;
/** UNSCR 1540 Committee: a request is made available to providers unless the State objects within five working days. */
export const OBJECTION_WINDOW_WORKING_DAYS = 5;

const NO_CONTENT: NeedContent = {
  title: '',
  kinds: [],
  instruments: [],
  traffickingNexus: false,
  lines: [],
  urgency: 'normal',
  visibility: { summary: 'members', body: 'members', annex: 'sealed' },
  named: [],
  oversubscription: false,
};

const INITIAL: NeedState = {
  status: 'absent',
  filer: '',
  beneficiaries: [],
  participants: [],
  transcribed: false,
  content: NO_CONTENT,
  lastLine: 0,
  objections: [],
  opened: false,
  openedAt: 0,
  windowEnds: '',
  reaffirmBy: '',
  waivers: [],
  assessments: [],
  absorbed: [],
  reservations: {},
  keysOf: {},
  overtaken: [],
  refusals: {},
};

const withParticipants = (state: NeedState, participants: readonly Participant[]): NeedState => ({
  ...state,
  participants,
  beneficiaries: countedOf(participants),
});

const answered = (state: NeedState, party: string, status: Participant['status'], at: string): NeedState =>
  withParticipants(
    state,
    state.participants.map((each) => (each.party === party ? { party, status, at } : each)),
  );

const lastLineOf = (lines: readonly NeedLine[], before: number): number =>
  lines.reduce((most, { line }) => Math.max(most, line), before);

const without = <T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> => {
  const { [key]: _left, ...rest } = object;
  return rest;
};

const withParticipantsOf = (
  drafted: Parameters<typeof participantsOf>[0],
  at: string,
): Pick<NeedState, 'participants' | 'beneficiaries'> => {
  const participants = participantsOf(drafted, at);
  return { participants, beneficiaries: countedOf(participants) };
};

const behalfOf = ({ onBehalfOf }: Pick<NeedState, 'onBehalfOf'>): { readonly onBehalfOf?: string } =>
  onBehalfOf === undefined ? {} : { onBehalfOf };

const evolve = (state: NeedState, { type, data, revision, metadata }: RecordedEvent<NeedEvent>): NeedState => {
  const event = { type, data } as NeedEvent;
  switch (event.type) {
    case 'NeedDrafted': {
      const { filer, content, onBehalfOf, claimedFrom } = event.data;
      return {
        ...INITIAL,
        status: 'draft',
        filer,
        ...withParticipantsOf(event.data, metadata.recordedAt),
        content,
        transcribed: onBehalfOf !== undefined,
        lastLine: lastLineOf(content.lines, 0),
        ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
        ...(claimedFrom === undefined ? {} : { claimedFrom }),
      };
    }
    case 'NeedSubmitted':
      return {
        ...without(state, 'review'),
        status: 'submitted',
        submission: event.data.consent,
        windowEnds: event.data.windowEnds,
        // The State asks anew: its earlier objections answered an earlier question.
        objections: [],
      };
    case 'NeedReturned':
      return { ...state, status: 'returned', review: { as: 'returned', ...event.data } };
    case 'NeedSetAside':
      return { ...state, status: 'set-aside', review: { as: 'set-aside', ...event.data } };
    case 'NeedObjected':
      // A State that objects has taken the record in hand.
      return { ...state, transcribed: false, objections: [...state.objections, event.data.to] };
    case 'NeedRatified':
      return { ...state, transcribed: false };
    case 'NeedOpened':
      return {
        ...state,
        status: 'open',
        opened: true,
        openedAt: revision,
        reaffirmBy: event.data.reaffirmBy,
      };
    case 'NeedAmended': {
      const { changes, beneficiaries } = event.data;
      const content = { ...state.content, ...changes };
      const after = { ...state, content, lastLine: lastLineOf(content.lines, state.lastLine) };
      if (beneficiaries === undefined) return after;
      const named = participantsOf({ filer: state.filer, ...behalfOf(state), beneficiaries }, metadata.recordedAt);
      return withParticipants(
        after,
        named.map((each) => state.participants.find(({ party }) => party === each.party) ?? each),
      );
    }
    case 'ParticipationConsented':
      return answered(state, event.data.party, 'consented', metadata.recordedAt);
    case 'ParticipationWithdrawn':
      return answered(state, event.data.party, 'withdrawn', metadata.recordedAt);
    case 'NeedAssessed': {
      const { lines: assessed, report } = event.data;
      const lines = state.content.lines.map((line) => ({
        ...line,
        ...assessed.find((each) => each.line === line.line),
      }));
      return {
        ...state,
        content: { ...state.content, lines },
        assessments: [...state.assessments, { lines: assessed.map(({ line }) => line), report }],
      };
    }
    case 'NeedSuperseded':
      return { ...state, status: 'closed', closedAs: 'superseded', supersededBy: event.data.into };
    case 'NeedsMerged':
      return { ...state, absorbed: [...state.absorbed, event.data.absorbed] };
    case 'NeedUnmerged': {
      const { other, as } = event.data;
      if (as === 'survivor') return { ...state, absorbed: state.absorbed.filter((id) => id !== other) };
      return { ...without(without(state, 'supersededBy'), 'closedAs'), status: 'open' };
    }
    case 'NeedReaffirmed':
      return { ...state, reaffirmBy: event.data.reaffirmBy };
    case 'NeedFellDormant':
      return { ...state, status: 'dormant' };
    case 'NeedReopened':
      return { ...state, status: 'open', reaffirmBy: event.data.reaffirmBy };
    case 'NeedWithdrawn': {
      const { reason } = event.data;
      return {
        ...state,
        status: 'closed',
        closedAs: 'withdrawn',
        ...(reason === undefined ? {} : { withdrawnFor: reason }),
      };
    }
    case 'NeedClosed':
      return { ...state, status: 'closed', closedAs: event.data.outcome, waivers: event.data.waivers };
    case 'CoverageReserved':
    case 'CoverageRefused':
    case 'CoverageBound':
    case 'CoverageDelivered':
    case 'CoverageConfirmed':
    case 'CoverageReturned':
    case 'CoverageDeliveryCorrected':
    case 'CoverageReleased':
    case 'CoverageReopened':
      return foldCoverage(state, event);
    default:
      // An event this version does not know: `transact` refuses to decide over it, a fold passes it by.
      return state;
  }
};

/** Who files for whom: State offices for their State or authority, a network host for its network. */
export const filesFor = ({ role, party }: Pick<Actor, 'role' | 'party'>): boolean =>
  role === 'network-host'
    ? party.startsWith('network:')
    : STATE_OFFICES.some((office) => office === role) && (party.startsWith('state:') || party.startsWith('authority:'));

/** The State, authority or network that a need is filed for: by its own office, or by a coordinator on its behalf. */
export const principalOf = ({ filer, onBehalfOf }: Pick<NeedState, 'filer' | 'onBehalfOf'>): string =>
  onBehalfOf ?? filer;

/** A State that a joint need names beside the one it is filed for. */
export const participationOf = (state: NeedState, party: string): Participant | undefined =>
  party === state.filer || party === state.onBehalfOf
    ? undefined
    : state.participants.find((each) => each.party === party);

/** True where `actor` stands on the filer's side: one of its parties, or of the same sovereign. */
const onOwnersSide = (
  { filer, participants }: NeedState,
  { party, sovereign }: Pick<Actor, 'party' | 'sovereign'>,
): boolean =>
  [filer, ...participants.map((each) => each.party)].some((each) => {
    if (each === party) return true;
    const state = stateOfParty(each);
    return state !== undefined && sovereign !== undefined && sovereignOf(state) === sovereignOf(sovereign);
  });

/** DOMAIN: a coordinator never acts on a record where its own party is implementer, beneficiary or filer. */
const coordinates = (state: NeedState, actor: Pick<Actor, 'party' | 'role' | 'sovereign'>): boolean =>
  actor.role === 'coordinator' && !onOwnersSide(state, actor) && state.content.proposedImplementer !== actor.party;

/** True where this principal may send this command to this need at all, whatever its status. */
export const mayAct = (who: Who, state: NeedState, actor: Pick<Actor, 'party' | 'role' | 'sovereign'>): boolean => {
  switch (who) {
    case 'filer':
      // Who transcribed a note mends the transcript until its State has taken it over.
      return state.transcribed
        ? actor.role === 'coordinator' && actor.party === state.filer
        : filesFor(actor) && actor.party === principalOf(state);
    case 'state':
      return filesFor(actor) && actor.party === principalOf(state);
    case 'member':
      return filesFor(actor) && (actor.party === principalOf(state) || state.beneficiaries.includes(actor.party));
    case 'participant':
      return filesFor(actor) && participationOf(state, actor.party) !== undefined;
    case 'represented':
      return filesFor(actor) && actor.party === state.onBehalfOf;
    case 'coordinator':
      return coordinates(state, actor);
    case 'coordinator-or-timer':
      return actor.party === SYSTEM_TIMER.party || coordinates(state, actor);
    case 'timer':
      return actor.party === SYSTEM_TIMER.party;
    case 'process':
      return actor.party === SYSTEM_PROCESS.party;
  }
};

export const hasLiveCommitments = (state: NeedState): boolean => hasLive(state);

/** What a submission still lacks, by field name. */
export const missingToSubmit = ({ title, lines, kinds, instruments, authorityRef }: NeedContent): readonly string[] => [
  ...(title.trim() === '' ? ['title'] : []),
  ...(lines.length === 0 ? ['lines'] : []),
  ...(kinds.length === 0 ? ['kinds'] : []),
  ...(instruments.length === 0 ? ['instruments'] : []),
  ...(authorityRef === undefined ? ['authorityRef'] : []),
];

/** When an open need that nobody reaffirms may fall dormant, and a submitted one opens by itself; undefined while neither runs. */
export const nextDeadline = (
  state: NeedState,
): { readonly command: 'OpenNeed' | 'FallDormant'; readonly due: string } | undefined => {
  if (state.status === 'submitted' && !state.objections.includes('circulation') && state.beneficiaries.length > 0) {
    return { command: 'OpenNeed', due: state.windowEnds };
  }
  if (state.status === 'open' && !hasLiveCommitments(state)) {
    return { command: 'FallDormant', due: addDays(state.reaffirmBy, DORMANT_DAYS) };
  }
  return undefined;
};

const no = (code: NeedRejectionCode, detail: string, field?: string): NeedRejection =>
  field === undefined ? { code, detail } : { code, detail, field };

const refused = (rejection: NeedRejection): Decision<never, NeedRejection> => ({ kind: 'refused', rejection });

const liveRefusal = (state: NeedState): NeedRejection | undefined =>
  hasLiveCommitments(state)
    ? no(
        'live-commitments',
        'a commitment on this need is accepted, binding or delivered and not yet confirmed: settle or leave it first',
      )
    : undefined;

/** Why a command that its status allows is still refused, as far as the need alone shows it; undefined where nothing stands against it. */
export const obstacle = (
  type: NeedCommandType,
  state: NeedState,
  by: Pick<Actor, 'party'>,
): NeedRejection | undefined => {
  switch (type) {
    case 'OpenNeed':
      if (state.beneficiaries.length === 0) {
        return no('no-beneficiary', 'no State of this joint need has consented to take part yet');
      }
      if (state.objections.includes('circulation')) {
        return no('objected', 'the State objects to circulation: the need stays closed to providers');
      }
      return by.party !== SYSTEM_TIMER.party && state.submission?.circulate !== 'yes'
        ? no(
            'consent-missing',
            'the State was asked to consent to circulation: the need opens by itself when its objection window ends',
          )
        : undefined;
    case 'FallDormant':
    case 'WithdrawNeed':
    case 'CloseNeed':
      return liveRefusal(state);
    case 'WithdrawParticipation':
      return state.status === 'open' && state.beneficiaries.length === 1 && state.beneficiaries[0] === by.party
        ? no('last-participant', 'an open need is for somebody: its filer withdraws or closes it instead')
        : undefined;
    case 'UnmergeNeed':
      return state.supersededBy === undefined
        ? no('wrong-status', 'this need was closed, not merged into another: it stays closed')
        : undefined;
    default:
      return undefined;
  }
};

const renumbered = (state: NeedState, changes: readonly LineChange[]): readonly NeedLine[] | NeedRejection => {
  const current = state.content.lines;
  const numbered = changes.some(({ line }) => line !== undefined);
  let next = state.lastLine;
  const lines: NeedLine[] = [];
  for (const [index, change] of changes.entries()) {
    const line = change.line ?? (numbered ? undefined : current[index]?.line);
    if (change.line !== undefined && !current.some((each) => each.line === change.line)) {
      return no(
        'unknown-line',
        `there is no line ${change.line}: leave its number out to add a line`,
        `lines[${index}].line`,
      );
    }
    if (lines.some((each) => each.line === line)) {
      return no('unknown-line', `line ${line} is amended twice`, `lines[${index}].line`);
    }
    if (line === undefined) next += 1;
    lines.push({ ...change, line: line ?? next });
  }
  return lines.sort((a, b) => a.line - b.line);
};

const amended = (
  state: NeedState,
  { lines, visibility, beneficiaries: _named, ...others }: NeedChanges,
): Partial<NeedContent> | NeedRejection => {
  const asked = lines === undefined ? undefined : renumbered(state, lines);
  if (asked !== undefined && 'code' in asked) return asked;
  const wanted: Partial<NeedContent> = {
    ...others,
    ...(asked === undefined ? {} : { lines: asked }),
    ...(visibility === undefined ? {} : { visibility: { ...state.content.visibility, ...visibility } }),
  };
  const before = state.content as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(wanted).filter(([field, value]) => canonicalJson(value) !== canonicalJson(before[field] ?? null)),
  );
};

/** What is credited with words stays open until it is assessed. */
const isAlike = (before: Quantity, after: Quantity): boolean =>
  isDeterminate(before) ? sameMeasure(before, after) : !isDeterminate(after);

/** DOMAIN, AmendNeed: a line never drops below accepted + binding. */
const lineRefusal = (
  state: NeedState,
  { lines, oversubscription }: Partial<NeedContent>,
): NeedRejection | undefined => {
  for (const before of state.content.lines) {
    if (!isInUse(state, before.line)) continue;
    const after = (lines ?? state.content.lines).find(({ line }) => line === before.line);
    if (after === undefined || !isAlike(before.quantity, after.quantity)) {
      return no(
        'line-in-use',
        `line ${before.line} has accepted or binding commitments: it stays, in the same measure`,
        'lines',
      );
    }
    if (!isRival(after.quantity)) continue;
    const committed = committedOn(state, before.line);
    const figure = minorUnits(after.quantity);
    const drops = figure < committed && figure < minorUnits(before.quantity);
    if (drops || (oversubscription === false && figure < committed)) {
      return no(
        'below-committed',
        `line ${before.line} has more than that accepted and binding: ask for at least ${quantityOf(before.quantity, committed).amount}`,
        'lines',
      );
    }
  }
  return undefined;
};

const GROUP_LIVE = no(
  'live-commitments',
  'a commitment on a need merged into this one is accepted, binding or delivered and not yet confirmed',
);

const close = (
  state: NeedState,
  command: Extract<NeedCommand, { type: 'CloseNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  const { outcome, waivers, groupLive } = command;
  if (groupLive === true) return refused(GROUP_LIVE);
  const { lines } = state.content;
  const unknown = waivers.findIndex(({ line }) => !lines.some((each) => each.line === line));
  if (unknown >= 0) return refuse('unknown-line', 'a waiver names a line of this need', `waivers[${unknown}].line`);
  if (outcome === 'met') {
    const unmet = lines.filter(
      ({ line, quantity }) =>
        isRival(quantity) &&
        figuresOfLine(state, line).confirmed < minorUnits(quantity) &&
        !waivers.some((waiver) => waiver.line === line),
    );
    if (unmet.length > 0) {
      return refuse(
        'not-met',
        `confirmed deliveries do not cover line ${unmet.map(({ line }) => line).join(', ')}: waive the remainder with a reason, or close as partly-met`,
        'waivers',
      );
    }
  }
  return accept({ type: 'NeedClosed', data: { outcome, waivers } });
};

/** A coordinator transcribes a State's note: which, and the note itself, say that it is the State's. */
const missingOnBehalf = ({ authorityRef, documents = [] }: NeedContent): NeedRejection | undefined => {
  if (authorityRef === undefined) {
    return no('incomplete', 'on behalf of a State: name the note by which it asks', 'authorityRef');
  }
  return documents.length === 0
    ? no('incomplete', 'on behalf of a State: add the document by which it asks', 'documents')
    : undefined;
};

const mayFile = ({
  by: { actor },
  onBehalfOf,
  beneficiaries,
}: Extract<NeedCommand, { type: 'DraftNeed' }>): boolean => {
  if (beneficiaries.length === 0) return false;
  if (onBehalfOf !== undefined) return actor.role === 'coordinator' && beneficiaries.includes(onBehalfOf);
  return filesFor(actor) && (actor.party.startsWith('network:') || beneficiaries.includes(actor.party));
};

const draft = (
  state: NeedState,
  command: Extract<NeedCommand, { type: 'DraftNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  const { by, filer, beneficiaries, onBehalfOf, claimedFrom, content } = command;
  if (by.actor.party !== filer || !mayFile(command)) {
    return refuse(
      'forbidden',
      'an office files for its own State or authority, a host for its network and States of it, a coordinator on behalf of a State',
    );
  }
  const missing = onBehalfOf === undefined ? undefined : missingOnBehalf(content);
  if (missing !== undefined) return refused(missing);
  // The claimant's request and the process both see to a claim's draft: the second finds it done.
  if (claimedFrom !== undefined && state.claimedFrom === claimedFrom) return accept();
  if (state.status !== 'absent') return refuse('already-exists', 'a need with this id exists');
  return accept({
    type: 'NeedDrafted',
    data: {
      filer,
      beneficiaries,
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      ...(claimedFrom === undefined ? {} : { claimedFrom }),
      content,
    },
  });
};

const reaffirmBy = (at: string): string => addDays(at, REAFFIRM_DAYS);

const submit = (
  state: NeedState,
  command: Extract<NeedCommand, { type: 'SubmitNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  const missing = missingToSubmit(state.content);
  if (missing.length > 0) {
    return refuse('incomplete', `to be submitted the need lacks ${missing.join(', ')}: amend it first`, missing[0]);
  }
  const windowEnds = addWorkingDays(command.by.at, OBJECTION_WINDOW_WORKING_DAYS);
  return accept({ type: 'NeedSubmitted', data: { consent: command.consent, windowEnds } });
};

/** Whom the need is to name after an amendment; undefined where nothing changes. */
const renamed = (state: NeedState, beneficiaries: readonly string[]): readonly string[] | NeedRejection | undefined => {
  const { participants, filer, status } = state;
  const principal = principalOf(state);
  if (!principal.startsWith('network:') && !beneficiaries.includes(principal)) {
    return no('forbidden', `${principal} is among the beneficiaries of what it files`, 'beneficiaries');
  }
  const dropped = participants.filter(({ party }) => !beneficiaries.includes(party));
  const consented = dropped.find((each) => each.status === 'consented' && each.party !== filer);
  if (consented !== undefined) {
    return no(
      'participant-consented',
      `${consented.party} takes part by its own word, and leaves by its own word`,
      'beneficiaries',
    );
  }
  if (status === 'open' && state.beneficiaries.every((party) => dropped.some((each) => each.party === party))) {
    return no('last-participant', 'an open need is for somebody: nobody who consented would be left', 'beneficiaries');
  }
  const before = participants.map(({ party }) => party);
  return canonicalJson(before) === canonicalJson(beneficiaries) ? undefined : beneficiaries;
};

const amend = (state: NeedState, asked: NeedChanges): Decision<NeedEvent, NeedRejection> => {
  const changes = amended(state, asked);
  if ('code' in changes) return refused(changes);
  const refusal =
    lineRefusal(state, changes) ?? (state.transcribed ? missingOnBehalf({ ...state.content, ...changes }) : undefined);
  if (refusal !== undefined) return refused(refusal);
  const named = asked.beneficiaries === undefined ? undefined : renamed(state, asked.beneficiaries);
  if (named !== undefined && 'code' in named) return refused(named);
  if (Object.keys(changes).length === 0 && named === undefined) return accept();
  return accept({ type: 'NeedAmended', data: { changes, ...(named === undefined ? {} : { beneficiaries: named }) } });
};

const assess = (
  state: NeedState,
  { lines, report }: Extract<NeedCommand, { type: 'AssessNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  for (const [index, { line: number }] of lines.entries()) {
    const line = state.content.lines.find((each) => each.line === number);
    if (line === undefined) return refuse('unknown-line', `there is no line ${number}`, `lines[${index}].line`);
    if (isDeterminate(line.quantity)) {
      return refuse('not-undetermined', `line ${number} has a quantity: amend it instead`, `lines[${index}].line`);
    }
  }
  return accept({ type: 'NeedAssessed', data: { lines, report } });
};

const merge = (
  state: NeedState,
  { by, into, survivor }: Extract<NeedCommand, { type: 'MergeNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  if (survivor.principal !== by.actor.party) return refuse('forbidden', 'both needs are yours to merge, or neither is');
  if (survivor.status !== 'open') return refuse('survivor-not-open', 'a need is merged into one that is open', 'into');
  const same =
    survivor.beneficiaries.length === state.beneficiaries.length &&
    survivor.beneficiaries.every((party) => state.beneficiaries.includes(party));
  if (!same) return refuse('other-beneficiaries', 'needs of the same beneficiaries are merged', 'into');
  return accept({ type: 'NeedSuperseded', data: { into } });
};

const unmerged = (into: string | undefined): Decision<NeedEvent, NeedRejection> =>
  into === undefined ? accept() : accept({ type: 'NeedUnmerged', data: { other: into, as: 'absorbed' } });

/** The survivor's side. What closed in the meantime takes nothing in: the process gives the other need back. */
const recordMerge = (state: NeedState, absorbed: string): Decision<NeedEvent, NeedRejection> => {
  if (state.absorbed.includes(absorbed)) return accept();
  if (state.status !== 'open' && state.status !== 'dormant') {
    return refuse('survivor-not-open', 'the need that was to survive has closed');
  }
  return accept({ type: 'NeedsMerged', data: { absorbed } });
};

const recordUnmerge = (state: NeedState, absorbed: string): Decision<NeedEvent, NeedRejection> =>
  state.absorbed.includes(absorbed)
    ? accept({ type: 'NeedUnmerged', data: { other: absorbed, as: 'survivor' } })
    : accept();

const decide = (command: NeedCommand, state: NeedState): Decision<NeedEvent, NeedRejection> => {
  if (command.type === 'DraftNeed') return draft(state, command);
  if (state.status === 'absent') return refuse('not-found', 'there is no such need');
  const { by } = command;
  const rule: NeedCommandRule = NEED_COMMANDS[command.type];
  if (!mayAct(rule.who, state, by.actor)) return refuse('forbidden', 'this command on this need is not yours to give');
  if (!rule.from.includes(state.status)) {
    return refuse(
      'wrong-status',
      `the need is ${state.status}; this is possible while it is ${rule.from.join(' or ')}`,
    );
  }
  const refusal = obstacle(command.type, state, by.actor);
  if (refusal !== undefined) return refused(refusal);
  switch (command.type) {
    case 'SubmitNeed':
      return submit(state, command);
    case 'ReturnNeed': {
      const { reasons, note } = command;
      return accept({ type: 'NeedReturned', data: { reasons, ...(note === undefined ? {} : { note }) } });
    }
    case 'SetAsideNeed': {
      const { code, note } = command;
      return accept({ type: 'NeedSetAside', data: { code, ...(note === undefined ? {} : { note }) } });
    }
    case 'ObjectNeed':
      return state.objections.includes(command.to)
        ? accept()
        : accept({ type: 'NeedObjected', data: { to: command.to } });
    case 'OpenNeed':
      if (by.actor.party === SYSTEM_TIMER.party && by.at < state.windowEnds) {
        return refuse('window-open', 'the State may still object');
      }
      return accept({ type: 'NeedOpened', data: { reaffirmBy: reaffirmBy(by.at) } });
    case 'AmendNeed':
      return amend(state, command.changes);
    case 'ReaffirmNeed':
      return accept({ type: 'NeedReaffirmed', data: { reaffirmBy: reaffirmBy(by.at) } });
    case 'FallDormant': {
      const due = Date.parse(addDays(state.reaffirmBy, DORMANT_DAYS)) + command.standstillMs;
      return Date.parse(by.at) < due
        ? refuse('not-due', 'the need was reaffirmed in time')
        : accept({ type: 'NeedFellDormant', data: {} });
    }
    case 'ReopenNeed':
      return accept({ type: 'NeedReopened', data: { reaffirmBy: reaffirmBy(by.at) } });
    case 'WithdrawNeed': {
      const { reason, groupLive } = command;
      if (groupLive === true) return refused(GROUP_LIVE);
      return accept({ type: 'NeedWithdrawn', data: reason === undefined ? {} : { reason } });
    }
    case 'CloseNeed':
      return close(state, command);
    case 'ConsentParticipation':
      return participationOf(state, by.actor.party)?.status === 'consented'
        ? accept()
        : accept({ type: 'ParticipationConsented', data: { party: by.actor.party } });
    case 'WithdrawParticipation':
      return participationOf(state, by.actor.party)?.status === 'withdrawn'
        ? accept()
        : accept({ type: 'ParticipationWithdrawn', data: { party: by.actor.party } });
    case 'RatifyNeed':
      return state.transcribed ? accept({ type: 'NeedRatified', data: {} }) : accept();
    case 'AssessNeed':
      return assess(state, command);
    case 'MergeNeed':
      return merge(state, command);
    case 'UnmergeNeed':
      return unmerged(state.supersededBy);
    case 'UndoMerge':
      return unmerged(state.supersededBy === command.into ? command.into : undefined);
    case 'RecordMerge':
      return recordMerge(state, command.absorbed);
    case 'RecordUnmerge':
      return recordUnmerge(state, command.absorbed);
    default:
      return decideCoverage(command, state);
  }
};

/** The need: stream `need-<uuid>`. Coverage is decided here, in the stream that is covered. */
export const needDecider: Decider<NeedState, NeedCommand, NeedEvent, NeedRejection> = {
  category: 'need',
  initial: INITIAL,
  schemas: {
    NeedDrafted: 1,
    NeedSubmitted: 1,
    NeedReturned: 1,
    NeedSetAside: 1,
    NeedObjected: 1,
    NeedRatified: 1,
    NeedOpened: 1,
    NeedAmended: 1,
    ParticipationConsented: 1,
    ParticipationWithdrawn: 1,
    NeedAssessed: 1,
    NeedSuperseded: 1,
    NeedsMerged: 1,
    NeedUnmerged: 1,
    NeedReaffirmed: 1,
    NeedFellDormant: 1,
    NeedReopened: 1,
    NeedWithdrawn: 1,
    NeedClosed: 1,
    CoverageReserved: 1,
    CoverageRefused: 1,
    CoverageBound: 1,
    CoverageDelivered: 1,
    CoverageConfirmed: 1,
    CoverageReleased: 1,
    CoverageReturned: 1,
    CoverageDeliveryCorrected: 1,
    CoverageReopened: 1,
  },
  decide,
  evolve,
};
