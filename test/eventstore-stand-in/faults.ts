import { setTimeout as wait } from 'node:timers/promises';

export type Occasion = 'append' | 'read' | 'subscribe';

/**
 * What goes wrong on such calls:
 * - `delay-request`: nothing is done for so long; `delay-answer`: it is done, but said so late;
 * - `swallow-answer`: it is done, and never said; `drop-connection`: it is done, and the connection breaks instead of an answer;
 * - `refuse`: it is not done, the call ends as unavailable; `deny`: it is not done, for the account may not (as the protocol has it:
 *   the observed server had no accounts).
 */
export interface Fault {
  readonly on: Occasion;
  readonly act: 'delay-request' | 'delay-answer' | 'swallow-answer' | 'drop-connection' | 'refuse' | 'deny';
  /** Milliseconds of a delay. */
  readonly ms?: number;
  /** How many calls meet it; all until it is taken away where absent. */
  readonly times?: number;
  /** Calls on streams whose name ends so; all where absent. */
  readonly stream?: string;
}

interface Active {
  readonly fault: Fault;
  left: number;
}

/** What the stand-in was asked for and gave, since its start. */
export interface Counts {
  /** Appends that came in whole. */
  appends: number;
  /** Events sent by reads and subscriptions. */
  sent: number;
}

/** The faults in force. Without any, nothing here takes a turn of the loop: the order of answers stays what it was. */
export class Faults {
  readonly counts: Counts = { appends: 0, sent: 0 };
  private active: Active[] = [];
  private thawed: Promise<void> | undefined;
  private thawing: (() => void) | undefined;

  /** Answers how to take the fault away again. */
  add(fault: Fault): () => void {
    const active = { fault, left: fault.times ?? Infinity };
    this.active.push(active);
    return () => {
      this.active = this.active.filter((other) => other !== active);
    };
  }

  /** Everything works again. */
  clear(): void {
    this.active = [];
    this.thaw();
  }

  /** Nothing is done or said until `thaw`: connections stay open and are accepted. */
  freeze(): void {
    this.thawed ??= new Promise((resolve) => (this.thawing = resolve));
  }

  thaw(): void {
    this.thawing?.();
    this.thawed = undefined;
  }

  get frozen(): Promise<void> | undefined {
    return this.thawed;
  }

  /** What this call is to meet; each call takes one. */
  meet(on: Occasion, stream: string): Fault | undefined {
    const met = this.active.find(
      ({ fault, left }) => left > 0 && fault.on === on && stream.endsWith(fault.stream ?? ''),
    );
    if (met === undefined) return undefined;
    met.left -= 1;
    return met.fault;
  }

  /** How long to wait before the call is done; undefined for not at all. */
  before(fault: Fault | undefined): Promise<void> | undefined {
    if (fault?.act !== 'delay-request') return this.thawed;
    return wait(fault.ms ?? 0, undefined, { ref: false }).then(() => this.thawed);
  }

  /** How long to wait before the answer is given; undefined for not at all. */
  after(fault: Fault | undefined): Promise<void> | undefined {
    if (fault?.act !== 'delay-answer') return this.thawed;
    return wait(fault.ms ?? 0, undefined, { ref: false }).then(() => this.thawed);
  }
}
