import { createHash } from 'node:crypto';
import type { ManualClock } from '#kernel';
import type { Shape } from '../support/app.js';
import type { Response } from '../support/http.js';
import { sendPlain } from '../support/http.js';

/** Who speaks: a party in one of its offices. */
export interface Office {
  readonly party: string;
  readonly role: string;
  readonly sub?: string;
}

export type Body = Readonly<Record<string, unknown>>;

/** A record of the story: where it is served. */
export interface Made {
  readonly path: string;
  readonly id: string;
}

export const SECRETARIAT: Office = { party: 'agency:secretariat', role: 'coordinator' };
/** A second coordinator: nobody opens what it transcribed itself. */
export const REVIEWER: Office = { party: 'agency:reviewers', role: 'coordinator' };
export const VANUATU: Office = { party: 'state:VUT', role: 'npc' };
export const FIJI: Office = { party: 'state:FJI', role: 'npc', sub: 'npc@fiji.example' };
export const PAPUA: Office = { party: 'state:PNG', role: 'npc' };
export const SOLOMONS: Office = { party: 'state:SLB', role: 'mission' };
export const MSG: Office = { party: 'network:msg', role: 'network-host' };
export const UNSCAR: Office = { party: 'fund:unscar', role: 'donor-desk' };
export const PACIFIC: Office = { party: 'fund:pacific', role: 'donor-desk' };
export const JAPAN: Office = { party: 'donor:japan', role: 'donor-desk' };
export const NORWAY: Office = { party: 'donor:norway', role: 'donor-desk' };
export const CAVR: Office = { party: 'agency:cavr', role: 'implementer' };
export const TREASURER: Office = { party: 'agency:cavr', role: 'fiscal-agent' };
export const PAYMASTER: Office = { party: 'agency:paymaster', role: 'fiscal-agent' };
/** Verifies what others deliver. */
export const OBSERVER: Office = { party: 'agency:observer', role: 'implementer' };

export const DAY = 86_400_000;

export const money = (currency: string, amount: string): Body => ({ measure: 'money', currency, amount });
export const usd = (amount: string): Body => money('USD', amount);
export const days = (amount: string): Body => ({ measure: 'person-days', amount });
export const seats = (amount: number): Body => ({ measure: 'seats', amount: String(amount) });
/** A paper by a hash that nobody uploaded. */
export const paper = (kind: string, title: string, label?: string): Body => ({
  ...{ kind, title, sha256: createHash('sha256').update(title).digest('hex') },
  ...(label === undefined ? {} : { label }),
});

/** The service, its callers and its clock. After every write all processes and projections have caught up. */
export class Play {
  constructor(
    private readonly app: Pick<Shape, 'settled' | 'ticker' | 'token'>,
    private readonly url: string,
    private readonly clock: ManualClock,
  ) {}

  get today(): string {
    return this.clock.now().toISOString().slice(0, 10);
  }

  /** All processes and projections have caught up with what was written beside the requests. */
  caughtUp(): Promise<void> {
    return this.app.settled();
  }

  async create(
    as: Office,
    path: string,
    body: Body,
    headers: Readonly<Record<string, string>> = {},
    expected = 201,
  ): Promise<Made> {
    const answer = await this.send(as, 'POST', path, body, headers, expected);
    const location = String(answer.headers.location);
    return { path: location, id: location.slice(location.lastIndexOf('/') + 1) };
  }

  async command(as: Office, { path }: Made, name: string, body: Body = {}): Promise<Body> {
    const { headers } = await this.send(as, 'GET', path, undefined, {}, 200);
    const ifMatch = { 'if-match': String(headers.etag) };
    return (await this.send(as, 'POST', `${path}/${name}`, body, ifMatch, 200)).body;
  }

  async send(
    as: Office,
    method: 'GET' | 'POST',
    path: string,
    body: Body | undefined,
    headers: Readonly<Record<string, string>>,
    expected: number,
  ): Promise<Response> {
    const answer = await sendPlain(method, `${this.url}${path}`, {
      headers: {
        authorization: await this.authorization(as),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status !== expected)
      throw new Error(`${method} ${path} by ${as.party}: ${answer.status} ${answer.text}`);
    if (method === 'POST') await this.app.settled();
    return answer;
  }

  /** Brings a file in one chunk; answers its hash. */
  async upload(as: Office, text: string, more: Body = {}): Promise<string> {
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const { path } = await this.create(as, '/v1/documents', {
      sha256,
      size: bytes.length,
      mediaType: 'text/plain',
      ...more,
    });
    const { status, text: refusal } = await sendPlain('PATCH', `${this.url}${path}`, {
      headers: {
        authorization: await this.authorization(as),
        'content-type': 'application/offset+octet-stream',
        'upload-offset': '0',
      },
      body: bytes,
    });
    if (status !== 204) throw new Error(`PATCH ${path}: ${status} ${refusal}`);
    await this.app.settled();
    return sha256;
  }

  /** Lets time pass, and every deadline that falls into it. */
  async pass(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await this.app.ticker.tickNow();
    await this.app.settled();
  }

  private async authorization({ party, role, sub = `${role}@${party}` }: Office): Promise<string> {
    return `Bearer ${await this.app.token({ party, roles: [role], sub })}`;
  }
}

/** A need that a State filed, and a coordinator opened. */
export const openNeed = async (
  play: Play,
  as: Office,
  body: Body,
  before?: (need: Made) => Promise<void>,
): Promise<Made> => {
  const need = await play.create(as, '/v1/needs', {
    ...{ kinds: ['training'], instruments: ['UNPoA'], authorityRef: 'Note Verbale 20/2026', visibility: 'public' },
    ...body,
  });
  await before?.(need);
  await play.command(as, need, 'submit', { consent: { circulate: true, publish: true } });
  await play.command(SECRETARIAT, need, 'open');
  return need;
};

export const propose = (
  play: Play,
  as: Office,
  offer: Made,
  need: Made,
  legs: readonly Body[],
  more: Body = {},
): Promise<Made> => play.create(as, '/v1/commitments', { offerId: offer.id, needId: need.id, legs, ...more });

/** Accepted by the first, consented to by every agency, signed by all who sign. */
export const bind = async (
  play: Play,
  commitment: Made,
  { accepts, agencies = [], sign }: { accepts: Office; agencies?: readonly Office[]; sign: readonly Office[] },
): Promise<void> => {
  await play.command(accepts, commitment, 'accept');
  for (const agency of agencies) await play.command(agency, commitment, 'consent-task');
  for (const signatory of sign) await play.command(signatory, commitment, 'sign');
};

/** Proposed by the first, accepted by the second. */
export const amend = async (
  play: Play,
  commitment: Made,
  [by, other]: readonly [Office, Office],
  body: Body,
): Promise<void> => {
  await play.command(by, commitment, 'amend', { reason: 'As the sides agreed.', ...body });
  await play.command(other, commitment, 'amend-accept');
};
