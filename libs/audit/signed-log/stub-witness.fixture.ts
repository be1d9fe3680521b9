import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NoteSigner, parseAddCheckpoint, parseCheckpoint, parseNote, signatureLine } from '#tlog';
import type { WitnessAddress } from './witness-client.js';

/** A witness that says what it is told to. */
export class StubWitness {
  /** Answers in their order, the last one again and again; a status of 0 is no answer. */
  answers: (readonly [status: number, body: string])[] = [];
  /** The old size of each question. */
  readonly oldSizes: number[] = [];
  /** Name of the log in each question. */
  readonly origins: string[] = [];
  readonly paths: string[] = [];
  private readonly server: Server;
  private port = 0;

  constructor(private readonly signer: NoteSigner) {
    this.server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        this.paths.push(`${request.method ?? ''} ${request.url ?? ''}`);
        const { old, checkpoint } = parseAddCheckpoint(body);
        this.oldSizes.push(old);
        this.origins.push(parseCheckpoint(Buffer.from(checkpoint)).origin);
        const [status, text] = (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? [0, ''];
        if (status !== 0) response.writeHead(status, { location: '/elsewhere' }).end(text);
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  get address(): WitnessAddress {
    return {
      address: `http://127.0.0.1:${this.port}/w/`,
      key: this.signer.verifier,
    };
  }

  /** Its cosignature of a note, as it answers it. */
  lineOf(note: string): string {
    return lineBy(this.signer, note);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** What a key says of a note. */
export const lineBy = (signer: NoteSigner, note: string): string =>
  signatureLine(signer.sign(parseNote(Buffer.from(note)).text, 1_764_400_000));

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};
