/**
 * Which log this is, and since which fork. What was made from it before then (read models, how far a process had come, a reader's token)
 * may be of events that were lost, and counts for nothing after it.
 */
export class LogLineage {
  /** @param fork id of the newest fork's event; undefined for a log that never was put back in time */
  static of(storeId: string, fork?: string): LogLineage {
    return new LogLineage(fork === undefined ? storeId : `${storeId}/${fork}`);
  }

  private constructor(readonly id: string) {}
}
