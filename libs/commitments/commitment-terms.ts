import type { Command } from '#kernel';
import { accept, refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import {
  add,
  compare,
  formatQuantity,
  lastInstant,
  measureKey,
  minorUnits,
  sameMeasure,
  subtract,
  zeroLike,
} from '#vocabulary';
import type {
  CommitmentRejection,
  CommitmentState,
  EventContext,
  EventData,
  Outcome,
  Rule,
  Who,
} from './commitment-state.js';
import { asParty, BOUND, isSide, otherSide, recipientsOf, rejection, sameSide, sidesOf } from './commitment-state.js';
import type {
  AgreedCondition,
  Agreement,
  CommitmentEvent,
  DocumentLink,
  Instalment,
  Leg,
  OwedReport,
  Reason,
  Side,
  Terms,
} from './commitment.contract.js';

export type TermsRejectionCode =
  | 'unknown-instalment'
  | 'unknown-condition'
  | 'unknown-report'
  | 'over-schedule'
  | 'terms-mismatch'
  | 'terms-in-use'
  | 'not-an-extension'
  | 'suspended'
  | 'already-suspended'
  | 'not-suspended'
  | 'own-condition'
  | 'own-report'
  | 'already-answered'
  | 'not-filed'
  | 'open-reports';

/** A part of the terms as a body gives it: without `n` it is new and numbered by its place, with `n` it is that one. */
type Unnumbered<T extends { readonly n: number }> = Omit<T, 'n'> & { readonly n?: number };

/** Terms as a body gives them. */
export interface ProposedTerms extends Omit<Terms, 'schedule' | 'conditions' | 'reports'> {
  readonly schedule?: readonly Unnumbered<Instalment>[];
  readonly conditions?: readonly Unnumbered<AgreedCondition>[];
  readonly reports?: readonly Unnumbered<OwedReport>[];
}

export interface InstalmentState extends Instalment {
  /** What was paid of it, less what came back. */
  readonly paid: Quantity;
}

export interface ConditionState extends AgreedCondition {
  readonly status: 'open' | 'met' | 'waived';
  readonly answer?: {
    readonly party: string;
    readonly at: string;
    readonly note?: string;
    readonly document?: DocumentLink;
  };
}

export interface ReportState extends OwedReport {
  readonly status: 'owed' | 'filed' | 'accepted' | 'returned' | 'waived';
  /** The newest filing. */
  readonly filed?: {
    readonly date: string;
    readonly reference?: string;
    readonly document?: DocumentLink;
    readonly sovereign?: string;
  };
  readonly answer?: { readonly party: string; readonly at: string; readonly note?: string };
}

export interface AgreedTerms {
  readonly agreements: readonly Agreement[];
  readonly period?: NonNullable<Terms['period']>;
  readonly schedule: readonly InstalmentState[];
  readonly conditions: readonly ConditionState[];
  readonly reports: readonly ReportState[];
  readonly verifier?: string;
  /** Greatest number ever given: a number is not used twice. */
  readonly numbered: { readonly schedule: number; readonly conditions: number; readonly reports: number };
  /** How many conditions are the offer's: the first ones. */
  readonly offered: number;
}

/** What a commitment keeps of its terms. */
export interface TermsState {
  readonly terms: AgreedTerms;
  /** One for each side at most. */
  readonly suspensions: readonly {
    readonly side: Side;
    readonly party: string;
    readonly reason: Reason;
    readonly at: string;
  }[];
  /** Instalments paid before what makes them payable: visible, not refused. */
  readonly exceptions: readonly {
    readonly transfer: number;
    readonly instalment: number;
    readonly code: 'before-trigger';
    readonly because: string;
  }[];
}

export const NO_TERMS: TermsState = {
  terms: {
    agreements: [],
    schedule: [],
    conditions: [],
    reports: [],
    numbered: { schedule: 0, conditions: 0, reports: 0 },
    offered: 0,
  },
  suspensions: [],
  exceptions: [],
};

export type TermsCommand =
  | { readonly type: 'SuspendCommitment'; readonly reason: Reason }
  | { readonly type: 'ResumeCommitment' }
  | {
      readonly type: 'MeetCondition' | 'WaiveCondition';
      readonly n: number;
      readonly note?: string;
      readonly document?: DocumentLink;
    }
  | {
      readonly type: 'FileReport';
      readonly n: number;
      readonly date: string;
      readonly reference?: string;
      readonly document?: DocumentLink;
    }
  | {
      readonly type: 'AcceptReport' | 'ReturnReport' | 'WaiveReport';
      readonly n: number;
      readonly note?: string;
    };

type CommandOf<T extends TermsCommand['type']> = Extract<TermsCommand, { type: T }>;

const owes = (state: CommitmentState, { party }: Who): boolean => state.terms.reports.some(({ by }) => by === party);
/** An agency that owes a report may ask to accept it and hears the rule instead of a 403 (I4). */
const answersReports = (state: CommitmentState, who: Who): boolean => isSide(state, who) || owes(state, who);

const LIVE = ['binding', 'delivered', 'confirmed'] as const;

/** Rows of COMMITMENT_RULES. */
export const TERMS_RULES = {
  SuspendCommitment: {
    segment: 'suspend',
    from: LIVE,
    otherwise: 'not-binding',
    who: isSide,
    also: (state, who) =>
      suspendable(state, who).length === 0
        ? rejection('already-suspended', 'This side has suspended the commitment already.')
        : undefined,
  },
  ResumeCommitment: {
    segment: 'resume',
    from: [...LIVE, 'cancelled'],
    otherwise: 'not-binding',
    who: isSide,
    also: (state, who) =>
      resumable(state, who).length === 0
        ? rejection('not-suspended', 'This side has suspended nothing: each side lifts its own suspension.')
        : undefined,
  },
  MeetCondition: { segment: 'meet-condition', from: ['accepted', ...LIVE], otherwise: 'not-accepted', who: isSide },
  WaiveCondition: { segment: 'waive-condition', from: ['accepted', ...LIVE], otherwise: 'not-accepted', who: isSide },
  FileReport: { segment: 'file-report', from: BOUND, otherwise: 'not-binding', who: owes },
  AcceptReport: { segment: 'accept-report', from: BOUND, otherwise: 'not-binding', who: answersReports },
  ReturnReport: { segment: 'return-report', from: BOUND, otherwise: 'not-binding', who: answersReports },
  WaiveReport: { segment: 'waive-report', from: BOUND, otherwise: 'not-binding', who: answersReports },
} as const satisfies Readonly<Record<TermsCommand['type'], Rule>>;

const suspendable = (state: CommitmentState, who: Who): readonly Side[] =>
  sidesOf(state, who).filter((side) => !state.suspensions.some((suspension) => suspension.side === side));
const resumable = (state: CommitmentState, who: Who): readonly Side[] =>
  sidesOf(state, who).filter((side) => state.suspensions.some((suspension) => suspension.side === side));

/** Whether there is something to do for a command that its row allows. */
export const hasTermsTask = (type: TermsCommand['type'], state: CommitmentState, who: Who): boolean => {
  const { conditions, reports } = state.terms;
  switch (type) {
    case 'SuspendCommitment':
    case 'ResumeCommitment':
      return true;
    case 'MeetCondition':
    case 'WaiveCondition':
      return conditions.some(({ on, status }) => status === 'open' && sidesOf(state, who).includes(otherSide(on)));
    case 'FileReport':
      return reports.some(({ by, status }) => by === who.party && isOwed(status));
    case 'AcceptReport':
    case 'ReturnReport':
      return isSide(state, who) && reports.some((report) => report.status === 'filed' && !isOwn(state, who, report));
    case 'WaiveReport':
      return isSide(state, who) && reports.some((report) => !isDone(report.status) && !isOwn(state, who, report));
  }
};

const isDone = (status: ReportState['status']): boolean => status === 'accepted' || status === 'waived';
const isOwed = (status: ReportState['status']): boolean => status === 'owed' || status === 'returned';

/** The author's sovereign, and whoever stands on the side the author speaks for, never answer its report. */
const isOwn = (state: CommitmentState, who: Who, { by, filed }: ReportState): boolean => {
  const author = { ...asParty(state, by), ...(filed?.sovereign === undefined ? {} : { sovereign: filed.sovereign }) };
  if (sameSide(who, author)) return true;
  const sides = sidesOf(state, { party: by, coordinator: false });
  const own = sidesOf(state, who);
  return own.length > 0 && own.every((side) => sides.includes(side));
};

/** Reports that stand in the way of a closing: not filed, or returned. */
export const openReports = ({ reports }: AgreedTerms): number[] =>
  reports.filter(({ status }) => isOwed(status)).map(({ n }) => n);

/** The side condition of a delivery or a payment while somebody has suspended the commitment. */
export const suspensionFault = (state: TermsState, date: string): CommitmentRejection | undefined => {
  const day = lastInstant(date).slice(0, 10);
  const stopped = state.suspensions.find(({ at }) => lastInstant(at).slice(0, 10) <= day);
  return stopped === undefined
    ? undefined
    : rejection(
        'suspended',
        `${stopped.party} has suspended the commitment: nothing is paid or delivered until it resumes.`,
        'date',
      );
};

/** The terms of a proposal with their numbers: the offer's conditions first, then those the sides add. */
export const numberedProposal = (
  given: ProposedTerms,
  conditions: EventData<'CommitmentProposed'>['conditions'],
): Terms => {
  const before = proposedTerms(conditions, {});
  const { schedule, conditions: added, reports, ...rest } = given;
  return {
    ...rest,
    ...(schedule === undefined ? {} : { schedule: numberedFrom(schedule, 0) }),
    ...(added === undefined
      ? {}
      : {
          conditions: [
            ...before.conditions.map(({ status: _status, ...condition }) => condition),
            ...numberedFrom(added, before.offered),
          ],
        }),
    ...(reports === undefined ? {} : { reports: numberedFrom(reports, 0) }),
  };
};

/** What an amendment asks for, with numbers for what is new. */
export const numberedChanges = (given: ProposedTerms, { numbered }: AgreedTerms): Terms => {
  const { schedule, conditions, reports, ...rest } = given;
  return {
    ...rest,
    ...(schedule === undefined ? {} : { schedule: numberedFrom(schedule, numbered.schedule) }),
    ...(conditions === undefined ? {} : { conditions: numberedFrom(conditions, numbered.conditions) }),
    ...(reports === undefined ? {} : { reports: numberedFrom(reports, numbered.reports) }),
  };
};

const numberedFrom = <T extends { readonly n: number }>(items: readonly Unnumbered<T>[], last: number): T[] => {
  let next = last;
  return items.map((item) => ({ ...item, n: item.n ?? (next += 1) }) as T);
};

/** The terms a proposal starts with. */
export const proposedTerms = (conditions: EventData<'CommitmentProposed'>['conditions'], terms: Terms): AgreedTerms =>
  amendedTerms(
    { ...NO_TERMS.terms, offered: conditions.length },
    {
      ...terms,
      conditions:
        terms.conditions ?? conditions.map((condition, index) => ({ n: index + 1, ...condition, on: 'recipient' })),
    },
  );

/** The terms after an amendment: a part that is given replaces that part, and what has a number already keeps its state. */
export const amendedTerms = (before: AgreedTerms, changes: Terms): AgreedTerms => {
  const { agreements, period, verifier } = changes;
  const schedule = changes.schedule?.map((instalment): InstalmentState => ({
    ...instalment,
    paid: stateOf(before.schedule, instalment)?.paid ?? zeroLike(instalment.amount),
  }));
  const conditions = changes.conditions?.map((condition): ConditionState => {
    const { status = 'open', answer } = stateOf(before.conditions, condition) ?? {};
    return { ...condition, status, ...(answer === undefined ? {} : { answer }) };
  });
  const reports = changes.reports?.map((report): ReportState => {
    const { status = 'owed', filed, answer } = stateOf(before.reports, report) ?? {};
    return {
      ...report,
      status,
      ...(filed === undefined ? {} : { filed }),
      ...(answer === undefined ? {} : { answer }),
    };
  });
  return {
    ...before,
    ...(agreements === undefined ? {} : { agreements }),
    ...(period === undefined ? {} : { period }),
    ...(verifier === undefined ? {} : { verifier }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(conditions === undefined ? {} : { conditions }),
    ...(reports === undefined ? {} : { reports }),
    numbered: {
      schedule: greatest(before.numbered.schedule, changes.schedule),
      conditions: greatest(before.numbered.conditions, changes.conditions),
      reports: greatest(before.numbered.reports, changes.reports),
    },
  };
};

const stateOf = <T extends { readonly n: number }>(items: readonly T[], { n }: { readonly n: number }): T | undefined =>
  items.find((item) => item.n === n);

const greatest = (last: number, items: readonly { readonly n: number }[] = []): number =>
  items.reduce((most, { n }) => Math.max(most, n), last);

/** Whom and what the terms are for: the parties and legs as they shall be. */
export interface TermsDeal {
  readonly providers: readonly string[];
  readonly beneficiaries: readonly string[];
  readonly filer: string;
  readonly implementer?: string | undefined;
  readonly fiscalAgent?: string | undefined;
  readonly legs: readonly Pick<Leg, 'leg' | 'drawn'>[];
}

/**
 * What is wrong with terms on these legs between these parties: at the proposal, at an amendment of terms or legs, and again when
 * the amendment takes effect. `changes` is numbered; `before` is what holds now.
 */
export const termsFault = (
  changes: Terms,
  deal: TermsDeal,
  before: AgreedTerms = NO_TERMS.terms,
): CommitmentRejection | undefined =>
  numberFault(changes, before) ??
  vanishedFault(changes, before) ??
  referenceFault(amendedTerms(before, changes), deal) ??
  partyFault(amendedTerms(before, changes), deal) ??
  scheduleFault(amendedTerms(before, changes), deal);

const PARTS = [
  ['schedule', 'unknown-instalment', 'instalment'],
  ['conditions', 'unknown-condition', 'condition'],
  ['reports', 'unknown-report', 'report'],
] as const;

/** A number is one that stands, or the next ones in order. */
const numberFault = (changes: Terms, before: AgreedTerms): CommitmentRejection | undefined => {
  for (const [part, code, what] of PARTS) {
    const known = new Set(before[part].map(({ n }) => n));
    const seen = new Set<number>();
    for (const [index, { n }] of (changes[part] ?? []).entries()) {
      const field = `terms.${part}[${index}].n`;
      if (seen.has(n)) return rejection('terms-mismatch', `The terms name ${what} ${n} twice.`, field);
      if (!known.has(n) && n <= before.numbered[part]) {
        return rejection(code, `There is no ${what} ${n}; a new one has no number yet.`, field);
      }
      seen.add(n);
    }
  }
  return undefined;
};

/** What an answer was given to: only its date may move. */
const says = ({ code, percent, text, on }: AgreedCondition): string => JSON.stringify([code, percent, text, on]);
const asksFor = ({ kind, by, text }: OwedReport): string => JSON.stringify([kind, by, text]);

/** What was paid, filed or answered cannot vanish, and the offer's conditions stay: they are met or waived. */
const vanishedFault = (changes: Terms, before: AgreedTerms): CommitmentRejection | undefined => {
  const inUse = (detail: string, field: string): CommitmentRejection => rejection('terms-in-use', detail, field);
  const { schedule = before.schedule, conditions = before.conditions, reports = before.reports } = changes;
  for (const { n, paid, amount } of before.schedule) {
    if (minorUnits(paid) === 0n) continue;
    const now = schedule.find((instalment) => instalment.n === n);
    // One that was paid beyond its amount may stay as it is: its dates can still move.
    const isLess = now !== undefined && sameMeasure(now.amount, paid) && compare(now.amount, paid) < 0;
    if (now === undefined || !sameMeasure(now.amount, paid) || (isLess && compare(now.amount, amount) < 0)) {
      return inUse(`Of instalment ${n} is paid ${formatQuantity(paid)}: it cannot be less.`, 'terms.schedule');
    }
  }
  for (const known of before.conditions) {
    const { n, status } = known;
    const now = conditions.find((condition) => condition.n === n);
    if (now !== undefined && (status === 'open' || says(now) === says(known))) continue;
    if (now === undefined && n <= before.offered)
      return inUse(`Condition ${n} is the offer’s: it is met or waived.`, 'terms.conditions');
    if (status !== 'open') {
      return inUse(`Condition ${n} is ${status}: it cannot be left out or say something else.`, 'terms.conditions');
    }
  }
  for (const known of before.reports) {
    const { n, status } = known;
    const now = reports.find((report) => report.n === n);
    if (status !== 'owed' && (now === undefined || asksFor(now) !== asksFor(known))) {
      return inUse(
        `Report ${n} is ${status}: it cannot be left out, ask for something else or become another party’s.`,
        'terms.reports',
      );
    }
  }
  return undefined;
};

const referenceFault = (
  { schedule, conditions, reports }: AgreedTerms,
  { legs }: TermsDeal,
): CommitmentRejection | undefined => {
  for (const [index, instalment] of schedule.entries()) {
    const at = `terms.schedule[${index}]`;
    const { report, condition, leg: number, amount } = instalment;
    if (report !== undefined && stateOf(reports, { n: report }) === undefined) {
      return rejection('unknown-report', `There is no report ${report} in these terms.`, `${at}.report`);
    }
    if (condition !== undefined && stateOf(conditions, { n: condition }) === undefined) {
      return rejection('unknown-condition', `There is no condition ${condition} in these terms.`, `${at}.condition`);
    }
    if (number === undefined) continue;
    const leg = legs.find((known) => known.leg === number);
    if (leg === undefined) return rejection('terms-mismatch', `The commitment has no leg ${number}.`, `${at}.leg`);
    if (leg.drawn.measure === 'money' && !sameMeasure(leg.drawn, amount)) {
      return rejection('terms-mismatch', `Leg ${number} is in another currency.`, `${at}.amount.currency`);
    }
  }
  return undefined;
};

const partyFault = ({ reports, verifier }: AgreedTerms, deal: TermsDeal): CommitmentRejection | undefined => {
  const sides = [...deal.providers, ...recipientsOf(deal)];
  const parties = [...sides, deal.implementer, deal.fiscalAgent].filter((party) => party !== undefined);
  for (const [index, { by, status }] of reports.entries()) {
    // An agency that left still owes nothing new, and what it filed stays.
    if (!parties.includes(by) && status === 'owed') {
      return rejection('terms-mismatch', `${by} is no party of this commitment.`, `terms.reports[${index}].by`);
    }
  }
  if (verifier !== undefined && parties.some((party) => sameSide({ party }, { party: verifier }))) {
    return rejection(
      'terms-mismatch',
      'The verifier is a third party: neither a side nor a named agency.',
      'terms.verifier',
    );
  }
  return undefined;
};

/** Without a leg in money what is paid is unlimited, and so is what is planned. */
const scheduleFault = ({ schedule }: AgreedTerms, { legs }: TermsDeal): CommitmentRejection | undefined => {
  const money = legs.filter(({ drawn }) => drawn.measure === 'money');
  if (money.length === 0) return undefined;
  const planned = new Map<string, bigint>();
  for (const { amount } of schedule) {
    const key = measureKey(amount);
    const sum = (planned.get(key) ?? 0n) + minorUnits(amount);
    const bound = money
      .filter(({ drawn }) => sameMeasure(drawn, amount))
      .reduce((total, { drawn }) => total + minorUnits(drawn), 0n);
    if (sum > bound) {
      return rejection(
        'over-schedule',
        'The instalments of a currency are together no more than the money legs of that currency.',
        'terms.schedule',
      );
    }
    planned.set(key, sum);
  }
  return undefined;
};

/** Dates as an extension asks for them. */
export interface Extension {
  readonly period?: { readonly to: string };
  readonly schedule?: readonly { readonly n: number; readonly due: string }[];
  readonly reports?: readonly { readonly n: number; readonly due: string }[];
}

/** The terms that an extension changes, whole; an extension moves ends later and nothing else. */
export const extensionOf = (
  { period, schedule, reports }: AgreedTerms,
  asked: Extension,
): { readonly terms: Terms } | { readonly refusal: CommitmentRejection } => {
  const refusal = extensionFault({ period, schedule, reports }, asked);
  if (refusal !== undefined) return { refusal };
  const moved = <T extends { readonly n: number }>(item: T, dates: Extension['reports'] = []): T => ({
    ...item,
    ...dates.filter(({ n }) => n === item.n).map(({ due }) => ({ due }))[0],
  });
  return {
    terms: {
      ...(asked.period === undefined ? {} : { period: { ...period, to: asked.period.to } }),
      ...(asked.schedule === undefined
        ? {}
        : { schedule: schedule.map(({ paid: _paid, ...instalment }) => moved(instalment, asked.schedule)) }),
      ...(asked.reports === undefined
        ? {}
        : {
            reports: reports.map(({ status: _status, filed: _filed, answer: _answer, ...report }) =>
              moved(report, asked.reports),
            ),
          }),
    },
  };
};

const extensionFault = (
  {
    period,
    schedule,
    reports,
  }: Pick<AgreedTerms, 'schedule' | 'reports'> & { readonly period: AgreedTerms['period'] | undefined },
  asked: Extension,
): CommitmentRejection | undefined => {
  const not = (detail: string, field: string): CommitmentRejection => rejection('not-an-extension', detail, field);
  if (asked.period !== undefined && (period?.to === undefined || asked.period.to <= period.to)) {
    return not('An extension moves an agreed end to a later day.', 'period.to');
  }
  for (const [index, { n, due }] of (asked.schedule ?? []).entries()) {
    const field = `schedule[${index}]`;
    const instalment = stateOf(schedule, { n });
    if (instalment === undefined) return rejection('unknown-instalment', `There is no instalment ${n}.`, `${field}.n`);
    if (instalment.due === undefined || due <= instalment.due) {
      return not(`An extension moves the date of instalment ${n} to a later day.`, `${field}.due`);
    }
  }
  for (const [index, { n, due }] of (asked.reports ?? []).entries()) {
    const field = `reports[${index}]`;
    const report = stateOf(reports, { n });
    if (report === undefined) return rejection('unknown-report', `There is no report ${n}.`, `${field}.n`);
    if (due <= report.due) return not(`An extension moves the date of report ${n} to a later day.`, `${field}.due`);
  }
  return asked.period === undefined && asked.schedule === undefined && asked.reports === undefined
    ? not('An extension moves at least one date.', '')
    : undefined;
};

export const decideTerms = (command: TermsCommand & Command, state: CommitmentState, who: Who): Outcome => {
  switch (command.type) {
    case 'SuspendCommitment': {
      const { reason } = command;
      return accept(
        ...suspendable(state, who)
          .slice(0, 1)
          .map((side) => ({ type: 'CommitmentSuspended', data: { side, party: who.party, reason } }) as const),
      );
    }
    case 'ResumeCommitment':
      return accept(
        ...resumable(state, who)
          .slice(0, 1)
          .map((side) => ({ type: 'CommitmentResumed', data: { side, party: who.party } }) as const),
      );
    case 'MeetCondition':
    case 'WaiveCondition':
      return answerCondition(command, state, who);
    case 'FileReport':
      return fileReport(command, state, who);
    case 'AcceptReport':
    case 'ReturnReport':
    case 'WaiveReport':
      return answerReport(command, state, who);
  }
};

const answerCondition = (
  { type, n, note, document }: CommandOf<'MeetCondition' | 'WaiveCondition'>,
  state: CommitmentState,
  who: Who,
): Outcome => {
  const condition = stateOf(state.terms.conditions, { n });
  if (condition === undefined) return refuse('not-found', `There is no condition ${n}.`);
  if (!sidesOf(state, who).includes(otherSide(condition.on))) {
    return refuse('own-condition', `Condition ${n} lies on this side: the other one finds it met or waives it.`);
  }
  if (condition.status !== 'open') return refuse('already-answered', `Condition ${n} is ${condition.status}.`);
  return accept({
    type: type === 'MeetCondition' ? 'ConditionMet' : 'ConditionWaived',
    data: {
      n,
      party: who.party,
      ...(note === undefined ? {} : { note }),
      ...(document === undefined ? {} : { document }),
    },
  });
};

const fileReport = (
  { n, date, reference, document }: CommandOf<'FileReport'>,
  state: CommitmentState,
  who: Who,
): Outcome => {
  const report = stateOf(state.terms.reports, { n });
  if (report === undefined) return refuse('not-found', `There is no report ${n}.`);
  if (report.by !== who.party) return refuse('forbidden', `Report ${n} is owed by ${report.by}.`);
  if (!isOwed(report.status)) return refuse('already-answered', `Report ${n} is ${report.status}.`);
  return accept({
    type: 'ReportFiled',
    data: {
      n,
      party: who.party,
      date,
      ...(reference === undefined ? {} : { reference }),
      ...(document === undefined ? {} : { document }),
    },
  });
};

const REPORT_EVENTS = {
  AcceptReport: 'ReportAccepted',
  ReturnReport: 'ReportReturned',
  WaiveReport: 'ReportWaived',
} as const;

const answerReport = (
  { type, n, note }: CommandOf<'AcceptReport' | 'ReturnReport' | 'WaiveReport'>,
  state: CommitmentState,
  who: Who,
): Outcome => {
  const report = stateOf(state.terms.reports, { n });
  if (report === undefined) return refuse('not-found', `There is no report ${n}.`);
  if (isOwn(state, who, report)) {
    return refuse('own-report', 'A report is answered by the other side, never by its author’s.');
  }
  if (!isSide(state, who)) return refuse('forbidden', `Report ${n} is for a side of the commitment to answer.`);
  if (isDone(report.status)) {
    return refuse('already-answered', `Report ${n} is ${report.status}.`);
  }
  if (type !== 'WaiveReport' && report.status !== 'filed') return refuse('not-filed', `Report ${n} is not filed.`);
  return accept({ type: REPORT_EVENTS[type], data: { n, party: who.party, ...(note === undefined ? {} : { note }) } });
};

const changed = <P extends 'schedule' | 'conditions' | 'reports'>(
  terms: AgreedTerms,
  part: P,
  n: number,
  change: (item: AgreedTerms[P][number]) => AgreedTerms[P][number],
): AgreedTerms => ({
  ...terms,
  [part]: (terms[part] as readonly AgreedTerms[P][number][]).map((item) => (item.n === n ? change(item) : item)),
});

/** The state after an event of the terms; undefined where it is another's. */
export const afterTerms = (
  state: CommitmentState,
  event: CommitmentEvent,
  { actor, effectiveAt }: EventContext,
): CommitmentState | undefined => {
  switch (event.type) {
    case 'CommitmentSuspended':
      return { ...state, suspensions: [...state.suspensions, { ...event.data, at: effectiveAt }] };
    case 'CommitmentResumed':
      return { ...state, suspensions: state.suspensions.filter(({ side }) => side !== event.data.side) };
    case 'ConditionMet':
    case 'ConditionWaived': {
      const { n, ...answer } = event.data;
      const status = event.type === 'ConditionMet' ? 'met' : 'waived';
      return {
        ...state,
        terms: changed(state.terms, 'conditions', n, (condition) => ({
          ...condition,
          status,
          answer: { ...answer, at: effectiveAt },
        })),
      };
    }
    case 'ReportFiled': {
      const { n, party: _party, ...filed } = event.data;
      return {
        ...state,
        terms: changed(state.terms, 'reports', n, ({ answer: _answer, ...report }) => ({
          ...report,
          status: 'filed',
          filed: { ...filed, ...(actor.sovereign === undefined ? {} : { sovereign: actor.sovereign }) },
        })),
      };
    }
    case 'ReportAccepted':
    case 'ReportReturned':
    case 'ReportWaived': {
      const { n, ...answer } = event.data;
      const status =
        event.type === 'ReportAccepted' ? 'accepted' : event.type === 'ReportReturned' ? 'returned' : 'waived';
      return {
        ...state,
        terms: changed(state.terms, 'reports', n, (report) => ({
          ...report,
          status,
          answer: { ...answer, at: effectiveAt },
        })),
      };
    }
    default:
      return undefined;
  }
};

/** What of a transfer its instalment looks at. */
interface Payment {
  readonly n: number;
  readonly amount: Quantity;
  readonly instalment?: number;
  readonly date: string;
}

/** The instalment named by a payment; undefined where it names none, or one that is not in the terms. */
const instalmentOf = (
  { terms }: CommitmentState,
  { instalment }: Pick<Payment, 'instalment'>,
): InstalmentState | undefined => (instalment === undefined ? undefined : stateOf(terms.schedule, { n: instalment }));

/** What is wrong with a payment's instalment. */
export const instalmentFault = (
  state: CommitmentState,
  payment: Pick<Payment, 'instalment' | 'amount'>,
): CommitmentRejection | undefined => {
  if (payment.instalment === undefined) return undefined;
  const instalment = instalmentOf(state, payment);
  if (instalment === undefined) {
    return rejection('unknown-instalment', `There is no instalment ${payment.instalment}.`, 'instalment');
  }
  return sameMeasure(instalment.amount, payment.amount)
    ? undefined
    : rejection('currency-mismatch', `Instalment ${instalment.n} is in another currency.`, 'amount.currency');
};

/** Counts a payment to its instalment, or takes it off again (`sign` −1), and notes one that came before its trigger. */
export const withPayment = (state: CommitmentState, payment: Payment, sign: 1 | -1): CommitmentState => {
  const instalment = instalmentOf(state, payment);
  if (instalment === undefined) return state;
  const sum = sign === 1 ? add : subtract;
  const terms = changed(state.terms, 'schedule', instalment.n, (item) => ({
    ...item,
    paid: sum(item.paid, payment.amount),
  }));
  const exceptions = state.exceptions.filter(({ transfer }) => transfer !== payment.n);
  const because = sign === 1 ? untriggered(state, instalment, payment.date) : undefined;
  return {
    ...state,
    terms,
    exceptions:
      because === undefined
        ? exceptions
        : [...exceptions, { transfer: payment.n, instalment: instalment.n, code: 'before-trigger', because }],
  };
};

/** Takes what came back off the instalment it was paid for. */
export const withRefund = (
  state: CommitmentState,
  paid: Pick<Payment, 'instalment'>,
  amount: Quantity,
  sign: 1 | -1,
): CommitmentState => {
  const instalment = instalmentOf(state, paid);
  if (instalment === undefined) return state;
  const sum = sign === 1 ? subtract : add;
  return {
    ...state,
    terms: changed(state.terms, 'schedule', instalment.n, (item) => ({ ...item, paid: sum(item.paid, amount) })),
  };
};

/** Why an instalment was not payable yet on that day; undefined where it was. */
const untriggered = (
  { terms, boundAt }: CommitmentState,
  { on, due, report, condition }: Instalment,
  date: string,
): string | undefined => {
  const last = lastInstant(date);
  const before = (at: string | undefined): boolean => at === undefined || last < lastInstant(at);
  switch (on) {
    case 'signature':
      return before(boundAt) ? 'it is dated before the last signature' : undefined;
    case 'date':
      return due !== undefined && last.slice(0, 10) < due ? `it was due on ${due}` : undefined;
    case 'report': {
      const owed = terms.reports.find(({ n }) => n === report);
      const released = owed !== undefined && isDone(owed.status);
      return released && !before(owed.answer?.at) ? undefined : `report ${String(report)} was not accepted then`;
    }
    case 'condition': {
      const asked = terms.conditions.find(({ n }) => n === condition);
      return asked?.status !== 'open' && !before(asked?.answer?.at)
        ? undefined
        : `condition ${String(condition)} was neither met nor waived then`;
    }
  }
};

const instalmentStatus = ({ amount, paid }: InstalmentState): 'open' | 'part-paid' | 'paid' => {
  if (minorUnits(paid) <= 0n) return 'open';
  return compare(paid, amount) < 0 ? 'part-paid' : 'paid';
};

const conditionView = ({ answer, ...condition }: ConditionState): object => {
  const { party, at, ...more } = answer ?? {};
  return { ...condition, ...(party === undefined ? {} : { by: party, at }), ...more };
};

/** A report is late when it was filed after its day, or is not filed and the day is over. */
const reportView = ({ filed, answer, ...report }: ReportState, at: string): object => {
  const { sovereign: _sovereign, ...filing } = filed ?? {};
  const day = isOwed(report.status) || filed === undefined ? at.slice(0, 10) : lastInstant(filed.date).slice(0, 10);
  return {
    ...report,
    late: (filed !== undefined || isOwed(report.status)) && day > report.due,
    filed: filed === undefined ? null : filing,
    ...(answer === undefined ? {} : { answer }),
  };
};

/**
 * The terms as everyone sees them who sees the commitment.
 * @param at server time, RFC 3339 UTC with milliseconds: a report owed after its day is late
 */
export const termsView = ({ terms, exceptions }: CommitmentState, at: string): object => {
  const conditions = terms.conditions.map(conditionView);
  return {
    conditions,
    terms: {
      agreements: terms.agreements,
      period: terms.period ?? null,
      schedule: terms.schedule.map((instalment) => ({ ...instalment, status: instalmentStatus(instalment) })),
      conditions,
      reports: terms.reports.map((report) => reportView(report, at)),
      verifier: terms.verifier ?? null,
    },
    exceptions,
  };
};
