import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InMemoryEventStore } from '#kernel-testing';
import type { DeadlineTicker, EventStore, ProjectionRunner, Transactor } from '#kernel';
import { ManualClock } from '#kernel';
import type { DeclaredRoute, TokenRequest } from '#web';
import { declaredRoutes } from '#web';
import type { AppOptions, PledgebookApp } from '../../apps/pledgebook/app.js';
import { createApp } from '../../apps/pledgebook/app.js';
import { solverThread } from './allocation-thread.js';
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

/** What a test sees of the service beside its routes, in one process or in many. */
export interface Shape {
  /** Where it listens. */
  readonly url: string;
  readonly store: EventStore;
  readonly transactor: Pick<Transactor, 'transact' | 'load'>;
  readonly ticker: Pick<DeadlineTicker, 'tickNow'>;
  readonly projections: Pick<ProjectionRunner, 'waitFor' | 'model' | 'statuses'>;
  /** Every route that is answered. */
  declared(): readonly DeclaredRoute[];
  token(request: TokenRequest): Promise<string>;
  settled(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** A service under test with a clock that stands still, and requests as its callers send them. */
export interface TestApp extends Shape {
  readonly clock: ManualClock;
  /** `path` begins with a slash; the body of PATCH may be bytes. */
  send(method: string, path: string, request?: TestRequest & Pick<Sent, 'body'>): Promise<Response>;
  /** The same, for those who send tens of thousands. */
  sendPlain: TestApp['send'];
  get(path: string, request?: TestRequest): Promise<Response>;
  /** `body` as JSON; a text is sent as it is. */
  post(path: string, body: object | string, request?: TestRequest): Promise<Response>;
}

export type EmbeddedTestApp = TestApp & Pick<PledgebookApp, 'nest'>;

export interface TestAppOptions extends Omit<AppOptions, 'clock'> {
  readonly now?: string;
}

/** The moment tests start at. */
export const NOW = '2026-11-22T10:00:00.000Z';

/** `services`: every context in an app of its own behind the gateway; otherwise all of them in one. */
const inServices = process.env.PLEDGEBOOK_SHAPE === 'services';

/** A fresh service: in memory, or on a folder where one is named. Nothing ticks unless a test asks. */
export const testApp = (options: TestAppOptions = {}): Promise<TestApp> =>
  inServices ? servicesApp(options) : embeddedApp(options);

/** The same in one process, whatever shape the run has: for tests of what only that shape has. */
export const embeddedApp = async ({ now = NOW, ...options }: TestAppOptions = {}): Promise<EmbeddedTestApp> => {
  const clock = new ManualClock(now);
  const app = await createApp({
    tick: 'manual',
    rate: 'off',
    ports: [solverThread],
    ...(options.dataFolder === undefined && options.store === undefined ? { store: new InMemoryEventStore() } : {}),
    ...options,
    clock,
  });
  const url = await app.listen(0);
  return { ...asked({ ...app, url, declared: () => declaredRoutes(app.nest) }, clock), nest: app.nest };
};

const servicesApp = async ({ now = NOW, ...options }: TestAppOptions): Promise<TestApp> => {
  const clock = new ManualClock(now);
  // Loads Kafka's and KurrentDB's clients: only where it is this shape that is tried.
  const { startServices } = await import('./services.js');
  return asked(await startServices({ ...options, clock }), clock);
};

const asked = (shape: Shape, clock: ManualClock): TestApp => {
  const tokenFor = tokensOf(shape, clock);
  const headersOf = async ({ as, authorization, headers }: TestRequest): Promise<Record<string, string>> => ({
    ...(as === undefined ? {} : { authorization: `Bearer ${await tokenFor(as)}` }),
    ...(authorization === undefined ? {} : { authorization }),
    ...headers,
  });
  const by =
    (client: typeof send): TestApp['send'] =>
    async (method, path, { body, ...request } = {}) =>
      client(method, `${shape.url}${path}`, {
        headers: await headersOf(request),
        ...(body === undefined ? {} : { body }),
      });
  const ask = by(send);
  return {
    ...shape,
    clock,
    send: ask,
    sendPlain: by(sendPlain),
    get: (path, request = {}) => ask('GET', path, request),
    post: (path, body, { headers, ...request } = {}) =>
      ask('POST', path, {
        ...request,
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
};

/** Tokens as clients hold them: one is used again until the clock has moved. */
const tokensOf = (shape: Shape, clock: ManualClock): ((as: As) => Promise<string>) => {
  const held = new Map<string, Promise<string>>();
  return ({ party, role, sub }) => {
    const roles = typeof role === 'string' ? [role] : role;
    const key = JSON.stringify([party, roles, sub, clock.now()]);
    const token = held.get(key) ?? shape.token({ party, roles, ...(sub === undefined ? {} : { sub }) });
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
