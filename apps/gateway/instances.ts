import { Agent, request } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createHash } from 'node:crypto';

/** How an instance answered when it was last asked whether it is ready. */
export type Standing = 'ready' | 'not-ready' | 'unreachable';

/** An instance whose probe takes longer counts as unreachable. */
const PROBE_TIMEOUT_MS = 2_000;
/** Idle connections are closed before the instance does it: a request must not meet a closing one. */
const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 512;

/** One process of a service, as the gateway reaches it. */
export class Instance {
  readonly agent: Agent;
  /** Taken to be ready until it says otherwise: a gateway that has just started turns nobody away. */
  standing: Standing = 'ready';
  private readonly address: URL;

  /** @param name such as `needs/1` @param url such as `http://127.0.0.1:3101` */
  constructor(
    readonly name: string,
    readonly url: string,
  ) {
    this.address = new URL(url);
    const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS };
    this.agent = this.secure ? new SecureAgent(options) : new Agent(options);
  }

  get secure(): boolean {
    return this.address.protocol === 'https:';
  }

  get hostname(): string {
    return this.address.hostname.replace(/^\[|\]$/g, '');
  }

  get port(): string {
    return this.address.port === '' ? (this.secure ? '443' : '80') : this.address.port;
  }

  get host(): string {
    return this.address.host;
  }

  close(): void {
    this.agent.destroy();
  }
}

/** The instances of one service: requests go round those that are ready. */
export class Instances {
  private next = 0;

  constructor(
    readonly service: string,
    readonly all: readonly Instance[],
  ) {}

  /**
   * The instance for the next request, but for those in `tried`: a ready one, else one that answers at all (it knows best what it cannot
   * do), else any. Undefined where all were tried.
   * @param key requests of one key go to the same instance as long as it is ready
   */
  choose(tried: ReadonlySet<Instance>, key?: string): Instance | undefined {
    const left = this.all.filter((instance) => !tried.has(instance));
    const best = (['ready', 'not-ready', 'unreachable'] as const)
      .map((standing) => left.filter((instance) => instance.standing === standing))
      .find((found) => found.length > 0);
    if (best === undefined) return undefined;
    if (key !== undefined) return highest(best, key);
    this.next = (this.next + 1) % Number.MAX_SAFE_INTEGER;
    return best[this.next % best.length];
  }
}

/** Rendezvous hashing: an instance that comes or goes moves only its own keys. */
const highest = (instances: readonly Instance[], key: string): Instance | undefined => {
  const weighed = instances.map((instance) => ({
    instance,
    weight: createHash('sha256').update(`${instance.name} ${key}`).digest('hex'),
  }));
  return weighed.sort((a, b) => (a.weight < b.weight ? 1 : -1))[0]?.instance;
};

/** Asks an instance whether it is ready, and remembers the answer. */
export const probe = async (instance: Instance): Promise<Standing> => {
  instance.standing = await ask(instance);
  return instance.standing;
};

const ask = (instance: Instance): Promise<Standing> =>
  new Promise((resolve) => {
    const probing = request(
      {
        agent: instance.agent,
        protocol: instance.secure ? 'https:' : 'http:',
        hostname: instance.hostname,
        port: instance.port,
        path: '/readyz',
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      },
      (response) => {
        response.resume();
        response.once('error', () => {
          resolve('unreachable');
        });
        resolve(response.statusCode === 200 ? 'ready' : 'not-ready');
      },
    );
    probing.once('error', () => {
      resolve('unreachable');
    });
    probing.end();
  });
