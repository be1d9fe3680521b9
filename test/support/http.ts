import { Agent } from 'node:http';
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
  const request = supertest(origin)
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
  const { status, headers, body } = await (sent.body === undefined ? request : request.send(sent.body));
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  const text = bytes.toString();
  const received = headers as Readonly<Record<string, string>>;
  const type = received['content-type']?.split(';')[0] ?? '';
  return {
    status,
    type,
    headers: received,
    text,
    bytes,
    body: /[/+]json$/.test(type) && text !== '' ? JSON.parse(text) : {},
  };
};
