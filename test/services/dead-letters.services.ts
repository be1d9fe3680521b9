import { pause } from '#kernel';
import type { Context } from '#web';
import { probeContext } from '../contract/probe.js';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { talksTo } from './talks-to.js';

/** A process that cannot handle an event gives up on its stream, tells the operator, and takes it up again when told to. */
const AUTHOR: As = { party: 'state:VUT', role: 'npc' };
const OPERATOR: As = { party: 'agency:hosting', role: 'operator' };
const SICK = 'Makes it sick';

const state = { sick: true, handled: [] as string[] };
const context: Context = {
  ...probeContext,
  processes: () => [
    {
      name: 'note-reading',
      handles: ['NoteWritten'],
      react: ({ data }) => {
        const { title } = data as { readonly title: string };
        if (state.sick && title === SICK) throw new RangeError('nobody may read this text');
        state.handled.push(title);
        return [];
      },
    },
  ],
};

let app: TestApp;
beforeAll(async () => {
  talksTo('KAFKA_BROKERS');
  talksTo('EVENTSTORE_URL');
  app = await testApp({ contexts: [context] });
}, 60_000);
afterAll(() => app.close());

interface Letter {
  readonly process: string;
  readonly stream: string;
  readonly reason: string;
}

const letters = async (): Promise<readonly Letter[]> =>
  ((await app.get('/v1/admin/dead-letters', { as: OPERATOR })).body as { readonly items: readonly Letter[] }).items;

const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (let waits = 0; !(await holds()); waits += 1) {
    if (waits > 600) throw new Error('it did not come to that within a minute');
    await pause(100);
  }
};

test('a stream that makes a process sick is told of, without its data, and taken up again after the fix', async () => {
  const sick = await app.post('/v1/notes', { title: SICK }, { as: AUTHOR });
  const well = await app.post('/v1/notes', { title: 'Stockpile survey' }, { as: AUTHOR });
  expect([sick.status, well.status]).toEqual([201, 201]);
  await until(async () => (await letters()).length > 0);
  // Others are not held up.
  await until(() => state.handled.includes('Stockpile survey'));
  const [letter] = await letters();
  expect(letter).toMatchObject({ process: 'note-reading', eventType: 'NoteWritten', attempts: 10 });
  expect(JSON.stringify(letter)).not.toMatch(/nobody may read|Makes it sick/);
  expect((await app.get('/v1/admin/dead-letters', { as: AUTHOR })).status).toBe(403);

  const replay = (name: string, body: object) => app.post(`/v1/admin/processes/${name}/replay`, body, { as: OPERATOR });
  expect((await replay('no-such-process', {})).status).toBe(404);
  state.sick = false;
  const asked = await replay('note-reading', { stream: letter?.stream ?? '' });
  expect([asked.status, asked.body]).toMatchObject([200, { items: [{ stream: letter?.stream }] }]);
  await until(async () => (await letters()).length === 0);
  expect(state.handled.filter((title) => title === SICK)).toHaveLength(1);
}, 180_000);
