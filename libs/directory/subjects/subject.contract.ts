/**
 * Stream `subject-<reference>`: a person whom the log knows by an opaque reference alone. The event says that the key store destroys, or has
 * destroyed, the key of everything sealed for that person, and who it was: from it on the log's readers show nothing of either.
 */
export interface SubjectEvent {
  readonly type: 'SubjectErased';
  readonly data: {
    /** The party that did it, or on whose order the operator did. */
    readonly orderedBy: string;
    /** Paper of the order, where the operator did it. */
    readonly reference?: string;
    /** Designations of that party that the erasure ends. */
    readonly designations: readonly string[];
  };
}
