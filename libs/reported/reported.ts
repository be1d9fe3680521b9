import type { Actor, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse } from '#kernel';
import type { Power, ReportedKind, Role } from '#vocabulary';
import { isRole, ROLE_POWERS, stateOfParty } from '#vocabulary';
import type { ClaimedDraft, PartyRef, ReportedContent, ReportedEvent } from './reported.contract.js';

export type ReportedRejectionCode = 'forbidden' | 'not-found' | 'already-reported';
export type ReportedRejection = Rejection<ReportedRejectionCode>;

export type ReportedCommand =
  | { readonly type: 'record'; readonly by: CommandContext; readonly content: ReportedContent }
  /** `draftId` is used where the record is a need or an offer. */
  | { readonly type: 'claim'; readonly by: CommandContext; readonly draftId: string }
  | { readonly type: 'disown'; readonly by: CommandContext; readonly note?: string };

/** How a named party stands to what was published about it; its latest word counts. */
export interface Stance {
  readonly party: string;
  readonly as: 'claimed' | 'disowned';
  /** When it said so, as recorded. */
  readonly at: string;
  /** Kept when the party changes its mind: the draft it made stays its draft. */
  readonly draft?: ClaimedDraft;
  readonly note?: string;
}

export type ReportedState =
  | { readonly exists: false }
  | {
      readonly exists: true;
      readonly recordedBy: string;
      readonly recordedAt: string;
      readonly content: ReportedContent;
      /** One per party, in the order in which they first spoke. */
      readonly stances: readonly Stance[];
    };

export type RecordedState = Extract<ReportedState, { exists: true }>;

/** Who is asking, as far as the rules of claiming need it: an event's actor and a caller both fit. */
export type Claimant = Pick<Actor, 'party' | 'sovereign'>;

/** The references under which a publication names those involved. */
export const namedRefs = ({ donors, beneficiaries, what }: ReportedContent): readonly PartyRef[] => [
  ...donors,
  ...beneficiaries,
  ...(what.implementers ?? []),
  ...[what.implementer, what.fiscalAgent].filter((ref) => ref !== undefined),
];

/** True when the reference means this party: its id, or its State's code. Published words mean nobody until a coordinator says whom. */
const means = (ref: PartyRef, party: string): boolean =>
  typeof ref === 'string' && (ref === party || ref === stateOfParty(party));

/** A donor desk of a State speaks for what is published of that State as donor: States mostly give through their desks. */
export const meansDonor = (ref: PartyRef, { party, sovereign }: Claimant): boolean =>
  means(ref, party) ||
  (party.startsWith('donor:') && sovereign !== undefined && (ref === sovereign || ref === `state:${sovereign}`));

/** True when the record names this party as donor, beneficiary or implementer. */
export const isNamed = (content: ReportedContent, claimant: Claimant): boolean =>
  content.donors.some((ref) => meansDonor(ref, claimant)) ||
  namedRefs(content).some((ref) => means(ref, claimant.party));

/** True when this party may claim the record: a need is its beneficiaries', an offer its donors', a fact any named party's. */
const mayClaim = (content: ReportedContent, claimant: Claimant): boolean => {
  if (content.kind === 'need') return content.beneficiaries.some((ref) => means(ref, claimant.party));
  if (content.kind === 'offer') return content.donors.some((ref) => meansDonor(ref, claimant));
  return isNamed(content, claimant);
};

const SPEAKING: readonly Power[] = ['file', 'offer', 'consent', 'accept', 'sign'];

/** Any one of these powers is enough: claiming a need is filing one, claiming an offer is offering, the rest is speaking for the party. */
const powersToClaim = (kind: ReportedKind): readonly Power[] =>
  kind === 'need' ? ['file'] : kind === 'offer' ? ['offer'] : SPEAKING;
const POWERS_TO_DISOWN: readonly Power[] = SPEAKING;

const hasOneOf = (role: string, powers: readonly Power[]): boolean =>
  isRole(role) && ROLE_POWERS[role satisfies Role].some((power) => powers.includes(power));

export const stanceOf = (state: RecordedState, party: string): Stance | undefined =>
  state.stances.find((stance) => stance.party === party);

/** The one table of who may send which command on an existing record: used by `decide`, `permits` and `actions`. */
export const mayCommand = (
  command: 'claim' | 'disown',
  content: ReportedContent,
  claimant: Claimant,
  can: (powers: readonly Power[]) => boolean,
): boolean =>
  command === 'claim'
    ? mayClaim(content, claimant) && can(powersToClaim(content.kind))
    : isNamed(content, claimant) && can(POWERS_TO_DISOWN);

const NOT_FOUND = refuse('not-found', 'There is no such reported record.');

const decide = (command: ReportedCommand, state: ReportedState): Decision<ReportedEvent, ReportedRejection> => {
  const { actor } = command.by;
  switch (command.type) {
    case 'record': {
      if (actor.role !== 'coordinator') {
        return refuse('forbidden', 'Reported records are written by a coordinator: others file needs and post offers.');
      }
      if (state.exists) {
        return canonicalJson(state.content) === canonicalJson(command.content)
          ? accept()
          : refuse('already-reported', 'This record exists with another content: record the new fact under a new id.');
      }
      return accept<ReportedEvent>({
        type: 'ReportedRecorded',
        data: { recordedBy: actor.party, content: command.content },
      });
    }
    case 'claim': {
      if (!state.exists) return NOT_FOUND;
      const { content } = state;
      if (!mayCommand('claim', content, actor, (powers) => hasOneOf(actor.role, powers))) {
        return refuse('forbidden', whoMayClaim(content.kind));
      }
      if (stanceOf(state, actor.party)?.as === 'claimed') return accept();
      return accept<ReportedEvent>({
        type: 'ReportedClaimed',
        data: {
          party: actor.party,
          ...(content.kind === 'need' || content.kind === 'offer'
            ? { draft: { kind: content.kind, id: command.draftId } }
            : {}),
        },
      });
    }
    case 'disown': {
      if (!state.exists) return NOT_FOUND;
      if (!mayCommand('disown', state.content, actor, (powers) => hasOneOf(actor.role, powers))) {
        return refuse('forbidden', 'Only a party that the record names by id or State code may disown it.');
      }
      const stance = stanceOf(state, actor.party);
      if (stance?.as === 'disowned' && stance.note === command.note) return accept();
      return accept<ReportedEvent>({
        type: 'ReportedDisowned',
        data: { party: actor.party, ...(command.note === undefined ? {} : { note: command.note }) },
      });
    }
  }
};

const whoMayClaim = (kind: ReportedKind): string => {
  if (kind === 'need')
    return 'A reported need is claimed by a beneficiary named by party id or State code, through an office that files.';
  if (kind === 'offer')
    return 'A reported offer is claimed by a donor named by party id or State code, through a desk that offers.';
  return 'A reported fact is claimed by a party that it names by party id or State code.';
};

const withStance = (state: RecordedState, stance: Stance): RecordedState => {
  const known = stanceOf(state, stance.party);
  if (known === undefined) return { ...state, stances: [...state.stances, stance] };
  const draft = stance.draft ?? known.draft;
  const next = draft === undefined ? stance : { ...stance, draft };
  return { ...state, stances: state.stances.map((each) => (each.party === stance.party ? next : each)) };
};

const evolve = (state: ReportedState, event: RecordedEvent<ReportedEvent>): ReportedState => {
  // The event's type and data belong together; the envelope's type lost that.
  const fact = { type: event.type, data: event.data } as ReportedEvent;
  const at = event.metadata.recordedAt;
  switch (fact.type) {
    case 'ReportedRecorded':
      return {
        exists: true,
        recordedBy: fact.data.recordedBy,
        recordedAt: at,
        content: fact.data.content,
        stances: [],
      };
    case 'ReportedClaimed':
      return state.exists ? withStance(state, { as: 'claimed', at, ...fact.data }) : state;
    case 'ReportedDisowned':
      return state.exists ? withStance(state, { as: 'disowned', at, ...fact.data }) : state;
    default:
      return state;
  }
};

const REPORTED_SCHEMAS = { ReportedRecorded: 1, ReportedClaimed: 1, ReportedDisowned: 1 } as const;

/** Facts known only from a publication, and what the parties they name say to them. */
export const reportedDecider: Decider<ReportedState, ReportedCommand, ReportedEvent, ReportedRejection> = {
  category: 'reported',
  initial: { exists: false },
  schemas: REPORTED_SCHEMAS,
  decide,
  evolve,
};
