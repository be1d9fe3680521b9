import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import type { Quantity } from '#vocabulary';
import { addDays, isRival, minorUnits, quantityOf, stateOfParty, sumByMeasure } from '#vocabulary';
import type { CommandAccess } from '#web';
import { hasAuthority } from '#web';
import { qualityOf } from './coach.js';
import { gradeOf, outstandingOf } from './coverage.js';
import type { GivenReason, NeedContent, NeedEvent, NeedLine } from './need.contract.js';
import type { NeedCommandRule, NeedCommandType, NeedState } from './need.js';
import { DORMANT_DAYS, figuresOfLine, FILING_ROLES, mayAct, NEED_COMMANDS, obstacle } from './need.js';
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
    roles: who === 'owner' ? FILING_ROLES : ['coordinator'],
    ...(power === undefined ? {} : { power }),
  };
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

const actionsOf = (caller: Caller, state: NeedState): readonly string[] =>
  Object.entries(NEED_COMMANDS).flatMap(([name, rule]: [string, NeedCommandRule]) => {
    const type = name as keyof typeof NEED_COMMANDS;
    const open =
      rule.action !== undefined &&
      state.status !== 'absent' &&
      rule.from.includes(state.status) &&
      permitsNeed(caller, type, state) &&
      hasAuthority(caller, accessTo(type as NeedAction)) &&
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

/** A need as this caller sees it. `indicative` are the credited quantities of held proposals, by line; undefined where nobody knows them. */
export const needView = (
  caller: Caller,
  id: string,
  state: NeedState,
  parts: NeedParts,
  now: string,
  indicative: ReadonlyMap<number, readonly Quantity[]> | undefined,
): object => {
  const { content, filer, beneficiaries, status, closedAs, transcribed, reservations, submission, withdrawnFor } =
    state;
  const owner = isOwner(caller, state);
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
    merged: [],
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

const withoutCommitment = ({ commitment: _commitment, ...data }: { readonly commitment: string }): object => data;

/** An event of a need's history as this caller sees it; undefined where it may not know that it happened. */
export const needEventFor = (
  caller: Caller,
  state: NeedState,
  parts: NeedParts,
  recorded: RecordedEvent<NeedEvent>,
  knows: (commitment: string) => boolean,
): object | undefined => {
  const owner = isOwner(caller, state);
  const coordinator = hasRole(caller, 'coordinator');
  const seesLine = (line: number | undefined): boolean =>
    parts.body || (line !== undefined && parts.lines.includes(line));
  const event = { type: recorded.type, data: recorded.data } as NeedEvent;
  if (recorded.revision < state.openedAt && !parts.beforeOpening) {
    // That an open need was filed and submitted is plain; what its drafts said is not for those who came later.
    if (event.type === 'NeedDrafted') return { filer: event.data.filer, beneficiaries: event.data.beneficiaries };
    return event.type === 'NeedSubmitted' ? {} : undefined;
  }
  switch (event.type) {
    case 'NeedDrafted': {
      const { content, claimedFrom, ...data } = event.data;
      return {
        ...data,
        ...(claimedFrom !== undefined && (owner || coordinator) ? { claimedFrom } : {}),
        content: contentFor(content, parts, { owner, coordinator }),
      };
    }
    case 'NeedAmended': {
      const changes = contentFor(event.data.changes, parts, { owner, coordinator });
      return Object.keys(changes).length === 0 ? undefined : { changes };
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
    case 'CoverageReopened':
      if (!seesLine(event.data.line)) return undefined;
      return knows(event.data.commitment) ? event.data : withoutCommitment(event.data);
    default:
      return event.data;
  }
};
