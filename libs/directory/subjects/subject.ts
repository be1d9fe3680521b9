import type { Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse } from '#kernel';
import type { SubjectEvent } from './subject.contract.js';

/** Why a subject is not erased. */
export type SubjectRejectionCode = 'forbidden' | 'held-elsewhere';
export type SubjectRejection = Rejection<SubjectRejectionCode>;

export interface SubjectState {
  readonly erased?: SubjectEvent['data'] & { readonly at: string };
}

/** A designation that names a subject, neither revoked nor over. */
export interface Office {
  readonly party: string;
  readonly designation: string;
}

export type SubjectCommand = Command & {
  readonly type: 'EraseSubject';
  readonly orderedBy: string;
  readonly reference?: string;
  /** What the subject holds, at every party: facts of other streams. */
  readonly offices: readonly Office[];
};

type SubjectDecision = Decision<SubjectEvent, SubjectRejection>;

const decide = (command: SubjectCommand, { erased }: SubjectState): SubjectDecision => {
  const { by, orderedBy, reference, offices } = command;
  const { party, role } = by.actor;
  if (role !== 'operator' && party !== orderedBy) {
    return refuse('forbidden', 'a party erases its own people; the operator does on a party’s order', 'orderedBy');
  }
  if (erased !== undefined) return accept();
  // Anyone may designate anybody: a party must not be able to end the offices of another.
  if (offices.some((office) => office.party !== orderedBy)) {
    return refuse('held-elsewhere', 'this person acts for others, too: their designations are revoked first');
  }
  const designations = offices.map(({ designation }) => designation);
  return accept({
    type: 'SubjectErased',
    data: { orderedBy, ...(reference === undefined ? {} : { reference }), designations },
  });
};

const evolve = (state: SubjectState, { type, data, metadata }: RecordedEvent<SubjectEvent>): SubjectState =>
  // An event of a later version says nothing here.
  (type as string) === 'SubjectErased' ? { erased: { ...data, at: metadata.recordedAt } } : state;

/** A person, as far as the log knows one: stream `subject-<reference>`, empty until erased. */
export const subjectDecider: Decider<SubjectState, SubjectCommand, SubjectEvent, SubjectRejection> = {
  category: 'subject',
  initial: {},
  schemas: { SubjectErased: 1 },
  decide,
  evolve,
};
