import type { Actor, Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, isOfProcess, refuse } from '#kernel';
import type { Power, Role } from '#vocabulary';
import { dateOf, lastInstant, periodEnd, periodHolds, periodStart, stateOfParty } from '#vocabulary';
import type { MandateScope, PartyContent, PartyEvent, SealedContact } from './party.contract.js';

/** Why a command to a party's record is refused. */
export type PartyRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-registered'
  | 'party-retired'
  | 'unknown-party'
  | 'already-exists'
  | 'designation-revoked';
export type PartyRejection = Rejection<PartyRejectionCode>;

export interface Designation {
  readonly designation: string;
  readonly office: string;
  readonly powers: readonly Power[];
  /** Opaque subject reference. */
  readonly holder: string;
  readonly authorityRef: string;
  /** Inclusive UTC days. */
  readonly from: string;
  readonly to?: string;
  readonly recordedBy: string;
  readonly recordedAt: string;
  readonly revokedAt?: string;
  readonly contact?: SealedContact;
}

export interface Mandate {
  readonly mandate: string;
  readonly scope: MandateScope;
  readonly sealed: boolean;
  readonly from: string;
  readonly to?: string;
  readonly appointedBy: string;
  readonly reference: string;
  readonly endedAt?: string;
}

export interface PartyState {
  /** Empty before the first event. */
  readonly id: string;
  readonly retired: boolean;
  /** Absent until registered: States may act without. */
  readonly content?: PartyContent;
  /** In the order they were recorded. */
  readonly designations: readonly Designation[];
  readonly mandates: readonly Mandate[];
}

export type PartyCommand = Command &
  (
    | { readonly type: 'RegisterParty'; readonly id: string; readonly content: PartyContent }
    | { readonly type: 'AmendParty'; readonly changes: Partial<PartyContent> }
    | { readonly type: 'RetireParty' }
    | ({ readonly type: 'RecordDesignation'; readonly party: string } & Omit<
        Designation,
        'recordedBy' | 'recordedAt' | 'revokedAt' | 'contact'
      >)
    | { readonly type: 'RevokeDesignation'; readonly designation: string }
    | { readonly type: 'SetContactPoint'; readonly designation: string; readonly contact: SealedContact }
    | { readonly type: 'RemoveContactPoint'; readonly designation: string }
    | ({ readonly type: 'GiveMandate'; readonly auditor: string } & Omit<Mandate, 'appointedBy' | 'endedAt'>)
    | { readonly type: 'EndMandate'; readonly mandate: string }
  );
export type PartyCommandType = PartyCommand['type'];

/** Offices that may designate for their own party: its mission or its desk. */
export const DESIGNATING_ROLES = [
  'mission',
  'donor-desk',
  'implementer',
  'fiscal-agent',
  'network-host',
] as const satisfies readonly Role[];

/** Offices that may open their party's sealed records to an auditor. */
export const OWNING_ROLES = [
  'npc',
  'mission',
  'line-ministry',
  'donor-desk',
  'implementer',
  'fiscal-agent',
  'network-host',
] as const satisfies readonly Role[];

const INITIAL: PartyState = { id: '', retired: false, designations: [], mandates: [] };

const partyOf = (stream: string): string => stream.slice('party-'.length);

const evolve = (state: PartyState, recorded: RecordedEvent<PartyEvent>): PartyState => {
  const { metadata, stream } = recorded;
  const event = { type: recorded.type, data: recorded.data } as PartyEvent;
  const id = partyOf(stream);
  switch (event.type) {
    case 'PartyRegistered': {
      const { id: _id, ...content } = event.data;
      return { ...state, id, content };
    }
    case 'PartyAmended': {
      const { content } = state;
      return content === undefined ? state : { ...state, content: { ...content, ...event.data } };
    }
    case 'PartyRetired':
      return { ...state, retired: true };
    case 'DesignationRecorded': {
      const designation = { ...event.data, recordedBy: metadata.actor.party, recordedAt: metadata.recordedAt };
      return { ...state, id, designations: [...state.designations, designation] };
    }
    case 'DesignationRevoked': {
      const revokedAt = metadata.recordedAt;
      return withDesignation(state, event.data.designation, (found) => ({ ...found, revokedAt }));
    }
    case 'ContactPointSet': {
      const { designation, contact } = event.data;
      return withDesignation(state, designation, (found) => ({ ...found, contact }));
    }
    case 'ContactPointRemoved':
      return withDesignation(state, event.data.designation, ({ contact: _contact, ...found }) => found);
    case 'MandateGiven':
      return { ...state, id, mandates: [...state.mandates, event.data] };
    case 'MandateEnded': {
      const { mandate } = event.data;
      return {
        ...state,
        mandates: state.mandates.map((each) =>
          each.mandate === mandate ? { ...each, endedAt: metadata.recordedAt } : each,
        ),
      };
    }
    default:
      return state;
  }
};

const withDesignation = (
  state: PartyState,
  designation: string,
  change: (found: Designation) => Designation,
): PartyState => ({
  ...state,
  designations: state.designations.map((each) => (each.designation === designation ? change(each) : each)),
});

const inForce = (
  { from, to, over }: { readonly from: string; readonly to?: string | undefined; readonly over: string | undefined },
  at: string,
): boolean =>
  periodHolds({ from, ...(to === undefined ? {} : { to }) }, dateOf(at)) && (over === undefined || at < over);

/** True where the designation holds at that instant: within its days and not revoked by then. */
export const designationHolds = ({ from, to, revokedAt }: Designation, at: string): boolean =>
  inForce({ from, to, over: revokedAt }, at);

/** True where the designation never holds again from that instant on. */
export const designationIsOver = ({ to, revokedAt }: Designation, at: string): boolean =>
  (revokedAt !== undefined && revokedAt <= at) || (to !== undefined && periodEnd(to) <= at);

/** True where the mandate holds at that instant. */
export const mandateHolds = ({ from, to, endedAt }: Mandate, at: string): boolean =>
  inForce({ from, to, over: endedAt }, at);

/** While a party has recorded none, the identity provider's role claim is trusted (DOMAIN, designation). */
export const keepsDesignations = ({ designations }: PartyState): boolean => designations.length > 0;

/**
 * The designations of one person that hold at every one of these instants: when signed and when recorded (I5).
 * `at` are RFC 3339 UTC instants with milliseconds.
 */
export const designationsOf = (
  { designations }: PartyState,
  subject: string,
  at: readonly string[],
): readonly Designation[] =>
  designations.filter((each) => each.holder === subject && at.every((instant) => designationHolds(each, instant)));

/**
 * Milliseconds between two instants during which the party kept designations and none was valid: nobody could act for it
 * (DOMAIN, FallDormant: the clock stands still meanwhile).
 */
export const standstillMs = ({ designations }: PartyState, from: string, to: string): number => {
  const edges = designations.flatMap((each) => [
    each.recordedAt,
    periodStart(each.from),
    ...(each.to === undefined ? [] : [periodEnd(each.to)]),
    ...(each.revokedAt === undefined ? [] : [each.revokedAt]),
  ]);
  let start = from;
  let sum = 0;
  for (const end of [...edges.filter((edge) => from < edge && edge < to).sort(), to]) {
    const kept = designations.filter(({ recordedAt }) => recordedAt <= start);
    const still = kept.length > 0 && !kept.some((each) => designationHolds(each, start));
    if (still && start < end) sum += Date.parse(end) - Date.parse(start);
    start = end;
  }
  return sum;
};

/** States act without being registered, all others are registered before they act; a retired party acts no more. */
export const mayBeParty = ({ content, retired }: PartyState, id: string): boolean =>
  !retired && (content !== undefined || stateOfParty(id) !== undefined);

/** True where the actor acts for the party itself under one of these roles, within its designations if it keeps any (I5). */
const actsForParty = (
  state: PartyState,
  party: string,
  { actor, at, effectiveAt }: Command['by'],
  roles: readonly string[],
  power: Power,
): boolean => {
  if (actor.party !== party || !roles.includes(actor.role)) return false;
  if (!keepsDesignations(state)) return true;
  return designationsOf(state, actor.subject ?? '', [at, lastInstant(effectiveAt)]).some((each) =>
    each.powers.includes(power),
  );
};

const isCoordinator = ({ role }: Actor): boolean => role === 'coordinator';

/** DOMAIN: recorded by the party's own mission or desk, or by the coordinator on a cited document. */
const mayDesignate = (state: PartyState, party: string, by: Command['by']): boolean =>
  isCoordinator(by.actor) || actsForParty(state, party, by, DESIGNATING_ROLES, 'designate');

type PartyDecision = Decision<PartyEvent, PartyRejection>;

const register = (
  state: PartyState,
  { by, id, content }: Extract<PartyCommand, { type: 'RegisterParty' }>,
): PartyDecision => {
  if (!isCoordinator(by.actor)) return refuse('forbidden', 'parties are registered by a coordinator');
  if (state.retired) return refuse('party-retired', 'this party was retired: register its successor under another id');
  if (state.content !== undefined) return refuse('already-registered', 'this party is registered: amend it', 'id');
  return accept({ type: 'PartyRegistered', data: { id, ...content } });
};

const amendParty = (content: PartyContent, asked: Partial<PartyContent>): PartyDecision => {
  const before = content as unknown as Readonly<Record<string, unknown>>;
  const changes = Object.fromEntries(
    Object.entries(asked).filter(([field, value]) => canonicalJson(value) !== canonicalJson(before[field] ?? null)),
  );
  return Object.keys(changes).length === 0 ? accept() : accept({ type: 'PartyAmended', data: changes });
};

const designate = (state: PartyState, command: Extract<PartyCommand, { type: 'RecordDesignation' }>): PartyDecision => {
  const { by, type: _type, party, ...designation } = command;
  if (!mayDesignate(state, party, by)) {
    return refuse('forbidden', 'a designation is recorded by the party’s own mission or desk, or by a coordinator');
  }
  if (!mayBeParty(state, party)) {
    return refuse('unknown-party', 'the party is not registered, or was retired: register it first', 'party');
  }
  if (state.designations.some((each) => each.designation === designation.designation)) {
    return refuse('already-exists', 'a designation with this id exists');
  }
  return accept({ type: 'DesignationRecorded', data: designation });
};

const revoke = (
  state: PartyState,
  { by, designation }: Extract<PartyCommand, { type: 'RevokeDesignation' }>,
): PartyDecision => {
  if (!isOfProcess(by.actor) && !mayDesignate(state, state.id, by)) {
    return refuse('forbidden', 'a designation is revoked by the party’s own mission or desk, or by a coordinator');
  }
  const found = state.designations.find((each) => each.designation === designation);
  if (found === undefined) return refuse('not-found', 'there is no such designation');
  return found.revokedAt === undefined ? accept({ type: 'DesignationRevoked', data: { designation } }) : accept();
};

/** True for the person who holds the designation, acting for the same party. */
const isHolder = ({ id }: PartyState, { holder }: Designation, { party, subject }: Actor): boolean =>
  party === id && subject === holder;

const contactPoint = (
  state: PartyState,
  command: Extract<PartyCommand, { type: 'SetContactPoint' | 'RemoveContactPoint' }>,
): PartyDecision => {
  const { by, designation } = command;
  const found = state.designations.find((each) => each.designation === designation);
  if (found === undefined) return refuse('not-found', 'there is no such designation');
  if (!isHolder(state, found, by.actor) && !mayDesignate(state, state.id, by)) {
    return refuse('forbidden', 'a contact point is kept by its holder, and by whoever may record the designation');
  }
  if (command.type === 'RemoveContactPoint') {
    return found.contact === undefined ? accept() : accept({ type: 'ContactPointRemoved', data: { designation } });
  }
  const { contact } = command;
  if (found.revokedAt !== undefined) {
    return refuse('designation-revoked', 'the designation was revoked: set the contact point on the one in its place');
  }
  return found.contact !== undefined && canonicalJson(found.contact) === canonicalJson(contact)
    ? accept()
    : accept({ type: 'ContactPointSet', data: { designation, contact } });
};

/** DOMAIN: a mandate over sealed parts is given by their owner, for what is its own; any other by a coordinator. */
const isOwn = (scope: MandateScope, party: string): boolean =>
  'records' in scope || ('parties' in scope && scope.parties.every((each) => each === party));

const giveMandate = (state: PartyState, command: Extract<PartyCommand, { type: 'GiveMandate' }>): PartyDecision => {
  const { by, type: _type, auditor: _auditor, ...mandate } = command;
  const { party, role } = by.actor;
  if (mandate.sealed) {
    if (!OWNING_ROLES.some((each) => each === role) || !isOwn(mandate.scope, party)) {
      return refuse(
        'forbidden',
        'sealed parts are opened by their owner, for its own party or records by id',
        'sealed',
      );
    }
  } else if (!isCoordinator(by.actor)) {
    return refuse('forbidden', 'mandates are given by a coordinator; an owner gives those with sealed: true');
  }
  if (state.retired) return refuse('unknown-party', 'the auditor was retired', 'auditor');
  if (state.mandates.some((each) => each.mandate === mandate.mandate)) {
    return refuse('already-exists', 'a mandate with this id exists');
  }
  return accept({ type: 'MandateGiven', data: { ...mandate, appointedBy: party } });
};

const mayEnd = ({ sealed, appointedBy }: Mandate, { party, role }: Actor): boolean =>
  sealed ? party === appointedBy && OWNING_ROLES.some((each) => each === role) : role === 'coordinator';

const endMandate = (
  state: PartyState,
  { by, mandate }: Extract<PartyCommand, { type: 'EndMandate' }>,
): PartyDecision => {
  const found = state.mandates.find((each) => each.mandate === mandate);
  if (found === undefined) return refuse('not-found', 'there is no such mandate');
  if (!mayEnd(found, by.actor)) return refuse('forbidden', 'a mandate is ended by whoever may give it');
  return found.endedAt === undefined ? accept({ type: 'MandateEnded', data: { mandate } }) : accept();
};

const decide = (command: PartyCommand, state: PartyState): PartyDecision => {
  switch (command.type) {
    case 'RegisterParty':
      return register(state, command);
    case 'AmendParty':
    case 'RetireParty':
      if (!isCoordinator(command.by.actor)) return refuse('forbidden', 'parties are kept by a coordinator');
      if (state.content === undefined) return refuse('not-found', 'this party is not registered');
      if (state.retired) return refuse('party-retired', 'this party was retired');
      return command.type === 'AmendParty'
        ? amendParty(state.content, command.changes)
        : accept({ type: 'PartyRetired', data: {} });
    case 'RecordDesignation':
      return designate(state, command);
    case 'RevokeDesignation':
      return revoke(state, command);
    case 'SetContactPoint':
    case 'RemoveContactPoint':
      return contactPoint(state, command);
    case 'GiveMandate':
      return giveMandate(state, command);
    case 'EndMandate':
      return endMandate(state, command);
  }
};

/** A party, its designations, and for an auditor its mandates: stream `party-<party id>`. */
export const partyDecider: Decider<PartyState, PartyCommand, PartyEvent, PartyRejection> = {
  category: 'party',
  initial: INITIAL,
  schemas: {
    PartyRegistered: 1,
    PartyAmended: 1,
    PartyRetired: 1,
    DesignationRecorded: 1,
    DesignationRevoked: 1,
    ContactPointSet: 1,
    ContactPointRemoved: 1,
    MandateGiven: 1,
    MandateEnded: 1,
  },
  decide,
  evolve,
};
