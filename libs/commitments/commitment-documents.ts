import { accept } from '#kernel';
import type { CommitmentState, EventContext, Outcome, Rule, Who } from './commitment-state.js';
import { isCoordinatorInCharge, partiesOf } from './commitment-state.js';
import type { CommitmentEvent, DocumentLink } from './commitment.contract.js';

/** A document that a party laid beside the commitment. */
export interface AttachedDocument extends DocumentLink {
  readonly n: number;
  readonly party: string;
  readonly at: string;
}

export interface DocumentsState {
  readonly documents: readonly AttachedDocument[];
}

export const NO_DOCUMENTS: DocumentsState = { documents: [] };

export interface DocumentsCommand {
  readonly type: 'AttachDocument';
  readonly document: DocumentLink;
}

/** Whoever the record names may lay a document beside it, as long as it stands, and after it was closed or cancelled. */
export const DOCUMENTS_RULES = {
  AttachDocument: {
    segment: 'documents',
    from: ['proposed', 'accepted', 'binding', 'delivered', 'confirmed', 'cancelled', 'closed'],
    otherwise: 'not-proposed',
    who: (state, who) =>
      partiesOf(state).has(who.party) || state.terms.verifier === who.party || isCoordinatorInCharge(state, who),
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** The same document of the same party under the same label stands there already: nothing is written. */
export const decideDocument = ({ document }: DocumentsCommand, state: CommitmentState, { party }: Who): Outcome => {
  const { kind, title, sha256, label } = document;
  const stands = state.documents.some(
    (each) =>
      each.party === party &&
      each.kind === kind &&
      each.title === title &&
      each.sha256 === sha256 &&
      each.label === label,
  );
  if (stands) return accept();
  return accept<CommitmentEvent>({
    type: 'DocumentAttached',
    data: { n: state.documents.length + 1, party, document },
  });
};

export const afterDocument = (
  state: CommitmentState,
  event: CommitmentEvent,
  { effectiveAt }: EventContext,
): CommitmentState | undefined => {
  if (event.type !== 'DocumentAttached') return undefined;
  const { n, party, document } = event.data;
  return { ...state, documents: [...state.documents, { n, party, ...document, at: effectiveAt }] };
};
