import { contexts, isOfEveryApp, ROUTE_TABLE, serviceOf, SERVICES, shareOf } from '#services';
import { routesOf } from '#web';
import type { TestApp } from '../support/app.js';
import { embeddedApp } from '../support/app.js';

/** DESIGN's route table stands once: what the gateway routes by is what the apps serve, and the document holds nothing beside it. */
const declared = contexts.flatMap(({ controllers, history = [] }) => [...controllers, ...history]);

describe('the route table', () => {
  let app: TestApp;
  let paths: readonly string[];
  beforeAll(async () => {
    app = await embeddedApp();
    const { body } = await app.get('/openapi.json');
    paths = Object.keys((body as { paths: object }).paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ':$1'));
  });
  afterAll(() => app.close());

  test('names exactly one app for every route of the document, but for those that every app answers of itself', () => {
    expect(paths.length).toBeGreaterThan(100);
    const owners = paths.map((path) => [path, serviceOf(ROUTE_TABLE, path)] as const);
    expect(owners.filter(([path, owner]) => (owner === undefined) !== isOfEveryApp(path))).toEqual([]);
  });

  test('is what the apps serve: every controller in one app, in the one that the table names for each of its routes', () => {
    const shares = SERVICES.map((service) => ({ service, share: shareOf(service, ROUTE_TABLE, contexts) }));
    for (const controller of declared) {
      const serving = shares.filter(({ share }) => share.serves(controller)).map(({ service }) => service);
      const named = routesOf(controller).map(({ path }) => serviceOf(ROUTE_TABLE, path));
      expect([controller.name, serving]).toEqual([controller.name, [...new Set(named)]]);
    }
    expect(new Set(declared.flatMap(routesOf).map(({ path }) => path))).toEqual(
      new Set(paths.filter((path) => !isOfEveryApp(path))),
    );
  });

  test('gives the work of every context that has any to one app', () => {
    const working = contexts.filter(({ processes, deadlines }) => processes !== undefined || deadlines !== undefined);
    expect(working.length).toBeGreaterThan(4);
    for (const { name } of working) {
      const apps = SERVICES.filter((service) => shareOf(service, ROUTE_TABLE, contexts).works(name));
      expect([name, apps.length]).toEqual([name, 1]);
    }
  });

  test('holds no path that nothing is served at', () => {
    const served = declared.flatMap(routesOf).map(({ path }) => path);
    const idle = Object.values(ROUTE_TABLE)
      .flat()
      .filter((pattern) => !served.some((path) => path === pattern || path.startsWith(`${pattern}/`)));
    expect(idle.filter((pattern) => pattern !== '/v1/audit')).toEqual([]);
  });

  test('says of a path what its longest pattern says', () => {
    const table = { a: ['/v1/notes'], b: ['/v1/notes/:id/history'] };
    expect(serviceOf(table, '/v1/notes/:id')).toBe('a');
    expect(serviceOf(table, '/v1/notes/:id/history')).toBe('b');
    expect(serviceOf(table, '/v1/notes/:id/history/more')).toBe('b');
    expect(serviceOf(table, '/v1/note')).toBeUndefined();
    const needs = contexts.filter(({ name }) => name === 'needs');
    const split: Readonly<Record<'a' | 'b', readonly string[]>> = { a: ['/v1/needs'], b: ['/v1/needs/:id/submit'] };
    expect(() => shareOf('a', split, needs)).toThrow('the route table splits NeedsController between');
    expect(() => shareOf('a', { a: ['/v1/offers'] }, needs)).toThrow('names no app for NeedsController');
  });
});
