import { InMemoryEventStore } from '#kernel-testing';
import type { RecordedEvent, Subscription } from '#kernel';
import type { As } from '../support/app.js';
import type { Response } from '../support/http.js';
import type { ApiClient, Json } from './api-client.js';
import { apiClient, bodyOf, JAPAN, machines, VANUATU, WAIT } from './api-client.js';

/**
 * "Send it with a read to see at least that write" (API.md): one record is never behind, but what it shows of other streams, and who sees
 * it, come from projections.
 */
class HeldLog extends InMemoryEventStore {
  private gate = Promise.resolve();
  private open: () => void = () => undefined;

  /** From now on nobody hears of an event. */
  hold(): void {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  release(): void {
    this.open();
  }

  override subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    options?: { readonly maxBatch?: number },
  ): Subscription {
    return super.subscribeToAll(after, (batch) => this.gate.then(() => handler(batch)), options);
  }
}

let log: HeldLog;
let client: ApiClient;
beforeEach(async () => {
  log = new HeldLog();
  client = await apiClient({ store: log });
});
afterEach(async () => {
  log.release();
  await client.app.close();
});

const tokenOf = ({ headers }: Response): string => headers['consistency-token'] ?? '';
const outcome = (answer: Response): readonly unknown[] => [answer.status, bodyOf(answer).code];

const proposal = (need: string, offer: string): object => {
  const [needId, offerId] = [need, offer].map((location) => location.split('/')[3]);
  return { needId, offerId, legs: [{ offerLine: 1, needLine: 1, drawn: machines('5') }] };
};

const indicative = (answer: Response): unknown => {
  const [line] = bodyOf(answer).lines as readonly { readonly coverage: Json }[];
  return line?.coverage.indicative;
};

/** What the read answers while nothing is heard of the write, without waiting; and what it answers where it waits. */
const behindAndThen = async (path: string, as: As, written: Response): Promise<Response> => {
  const headers = { 'consistency-token': tokenOf(written) };
  const behind = await client.get(path, as, headers);
  expect(outcome(behind)).toEqual([503, 'projection-behind']);
  expect(behind.headers['retry-after']).toBe('1');
  const waiting = client.get(path, as, { ...headers, ...WAIT });
  log.release();
  return waiting;
};

test('a record read with a token shows the figures of other streams as of that write', async () => {
  const [need, offer] = [await client.openNeed(), await client.openOffer()];
  const proposed = await client.post('/v1/commitments', proposal(need, offer), JAPAN, WAIT);
  expect([proposed.status, bodyOf(proposed).hold]).toEqual([201, 'held']);
  const { location = '' } = proposed.headers;
  await client.app.settled();
  expect(indicative(await client.get(need, VANUATU))).toEqual(machines('5'));
  log.hold();
  const withdrawn = await client.send(location, 'withdraw', { reason: { code: 'budget' } }, JAPAN);
  expect(withdrawn.status).toBe(200);
  // Without the token it answers at once, with the figure as it was.
  expect(indicative(await client.get(need, VANUATU))).toEqual(machines('5'));
  const answer = await behindAndThen(need, VANUATU, withdrawn);
  expect([answer.status, indicative(answer)]).toEqual([200, machines('0')]);
});

test.each(['', '/history'])('a record that a write disclosed is found with its token%s', async (route) => {
  const sealed = { summary: 'sealed', body: 'sealed', annex: 'sealed' };
  const [need, offer] = [await client.openNeed({ visibility: sealed }), await client.openOffer()];
  await client.app.settled();
  log.hold();
  const disclosed = await client.post('/v1/commitments', proposal(need, offer), VANUATU);
  expect(disclosed.status).toBe(201);
  expect(outcome(await client.get(`${need}${route}`, JAPAN))).toEqual([404, 'not-found']);
  expect((await behindAndThen(`${need}${route}`, JAPAN, disclosed)).status).toBe(200);
});
