import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InMemoryEventStore } from '#kernel-testing';
import { ManualClock } from '#kernel';
import type { AppOptions, PledgebookApp } from '../../apps/pledgebook/app.js';
import { createApp } from '../../apps/pledgebook/app.js';
import type { Response, Sent } from './http.js';
import { send, sendPlain } from './http.js';

/** Who a test's request comes from: a party and a role, or nobody. */
export interface As {
  readonly party: string;
  readonly role: string | readonly string[];
  readonly sub?: string;
}

export interface TestRequest {
  readonly as?: As;
  /** Sent as it is, where a test tries tokens of its own. */
  readonly authorization?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A service under test with a clock that stands still, and requests as its callers send them. */
export interface TestApp extends PledgebookApp {
  readonly clock: ManualClock;
  /** Where it listens. */
  readonly url: string;
  /** `path` begins with a slash; the body of PATCH may be bytes. */
  send(method: string, path: string, request?: TestRequest & Pick<Sent, 'body'>): Promise<Response>;
  /** The same, for those who send tens of thousands. */
  sendPlain: TestApp['send'];
  get(path: string, request?: TestRequest): Promise<Response>;
  /** `body` as JSON; a text is sent as it is. */
  post(path: string, body: object | string, request?: TestRequest): Promise<Response>;
}

export interface TestAppOptions extends Omit<AppOptions, 'clock'> {
  readonly now?: string;
}

/** The moment tests start at. */
export const NOW = '2026-11-22T10:00:00.000Z';

/** A fresh service: in memory, or on a folder where one is named. Nothing ticks unless a test asks. */
export const testApp = async ({ now = NOW, ...options }: TestAppOptions = {}): Promise<TestApp> => {
  const clock = new ManualClock(now);
  const app = await createApp({
    tick: 'manual',
    rate: 'off',
    ...(options.dataFolder === undefined && options.store === undefined ? { store: new InMemoryEventStore() } : {}),
    ...options,
    clock,
  });
  const url = await app.listen(0);
  const tokenFor = tokensOf(app);
  const headersOf = async ({ as, authorization, headers }: TestRequest): Promise<Record<string, string>> => ({
    ...(as === undefined ? {} : { authorization: `Bearer ${await tokenFor(as)}` }),
    ...(authorization === undefined ? {} : { authorization }),
    ...headers,
  });
  const by =
    (client: typeof send): TestApp['send'] =>
    async (method, path, { body, ...request } = {}) =>
      client(method, `${url}${path}`, { headers: await headersOf(request), ...(body === undefined ? {} : { body }) });
  const asked = by(send);
  return {
    ...app,
    clock,
    url,
    send: asked,
    sendPlain: by(sendPlain),
    get: (path, request = {}) => asked('GET', path, request),
    post: (path, body, { headers, ...request } = {}) =>
      asked('POST', path, {
        ...request,
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
};

/** Tokens as clients hold them: one is used again until the clock has moved. */
const tokensOf = (app: PledgebookApp): ((as: As) => Promise<string>) => {
  const held = new Map<string, Promise<string>>();
  return ({ party, role, sub }) => {
    const roles = typeof role === 'string' ? [role] : role;
    const key = JSON.stringify([party, roles, sub, app.clock.now()]);
    const token = held.get(key) ?? app.token({ party, roles, ...(sub === undefined ? {} : { sub }) });
    held.set(key, token);
    return token;
  };
};

/** A folder that is gone after the test. */
export const temporaryFolder = (): { readonly path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'pledgebook-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
};
