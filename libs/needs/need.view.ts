import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import type { Quantity } from '#vocabulary';
import { addDays, isDeterminate, isRival, minorUnits, quantityOf, stateOfParty, sumByMeasure } from '#vocabulary';
import type { CommandAccess } from '#web';
import { hasAuthority } from '#web';
import { qualityOf } from './coach.js';
import { gradeOf, groupGradeOf, outstandingOf } from './coverage.js';
import type { GivenReason, NeedContent, NeedEvent, NeedLine } from './need.contract.js';
import type { NeedCommandRule, NeedCommandType, NeedState } from './need.js';
import { DORMANT_DAYS, FILING_ROLES, mayAct, NEED_COMMANDS, obstacle, participationOf, principalOf } from './need.js';
import { figuresOfLine } from './need-coverage.js';
import type { NeedParts } from './need-sight.js';
import { isOwner } from './need-sight.js';

/** Commands that have a route. */
export type NeedAction = Exclude<
  {
    [T in keyof typeof NEED_COMMANDS]: (typeof NEED_COMMANDS)[T] extends { action: string } ? T : never;
  }[keyof typeof NEED_COMMANDS],
  never
>;

/** Who may send a command at all. */
export const accessTo = (type: NeedAction | 'DraftNeed'): CommandAccess => {
  if (type === 'DraftNeed') return { action: 'need.draft', roles: FILING_ROLES, power: 'file' };
  const { action, who } = NEED_COMMANDS[type];
  const { power }: NeedCommandRule = NEED_COMMANDS[type];
  return {
    action: `need.${action}`,
    roles: who === 'coordinator-or-timer' || who === 'coordinator' ? ['coordinator'] : FILING_ROLES,
    ...(power === undefined ? {} : { power }),
  };
};

/** What a coordinator writes on behalf of a State rests on its role: it has no powers of an office. */
const TRANSCRIBED: readonly string[] = ['DraftNeed', 'SubmitNeed', 'AmendNeed'];

/** The same for the route, before it is known who calls. */
export const routeAccess = (type: NeedAction | 'DraftNeed'): CommandAccess => {
  const { action, roles, ...rest } = accessTo(type);
  return TRANSCRIBED.includes(type) ? { action, roles: [...roles, 'coordinator'] } : { action, roles, ...rest };
};

/** The same for this caller. */
export const accessFor = (caller: Caller, type: NeedAction | 'DraftNeed'): CommandAccess => {
  const access = accessTo(type);
  return TRANSCRIBED.includes(type) && hasRole(caller, 'coordinator') && !hasRole(caller, ...FILING_ROLES)
    ? { action: access.action, roles: ['coordinator'] }
    : access;
};

/** True where one of the caller's roles lets it send this command to this need, whatever its status. */
export const permitsNeed = (caller: Caller, type: NeedCommandType, state: NeedState): boolean => {
  if (type === 'DraftNeed') return false;
  const { who }: NeedCommandRule = NEED_COMMANDS[type];
  const { party, sovereign } = caller;
  return caller.roles.some((role) =>
    mayAct(who, state, sovereign === undefined ? { party, role } : { party, role, sovereign }),
  );
};

/** The command asks for what is so already: allowed, and of no use. */
const holds = (type: NeedCommandType, state: NeedState, { party }: Caller): boolean => {
  switch (type) {
    case 'ConsentParticipation':
      return participationOf(state, party)?.status === 'consented';
    case 'WithdrawParticipation':
      return participationOf(state, party)?.status === 'withdrawn';
    case 'RatifyNeed':
      return !state.transcribed;
    case 'AssessNeed':
      return state.content.lines.every(({ quantity }) => isDeterminate(quantity));
    default:
      return false;
  }
};

const actionsOf = (caller: Caller, state: NeedState): readonly string[] =>
  Object.entries(NEED_COMMANDS).flatMap(([name, rule]: [string, NeedCommandRule]) => {
    const type = name as keyof typeof NEED_COMMANDS;
    const open =
      rule.action !== undefined &&
      state.status !== 'absent' &&
      rule.from.includes(state.status) &&
      permitsNeed(caller, type, state) &&
      hasAuthority(caller, accessFor(caller, type as NeedAction)) &&
      !holds(type, state, caller) &&
      obstacle(type, state, caller) === undefined;
    return open ? [rule.action] : [];
  });

/** Null before the opening and once closed. Due when the date has passed; stale when, for another 90 days, nobody spoke for the need and it still stands open. */
const freshnessOf = ({ status, reaffirmBy }: NeedState, now: string): object | null => {
  if (reaffirmBy === '' || status === 'closed') return null;
  const state = now < reaffirmBy ? 'fresh' : now < addDays(reaffirmBy, DORMANT_DAYS) ? 'due' : 'stale';
  return { reaffirmBy, state };
};

const lineView = (
  state: NeedState,
  line: NeedLine,
  indicative: readonly Quantity[] | 'unknown',
  figures: boolean,
): object => {
  const { quantity } = line;
  if (!isRival(quantity)) return { ...line, coverage: 'not-measurable' };
  const { accepted, binding, delivered, confirmed } = figuresOfLine(state, line.line);
  const show = (minor: bigint): Quantity => quantityOf(quantity, minor);
  const proposed = indicative === 'unknown' ? {} : { indicative: sumByMeasure(indicative)[0] ?? show(0n) };
  return {
    ...line,
    coverage: {
      ...(figures ? { ...proposed, accepted: show(accepted) } : {}),
      binding: show(binding),
      delivered: show(delivered),
      confirmed: show(confirmed),
      outstanding: show(outstandingOf(minorUnits(quantity), binding)),
    },
  };
};

const SUMMARY = ['title', 'kinds', 'instruments', 'period'] as const satisfies readonly (keyof NeedContent)[];
/** Not shown as they stand: `annex` and `named` have rules of their own, `lines` carry coverage. */
const APART = ['annex', 'named', 'lines', 'visibility'] as const satisfies readonly (keyof NeedContent)[];
const isOf = (fields: readonly string[], field: string): boolean => fields.includes(field);

/** The fields of a content, or of a change to one, that this caller sees; `lines` as they were written. */
const contentFor = (
  content: Partial<NeedContent>,
  parts: NeedParts,
  { owner, coordinator }: { readonly owner: boolean; readonly coordinator: boolean },
): Partial<NeedContent> => {
  const { priorAid, documents, lines, annex, named, visibility } = content;
  const fields = Object.entries(content).filter(([field]) =>
    isOf(SUMMARY, field) ? parts.summary : parts.body && !isOf(APART, field),
  );
  const seen = parts.body ? lines : lines?.filter(({ line }) => parts.lines.includes(line));
  return {
    ...Object.fromEntries(fields),
    ...(seen === undefined || (!parts.body && seen.length === 0) ? {} : { lines: seen }),
    // Another record's id is for who may know of it: the State names its earlier commitments for the review.
    ...(parts.body && Array.isArray(priorAid) && !owner && !coordinator
      ? { priorAid: priorAid.filter((each) => !('commitmentId' in each)) }
      : {}),
    ...(parts.body && documents !== undefined
      ? { documents: documents.filter(({ label }) => label === undefined || parts.admits(label)) }
      : {}),
    ...(parts.annex && annex !== undefined ? { annex } : {}),
    ...(visibility === undefined ? {} : { visibility }),
    ...(named !== undefined && (owner || coordinator) ? { named } : {}),
  };
};

/** A note beside a reason is addressed to the other side or to the coordinator only. */
const reasonFor = (reason: GivenReason, owner: boolean, coordinator: boolean, party: boolean): GivenReason => {
  const { note, noteFor, ...bare } = reason;
  const readers = noteFor === 'other-side' ? owner || party : owner || coordinator;
  return note !== undefined && readers ? reason : bare;
};

/** Other needs that this one was merged with, as far as the caller sees them. */
export interface Merged {
  /** The need at the end of the chain, for one that was absorbed. */
  readonly supersededBy?: string;
  /** What it absorbed, and what that had absorbed before. */
  readonly absorbed: readonly {
    readonly id: string;
    readonly state: NeedState;
    readonly parts: NeedParts;
    /** Credited quantities of held proposals, by line. */
    readonly indicative: ReadonlyMap<number, readonly Quantity[]>;
  }[];
  /** Of a past state: which they were, and nothing of how they stood. */
  readonly known?: readonly { readonly id: string }[];
}

export const UNMERGED: Merged = { absorbed: [] };

const mergedView = (absorbed: Merged['absorbed']): readonly object[] =>
  absorbed.map(({ id, state, parts, indicative }) => ({
    id,
    lines: state.content.lines
      .filter(({ line }) => parts.body || parts.lines.includes(line))
      .map((line) => lineView(state, line, indicative.get(line.line) ?? [], parts.figures)),
  }));

const isJoint = (state: NeedState): boolean =>
  state.participants.some(({ party }) => party !== principalOf(state)) || state.participants.length > 1;

/**
 * A need as this caller sees it. `indicative` are the credited quantities of held proposals, by line; undefined where nobody knows them.
 * @param now what freshness is judged at @param owner it is the caller's own; a past state also has to be its own now
 */
export const needView = (
  caller: Caller,
  id: string,
  state: NeedState,
  parts: NeedParts,
  now: string,
  indicative: ReadonlyMap<number, readonly Quantity[]> | undefined,
  merged: Merged = UNMERGED,
  owner: boolean = isOwner(caller, state),
): object => {
  const { content, filer, beneficiaries, status, closedAs, transcribed, reservations, submission, withdrawnFor } =
    state;
  const coordinator = hasRole(caller, 'coordinator');
  const first = stateOfParty(beneficiaries[0] ?? '');
  const { lines, ...fields } = contentFor(content, parts, { owner, coordinator });
  return {
    id,
    filer,
    beneficiaries,
    state: first ?? null,
    status,
    closedAs: closedAs ?? null,
    transcribed,
    ...(state.onBehalfOf === undefined ? {} : { onBehalfOf: state.onBehalfOf }),
    ...(parts.participants && isJoint(state) ? { participants: state.participants } : {}),
    ...fields,
    ...(lines === undefined
      ? {}
      : {
          lines: lines.map((line) =>
            lineView(
              state,
              line,
              indicative === undefined ? 'unknown' : (indicative.get(line.line) ?? []),
              parts.figures,
            ),
          ),
        }),
    coverage: gradeOf(content.lines, reservations),
    merged: merged.known ?? mergedView(merged.absorbed),
    ...(merged.absorbed.length === 0
      ? {}
      : {
          groupCoverage: groupGradeOf(
            [state, ...merged.absorbed.map((each) => each.state)].map((each) => ({
              lines: each.content.lines,
              reservations: each.reservations,
            })),
          ),
        }),
    ...(merged.supersededBy === undefined ? {} : { supersededBy: merged.supersededBy }),
    ...(parts.body && state.assessments.length > 0
      ? {
          assessments: state.assessments.map(({ lines: assessed, report }) => ({
            lines: assessed,
            ...(report.label === undefined || parts.admits(report.label) ? { report } : {}),
          })),
        }
      : {}),
    freshness: freshnessOf(state, now),
    ...(withdrawnFor === undefined
      ? {}
      : { reason: reasonFor(withdrawnFor, owner, coordinator, parts.lines.length > 0) }),
    ...(status === 'closed' && parts.body && state.waivers.length > 0 ? { waivers: state.waivers } : {}),
    ...(owner || coordinator
      ? {
          quality: qualityOf(content),
          ...(submission === undefined ? {} : { consent: submission, windowEnds: state.windowEnds }),
          ...(state.objections.length === 0 ? {} : { objections: state.objections }),
          ...(state.review === undefined ? {} : { review: state.review }),
          ...(state.claimedFrom === undefined ? {} : { claimedFrom: state.claimedFrom }),
        }
      : {}),
    actions: actionsOf(caller, state),
  };
};

/** Its line and quantities: which leg, tranche or amendment it was would tell of the hidden commitment, too. */
const withoutCommitment = ({
  line,
  quantity,
  confirmed,
}: {
  readonly line?: number;
  readonly quantity?: Quantity;
  readonly confirmed?: Quantity;
}): object => ({
  ...(line === undefined ? {} : { line }),
  ...(quantity === undefined ? {} : { quantity }),
  ...(confirmed === undefined ? {} : { confirmed }),
});

/** Of those that were named, those who take part: the others are not for everyone to know. */
const takingPart = ({ beneficiaries }: NeedState, named: readonly string[]): readonly string[] =>
  named.filter((party) => beneficiaries.includes(party));

/** An event of a need's history as this caller sees it; undefined where it may not know that it happened. */
export const needEventFor = (
  caller: Caller,
  state: NeedState,
  parts: NeedParts,
  recorded: RecordedEvent<NeedEvent>,
  knows: (commitment: string) => boolean,
  knowsNeed: (need: string) => boolean = () => false,
): object | undefined => {
  const owner = isOwner(caller, state);
  const coordinator = hasRole(caller, 'coordinator');
  const seesLine = (line: number | undefined): boolean =>
    parts.body || (line !== undefined && parts.lines.includes(line));
  const event = { type: recorded.type, data: recorded.data } as NeedEvent;
  if (recorded.revision < state.openedAt && !parts.beforeOpening) {
    // That an open need was filed and submitted is plain; what its drafts said is not for those who came later.
    if (event.type === 'NeedDrafted') {
      return { filer: event.data.filer, beneficiaries: takingPart(state, event.data.beneficiaries) };
    }
    return event.type === 'NeedSubmitted' ? {} : undefined;
  }
  switch (event.type) {
    case 'NeedDrafted': {
      const { content, claimedFrom, beneficiaries, ...data } = event.data;
      return {
        ...data,
        beneficiaries: parts.participants ? beneficiaries : takingPart(state, beneficiaries),
        ...(claimedFrom !== undefined && (owner || coordinator) ? { claimedFrom } : {}),
        content: contentFor(content, parts, { owner, coordinator }),
      };
    }
    case 'NeedAmended': {
      const changes = contentFor(event.data.changes, parts, { owner, coordinator });
      const { beneficiaries } = event.data;
      const named = beneficiaries !== undefined && parts.participants ? { beneficiaries } : {};
      return Object.keys(changes).length === 0 && !('beneficiaries' in named) ? undefined : { changes, ...named };
    }
    // Who was asked and did not take part is known to those concerned.
    case 'ParticipationConsented':
      return parts.participants || state.beneficiaries.includes(event.data.party) ? event.data : undefined;
    case 'ParticipationWithdrawn':
      return parts.participants ? event.data : undefined;
    case 'NeedAssessed': {
      const { lines, report } = event.data;
      const assessed = lines.filter(({ line }) => seesLine(line));
      if (assessed.length === 0) return undefined;
      const shown = parts.body && (report.label === undefined || parts.admits(report.label));
      return { lines: assessed, ...(shown ? { report } : {}) };
    }
    case 'NeedSuperseded':
      return knowsNeed(event.data.into) ? event.data : {};
    case 'NeedsMerged':
      return knowsNeed(event.data.absorbed) ? event.data : undefined;
    case 'NeedUnmerged': {
      const { other, as } = event.data;
      if (knowsNeed(other)) return event.data;
      return as === 'absorbed' ? { as } : undefined;
    }
    case 'NeedSubmitted':
      return owner || coordinator ? event.data : {};
    // What passed between the State and its reviewer stays between them.
    case 'NeedReturned':
    case 'NeedSetAside':
    case 'NeedObjected':
      return owner || coordinator ? event.data : undefined;
    case 'NeedWithdrawn': {
      const { reason } = event.data;
      return reason === undefined ? {} : { reason: reasonFor(reason, owner, coordinator, parts.lines.length > 0) };
    }
    case 'NeedClosed':
      return parts.body ? event.data : { outcome: event.data.outcome };
    case 'CoverageReserved':
      if (!parts.figures || !seesLine(event.data.line)) return undefined;
      return knows(event.data.commitment) ? event.data : withoutCommitment(event.data);
    case 'CoverageRefused':
      return parts.figures && knows(event.data.commitment) ? event.data : undefined;
    case 'CoverageReleased': {
      const { commitment, leg, amendment } = event.data;
      // Of what never became binding only those know who know what was accepted.
      const bound = state.reservations[`${commitment}/${leg}/${amendment}`]?.bound === true;
      if (!(bound || parts.figures) || !seesLine(event.data.line)) return undefined;
      return knows(commitment) ? event.data : withoutCommitment(event.data);
    }
    case 'CoverageBound':
    case 'CoverageDelivered':
    case 'CoverageConfirmed':
    case 'CoverageReturned':
    case 'CoverageDeliveryCorrected':
    case 'CoverageReopened':
      if (!seesLine(event.data.line)) return undefined;
      return knows(event.data.commitment) ? event.data : withoutCommitment(event.data);
    default:
      return event.data;
  }
};
