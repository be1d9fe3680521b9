import type { Process, ProcessCommand, RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';
import { needFromReport, offerFromReport } from './claimed-draft.js';
import type { ClaimedDraft, DraftFactory, ReportedContent, ReportedEvent } from './reported.contract.js';
import { reportedDecider } from './reported.js';

/** The command that drafts what was claimed; the same for the claiming request and for the process that makes sure of it. */
export const draftOfClaim = (
  factories: readonly DraftFactory[],
  claim: {
    readonly reportedId: string;
    readonly content: ReportedContent;
    readonly draft: ClaimedDraft;
    readonly claimant: RecordedEvent['metadata']['actor'];
  },
): ProcessCommand => {
  const { draft, content, claimant, reportedId: claimedFrom } = claim;
  const factory = factories.find(({ kind }) => kind === draft.kind);
  if (factory === undefined) throw new Error(`no context drafts a ${draft.kind} from a claim`);
  const handedOver = { id: draft.id, claimant, claimedFrom };
  return factory.draft(
    draft.kind === 'need'
      ? { kind: 'need', ...handedOver, content: needFromReport(content) }
      : { kind: 'offer', ...handedOver, content: offerFromReport(content, claimant) },
  );
};

/** Guarantees that a claimed need or offer becomes a draft of its claimant, also where the claiming request died half-way. */
export const claimDrafting = (factories: readonly DraftFactory[]): Process => ({
  name: 'claim-drafting',
  handles: ['ReportedClaimed'],
  async react(event, reads) {
    const { draft } = event.data as Extract<ReportedEvent, { type: 'ReportedClaimed' }>['data'];
    if (draft === undefined) return [];
    const reportedId = idOfStream(event.stream);
    const { state } = await reads.load(reportedDecider, reportedId);
    if (!state.exists) return [];
    return [draftOfClaim(factories, { reportedId, content: state.content, draft, claimant: event.metadata.actor })];
  },
});
