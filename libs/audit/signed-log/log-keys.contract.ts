/** Stream `log-keys`: under which names and by which keys the log's checkpoints are signed. Keys are verifier keys, as the log publishes them. */
export type LogKeyEvent =
  | {
      /** Another key signs from now on, beside the former one until that is retired. */
      readonly type: 'LogKeyRotated';
      readonly data: {
        readonly former: string;
        readonly key: string;
        /** Events of the last checkpoint before. */
        readonly size: number;
      };
    }
  | {
      /** A former key signs no more. */
      readonly type: 'LogKeyRetired';
      readonly data: {
        readonly key: string;
        /** Events of the last checkpoint that counts as signed by it. */
        readonly size: number;
      };
    }
  | {
      /** The log went on from an older state, under another name: what the former one held behind it is not in this one. */
      readonly type: 'LogForked';
      readonly data: {
        readonly formerOrigin: string;
        /** The former key, where it is known. */
        readonly former?: string;
        readonly origin: string;
        readonly key: string;
        /** Events that were kept, all from the first. */
        readonly size: number;
        /** The root over them, base64. */
        readonly root: string;
        /** The most events that the former log is known to have signed, where that is known. */
        readonly signed?: number;
        readonly reason: string;
      };
    };
