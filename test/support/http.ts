import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import supertest from 'supertest';

/** What a service answered. */
export interface Response {
  readonly status: number;
  /** The media type, without its parameters; empty where none was named. */
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The bytes as they came. */
  readonly bytes: Buffer;
  /** What the JSON holds, untyped as `JSON.parse` gives it: assertions on it are the check. `{}` where it is no JSON. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

// Connections are kept: with one for each request the client takes twice the time.
const agent = new Agent({ keepAlive: true });

/** Sends one HTTP request, and reads all of the answer. Rejects where there is none, or no JSON where it is named so. */
export const send = async (method: string, url: string, sent: Sent = {}): Promise<Response> => {
  const { origin } = new URL(url);
  const name = method.toLowerCase() as 'get';
  const test = supertest(origin)
    [name](url.slice(origin.length))
    .agent(agent)
    .set(sent.headers ?? {})
    .buffer(true)
    .parse((answer, done) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        done(null, Buffer.concat(chunks));
      });
    });
  const { status, headers, body } = await (sent.body === undefined ? test : test.send(sent.body));
  return responseOf(status, headers, Buffer.isBuffer(body) ? body : Buffer.alloc(0));
};

/** The same by Node's own client, for tests that send tens of thousands: supertest takes longer than the service to answer. */
export const sendPlain = async (method: string, url: string, sent: Sent = {}): Promise<Response> => {
  const { status, headers, bytes } = await exchange(method, url, sent);
  const read = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  return { ...responseOf(status, headers, read), bytes };
};

type Answered = Pick<Response, 'status' | 'headers' | 'bytes'>;

const exchange = (method: string, url: string, { headers = {}, body }: Sent): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const { statusCode = 0, headers: received } = answer;
        resolve({ status: statusCode, headers: received as Record<string, string>, bytes: Buffer.concat(chunks) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });

const responseOf = (status: number, headers: Readonly<Record<string, string>>, bytes: Buffer): Response => {
  const text = bytes.toString();
  const type = headers['content-type']?.split(';')[0] ?? '';
  const body = /[/+]json$/.test(type) && text !== '' ? JSON.parse(text) : {};
  return { status, type, headers, text, bytes, body };
};

/** Posts JSON as a caller does that reads only once it has written everything: answers the text that comes, status line first. */
export const postThenRead = (url: string, token: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('error', reject);
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`,
    );
    socket.write(body, () => {
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        socket.end();
      });
      socket.on('close', () => {
        resolve(Buffer.concat(chunks).toString());
      });
    });
  });
