import type { Actor, Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { Kind, NeedClosing, NeedOutcome, ObjectionTarget, Power, Quantity, Role } from '#vocabulary';
import {
  addDays,
  addWorkingDays,
  isRival,
  minorUnits,
  quantityOf,
  sameMeasure,
  sovereignOf,
  stateOfParty,
} from '#vocabulary';
import type { LineFigures, Reservation } from './coverage.js';
import { deliveredOf, figuresOf, isLive, keyText, standing } from './coverage.js';
import type {
  CoverageKey,
  CoverageRefusalCode,
  GivenReason,
  NeedContent,
  NeedEvent,
  NeedFacts,
  NeedLine,
  NeedVisibility,
} from './need.contract.js';

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
  | 'below-committed'
  | 'line-in-use'
  | 'unknown-line'
  | 'live-commitments'
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

export interface NeedState {
  /** `absent` before the first event. */
  readonly status: 'absent' | NeedStatus;
  readonly closedAs?: NeedOutcome;
  readonly filer: string;
  readonly beneficiaries: readonly string[];
  readonly onBehalfOf?: string;
  readonly claimedFrom?: string;
  /** A coordinator's transcript that its State has not ratified. */
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
  /** By `commitment/leg/amendment`. */
  readonly reservations: Readonly<Record<string, Reservation>>;
  /** Keys whose release came before their reservation: the release wins. */
  readonly overtaken: readonly string[];
  /** Acceptances answered by a refusal, by `commitment/amendment`: the newest of each. */
  readonly refusals: Readonly<Record<string, string>>;
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
};

export interface AskedLeg {
  readonly leg: number;
  readonly line: number;
  /** In the need line's measure. */
  readonly quantity: Quantity;
}

export type NeedCommand = Command &
  (
    | {
        readonly type: 'DraftNeed';
        readonly filer: string;
        readonly beneficiaries: readonly string[];
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
    | { readonly type: 'WithdrawNeed'; readonly reason?: GivenReason }
    | {
        readonly type: 'CloseNeed';
        readonly outcome: NeedClosing;
        readonly waivers: readonly { readonly line: number; readonly reason: string }[];
      }
    /** Every leg of a commitment (or amendment) at once: all are reserved or none is. */
    | {
        readonly type: 'ReserveCoverage';
        readonly commitment: string;
        readonly amendment: number;
        readonly legs: readonly AskedLeg[];
        /** Event id of the acceptance: the answer to it is given once, another acceptance is another question. */
        readonly asked: string;
      }
    | { readonly type: 'BindCoverage'; readonly commitment: string }
    | ({ readonly type: 'DeliverCoverage'; readonly delivery: number; readonly quantity: Quantity } & CoverageKey)
    | ({ readonly type: 'ConfirmCoverage'; readonly delivery: number; readonly quantity: Quantity } & CoverageKey)
    /** Gives back what is not delivered of each leg; sent with every exit and every close of a commitment. */
    | {
        readonly type: 'ReleaseCoverage';
        readonly commitment: string;
        readonly legs: readonly { readonly leg: number; readonly amendment: number }[];
      }
    /** Sent where a late answer takes an unconfirmed closing back. */
    | { readonly type: 'ReopenCoverage'; readonly commitment: string }
  );
export type NeedCommandType = NeedCommand['type'];

/** Offices that act for a State or authority, and the host of a network. */
export const STATE_OFFICES = ['npc', 'mission', 'line-ministry'] as const satisfies readonly Role[];
export const FILING_ROLES = [...STATE_OFFICES, 'network-host'] as const satisfies readonly Role[];

export type Who = 'owner' | 'coordinator' | 'coordinator-or-timer' | 'timer' | 'process';

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
  SubmitNeed: { action: 'submit', from: ['draft', 'returned', 'set-aside'], who: 'owner', power: 'file' },
  ReturnNeed: { action: 'return', from: ['submitted'], who: 'coordinator' },
  SetAsideNeed: { action: 'set-aside', from: ['submitted'], who: 'coordinator' },
  ObjectNeed: { action: 'object', from: ['submitted', 'open'], who: 'owner', power: 'consent' },
  OpenNeed: { action: 'open', from: ['submitted'], who: 'coordinator-or-timer' },
  AmendNeed: { action: 'amend', from: ['draft', 'returned', 'set-aside', 'open'], who: 'owner', power: 'file' },
  ReaffirmNeed: { action: 'reaffirm', from: ['open', 'dormant'], who: 'owner', power: 'file' },
  FallDormant: { from: ['open'], who: 'timer' },
  ReopenNeed: { action: 'reopen', from: ['dormant'], who: 'owner', power: 'file' },
  WithdrawNeed: {
    action: 'withdraw',
    from: ['draft', 'submitted', 'returned', 'set-aside', 'open', 'dormant'],
    who: 'owner',
    power: 'file',
  },
  CloseNeed: { action: 'close', from: ['open'], who: 'owner', power: 'file' },
  // A reservation asked of a need that is not open is answered by an event, so the table lets it through.
  ReserveCoverage: { from: EVERY, who: 'process' },
  BindCoverage: { from: EVERY, who: 'process' },
  DeliverCoverage: { from: EVERY, who: 'process' },
  ConfirmCoverage: { from: EVERY, who: 'process' },
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
  transcribed: false,
  content: NO_CONTENT,
  lastLine: 0,
  objections: [],
  opened: false,
  openedAt: 0,
  windowEnds: '',
  reaffirmBy: '',
  waivers: [],
  reservations: {},
  overtaken: [],
  refusals: {},
};

const changed = (state: NeedState, key: CoverageKey, change: (reservation: Reservation) => Reservation): NeedState => {
  const text = keyText(key);
  const reservation = state.reservations[text];
  if (reservation === undefined) return state;
  return { ...state, reservations: { ...state.reservations, [text]: change(reservation) } };
};

const lastLineOf = (lines: readonly NeedLine[], before: number): number =>
  lines.reduce((most, { line }) => Math.max(most, line), before);

const without = <T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> => {
  const { [key]: _left, ...rest } = object;
  return rest;
};

const evolve = (state: NeedState, { type, data, revision }: RecordedEvent<NeedEvent>): NeedState => {
  const event = { type, data } as NeedEvent;
  switch (event.type) {
    case 'NeedDrafted': {
      const { filer, beneficiaries, content, onBehalfOf, claimedFrom } = event.data;
      return {
        ...INITIAL,
        status: 'draft',
        filer,
        beneficiaries,
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
      return { ...state, objections: [...state.objections, event.data.to] };
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
      const content = { ...state.content, ...event.data.changes };
      return { ...state, content, lastLine: lastLineOf(content.lines, state.lastLine) };
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
    case 'CoverageReserved': {
      const { commitment, leg, amendment, line, quantity } = event.data;
      const reservation = { commitment, leg, amendment, line, reserved: quantity };
      return {
        ...state,
        reservations: {
          ...state.reservations,
          [keyText(event.data)]: { ...reservation, bound: false, over: false, deliveries: [] },
        },
      };
    }
    case 'CoverageBound':
      return changed(state, event.data, (reservation) => ({ ...reservation, bound: true }));
    case 'CoverageDelivered': {
      const { delivery, quantity } = event.data;
      return changed(state, event.data, (reservation) => ({
        ...reservation,
        deliveries: [...reservation.deliveries, { delivery, quantity }],
      }));
    }
    case 'CoverageConfirmed': {
      const { delivery, quantity } = event.data;
      return changed(state, event.data, (reservation) => ({
        ...reservation,
        deliveries: reservation.deliveries.map((each) =>
          each.delivery === delivery ? { ...each, confirmed: quantity } : each,
        ),
      }));
    }
    case 'CoverageReleased': {
      const { quantity } = event.data;
      if (event.data.line === undefined) return { ...state, overtaken: [...state.overtaken, keyText(event.data)] };
      return changed(state, event.data, (reservation) => ({
        ...reservation,
        over: true,
        ...(quantity === undefined ? {} : { freed: quantity }),
      }));
    }
    case 'CoverageReopened':
      return changed(state, event.data, (reservation) => ({ ...reservation, over: false }));
    case 'CoverageRefused': {
      const { commitment, amendment, asked } = event.data;
      return { ...state, refusals: { ...state.refusals, [`${commitment}/${amendment}`]: asked } };
    }
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

/** True where `actor` stands on the filer's side: one of its parties, or of the same sovereign. */
export const onOwnersSide = (
  { filer, beneficiaries }: Pick<NeedState, 'filer' | 'beneficiaries'>,
  { party, sovereign }: Pick<Actor, 'party' | 'sovereign'>,
): boolean =>
  [filer, ...beneficiaries].some((each) => {
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
    case 'owner':
      return filesFor(actor) && (actor.party === state.filer || state.beneficiaries.includes(actor.party));
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

export const hasLiveCommitments = ({ reservations }: NeedState): boolean => Object.values(reservations).some(isLive);

export const figuresOfLine = ({ reservations }: NeedState, line: number): LineFigures => figuresOf(reservations, line);

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
  if (state.status === 'submitted' && !state.objections.includes('circulation')) {
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
    if (line === undefined) next += 1;
    lines.push({ ...change, line: line ?? next });
  }
  return lines.sort((a, b) => a.line - b.line);
};

const amended = (
  state: NeedState,
  { lines, visibility, ...others }: NeedChanges,
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

const committedOn = (state: NeedState, line: number): bigint => {
  const { accepted, binding } = figuresOfLine(state, line);
  return accepted + binding;
};

/** DOMAIN, AmendNeed: a line never drops below accepted + binding. */
const lineRefusal = (
  state: NeedState,
  { lines, oversubscription }: Partial<NeedContent>,
): NeedRejection | undefined => {
  for (const before of state.content.lines) {
    const committed = committedOn(state, before.line);
    if (committed === 0n) continue;
    const after = (lines ?? state.content.lines).find(({ line }) => line === before.line);
    if (after === undefined || !sameMeasure(before.quantity, after.quantity)) {
      return no(
        'line-in-use',
        `line ${before.line} has accepted or binding commitments: it stays, in the same measure`,
        'lines',
      );
    }
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

type Reserve = Extract<NeedCommand, { type: 'ReserveCoverage' }>;

const coverageRefusal = (
  state: NeedState,
  legs: readonly AskedLeg[],
): { readonly code: CoverageRefusalCode; readonly detail: string } | undefined => {
  if (state.status !== 'open') return { code: 'need-not-open', detail: 'the need is not open' };
  const asked = new Map<number, bigint>();
  for (const { line: number, quantity } of legs) {
    const line = state.content.lines.find((each) => each.line === number);
    if (line === undefined) return { code: 'unknown-line', detail: `the need has no line ${number}` };
    if (!isRival(line.quantity)) {
      return {
        code: 'measure-mismatch',
        detail: `line ${number} has no measured quantity yet: nothing can be credited to it until the State sets one`,
      };
    }
    if (!isRival(quantity) || !sameMeasure(line.quantity, quantity)) {
      return { code: 'measure-mismatch', detail: `line ${number} is asked in another measure, currency or unit` };
    }
    const sum = (asked.get(number) ?? 0n) + minorUnits(quantity);
    asked.set(number, sum);
    if (!state.content.oversubscription && committedOn(state, number) + sum > minorUnits(line.quantity)) {
      // Without the figure: what others have accepted is not for the asking side to know.
      return { code: 'insufficient-coverage', detail: `line ${number} needs less than that` };
    }
  }
  return undefined;
};

const reserve = (state: NeedState, { commitment, amendment, legs, asked }: Reserve): Decision<NeedEvent, never> => {
  const keys = legs.map(({ leg }) => keyText({ commitment, leg, amendment }));
  if (keys.some((key) => state.reservations[key] !== undefined || state.overtaken.includes(key))) return accept();
  if (state.refusals[`${commitment}/${amendment}`] === asked) return accept();
  const refusal = coverageRefusal(state, legs);
  if (refusal !== undefined)
    return accept({ type: 'CoverageRefused', data: { commitment, amendment, ...refusal, asked } });
  return accept(
    ...legs.map(({ leg, line, quantity }): NeedEvent => ({
      type: 'CoverageReserved',
      data: { commitment, leg, amendment, line, quantity },
    })),
  );
};

const bind = (state: NeedState, commitment: string): Decision<NeedEvent, never> =>
  accept(
    ...Object.values(state.reservations)
      .filter((each) => each.commitment === commitment && !each.bound && !each.over)
      .map(({ leg, amendment, line, reserved }): NeedEvent => ({
        type: 'CoverageBound',
        data: { commitment, leg, amendment, line, quantity: reserved },
      })),
  );

type Deliver = Extract<NeedCommand, { type: 'DeliverCoverage' }>;

const deliver = (state: NeedState, command: Deliver): Decision<NeedEvent, NeedRejection> => {
  const { commitment, leg, amendment, delivery, quantity } = command;
  const reservation = state.reservations[keyText(command)];
  if (reservation?.bound !== true) return refuse('not-bound', 'this leg is not binding on this need');
  if (reservation.deliveries.some((each) => each.delivery === delivery)) return accept();
  if (deliveredOf(reservation) + minorUnits(quantity) > standing(reservation)) {
    return refuse('beyond-bound', 'more would be delivered than is binding');
  }
  const { line } = reservation;
  return accept({ type: 'CoverageDelivered', data: { commitment, leg, amendment, delivery, line, quantity } });
};

type Confirm = Extract<NeedCommand, { type: 'ConfirmCoverage' }>;

const confirm = (state: NeedState, command: Confirm): Decision<NeedEvent, NeedRejection> => {
  const { commitment, leg, amendment, delivery, quantity } = command;
  const reservation = state.reservations[keyText(command)];
  const delivered = reservation?.deliveries.find((each) => each.delivery === delivery);
  if (reservation === undefined || delivered === undefined) {
    return refuse('not-bound', 'this delivery is not recorded on this need');
  }
  if (delivered.confirmed !== undefined) return accept();
  if (minorUnits(quantity) > minorUnits(delivered.quantity)) {
    return refuse('beyond-bound', 'more would be confirmed than was delivered');
  }
  const { line } = reservation;
  return accept({ type: 'CoverageConfirmed', data: { commitment, leg, amendment, delivery, line, quantity } });
};

type Release = Extract<NeedCommand, { type: 'ReleaseCoverage' }>;

const release = (state: NeedState, { commitment, legs }: Release): Decision<NeedEvent, never> => {
  const events: NeedEvent[] = [];
  for (const { leg, amendment } of legs) {
    const key: CoverageKey = { commitment, leg, amendment };
    const reservation = state.reservations[keyText(key)];
    if (reservation === undefined) {
      if (!state.overtaken.includes(keyText(key))) events.push({ type: 'CoverageReleased', data: key });
      continue;
    }
    // What is over, or confirmed to the last tranche, has nothing to give back and holds nothing open.
    if (!isLive(reservation)) continue;
    const { line } = reservation;
    const free = standing(reservation) - deliveredOf(reservation);
    const quantity = free > 0n ? { quantity: quantityOf(reservation.reserved, free) } : {};
    events.push({ type: 'CoverageReleased', data: { ...key, line, ...quantity } });
  }
  return accept(...events);
};

const reopen = (state: NeedState, commitment: string): Decision<NeedEvent, never> =>
  accept(
    ...Object.values(state.reservations)
      .filter((each) => each.commitment === commitment && each.over)
      .map(({ leg, amendment, line }): NeedEvent => ({
        type: 'CoverageReopened',
        data: { commitment, leg, amendment, line },
      })),
  );

const close = (
  state: NeedState,
  command: Extract<NeedCommand, { type: 'CloseNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  const { outcome, waivers } = command;
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

const draft = (
  state: NeedState,
  command: Extract<NeedCommand, { type: 'DraftNeed' }>,
): Decision<NeedEvent, NeedRejection> => {
  const { by, filer, beneficiaries, claimedFrom, content } = command;
  const [beneficiary, ...others] = beneficiaries;
  if (!filesFor(by.actor) || by.actor.party !== filer || beneficiary !== filer || others.length > 0) {
    return refuse('forbidden', 'an office files for its own State, authority or network');
  }
  // The claimant's request and the process both see to a claim's draft: the second finds it done.
  if (claimedFrom !== undefined && state.claimedFrom === claimedFrom) return accept();
  if (state.status !== 'absent') return refuse('already-exists', 'a need with this id exists');
  return accept({
    type: 'NeedDrafted',
    data: { filer, beneficiaries, ...(claimedFrom === undefined ? {} : { claimedFrom }), content },
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

const amend = (state: NeedState, asked: NeedChanges): Decision<NeedEvent, NeedRejection> => {
  const changes = amended(state, asked);
  if ('code' in changes) return refused(changes);
  const refusal = lineRefusal(state, changes);
  if (refusal !== undefined) return refused(refusal);
  return Object.keys(changes).length === 0 ? accept() : accept({ type: 'NeedAmended', data: { changes } });
};

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
      const { reason } = command;
      return accept({ type: 'NeedWithdrawn', data: reason === undefined ? {} : { reason } });
    }
    case 'CloseNeed':
      return close(state, command);
    case 'ReserveCoverage':
      return reserve(state, command);
    case 'BindCoverage':
      return bind(state, command.commitment);
    case 'DeliverCoverage':
      return deliver(state, command);
    case 'ConfirmCoverage':
      return confirm(state, command);
    case 'ReleaseCoverage':
      return release(state, command);
    case 'ReopenCoverage':
      return reopen(state, command.commitment);
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
