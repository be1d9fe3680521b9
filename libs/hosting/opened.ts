/** Something that holds a file, a connection or a timer. */
export interface Closing {
  close(): Promise<void> | void;
}

/** What an app has opened so far: closed in the opposite order, each once, also where one of them fails. */
export class Opened implements Closing {
  private readonly parts: Closing[] = [];
  private readonly opening = new Set<Promise<unknown>>();
  private closed = false;

  /** Takes charge of `part` and answers it. */
  add<T extends Closing>(part: T): T {
    this.parts.push(part);
    return part;
  }

  /** Opens something that takes its time: closing waits for it, closes it, and lets nothing more be opened so. */
  async open<T extends Closing>(open: () => Promise<T>): Promise<T> {
    if (this.closed) throw new Error('it is being stopped');
    const opening = open().then((part) => this.add(part));
    this.opening.add(opening);
    try {
      return await opening;
    } finally {
      this.opening.delete(opening);
    }
  }

  /** @throws the first failure, once all are closed */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.opening);
    const failures: unknown[] = [];
    for (let part = this.parts.pop(); part !== undefined; part = this.parts.pop()) {
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Runs `open`; where it fails, what was opened is closed before the failure goes on. */
  static async orClosed<T>(open: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = new Opened();
    try {
      return await open(opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
  }
}
