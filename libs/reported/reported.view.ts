import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded } from '#kernel';
import { stateParty } from '#vocabulary';
import type { Visibility } from '#vocabulary';
import type { PartyRef, ReportedContent } from './reported.contract.js';
import { isNamed, mayCommand, namedRefs, stanceOf } from './reported.js';
import type { RecordedState, ReportedState } from './reported.js';

/** A reference as a filter or a mandate compares it: States by party id, published words apart from ids. */
export const refKey = (ref: PartyRef): string => {
  if (typeof ref !== 'string') return `name:${ref.name}`;
  return ref.includes(':') ? ref : stateParty(ref);
};

/** Every party the record names, as `refKey` writes it, without published words. */
export const namedParties = (content: ReportedContent): ReadonlySet<string> =>
  new Set(
    namedRefs(content)
      .filter((ref) => typeof ref === 'string')
      .map(refKey),
  );

/** Auditors and operators read as the public does, but for mandates: their role is not a party's membership. */
export const isMember = (caller: Caller): boolean =>
  !caller.anonymous &&
  !caller.party.startsWith('auditor:') &&
  (caller.roles.length === 0 || caller.roles.some((role) => role !== 'auditor' && role !== 'operator'));

/** The label rule alone: pure, and the same as the board's SQL predicate (a property test compares them). */
const seesLabel = (
  caller: Caller,
  record: {
    readonly id: string;
    readonly visibility: Visibility;
    readonly recordedBy: string;
    readonly named: ReadonlySet<string>;
    readonly isNamed: boolean;
  },
): boolean => {
  const { id, visibility, recordedBy, named } = record;
  if (visibility === 'public') return true;
  if (isMember(caller)) {
    if (visibility === 'members' || caller.party === recordedBy) return true;
    if (visibility !== 'sealed' && (hasRole(caller, 'coordinator') || record.isNamed)) return true;
  }
  return caller.mandates.some(
    (mandate) =>
      (visibility !== 'sealed' || (mandate.sealed && mandate.appointedBy === recordedBy)) &&
      (mandate.everything ||
        mandate.records.has(id) ||
        [...mandate.parties].some((party) => named.has(party) || party === recordedBy)),
  );
};

export const seesReported = (caller: Caller, id: string, state: ReportedState): boolean =>
  state.exists &&
  seesLabel(caller, {
    id,
    visibility: state.content.visibility,
    recordedBy: state.recordedBy,
    named: namedParties(state.content),
    isNamed: isNamed(state.content, caller),
  });

/** An annex is never wider than `named`, also where the rest of a reported need is public. */
const seesAnnex = (caller: Caller, id: string, state: RecordedState): boolean =>
  seesReported(caller, id, { ...state, content: { ...state.content, visibility: 'named' } }) &&
  seesReported(caller, id, state);

interface Labelled {
  readonly label?: Visibility;
}

/** A document may carry a label of its own, stricter than the record's. */
const seesDocument = (caller: Caller, id: string, state: RecordedState, { label }: Labelled): boolean =>
  label === undefined || seesReported(caller, id, { ...state, content: { ...state.content, visibility: label } });

export const maskedContent = (caller: Caller, id: string, state: RecordedState): ReportedContent => {
  const { annex, documents, ...what } = state.content.what;
  const { documents: papers, ...content } = state.content;
  const seen = <T extends object>(listed: readonly T[] | undefined): readonly T[] | undefined =>
    listed?.filter((each) => seesDocument(caller, id, state, each));
  const shown = seen(documents as readonly object[] | undefined);
  const about = seen(papers);
  return {
    ...content,
    ...(about === undefined ? {} : { documents: about }),
    what: {
      ...what,
      ...(shown === undefined ? {} : { documents: shown }),
      ...(annex === undefined || !seesAnnex(caller, id, state) ? {} : { annex }),
    },
  };
};

/** What a view must ask of other records: whether this caller sees them. A hidden draft or parent stays unmentioned. */
export interface LineageSight {
  readonly draft: (caller: Caller, draft: { readonly kind: 'need' | 'offer'; readonly id: string }) => Promise<boolean>;
  readonly parent: (caller: Caller, id: string) => Promise<boolean>;
}

/** The commands this caller may send now. */
const reportedActions = (caller: Caller, state: RecordedState): readonly ('claim' | 'disown')[] => {
  if (caller.anonymous || !caller.registered) return [];
  const can = (powers: readonly Parameters<typeof caller.powers.has>[0][]): boolean =>
    powers.some((power) => caller.powers.has(power));
  const stance = stanceOf(state, caller.party)?.as;
  return (['claim', 'disown'] as const).filter(
    (command) =>
      stance !== (command === 'claim' ? 'claimed' : 'disowned') && mayCommand(command, state.content, caller, can),
  );
};

/** The record as `GET` shows it to this caller, without `revision`. */
export const reportedView = async (
  caller: Caller,
  id: string,
  state: RecordedState,
  sight: LineageSight,
): Promise<object> => {
  const { partOf, ...content } = maskedContent(caller, id, state);
  const claimedBy: object[] = [];
  for (const { party, as, at, draft } of state.stances) {
    if (as !== 'claimed') continue;
    // The claimant is told of its draft also in the answer to the claim itself, before the draft stands.
    const shown = draft !== undefined && (party === caller.party || (await sight.draft(caller, draft)));
    claimedBy.push({ party, at, ...(shown ? { draft } : {}) });
  }
  return {
    id,
    ...content,
    ...(partOf !== undefined && (await sight.parent(caller, partOf)) ? { partOf } : {}),
    recordedBy: state.recordedBy,
    recordedAt: state.recordedAt,
    claimedBy,
    disownedBy: state.stances
      .filter(({ as }) => as === 'disowned')
      .map(({ party, at, note }) => ({ party, at, ...(note === undefined ? {} : { note }) })),
    actions: reportedActions(caller, state),
  };
};

export const recordedStateOf = ({ state }: Folded<ReportedState>): RecordedState => {
  if (!state.exists) throw new Error('a record is viewed only once it exists');
  return state;
};
