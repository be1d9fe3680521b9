import type { Actor, Outcome, Rejection, Transactor } from '#kernel';
import { derivedId, streamOf } from '#kernel';
import type { Network } from './network.js';
import type { AnyDecider, Ask } from './service-node.js';

/** A command as its sender writes it, without what the node adds. */
export interface Body {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Intent {
  readonly decider: AnyDecider;
  readonly id: string;
  readonly body: Body;
  readonly by: Actor;
  readonly ifMatch?: number;
  readonly facts?: (transactor: Transactor) => Promise<object>;
}

/** Times that a command is sent again before its sender lets it be, whatever became of it. */
const PATIENCE = 12;

/** Sends commands one after the other, each under a key of its own until it knows what became of it. */
export class Client {
  private sent = 0;

  constructor(
    readonly name: string,
    private readonly network: Network,
  ) {}

  /** Answers what came of it; undefined where that was never learned. */
  async send({ by: actor, ...intent }: Intent): Promise<Outcome<unknown, Rejection> | undefined> {
    const { random } = this.network;
    this.sent += 1;
    const ask: Ask = { ...intent, actor, commandId: derivedId('simulated request', this.name, String(this.sent)) };
    if (random.chance(0.1)) {
      this.network.count('a request was sent twice at once');
      const [one, other] = await Promise.all([this.untilKnown(ask), this.untilKnown(ask)]);
      return one ?? other;
    }
    return this.untilKnown(ask);
  }

  private async untilKnown(ask: Ask): Promise<Outcome<unknown, Rejection> | undefined> {
    const { network } = this;
    for (let tries = 0; tries < PATIENCE; tries += 1) {
      try {
        const outcome = await network.send(ask);
        network.count(`answer: ${outcome.kind}`);
        if (outcome.kind === 'key-reused') network.blame(new Error(`${ask.body.type} was taken for another request`));
        if (outcome.kind === 'refused') network.count(`refused: ${outcome.rejection.code}`);
        if (outcome.kind === 'written' || outcome.kind === 'repeated') {
          network.acknowledge(streamOf(ask.decider.category, ask.id), outcome.revision, ask.commandId);
        }
        return outcome;
      } catch {
        await network.sleep(network.random.between(20, 800));
      }
    }
    network.count('a request was let be');
    return undefined;
  }
}
