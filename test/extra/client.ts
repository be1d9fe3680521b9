import { randomUUID } from 'node:crypto';
import { LocalIssuer } from '#web';

/** Who asks: a party in a role. */
export interface Who {
  readonly party: string;
  readonly role: string;
}

export const COORDINATOR: Who = { party: 'agency:secretariat', role: 'coordinator' };
export const OPERATOR: Who = { party: 'agency:hosting', role: 'operator' };
export const DONORS: readonly Who[] = [
  { party: 'donor:japan', role: 'donor-desk' },
  { party: 'donor:norway', role: 'donor-desk' },
];
/** Keeps its book: what it signs stands on its decisions. */
export const FUND: Who = { party: 'fund:pacific', role: 'donor-desk' };
export const STATES: readonly Who[] = [
  { party: 'state:VUT', role: 'npc' },
  { party: 'state:FJI', role: 'npc' },
];

/** A request that can be sent again as it was: same key, same body, same correlation id. */
export interface Intent {
  readonly id: string;
  readonly who: Who;
  readonly path: string;
  readonly body: object;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record as answers show it, as far as these tests look. */
export interface RecordView {
  readonly id: string;
  readonly revision: number;
  readonly status: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: RecordView;
  readonly location: string | undefined;
  readonly etag: string | undefined;
  readonly token: string | undefined;
}

/** Callers with tokens of one data folder. */
export class Tokens {
  private readonly made = new Map<string, string>();
  private readonly issuer: LocalIssuer;

  constructor(dataFolder: string) {
    this.issuer = LocalIssuer.open(dataFolder);
  }

  async of({ party, role }: Who): Promise<string> {
    const key = `${party} ${role}`;
    const token = this.made.get(key) ?? (await this.issuer.token({ party, roles: [role] }));
    this.made.set(key, token);
    return token;
  }
}

export const intent = (who: Who, path: string, body: object, headers: Record<string, string> = {}): Intent => ({
  id: randomUUID(),
  who,
  path,
  body,
  headers,
});

const received = async (
  url: string,
  init: RequestInit,
): Promise<{ readonly response: Response; readonly text: string }> => {
  try {
    const response = await fetch(url, init);
    // An answer that breaks off half-way was none.
    return { response, text: await response.text() };
  } catch (error) {
    throw new DisconnectedError('the server is gone', { cause: error });
  }
};

/** One server under test, by its address. */
export class Client {
  constructor(
    private readonly url: string,
    private readonly tokens: Tokens,
  ) {}

  /** @throws {DisconnectedError} */
  async post({ id, who, path, body, headers }: Intent): Promise<Answer> {
    return this.ask(path, who, { 'content-type': 'application/json', 'x-correlation-id': id, ...headers }, body);
  }

  get(path: string, who: Who, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask(path, who, headers);
  }

  private async ask(path: string, who: Who, headers: Readonly<Record<string, string>>, body?: object): Promise<Answer> {
    const authorization = `Bearer ${await this.tokens.of(who)}`;
    const { response, text } = await received(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: JSON.parse(text) as RecordView,
      location: response.headers.get('location') ?? undefined,
      etag: response.headers.get('etag') ?? undefined,
      token: response.headers.get('consistency-token') ?? undefined,
    };
  }
}

/** The connection broke: nothing is known of the request. */
export class DisconnectedError extends Error {
  override readonly name = 'DisconnectedError';
}

/** What an answer must be for a test to go on. */
export const mustBe = (status: number, answer: Answer): Answer => {
  if (answer.status !== status)
    throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
  return answer;
};

const PARTY = { category: 'bilateral', contact: { office: 'Desk', mailbox: 'desk@example.org' } };

export const registerDonors = async (client: Client): Promise<void> => {
  for (const { party } of [...DONORS, FUND]) {
    mustBe(201, await client.post(intent(COORDINATOR, '/v1/parties', { id: party, name: party, ...PARTY })));
  }
  const decidingBody = { name: 'Committee', members: [DONORS[0]!.party] };
  mustBe(201, await client.post(intent(COORDINATOR, '/v1/funds', { fund: FUND.party, currency: 'USD', decidingBody })));
};

export const seats = (amount: number): object => ({ measure: 'seats', amount: String(amount) });
export const usd = (amount: number): object => ({ measure: 'money', currency: 'USD', amount: `${amount}.00` });
export const uses = (amount: number): object => ({ measure: 'access', amount: String(amount) });

export const offerBody = (title: string, capacity: number): object => ({
  title,
  lines: [{ kinds: ['training'], capacity: seats(capacity) }],
  visibility: 'public',
});

export const needBody = (title: string, asked: number): object => ({
  title,
  kinds: ['training'],
  instruments: ['ATT'],
  lines: [{ kind: 'training', quantity: seats(asked) }],
  authorityRef: 'Note Verbale 12/2026',
  visibility: 'public',
});

export const legsOf = (drawn: number): object[] => [{ offerLine: 1, needLine: 1, drawn: seats(drawn) }];

/** An open need, with every consent given. */
export const openNeed = async (client: Client, who: Who, title: string, asked: number): Promise<string> => {
  const { body } = mustBe(201, await client.post(intent(who, '/v1/needs', needBody(title, asked))));
  const consent = { circulate: true, publish: true };
  mustBe(200, await client.post(intent(who, `/v1/needs/${body.id}/submit`, { consent }, { 'if-match': '"0"' })));
  mustBe(200, await client.post(intent(COORDINATOR, `/v1/needs/${body.id}/open`, {}, { 'if-match': '"1"' })));
  return body.id;
};

interface Progress {
  readonly items: readonly {
    readonly name: string;
    readonly position: string;
    readonly lag: string;
    readonly stuck?: readonly unknown[];
  }[];
}

/** Waits until processes and projections have come to the end of the log, also of what the processes wrote meanwhile. */
export const settled = async (client: Client): Promise<void> => {
  const until = Date.now() + 60_000;
  for (let before = ''; Date.now() < until;) {
    const parts: string[] = [];
    for (const kind of ['processes', 'projections']) {
      const { items } = (await client.get(`/v1/admin/${kind}`, OPERATOR)).body as unknown as Progress;
      for (const { name, lag, position, stuck = [] } of items) {
        if (stuck.length > 0) throw new Error(`${name} is stuck: ${JSON.stringify(stuck)}`);
        parts.push(lag === '0' ? position : 'behind');
      }
    }
    const now = parts.join(' ');
    if (!now.includes('behind') && now === before) return;
    before = now;
  }
  throw new Error('processes and projections did not come to the end of the log in a minute');
};
