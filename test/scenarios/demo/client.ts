import type { Role } from '#vocabulary';

/** Who speaks: a party in one of its offices. */
export interface Office {
  readonly party: string;
  readonly role: Role;
}

/** Gives a token for an office, as `npm run token` does. */
export type TokenFor = (office: Office) => Promise<string>;

export type Body = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly location: string | undefined;
  readonly etag: string | undefined;
  readonly consistency: string | undefined;
}

/** The service answered something the demo does not expect: the demo ends there. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

interface Sent {
  readonly by?: Office;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect: number;
}

/** A client written from API.md alone: no knowledge of how the service is made. */
export class Client {
  private readonly tokens = new Map<string, Promise<string>>();
  /** Of the latest write: every read waits until it shows it. */
  private consistency: string | undefined;
  private writes = 0;

  constructor(
    private readonly baseUrl: string,
    private readonly tokenFor: TokenFor,
    /** `keys`: every write carries an idempotency key of this and its number, so that the same writes make the same ids. */
    private readonly options: { readonly keys?: string } = {},
  ) {}

  /** GET; without `by` as the anonymous public reader. */
  get(path: string, by?: Office): Promise<Answer> {
    return this.send('GET', path, this.reading(by));
  }

  /** GET of what is no JSON. */
  async file(path: string, by?: Office): Promise<Buffer> {
    return (await this.exchange('GET', path, this.reading(by))).bytes;
  }

  /** Every item of a list, page by page. */
  async all(path: string, by?: Office): Promise<readonly Body[]> {
    const items: Body[] = [];
    const separator = path.includes('?') ? '&' : '?';
    let cursor: string | undefined;
    do {
      const at = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await this.get(`${path}${separator}limit=50${at}`, by);
      items.push(...listIn(body, 'items'));
      cursor = typeof body.next === 'string' ? body.next : undefined;
    } while (cursor !== undefined);
    return items;
  }

  /** POST that creates a record: 201 with its `Location`. */
  create(path: string, by: Office, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.write(path, { by, body, headers, expect: 201 });
  }

  /** A command to an existing record at the revision it has now. */
  async command(
    record: string,
    name: string,
    by: Office,
    body: object = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { etag } = await this.get(record, by);
    const ifMatch = etag === undefined ? {} : { 'if-match': etag };
    return this.write(`${record}/${name}`, { by, body, headers: { ...ifMatch, ...headers }, expect: 200 });
  }

  /** A command to a record whose revision is known. */
  commandAt(revision: number, record: string, name: string, by: Office, body: object = {}): Promise<Answer> {
    return this.write(`${record}/${name}`, { by, body, headers: { 'if-match': `"${revision}"` }, expect: 200 });
  }

  private async write(path: string, { headers, ...sent }: Sent): Promise<Answer> {
    const { keys } = this.options;
    const key = keys === undefined ? {} : { 'idempotency-key': `${keys}-${(this.writes += 1)}` };
    const answer = await this.send('POST', path, { ...sent, headers: { ...key, ...headers } });
    this.consistency = answer.consistency ?? this.consistency;
    return answer;
  }

  private reading(by: Office | undefined): Sent {
    const headers = this.consistency === undefined ? {} : { 'consistency-token': this.consistency, prefer: 'wait=30' };
    return { ...(by === undefined ? {} : { by }), headers, expect: 200 };
  }

  private async send(method: 'GET' | 'POST', path: string, sent: Sent): Promise<Answer> {
    const { response, bytes } = await this.exchange(method, path, {
      ...sent,
      headers: { accept: 'application/json', ...sent.headers },
    });
    return {
      status: response.status,
      body: JSON.parse(bytes.toString()) as Body,
      location: response.headers.get('location') ?? undefined,
      etag: response.headers.get('etag') ?? undefined,
      consistency: response.headers.get('consistency-token') ?? undefined,
    };
  }

  private async exchange(
    method: 'GET' | 'POST',
    path: string,
    { by, body, headers, expect }: Sent,
  ): Promise<{ readonly response: Response; readonly bytes: Buffer }> {
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(by === undefined ? {} : { authorization: `Bearer ${await this.token(by)}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const { status } = response;
    if (status !== expect) {
      const who = by === undefined ? 'anyone' : `${by.party} as ${by.role}`;
      throw new UnexpectedAnswerError(
        `${method} ${path} by ${who}: expected ${expect}, got ${status}\n${bytes.toString()}`,
      );
    }
    return { response, bytes };
  }

  private token(office: Office): Promise<string> {
    const key = `${office.party} ${office.role}`;
    const known = this.tokens.get(key) ?? this.tokenFor(office);
    this.tokens.set(key, known);
    return known;
  }
}

/** The list in a field of an answer. @throws {UnexpectedAnswerError} */
export const listIn = (body: Body, field: string): readonly Body[] => {
  const value = body[field];
  if (!Array.isArray(value)) throw new UnexpectedAnswerError(`${field} is no list in ${JSON.stringify(body)}`);
  return value as Body[];
};

/** The text in a field of an answer. @throws {UnexpectedAnswerError} */
export const textIn = (body: Body, field: string): string => {
  const value = body[field];
  if (typeof value !== 'string') throw new UnexpectedAnswerError(`${field} is no text in ${JSON.stringify(body)}`);
  return value;
};

/** The object in a field of an answer. @throws {UnexpectedAnswerError} */
export const objectIn = (body: Body, field: string): Body => {
  const value = body[field];
  if (typeof value !== 'object' || value === null) {
    throw new UnexpectedAnswerError(`${field} is no object in ${JSON.stringify(body)}`);
  }
  return value as Body;
};

/** The address of what was created. @throws {UnexpectedAnswerError} */
export const locationOf = ({ location, body }: Answer): string => {
  if (location === undefined) throw new UnexpectedAnswerError(`no Location with ${JSON.stringify(body)}`);
  return location;
};

/** Fails the demo where the service says something else than it must. */
export const must = (holds: boolean, what: string): void => {
  if (!holds) throw new UnexpectedAnswerError(`not as it must be: ${what}`);
};
