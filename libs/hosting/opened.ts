/** Something that holds a file, a connection or a timer. */
export interface Closing {
  close(): Promise<void> | void;
}

/** What an app has opened so far: closed in the opposite order, each once, also where one of them fails. */
export class Opened implements Closing {
  private readonly parts: Closing[] = [];

  /** Takes charge of `part` and answers it. */
  add<T extends Closing>(part: T): T {
    this.parts.push(part);
    return part;
  }

  /** @throws the first failure, once all are closed */
  async close(): Promise<void> {
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
