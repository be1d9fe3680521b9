import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalid, PROBLEM_MEDIA_TYPE, Problem } from '#web';
import type { Instance, Instances } from './instances.js';

/** Names the service whose instances alone are meant, such as `needs`. */
const SERVICE_HEADER = 'pledgebook-service';
/** As long as an operator may prefer to wait, and a little. */
const PATIENCE_MS = 35_000;
const BODY_LIMIT = 16_384;
/** What an instance is told of the operator's request. */
const PASSED_ON = ['authorization', 'content-type', 'prefer'] as const;

interface Answer {
  readonly instance: Instance;
  readonly service: string;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

/**
 * What an operator asks, asked of every instance of every service (or of the one service that a header names): each has read models of its
 * own. Lists are put together, each item with where it is from; a command is given to every instance that knows the name.
 * @throws {Problem}
 */
export const askEverywhere = async (
  services: readonly Instances[],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> => {
  const named = request.headers[SERVICE_HEADER];
  const meant = named === undefined ? services : services.filter(({ service }) => service === named);
  if (meant.length === 0) {
    const known = services.map(({ service }) => service).join(', ');
    throw invalid([{ field: 'Pledgebook-Service', message: `must be one of ${known}` }]);
  }
  const body = await bodyOf(request);
  const asked = meant.flatMap(({ service, all }) => all.map((instance) => ({ service, instance })));
  const answers = await Promise.all(asked.map(({ service, instance }) => ask(service, instance, request, body)));
  const known = answers.filter((answer) => answer !== undefined);
  const silent = asked.filter((_, index) => answers[index] === undefined).map(({ instance }) => instance.name);
  const done = known.filter(({ status }) => status < 300);
  // What one instance refuses for who asks, all do; that a name is not known, or nothing is to be done, is of one instance alone.
  const refusal = known.find(({ status }) => status >= 300 && status !== 404 && status !== 409);
  const decisive =
    refusal ?? (done.length === 0 ? (known.find(({ status }) => status === 409) ?? known[0]) : undefined);
  if (decisive !== undefined) await passOn(decisive, reply);
  else if (done.length === 0 || (silent.length > 0 && request.method === 'POST')) throw unreachable(silent);
  else await reply.code(Math.max(...done.map(({ status }) => status))).send(together(done, silent));
};

const unreachable = (instances: readonly string[]): Problem =>
  Problem.of('store-unavailable', `Not every instance could be asked (${instances.join(', ')}): try again.`, {
    headers: { 'retry-after': '5' },
  });

const passOn = async ({ status, body, headers }: Answer, reply: FastifyReply): Promise<void> => {
  for (const name of ['allow', 'retry-after']) {
    const value = headers.get(name);
    if (value !== null) reply.header(name, value);
  }
  await reply.code(status).header('content-type', PROBLEM_MEDIA_TYPE).send(JSON.stringify(body));
};

const together = (answers: readonly Answer[], silent: readonly string[]): object => {
  const from = ({ service, instance }: Answer): object => ({ service, instance: instance.name });
  const unreached = silent.length === 0 ? {} : { unreached: silent };
  if (answers.every(({ body }) => Array.isArray(body.items))) {
    const items = answers.flatMap((answer) =>
      (answer.body.items as readonly object[]).map((item) => ({ ...from(answer), ...item })),
    );
    return { items, ...unreached };
  }
  // What is still under way somewhere is the answer: it is not done before it is done everywhere.
  const slowest = answers.reduce((slow, answer) => (answer.status > slow.status ? answer : slow));
  const instances = answers.map((answer) => ({ ...from(answer), ...answer.body }));
  return { ...slowest.body, instances, ...unreached };
};

const ask = async (
  service: string,
  instance: Instance,
  request: FastifyRequest,
  body: Buffer,
): Promise<Answer | undefined> => {
  const passed = PASSED_ON.flatMap((name) => {
    const value = request.headers[name];
    return value === undefined ? [] : [[name, [value].flat().join(', ')] as const];
  });
  try {
    const response = await fetch(new URL(request.raw.url ?? '/', instance.url), {
      method: request.method,
      headers: { ...Object.fromEntries(passed), 'x-correlation-id': request.pledgebook.correlationId },
      ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { body: new Uint8Array(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    const value = (text === '' ? {} : JSON.parse(text)) as Answer['body'];
    return { instance, service, status: response.status, body: value, headers: response.headers };
  } catch {
    return undefined;
  }
};

const bodyOf = async ({ raw }: FastifyRequest): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of raw) {
    length += (chunk as Buffer).length;
    if (length > BODY_LIMIT) throw Problem.of('payload-too-large', 'An order of an operator has a small body.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
};
