import type { DeadLetter, RecordedEvent } from '#kernel';
import type { TopicPartition } from './broker.js';

/** Something an operator should hear of. Nothing is lost: what is not handled is tried again, waits as a dead letter, or is read from the log. */
export type KafkaBusAlarm =
  /** The connection to the group broke; it is taken up again. */
  | { readonly kind: 'broken'; readonly subscription: string; readonly error: unknown }
  | {
      readonly kind: 'handler-failed';
      readonly subscription: string;
      readonly stream: string;
      readonly revision: number;
      /** Absent where it could not even be read. */
      readonly event: RecordedEvent | undefined;
      readonly error: unknown;
      readonly attempts: number;
    }
  /** The process gave up on a stream. */
  | { readonly kind: 'dead-letter'; readonly subscription: string; readonly letter: DeadLetter }
  /** A stream the process had given up on was taken up again, to its end. */
  | { readonly kind: 'replayed'; readonly subscription: string; readonly letter: DeadLetter }
  /** Revisions of a stream never came; they were read from the log. */
  | {
      readonly kind: 'gap';
      readonly subscription: string;
      readonly stream: string;
      readonly from: number;
      readonly to: number;
    }
  /** Messages between two offsets are gone from the topic (retention, a lost broker); what they told of is read from the log. */
  | {
      readonly kind: 'messages-missing';
      readonly subscription: string;
      readonly of: TopicPartition;
      readonly from: bigint;
      readonly to: bigint;
    }
  /** The topic begins anew below what was committed: it was made anew, or its broker lost data. */
  | {
      readonly kind: 'topic-rewound';
      readonly subscription: string;
      readonly of: TopicPartition;
      readonly committed: bigint;
      readonly offset: bigint;
    }
  /** Messages of another log stand in this topic; they are passed over. */
  | {
      readonly kind: 'foreign-log';
      readonly subscription: string;
      readonly of: TopicPartition;
      readonly source: string;
    }
  | {
      readonly kind: 'malformed-message';
      readonly subscription: string;
      readonly of: TopicPartition;
      readonly offset: bigint;
    }
  | { readonly kind: 'commit-failed'; readonly subscription: string; readonly error: unknown };
