/** A record that was read, and how: `record`, `history`, `replay`, `evidence`, `document`, `list`, `log` … */
export interface RecordRead {
  readonly kind: string;
  readonly id: string;
  readonly ways: readonly string[];
}

/**
 * Stream `reads-<uuid>`, one for each person and day: what restricted records that person read in one minute. The event's actor is the
 * person who read.
 */
export interface ReadEvent {
  readonly type: 'RecordsRead';
  readonly data: {
    /** Such as `2026-11-29T10:05Z`. */
    readonly minute: string;
    readonly records: readonly RecordRead[];
    /** What the person said it read for. */
    readonly purposes?: readonly string[];
    /** Further records, restricted or not, that there was no room to name. */
    readonly unnamed?: number;
  };
}
