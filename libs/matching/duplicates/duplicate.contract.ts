import type { DuplicateVerdict, Kind } from '#vocabulary';

/** One of the two records that a candidate is about. */
export interface PairedRecord {
  readonly kind: 'need' | 'offer' | 'commitment';
  readonly id: string;
}

/** One thing that makes two records look alike. */
export interface Evidence {
  readonly name: string;
  /** From 0 to 1, decimal text with two places. */
  readonly value: string;
  /** A sentence for people. */
  readonly because: string;
}

/** Two records that may be one, or that may get in each other's way, as they stood when they were judged. */
export interface Candidate {
  readonly about: 'needs' | 'promises';
  /** In the order of kind and id. */
  readonly records: readonly [PairedRecord, PairedRecord];
  /** Alpha-3 codes of the States that both are for, in order. */
  readonly states: readonly string[];
  /** Kinds of assistance that both name, in order. */
  readonly kinds: readonly Kind[];
  readonly evidence: readonly Evidence[];
  /** Whose records they are: those who filed them, ask by them or give by them. None of these judges. */
  readonly parties: readonly string[];
}

/** Stream `duplicate-<uuid>`; the id is derived from the two records, so that a pair has one stream for ever. */
export interface DuplicateEvent {
  readonly type: 'DuplicateJudged';
  readonly data: Candidate & {
    readonly verdict: DuplicateVerdict;
    readonly note?: string;
  };
}
