import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';

const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});
afterAll(() => app.close());

const needOf = async (state: string): Promise<string> => {
  const as: As = { party: `state:${state}`, role: 'npc' };
  const made = await app.post(
    '/v1/needs',
    {
      title: `Need of ${state}`,
      kinds: ['legal'],
      instruments: ['ATT'],
      authorityRef: 'NV 1',
      lines: [{ kind: 'legal', quantity: { measure: 'seats', amount: '2' } }],
    },
    { as },
  );
  const path = `/v1/needs/${made.body.id as string}`;
  const consent = { circulate: true, publish: true };
  await app.post(`${path}/submit`, { consent }, { as, headers: { 'if-match': '"0"' } });
  const opened = await app.post(`${path}/open`, {}, { as: COORDINATOR, headers: { 'if-match': '"1"' } });
  expect(opened.status).toBe(200);
  return made.body.id as string;
};

it('a network holds its members to the end of their last day, and its observers not at all', async () => {
  const network = {
    id: 'network:new',
    name: 'A network',
    members: [
      { party: 'state:VUT', as: 'member', to: '2026-11-22' },
      { party: 'state:FJI', as: 'observer' },
    ],
  };
  expect((await app.post('/v1/parties', network, { as: COORDINATOR })).status).toBe(201);
  const vanuatu = await needOf('VUT');
  await needOf('FJI');
  await app.settled();
  const listed = async () =>
    (await app.get('/v1/needs?network=network:new', { as: COORDINATOR })).body.items.map(
      ({ id }: { id: string }) => id,
    );
  expect(app.clock.now().toISOString()).toMatch(/^2026-11-22T/);
  expect(await listed()).toEqual([vanuatu]);
  app.clock.advance(14 * 3_600_000);
  expect(await listed()).toEqual([]);
});
