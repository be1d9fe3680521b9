import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { fastify as createFastify } from 'fastify';
import type { Logger } from 'pino';
import { addressOf, Drain, faultLine, SERVER } from '#hosting';
import { StoreUnavailableError } from '#kernel';
import type {
  EraseAsked,
  PeopleAnswered,
  PeopleAsked,
  ReferencesAnswered,
  ReferencesAsked,
  SealAnswered,
  SealAsked,
  SubjectRegister,
  UnsealAnswered,
  UnsealAsked,
} from '#web';
import { MAX_ASKED } from '#web';

export interface KeysOptions {
  readonly register: SubjectRegister;
  /** What callers prove themselves with: the services, and nobody else. */
  readonly secret: string;
  readonly logger: Logger;
}

/** The key store: who is behind the references that the log names people by, and the keys that their data is sealed with. Never part of the log. */
export interface Keys {
  readonly fastify: FastifyInstance;
  /** Listens and answers the address. Port 0 chooses a free one. */
  listen(port: number, host?: string): Promise<string>;
  close(): Promise<void>;
}

const TEXT = { type: 'string', minLength: 1, maxLength: 2_000 } as const;
const SUBJECTS = { type: 'array', maxItems: MAX_ASKED, items: TEXT } as const;
const REFERENCES = {
  type: 'object',
  required: ['people'],
  properties: {
    people: {
      type: 'array',
      maxItems: MAX_ASKED,
      items: {
        type: 'object',
        required: ['issuer', 'subject', 'make'],
        properties: { issuer: TEXT, subject: TEXT, make: { type: 'boolean' } },
      },
    },
  },
} as const;
const PEOPLE = {
  type: 'object',
  required: ['references'],
  properties: { references: SUBJECTS },
} as const;
const PLACE = { type: 'array', minItems: 1, maxItems: 10, items: TEXT } as const;
const SEAL = {
  type: 'object',
  required: ['subject', 'texts'],
  properties: {
    subject: TEXT,
    texts: {
      type: 'array',
      maxItems: MAX_ASKED,
      items: { type: 'object', required: ['place', 'text'], properties: { place: PLACE, text: TEXT } },
    },
  },
} as const;
const UNSEAL = {
  type: 'object',
  required: ['sealed'],
  properties: {
    sealed: {
      type: 'array',
      maxItems: MAX_ASKED,
      items: {
        type: 'object',
        required: ['place', 'sealed'],
        properties: {
          place: PLACE,
          sealed: {
            type: 'object',
            required: ['alg', 'subject', 'iv', 'ct', 'tag'],
            properties: {
              alg: TEXT,
              subject: TEXT,
              iv: TEXT,
              // Longer than its text, which is written as JSON, filled up and encoded.
              ct: { type: 'string', minLength: 1, maxLength: 20_000 },
              tag: TEXT,
            },
          },
        },
      },
    },
  },
} as const;
const ERASE = { type: 'object', required: ['subjects'], properties: { subjects: SUBJECTS } } as const;
/** As many questions as there may be, of the longest texts. */
const BODY_LIMIT = 4_000_000;

export const createKeys = async ({ register, secret, logger }: KeysOptions): Promise<Keys> => {
  const fastify = createFastify({
    ...SERVER,
    bodyLimit: BODY_LIMIT,
    // What is no text is refused, not turned into one.
    ajv: { customOptions: { coerceTypes: false } },
  });
  const drain = new Drain(fastify);
  fastify.get('/healthz', async () => ({ status: 'ok' }));
  fastify.get('/readyz', async () => {
    await register.knownReferenceOf({ issuer: 'readiness', subject: 'readiness' });
    return { ready: true };
  });
  // What went wrong is said without what was asked: a question names people.
  fastify.setErrorHandler((error, _request, reply) => {
    const { statusCode } = (typeof error === 'object' && error !== null ? error : {}) as {
      readonly statusCode?: number;
    };
    if (statusCode !== undefined && statusCode < 500)
      return reply.code(statusCode).send({ error: 'this is no question for the key store' });
    logger.error(faultLine(error), 'request failed');
    return reply
      .code(error instanceof StoreUnavailableError ? 503 : 500)
      .send({ error: 'the register cannot be used: see its log' });
  });
  const proved = proofOf(secret);
  await fastify.register(async (asked) => {
    asked.addHook('onRequest', async (request, reply) => {
      if (!proved(request.headers.authorization)) await reply.code(401).send({ error: 'the shared secret is needed' });
    });
    asked.post<{ Body: ReferencesAsked }>(
      '/v1/references',
      { schema: { body: REFERENCES } },
      async ({ body: { people } }): Promise<ReferencesAnswered> => {
        const references: (string | null)[] = [];
        // One after the other: two of the same person in one question are given one reference.
        for (const { make, ...person } of people)
          references.push(
            make ? await register.referenceOf(person) : ((await register.knownReferenceOf(person)) ?? null),
          );
        return { references };
      },
    );
    asked.post<{ Body: PeopleAsked }>(
      '/v1/people',
      { schema: { body: PEOPLE } },
      async ({ body: { references } }): Promise<PeopleAnswered> => ({
        people: await Promise.all(
          references.map(async (reference) => (await register.personBehind(reference)) ?? null),
        ),
      }),
    );
    asked.post<{ Body: SealAsked }>(
      '/v1/seal',
      { schema: { body: SEAL } },
      async ({ body: { subject, texts } }): Promise<SealAnswered> => ({
        sealed: (await register.seal(subject, texts)) ?? null,
      }),
    );
    asked.post<{ Body: UnsealAsked }>(
      '/v1/unseal',
      { schema: { body: UNSEAL } },
      async ({ body: { sealed } }): Promise<UnsealAnswered> => ({
        unsealed: await Promise.all(sealed.map((each) => register.unseal(each))),
      }),
    );
    asked.post<{ Body: EraseAsked }>('/v1/erase', { schema: { body: ERASE } }, async ({ body: { subjects } }) => {
      await register.erase(subjects);
      return { erased: subjects.length };
    });
  });
  await fastify.ready();
  return {
    fastify,
    listen: async (port, host = '127.0.0.1') => {
      await fastify.listen({ port, host });
      return addressOf(fastify, host);
    },
    close: async () => {
      await drain.during(() => fastify.close());
      await register.close();
    },
  };
};

/** Compares in a time that says nothing of how much was right. */
const proofOf = (secret: string): ((authorization: string | undefined) => boolean) => {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(`Bearer ${secret}`);
  return (authorization = '') => timingSafeEqual(digest(authorization), wanted);
};
