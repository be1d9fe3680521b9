import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { VerifierKey } from '#tlog';
import { pino } from 'pino';
import { createServer } from '../../apps/witness/server.js';
import { readWitnessSettings } from '../../apps/witness/settings.js';
import { Witness } from '../../apps/witness/witness.js';
import { openWitness } from '../../apps/witness/witness-key.js';

type Fault = 'none' | 'down' | 'silent';

/** A real witness behind an address that may be cut. */
export class RunningWitness {
  readonly key: VerifierKey;
  fault: Fault = 'none';
  private readonly server: ReturnType<typeof createServer>;
  private readonly front: Server;
  private cut: (() => void)[] = [];

  constructor(name: string, folder: string, log: VerifierKey) {
    const settings = readWitnessSettings({
      ...{ WITNESS_DATA: folder, WITNESS_NAME: name, WITNESS_LOGS: log.toString() },
    });
    const { signer, cosigned } = openWitness(settings);
    this.key = signer.verifier;
    this.server = createServer({
      witness: new Witness(signer, settings.logs, cosigned),
      logger: pino({ level: 'silent' }),
    });
    this.server.addHook('onClose', async () => {
      cosigned.close();
    });
    this.front = createHttpServer((request, response) => {
      if (this.fault === 'down') {
        request.destroy();
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (this.fault === 'silent') {
          this.cut.push(() => request.destroy());
          return;
        }
        void this.server
          .inject({ method: 'POST', url: request.url ?? '', payload: Buffer.concat(chunks) })
          .then(({ statusCode, headers, body }) => response.writeHead(statusCode, headers as never).end(body));
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.front.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get policy(): { readonly address: string; readonly key: VerifierKey } {
    return { address: `http://127.0.0.1:${(this.front.address() as AddressInfo).port}`, key: this.key };
  }

  async size(): Promise<number> {
    return JSON.parse((await this.server.inject('/')).body).logs[0].size;
  }

  /** Ends the connections of questions that get no answer. */
  hangUp(): void {
    for (const each of this.cut.splice(0)) each();
  }

  async close(): Promise<void> {
    this.hangUp();
    this.front.closeAllConnections();
    this.front.close();
    await this.server.close();
  }
}
