import type { As, TestApp, TestAppOptions } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/** The callers of an outside client: it knows API.md and DOMAIN.md, and nothing of the code. */
export const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
export const VANUATU: As = { party: 'state:VUT', role: 'npc' };
export const FIJI: As = { party: 'state:FJI', role: 'npc' };
export const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
export const NORWAY: As = { party: 'donor:norway', role: 'donor-desk' };
export const CAVR: As = { party: 'agency:cavr', role: 'implementer' };

/** An answer's body as a client meets it: whatever JSON holds. */
export type Json = Readonly<Record<string, unknown>>;

export const bodyOf = ({ body }: Response): Json => body as Json;

export const WAIT = { prefer: 'wait=10' } as const;
export const machines = (amount: string): object => ({ measure: 'items', unit: 'marking-machine', amount });
export const dollars = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });

export const aNeed = (more: object = {}): object => ({
  title: 'Marking machines for the police',
  kinds: ['marking-record-keeping'],
  instruments: ['UNPoA'],
  lines: [
    { kind: 'marking-record-keeping', description: 'machines', quantity: machines('12') },
    { kind: 'training', description: 'courses', quantity: { measure: 'person-days', amount: '40' } },
  ],
  authorityRef: 'Note Verbale 12/2026',
  period: { from: '2026-01-01', to: '2028-12-31' },
  visibility: 'public',
  ...more,
});

export const anOffer = (more: object = {}): object => ({
  title: 'Marking support',
  lines: [
    { kinds: ['marking-record-keeping'], description: 'machines', capacity: machines('20') },
    { kinds: ['financial'], description: 'cash', capacity: dollars('500000.00') },
  ],
  period: { from: '2026-01-01', to: '2028-12-31' },
  visibility: 'public',
  ...more,
});

/** Requests as an outside client sends them: what a record is at is read before it is written to. */
export interface ApiClient {
  readonly app: TestApp;
  get(path: string, as?: As, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: object, as: As, headers?: Record<string, string>): Promise<Response>;
  /** A command with the record's current `ETag`. */
  send(record: string, command: string, body: object, as: As, headers?: Record<string, string>): Promise<Response>;
  /** Location of an open need, of an open offer. */
  openNeed(more?: object): Promise<string>;
  openOffer(more?: object): Promise<string>;
  /** Location of a commitment of ten machines, binding. */
  bound(need: string, offer: string): Promise<string>;
}

export const apiClient = async (options?: TestAppOptions): Promise<ApiClient> => {
  const app = await testApp(options);
  const get: ApiClient['get'] = (path, as, headers) =>
    app.get(path, { ...(as === undefined ? {} : { as }), ...(headers === undefined ? {} : { headers }) });
  const post: ApiClient['post'] = (path, body, as, headers = {}) => app.post(path, body, { as, headers });
  const send: ApiClient['send'] = async (record, command, body, as, headers = {}) =>
    post(`${record}/${command}`, body, as, { 'if-match': (await get(record, as)).headers.etag ?? '"0"', ...headers });
  const must = (answer: Response): Response => {
    if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
    return answer;
  };
  for (const [id, category] of [
    ['donor:japan', 'bilateral'],
    ['donor:norway', 'bilateral'],
    ['agency:cavr', 'ngo'],
  ] as const) {
    const contact = { office: 'Desk', mailbox: 'desk@example.org' };
    must(await post('/v1/parties', { id, name: id, category, contact }, COORDINATOR));
  }
  return {
    app,
    get,
    post,
    send,
    openNeed: async (more) => {
      const { location = '' } = must(await post('/v1/needs', aNeed(more), VANUATU)).headers;
      must(await send(location, 'submit', { consent: { circulate: true, publish: true } }, VANUATU));
      must(await send(location, 'open', {}, COORDINATOR));
      return location;
    },
    openOffer: async (more) => must(await post('/v1/offers', anOffer(more), JAPAN)).headers.location ?? '',
    bound: async (need, offer) => {
      const proposal = {
        needId: need.split('/')[3],
        offerId: offer.split('/')[3],
        implementer: 'agency:cavr',
        legs: [{ offerLine: 1, needLine: 1, drawn: machines('10') }],
      };
      const { location = '' } = must(await post('/v1/commitments', proposal, JAPAN, WAIT)).headers;
      must(await send(location, 'accept', {}, VANUATU, WAIT));
      must(await send(location, 'consent-task', {}, CAVR));
      must(await send(location, 'sign', {}, JAPAN));
      must(await send(location, 'sign', {}, VANUATU));
      return location;
    },
  };
};
