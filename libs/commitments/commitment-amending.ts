import type { Actor, Command } from '#kernel';
import { accept, refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import { addDays, compare, isDeterminate, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import { recreditsOf, recredited, tallied } from './commitment-deliveries.js';
import type { LineFacts, ProposedLeg } from './commitment-legs.js';
import { creditOf, legFault, lotFault } from './commitment-legs.js';
import type { FundDecision } from './commitment-money.js';
import { raiseFault } from './commitment-money.js';
import type {
  AgencyRole,
  CommitmentRejection,
  CommitmentState,
  EventContext,
  EventData,
  Outcome,
  Rule,
  Who,
} from './commitment-state.js';
import {
  isProvider,
  isRecipient,
  isSide,
  refused,
  rejection,
  replaced,
  sameSide,
  sidesOf,
  tasksOf,
  undelivered,
} from './commitment-state.js';
import type { Extension, ProposedTerms } from './commitment-terms.js';
import { amendedTerms, extensionOf, numberedChanges, termsFault } from './commitment-terms.js';
import type {
  AmendmentChanges,
  CommitmentEvent,
  EarmarkFacts,
  Leg,
  LegShift,
  Reason,
  Side,
} from './commitment.contract.js';

/** A proposed amendment stands for this many days. */
const AMENDMENT_DAYS = 30;

export type AmendingRejectionCode =
  'amendment-open' | 'no-amendment' | 'below-delivered' | 'leg-mismatch' | 'task-not-consented';

export interface AmendmentState {
  readonly n: number;
  readonly proposedBy: string;
  /** Sovereign of the proposer: never agreed by the same one. */
  readonly proposerSovereign?: string;
  readonly side: Side;
  /** `agreed`: the offer is asked; `held`: the need is asked. */
  readonly status: 'proposed' | 'agreed' | 'held' | 'amended' | 'declined' | 'lapsed' | 'refused';
  readonly changes: AmendmentChanges;
  readonly extension?: boolean;
  readonly reason: string;
  readonly expiresAt: string;
  /** Of agencies that it newly names; they become the commitment's when it takes effect. */
  readonly consents: CommitmentState['consents'];
  readonly refusal?: Omit<EventData<'AmendmentRefused'>, 'n'>;
  readonly declined?: { readonly party: string; readonly reason?: Reason };
}

/** What a commitment keeps of amendments. */
export interface AmendingState {
  readonly amendments: readonly AmendmentState[];
  /** Greatest leg number that was given before or by an amendment: none is used twice. */
  readonly lastLeg: number;
}

export const NO_AMENDMENTS: AmendingState = { amendments: [], lastLeg: 0 };

/** A leg as an amendment shall leave it; `leg` is the number of a leg that is kept. */
export type AmendedLeg = ProposedLeg & { readonly leg?: number };

/** What the other streams said when the amendment was proposed: advisory, offer and need decide again. */
export interface AmendmentFacts extends LineFacts {
  /** Newly named agencies that the directory does not hold. */
  readonly unknownAgencies: readonly string[];
}

export type AmendingCommand =
  | {
      readonly type: 'ProposeAmendment';
      readonly legs?: readonly AmendedLeg[];
      /** null: none any more. */
      readonly implementer?: string | null;
      readonly fiscalAgent?: string | null;
      readonly terms?: ProposedTerms;
      /** Later dates, and nothing else. */
      readonly extension?: Extension;
      readonly reason: string;
      /** Where legs or agencies are to change. */
      readonly facts?: AmendmentFacts;
      readonly decision?: FundDecision;
    }
  | { readonly type: 'AcceptAmendment'; readonly earmarkFacts: EarmarkFacts; readonly decision?: FundDecision }
  | { readonly type: 'DeclineAmendment'; readonly reason?: Reason }
  | { readonly type: 'WithdrawAmendment' };

/** What offer and need answer to an agreed amendment. */
export type AmendmentAnswer =
  | { readonly type: 'RecordAmendmentHold' | 'RecordAmendmentCoverage'; readonly n: number }
  | {
      readonly type: 'RecordAmendmentRefusal';
      readonly n: number;
      readonly answered: 'offer' | 'need';
      readonly code: string;
      readonly detail: string;
    };

type CommandOf<T extends AmendingCommand['type']> = Extract<AmendingCommand, { type: T }> & Command;

const OPEN: readonly AmendmentState['status'][] = ['proposed', 'agreed', 'held'];

/** The amendment under way: there is one at a time. */
export const openAmendment = ({ amendments }: AmendingState): AmendmentState | undefined =>
  amendments.find(({ status }) => OPEN.includes(status));

/** The amendment that waits for the other side. */
const proposedAmendment = (state: AmendingState): AmendmentState | undefined =>
  state.amendments.find(({ status }) => status === 'proposed');

/** The roles that a proposed amendment newly names the agency for: a consent given before covers every role. */
export const tasksAsked = (state: CommitmentState, party: string): AgencyRole[] => {
  const { implementer, fiscalAgent } = proposedAmendment(state)?.changes ?? {};
  if (tasksOf(state, party).length > 0) return [];
  return [
    ...(implementer === party ? (['implementer'] as const) : []),
    ...(fiscalAgent === party ? (['fiscal-agent'] as const) : []),
  ];
};

/** Agencies that a proposed amendment newly names. */
export const agenciesAsked = (state: CommitmentState): string[] => {
  const { implementer, fiscalAgent } = proposedAmendment(state)?.changes ?? {};
  return [...new Set([implementer, fiscalAgent])]
    .filter((party) => typeof party === 'string')
    .filter((party) => tasksAsked(state, party).length > 0);
};

/** The consents of agencies that the proposed amendment newly names. */
export const consentsToProposed = ({ amendments }: AmendingState): CommitmentState['consents'] =>
  amendments.filter(({ status }) => status === 'proposed').flatMap(({ consents }) => consents);

const proposerOf = ({
  proposedBy,
  proposerSovereign,
}: AmendmentState): { readonly party: string; readonly sovereign?: string } => ({
  party: proposedBy,
  ...(proposerSovereign === undefined ? {} : { sovereign: proposerSovereign }),
});

/** Refusals of those who answer an amendment: there is one, it stands, and it is not their own. */
const answerFault = (state: CommitmentState, who: Who, at: string): CommitmentRejection | undefined => {
  const amendment = proposedAmendment(state);
  if (amendment === undefined) return rejection('no-amendment', 'No amendment waits for an answer.');
  if (at >= amendment.expiresAt) {
    return rejection('expired', `The amendment’s time limit passed at ${amendment.expiresAt}: propose it anew.`);
  }
  return sameSide(who, proposerOf(amendment)) || !sidesOf(state, who).some((side) => side !== amendment.side)
    ? rejection('own-proposal', 'An amendment is answered by the other side, never by the proposer’s sovereign.')
    : undefined;
};

const AMENDABLE = ['accepted', 'binding', 'delivered'] as const;

/** Rows of COMMITMENT_RULES. */
export const AMENDING_RULES = {
  ProposeAmendment: {
    segment: 'amend',
    from: AMENDABLE,
    otherwise: 'not-accepted',
    who: isSide,
    also: (state) =>
      openAmendment(state) === undefined
        ? undefined
        : rejection('amendment-open', 'An amendment is under way: it is answered or taken back first.'),
  },
  AcceptAmendment: {
    segment: 'amend-accept',
    from: [...AMENDABLE, 'confirmed'],
    otherwise: 'not-accepted',
    who: isSide,
    also: (state, who, at) => {
      const fault = answerFault(state, who, at);
      if (fault !== undefined) return fault;
      const given = consentsToProposed(state);
      const missing = agenciesAsked(state).find((agency) => !given.some(({ party }) => party === agency));
      return missing === undefined
        ? undefined
        : rejection('task-not-consented', `${missing} is newly named and has not consented yet.`);
    },
  },
  DeclineAmendment: {
    segment: 'amend-decline',
    from: [...AMENDABLE, 'confirmed'],
    otherwise: 'not-accepted',
    who: isSide,
    also: answerFault,
  },
  WithdrawAmendment: {
    segment: 'amend-withdraw',
    from: [...AMENDABLE, 'confirmed'],
    otherwise: 'not-accepted',
    who: isSide,
    also: (state, who) => {
      const amendment = proposedAmendment(state);
      if (amendment === undefined) return rejection('no-amendment', 'No amendment waits for an answer.');
      return sidesOf(state, who).includes(amendment.side)
        ? undefined
        : rejection(
            'forbidden',
            'An amendment is taken back by the side that proposed it; the other side declines it.',
          );
    },
  },
} as const satisfies Readonly<Record<AmendingCommand['type'], Rule>>;

/** Which side speaks: a State on both by the office that asks. */
const sideOf = (state: CommitmentState, who: Who, role: string): Side =>
  isProvider(state, who) && (role === 'donor-desk' || !isRecipient(state, who)) ? 'provider' : 'recipient';

export const decideAmending = (command: AmendingCommand & Command, state: CommitmentState, who: Who): Outcome => {
  if (command.type === 'ProposeAmendment') return propose(command, state, who, command.by.actor);
  const amendment = openAmendment(state);
  // The rows let these through only while one is open.
  if (amendment === undefined) return refuse('no-amendment', 'No amendment waits for an answer.');
  const { n } = amendment;
  switch (command.type) {
    case 'AcceptAmendment':
      return agree(amendment, state, who.party, command);
    case 'DeclineAmendment':
      return accept({
        type: 'AmendmentDeclined',
        data: { n, party: who.party, ...(command.reason === undefined ? {} : { reason: command.reason }) },
      });
    case 'WithdrawAmendment':
      return accept({ type: 'AmendmentDeclined', data: { n, party: who.party } });
  }
};

const propose = (command: CommandOf<'ProposeAmendment'>, state: CommitmentState, who: Who, actor: Actor): Outcome => {
  const asked = changesOf(command, state);
  if ('refusal' in asked) return refused(asked.refusal);
  const { changes } = asked;
  const fault = changesFault(changes, state) ?? undecidedFault(changes, state, who.party, command.decision);
  if (fault !== undefined) return refused(fault);
  return accept({
    type: 'AmendmentProposed',
    data: {
      n: state.amendments.length + 1,
      party: who.party,
      side: sideOf(state, who, actor.role),
      changes,
      ...(command.extension === undefined ? {} : { extension: true }),
      reason: command.reason,
      expiresAt: addDays(command.by.at, AMENDMENT_DAYS),
    },
  });
};

type Asked = { readonly changes: AmendmentChanges } | { readonly refusal: CommitmentRejection };

/** What is asked for, with its numbers: the faults that show from lines and registers. */
const changesOf = (command: CommandOf<'ProposeAmendment'>, state: CommitmentState): Asked => {
  const { implementer, fiscalAgent, facts } = command;
  const legs = command.legs === undefined ? undefined : renumbered(command.legs, state);
  if (legs !== undefined && 'refusal' in legs) return legs;
  if (legs !== undefined && facts !== undefined) {
    const refusal = legFault(legs.numbered, facts) ?? lotFault(legs.numbered, facts, state.legs);
    if (refusal !== undefined) return { refusal };
  }
  const unknown = facts?.unknownAgencies[0];
  if (unknown !== undefined) {
    const field = unknown === implementer ? 'implementer' : 'fiscalAgent';
    return { refusal: rejection('unknown-agency', `${unknown} is not a registered agency.`, field) };
  }
  const extended = command.extension === undefined ? undefined : extensionOf(state.terms, command.extension);
  if (extended !== undefined && 'refusal' in extended) return extended;
  const terms =
    extended?.terms ?? (command.terms === undefined ? undefined : numberedChanges(command.terms, state.terms));
  return {
    changes: {
      ...(legs === undefined || facts === undefined ? {} : { legs: legs.numbered.map((leg) => asWritten(leg, facts)) }),
      ...(implementer === undefined ? {} : { implementer }),
      ...(fiscalAgent === undefined ? {} : { fiscalAgent }),
      ...(terms === undefined ? {} : { terms }),
    },
  };
};

type NumberedLeg = ProposedLeg & { readonly leg: number };

const asWritten = (
  { leg, offerLine, needLine, drawn, valuation, ...credit }: NumberedLeg,
  facts: LineFacts,
): Omit<Leg, 'amendment'> => ({
  leg,
  offerLine,
  needLine,
  drawn,
  ...creditOf({ offerLine, needLine, drawn, ...credit }, facts),
  ...(valuation === undefined ? {} : { valuation }),
});

/** The legs with their numbers: by the number given, else, where none is given, by place; what is new comes after all there ever were. */
const renumbered = (
  legs: readonly AmendedLeg[],
  state: CommitmentState,
): { readonly numbered: readonly NumberedLeg[] } | { readonly refusal: CommitmentRejection } => {
  const byNumber = legs.some(({ leg }) => leg !== undefined);
  let next = lastLegOf(state);
  const numbered: NumberedLeg[] = [];
  for (const [index, asked] of legs.entries()) {
    const kept = byNumber ? state.legs.find(({ leg }) => leg === asked.leg) : state.legs[index];
    const at = `legs[${index}]`;
    if (asked.leg !== undefined && kept === undefined) {
      const detail = `The commitment has no leg ${asked.leg}: leave its number out to add a leg.`;
      return { refusal: rejection('unknown-leg', detail, `${at}.leg`) };
    }
    if (kept !== undefined && numbered.some(({ leg }) => leg === kept.leg)) {
      return { refusal: rejection('leg-mismatch', `Leg ${kept.leg} stands here twice.`, `${at}.leg`) };
    }
    if (kept !== undefined && (kept.offerLine !== asked.offerLine || kept.needLine !== asked.needLine)) {
      const detail = `Leg ${kept.leg} keeps its lines: leave it out and add another leg to bind others.`;
      const field = kept.offerLine === asked.offerLine ? 'needLine' : 'offerLine';
      return { refusal: rejection('leg-mismatch', detail, `${at}.${field}`) };
    }
    if (kept === undefined) next += 1;
    numbered.push({ ...asked, leg: kept?.leg ?? next });
  }
  return { numbered };
};

const lastLegOf = ({ legs, lastLeg }: CommitmentState): number =>
  legs.reduce((last, { leg }) => Math.max(last, leg), lastLeg);

/** What the commitment itself has against the changes: at the proposal, at the agreement, and again when they take effect. */
const changesFault = (changes: AmendmentChanges, state: CommitmentState): CommitmentRejection | undefined => {
  const agency = (change: string | null | undefined, now: string | undefined): string | undefined =>
    change === undefined ? now : (change ?? undefined);
  return (
    deliveredFault(changes, state) ??
    termsFault(
      changes.terms ?? {},
      {
        providers: state.providers,
        beneficiaries: state.beneficiaries,
        filer: state.filer,
        implementer: agency(changes.implementer, state.implementer),
        fiscalAgent: agency(changes.fiscalAgent, state.fiscalAgent),
        legs: changes.legs ?? state.legs,
      },
      state.terms,
    )
  );
};

/** A fund that signed agrees to more under a decision; one that has not yet signed is asked for it then. */
const undecidedFault = (
  { legs }: AmendmentChanges,
  state: CommitmentState,
  party: string,
  decision: FundDecision | undefined,
): CommitmentRejection | undefined => {
  const stands = state.boundAt !== undefined || state.signatures.some((signature) => signature.party === party);
  return legs === undefined || !stands ? undefined : raiseFault(state, legs, decision);
};

/** Nothing that was delivered is taken back by an amendment. */
const deliveredFault = ({ legs }: AmendmentChanges, state: CommitmentState): CommitmentRejection | undefined => {
  if (legs === undefined) return undefined;
  for (const { leg, deliveredDrawn, deliveredCredited } of state.legs) {
    const index = legs.findIndex((kept) => kept.leg === leg);
    const after = legs[index];
    const below = (field: string): CommitmentRejection =>
      rejection(
        'below-delivered',
        `Leg ${leg} has ${quantityOf(deliveredDrawn, minorUnits(deliveredDrawn)).amount} delivered and keeps at least that.`,
        field,
      );
    if (after === undefined) {
      if (minorUnits(deliveredDrawn) > 0n) return below('legs');
      continue;
    }
    if (isBelow(after.drawn, deliveredDrawn)) return below(`legs[${index}].drawn`);
    if (isBelow(after.credited, deliveredCredited)) return below(`legs[${index}].credited`);
  }
  return undefined;
};

const isBelow = (after: Quantity, delivered: Quantity): boolean =>
  sameMeasure(after, delivered) && compare(after, delivered) < 0;

/** How much more `to` is than `from`; undefined where it is not. What had no figure before is all new. */
const growth = (from: Quantity | undefined, to: Quantity): Quantity | undefined => {
  if (from === undefined) return to;
  if (!isDeterminate(to)) return undefined;
  if (!sameMeasure(from, to)) return to;
  const more = minorUnits(to) - minorUnits(from);
  return more > 0n ? quantityOf(to, more) : undefined;
};

type Sized = Pick<Leg, 'leg' | 'offerLine' | 'needLine' | 'drawn' | 'credited'>;

/** What each leg of `to` has beyond the same leg of `from`. */
const shiftsOf = (from: readonly Sized[], to: readonly Sized[]): LegShift[] =>
  to.flatMap(({ leg, offerLine, needLine, drawn, credited }) => {
    const before = from.find((other) => other.leg === leg);
    const more = { drawn: growth(before?.drawn, drawn), credited: growth(before?.credited, credited) };
    if (more.drawn === undefined && more.credited === undefined) return [];
    return [
      {
        leg,
        offerLine,
        needLine,
        ...(more.drawn === undefined ? {} : { drawn: more.drawn }),
        ...(more.credited === undefined ? {} : { credited: more.credited }),
      },
    ];
  });

const increasesOf = (state: CommitmentState, { legs = state.legs }: AmendmentChanges): LegShift[] =>
  shiftsOf(state.legs, legs);

/** A scope that was assessed is nothing released: the words stay reserved beside the figure. */
const decreasesOf = (state: CommitmentState, { legs = state.legs }: AmendmentChanges): LegShift[] =>
  shiftsOf(legs, state.legs);

const agree = (
  amendment: AmendmentState,
  state: CommitmentState,
  party: string,
  { earmarkFacts, decision }: Pick<CommandOf<'AcceptAmendment'>, 'earmarkFacts' | 'decision'>,
): Outcome => {
  const { n, changes } = amendment;
  const fault = changesFault(changes, state) ?? undecidedFault(changes, state, party, decision);
  if (fault !== undefined) return refused(fault);
  const increases = increasesOf(state, changes);
  return accept<CommitmentEvent>(
    { type: 'AmendmentAgreed', data: { n, party, increases, earmarkFacts } },
    ...(increases.some(({ drawn }) => drawn !== undefined) ? [] : onceHeld(amendment, state)),
  );
};

/** The offer holds what the amendment adds, or it adds nothing there. */
const onceHeld = (amendment: AmendmentState, state: CommitmentState): CommitmentEvent[] => {
  const increases = increasesOf(state, amendment.changes);
  return [
    { type: 'AmendmentHeld', data: { n: amendment.n, increases } },
    ...(increases.some(({ credited }) => credited !== undefined) ? [] : [onceCovered(amendment, state)]),
  ];
};

/** The need has reserved what the amendment adds, or it adds nothing there: it takes effect unless more was delivered meanwhile. */
const onceCovered = ({ n, changes, extension }: AmendmentState, state: CommitmentState): CommitmentEvent => {
  const fault = changesFault(changes, state);
  if (fault !== undefined) {
    return { type: 'AmendmentRefused', data: { n, by: 'commitment', code: fault.code, detail: fault.detail } };
  }
  const legs = (changes.legs ?? state.legs)
    .map((leg): Leg => plain({ ...leg, amendment: state.legs.find((kept) => kept.leg === leg.leg)?.amendment ?? n }))
    .sort((a, b) => a.leg - b.leg);
  return {
    type: 'CommitmentAmended',
    data: {
      n,
      changes,
      legs,
      increases: increasesOf(state, changes),
      decreases: decreasesOf(state, changes),
      recredited: recreditsOf(state, legs),
      ...(extension === undefined ? {} : { extension }),
    },
  };
};

const plain = ({ leg, offerLine, needLine, drawn, credited, scope, valuation, amendment }: Leg): Leg => ({
  leg,
  offerLine,
  needLine,
  drawn,
  credited,
  ...(scope === undefined ? {} : { scope }),
  ...(valuation === undefined ? {} : { valuation }),
  amendment,
});

/** Answers of offer and need count while the amendment waits for them; past an exit their own release has the last word. */
export const recordAmendmentAnswer = (command: AmendmentAnswer, state: CommitmentState): Outcome => {
  const amendment = openAmendment(state);
  if (amendment?.n !== command.n) return accept();
  switch (command.type) {
    case 'RecordAmendmentHold':
      return amendment.status === 'agreed' ? accept(...onceHeld(amendment, state)) : accept();
    case 'RecordAmendmentCoverage':
      return amendment.status === 'held' ? accept(onceCovered(amendment, state)) : accept();
    case 'RecordAmendmentRefusal': {
      const { n, answered, code, detail } = command;
      return amendment.status === (answered === 'offer' ? 'agreed' : 'held')
        ? accept({ type: 'AmendmentRefused', data: { n, by: answered, code, detail } })
        : accept();
    }
  }
};

/** A newly named agency that will not: the amendment ends with its word. */
export const refusedByAgency = ({ n }: AmendmentState, agency: string): CommitmentEvent => ({
  type: 'AmendmentRefused',
  data: { n, by: 'agency', code: 'task-declined', detail: `${agency} declines the task.` },
});

/** No amendment outlives the commitment’s life as an agreement. */
export const withoutOpenAmendment = (state: CommitmentState): CommitmentState => ({
  ...state,
  amendments: state.amendments.map((amendment) =>
    OPEN.includes(amendment.status) ? { ...amendment, status: 'lapsed' } : amendment,
  ),
});

/** The state after an event of amendments; undefined where it is another's. */
export const afterAmending = (
  state: CommitmentState,
  event: CommitmentEvent,
  { actor, recordedAt }: EventContext,
): CommitmentState | undefined => {
  const became = (n: number, change: Partial<AmendmentState>): CommitmentState => ({
    ...state,
    amendments: replaced(state.amendments, n, (amendment) => ({ ...amendment, ...change })),
  });
  switch (event.type) {
    case 'AmendmentProposed': {
      const { party, changes, ...data } = event.data;
      return {
        ...state,
        amendments: [
          ...state.amendments,
          {
            ...data,
            proposedBy: party,
            ...(actor.sovereign === undefined ? {} : { proposerSovereign: actor.sovereign }),
            changes,
            status: 'proposed',
            consents: [],
          },
        ],
        lastLeg: lastLegOf({ ...state, legs: [...state.legs, ...(changes.legs ?? []).map(numberOnly)] }),
      };
    }
    case 'AmendmentAgreed':
      return became(event.data.n, { status: 'agreed' });
    case 'AmendmentHeld':
      return became(event.data.n, { status: 'held' });
    case 'AmendmentDeclined': {
      const { n, ...declined } = event.data;
      return became(n, { status: 'declined', declined });
    }
    case 'AmendmentLapsed':
      return became(event.data.n, { status: 'lapsed' });
    case 'AmendmentRefused': {
      const { n, ...refusal } = event.data;
      return became(n, { status: 'refused', refusal });
    }
    case 'CommitmentAmended':
      return awaitingAnswer(state, afterAmendment(became(event.data.n, { status: 'amended' }), event.data), recordedAt);
    default:
      return undefined;
  }
};

/** An amendment that leaves nothing to deliver is the first moment at which an answer is missing: silence counts from it. */
const awaitingAnswer = (before: CommitmentState, after: CommitmentState, recordedAt: string): CommitmentState =>
  before.status === 'binding' && after.status === 'delivered' ? { ...after, silentSince: recordedAt } : after;

const numberOnly = (leg: Omit<Leg, 'amendment'>): CommitmentState['legs'][number] =>
  undelivered({ ...leg, amendment: 0 });

const afterAmendment = (
  state: CommitmentState,
  { n, changes, legs, recredited: credits }: EventData<'CommitmentAmended'>,
): CommitmentState => {
  const { implementer: before, fiscalAgent: agentBefore, ...rest } = state;
  const implementer = changes.implementer === undefined ? before : changes.implementer;
  const fiscalAgent = changes.fiscalAgent === undefined ? agentBefore : changes.fiscalAgent;
  const isNamed = ({ party }: { readonly party: string }): boolean => party === implementer || party === fiscalAgent;
  const given = state.amendments.filter((amendment) => amendment.n === n).flatMap(({ consents }) => consents);
  return tallied({
    ...rest,
    ...(typeof implementer === 'string' ? { implementer } : {}),
    ...(typeof fiscalAgent === 'string' ? { fiscalAgent } : {}),
    consents: [...state.consents, ...given].filter(isNamed),
    taskDeclines: state.taskDeclines.filter(isNamed),
    // What was signed is not what is agreed now.
    signatures: state.boundAt === undefined ? [] : state.signatures,
    terms: amendedTerms(state.terms, changes.terms ?? {}),
    legs: legs.map(undelivered),
    deliveries: recredited(state.deliveries, credits),
  });
};
