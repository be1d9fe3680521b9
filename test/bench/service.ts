import type { Host } from '#hosting';
import { contexts } from '#services';
import { createApp } from '../../apps/pledgebook/app.js';
import type { Actor } from '#kernel';
import type { Context } from '#web';
import { COORDINATOR, REGISTERED } from './content.js';

/** A service in this process, without a rate limit. */
export interface BenchedService {
  readonly app: Host;
  readonly url: string;
  readonly tokenOf: (actor: Actor) => Promise<string>;
  /** Sends JSON and answers JSON; throws where the answer is no success. */
  readonly post: (path: string, body: object, as: Actor, ifMatch?: number) => Promise<Answered>;
}

export interface Answered {
  readonly headers: Headers;
  readonly body: { readonly id: string; readonly revision: number };
}

/** The whole service on a folder. */
export const serve = async (
  dataFolder: string,
  more: readonly Context[] = [],
  registering: readonly string[] = REGISTERED,
): Promise<BenchedService> =>
  served(await createApp({ dataFolder, rate: 'off', contexts: [...contexts, ...more] }), registering);

/** The service at an address of its own, with the parties that the bench's content speaks of unless told. */
export const served = async (app: Host, registering: readonly string[] = REGISTERED): Promise<BenchedService> => {
  const url = await app.listen(0);
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = ({ party, role }: Actor): Promise<string> => {
    const token = tokens.get(`${role} ${party}`) ?? app.token({ party, roles: [role] });
    tokens.set(`${role} ${party}`, token);
    return token;
  };
  const post = async (path: string, body: object, as: Actor, ifMatch?: number): Promise<Answered> => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tokenOf(as)}`,
        'content-type': 'application/json',
        ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${text}`);
    return { headers: response.headers, body: JSON.parse(text) as Answered['body'] };
  };
  for (const id of registering) await post('/v1/parties', { id, name: id }, COORDINATOR);
  return { app, url, tokenOf, post };
};
