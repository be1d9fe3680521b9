import type { Command, Decider, DomainEvent, Outcome, Rejection } from '#kernel';
import { streamOf } from '#kernel';
import type { Random } from '../extra/random.js';
import type { Folds } from './folds.js';
import type { Inspector } from './inspector.js';
import type { Scheduler } from './scheduler.js';
import type { Ask, ServiceNode } from './service-node.js';
import type { SimulatedLog } from './simulated-log.js';

/** Between clients and nodes: a request and its answer are steps of their own, each of which may be the last of the node. */
export class Network {
  readonly random: Random;
  /** By node, what to do for each request under way there when the node dies. */
  private readonly underWay = new Map<ServiceNode, Set<() => void>>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly inspector: Inspector,
    private readonly log: SimulatedLog,
    private readonly folds: Folds,
  ) {
    this.random = scheduler.random;
  }

  join(node: ServiceNode): void {
    this.underWay.set(node, new Set());
  }

  /** Every request under way there is cut off: its sender never learns what became of it. */
  leave(node: ServiceNode): void {
    for (const hangUp of this.underWay.get(node) ?? []) hangUp();
    this.underWay.delete(node);
  }

  /** Sends a command to some node. @throws {Error} where nothing is known of what became of it */
  send(ask: Ask): Promise<Outcome<unknown, Rejection>> {
    const { scheduler } = this;
    const client = scheduler.owner;
    const on = `${ask.body.type} ${ask.id}`;
    return new Promise((resolve, reject) => {
      const hears = (settle: () => void): void => {
        scheduler.later('hears of', on, settle, client);
      };
      const nodes = [...this.underWay];
      if (nodes.length === 0) {
        hears(() => {
          reject(new Error('no node answers'));
        });
        return;
      }
      const [node, requests] = this.random.pick(nodes);
      const hangUp = (): void => {
        hears(() => {
          reject(new Error(`${node.name} is gone`));
        });
      };
      requests.add(hangUp);
      const answer = (settle: () => void): void => {
        const go = (): void => {
          requests.delete(hangUp);
          hears(settle);
        };
        scheduler.later('answers', on, go, node);
      };
      const serve = async (): Promise<void> => {
        try {
          const outcome = await node.command(ask);
          answer(() => {
            resolve(outcome);
          });
        } catch (error) {
          answer(() => {
            reject(error instanceof Error ? error : new Error(String(error)));
          });
        }
      };
      scheduler.later('receives', on, () => void serve(), node);
    });
  }

  /** The record as it stands: what its people know of it. */
  look<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
  ): { readonly state: S; readonly revision: number } {
    return {
      state: this.folds.at(decider, id),
      revision: this.log.eventsOf(streamOf(decider.category, id)).length - 1,
    };
  }

  sleep(milliseconds: number): Promise<void> {
    return this.scheduler.sleep(milliseconds);
  }

  /** What an answer promised must hold for ever. */
  acknowledge(stream: string, revision: number, commandId: string): void {
    this.inspector.acknowledge({ stream, revision, commandId });
  }

  count(what: string): void {
    this.inspector.count(what);
  }

  blame(error: unknown): void {
    this.inspector.blame(error);
  }
}
