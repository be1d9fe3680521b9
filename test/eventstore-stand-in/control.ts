import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Fault } from './faults.js';
import type { EventStoreStandIn } from './stand-in.js';

const OCCASIONS: readonly Fault['on'][] = ['append', 'read', 'subscribe'];
const ACTS: readonly Fault['act'][] = [
  'delay-request',
  'delay-answer',
  'swallow-answer',
  'drop-connection',
  'refuse',
  'deny',
];

const COMMANDS: Readonly<Record<string, (standIn: EventStoreStandIn) => void>> = {
  freeze: ({ faults }) => {
    faults.freeze();
  },
  thaw: ({ faults }) => {
    faults.thaw();
  },
  clear: ({ faults }) => {
    faults.clear();
  },
  'drop-connections': (standIn) => {
    standIn.dropConnections();
  },
  'mute-subscriptions': (standIn) => {
    standIn.muteSubscriptions();
  },
  'cut-subscriptions': (standIn) => {
    standIn.cutSubscriptions();
  },
};

/** Faults by HTTP, for a stand-in in another process: `POST /<command>`, and `POST /fault` with a `Fault` as JSON. */
export class Control {
  static async start(standIn: EventStoreStandIn, port = 0): Promise<Control> {
    const server = createServer((request, response) => {
      void answer(standIn, request, response);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new Control(server);
  }

  private constructor(private readonly server: Server) {}

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const answer = async (
  standIn: EventStoreStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const name = request.url?.slice(1) ?? '';
  const refuse = (status: number, why: string): void => {
    response.writeHead(status).end(`${why}\n`);
  };
  if (request.method !== 'POST') {
    refuse(405, 'POST a command');
    return;
  }
  const body = await text(request);
  if (name === 'fault') {
    const fault = faultOf(body);
    if (fault === undefined) {
      refuse(
        400,
        `a fault is {"on": ${OCCASIONS.join(' | ')}, "act": ${ACTS.join(' | ')}, "ms"?, "times"?, "stream"?}`,
      );
      return;
    }
    standIn.faults.add(fault);
  } else {
    const command = COMMANDS[name];
    if (command === undefined) {
      refuse(404, `no command ${name}: fault, ${Object.keys(COMMANDS).join(', ')}`);
      return;
    }
    command(standIn);
  }
  response.writeHead(204).end();
};

const faultOf = (body: string): Fault | undefined => {
  let parsed: Partial<Fault>;
  try {
    parsed = JSON.parse(body) as Partial<Fault>;
  } catch {
    return undefined;
  }
  const { on, act } = parsed;
  if (on === undefined || act === undefined || !OCCASIONS.includes(on) || !ACTS.includes(act)) return undefined;
  return { ...parsed, on, act };
};
