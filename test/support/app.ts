import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Response } from 'supertest';
import supertest from 'supertest';
import { InMemoryEventStore } from '#kernel-testing';
import { ManualClock } from '#kernel';
import type { AppOptions, PledgebookApp } from '../../apps/pledgebook/app.js';
import { createApp } from '../../apps/pledgebook/app.js';

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
  const headersOf = async ({ as, authorization, headers }: TestRequest): Promise<Record<string, string>> => ({
    ...(as === undefined ? {} : { authorization: `Bearer ${await tokenFor(app, as)}` }),
    ...(authorization === undefined ? {} : { authorization }),
    ...headers,
  });
  return {
    ...app,
    clock,
    url,
    get: async (path, request = {}) =>
      supertest(url)
        .get(path)
        .set(await headersOf(request)),
    post: async (path, body, request = {}) =>
      supertest(url)
        .post(path)
        .set({ 'content-type': 'application/json', ...(await headersOf(request)) })
        .send(typeof body === 'string' ? body : JSON.stringify(body)),
  };
};

const tokenFor = (app: PledgebookApp, { party, role, sub }: As): Promise<string> =>
  app.token({ party, roles: typeof role === 'string' ? [role] : role, ...(sub === undefined ? {} : { sub }) });

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
