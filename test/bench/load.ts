import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';

/** What the load generator is asked to send; it runs in a process of its own, so that it takes no time from the server's thread. */
export interface LoadOrder {
  readonly url: string;
  readonly path: string;
  /** Instead of `path`: shared out among the connections, each of which goes round its own share. */
  readonly paths?: readonly string[];
  readonly token: string;
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** What came of it. */
export interface LoadResult {
  readonly answered: number;
  readonly seconds: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const LONGEST_S = 60;

/** A load generator that waits for orders. */
export class LoadGenerator {
  private readonly child = fork(fileURLToPath(import.meta.url), { execArgv: [] });

  /**
   * Sends for as long as the order says. Where the machine had no time to answer anybody within it, nothing was measured: it is taken
   * again, for twice as long each time, a minute at most.
   */
  async run(order: LoadOrder): Promise<LoadResult> {
    const result = await this.send(order);
    const { answered, failed } = result;
    if (answered + failed > 0 || order.seconds >= LONGEST_S) return result;
    return this.run({ ...order, seconds: Math.min(order.seconds * 2, LONGEST_S) });
  }

  private send(order: LoadOrder): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => {
        reject(new Error(`the load generator ended with ${code ?? 'a signal'}`));
      };
      this.child.once('exit', ended);
      this.child.once('message', (result: LoadResult) => {
        this.child.off('exit', ended);
        resolve(result);
      });
      this.child.send(order);
    });
  }

  stop(): void {
    this.child.disconnect();
  }
}

const send = async ({ url, path, paths, token, bodies, connections, seconds }: LoadOrder): Promise<LoadResult> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const requestsTo = (paths: readonly string[]): autocannon.Request[] =>
    paths.flatMap((each) => bodies.map((body) => ({ method: 'POST', path: each, headers, body })));
  let clients = 0;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    // An answer that is late is seen in the latencies; only one that never comes is a failure.
    timeout: LONGEST_S,
    requests: requestsTo([paths?.[0] ?? path]),
    ...(paths === undefined
      ? {}
      : {
          // Within the measured time: what is prepared here must be little.
          setupClient: (client) => {
            client.setRequests(requestsTo(paths.filter((_, n) => n % connections === clients % paths.length)));
            clients += 1;
          },
        }),
  });
  const { latency, errors, timeouts, non2xx } = result;
  return {
    answered: result['2xx'],
    seconds: result.duration,
    failed: errors + timeouts + non2xx,
    p50: latency.p50,
    p99: latency.p99,
  };
};

// Forked: this very file, as a program.
if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', (order: LoadOrder) => {
    void send(order).then((result) => process.send?.(result));
  });
}
