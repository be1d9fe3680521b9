import type { Filing, WorldOptions } from '../../data/generated-world/generated-world.js';
import { generatedWorld } from '../../data/generated-world/generated-world.js';
import { COORDINATOR, heldCases, officeOf, Player, readHowHeld, registerParties, reportAll } from '../real-cases.js';
import type { TokenFor } from './client.js';
import { Client, locationOf, textIn, UnexpectedAnswerError } from './client.js';
import type { Say } from './printing.js';
import { heading, pair } from './printing.js';

/** The world of the README, always the same. */
const WORLD = { seed: 20_261_129, needs: 2_000, offers: 1_000 } as const;

export interface WorldRequest {
  readonly baseUrl: string;
  readonly tokenFor: TokenFor;
  /** Folder of the three case files. */
  readonly cases: string;
  readonly say: Say;
}

/** Requests under way at a time: enough that one write to disk serves many. */
const AT_ONCE = 32;

/**
 * Files the published needs and offers that can be held as such, and a generated world beside them, through the routes that their parties
 * would use. Every write carries a key of its own, so that ids are the same wherever this runs.
 * @throws {UnexpectedAnswerError} where the service answers anything else than it must
 */
export const fileWorld = async ({ baseUrl, tokenFor, cases, say }: WorldRequest): Promise<void> => {
  const client = new Client(baseUrl, tokenFor, { keys: 'published' });
  if ((await client.all('/v1/reported', COORDINATOR)).length > 0) {
    throw new UnexpectedAnswerError('this service holds reported records already: the world wants one without');
  }
  heading(say, 'A world to allocate in');
  const { reported, needs, offers } = await filePublished(client, cases);
  pair(say, 'published', `${reported} rows as reported records; ${needs} needs and ${offers} offers among them, filed`);
  await fileGenerated(new Client(baseUrl, tokenFor), WORLD);
  pair(say, 'generated', `${WORLD.needs} needs and ${WORLD.offers} offers, all INVENTED (seed ${WORLD.seed})`);
};

/** Files a generated world: its parties that are not registered yet, its offers, its needs until they stand open. */
export const fileGenerated = async (client: Client, size: Omit<WorldOptions, 'year'>): Promise<void> => {
  const world = generatedWorld({ ...size, year: new Date().getUTCFullYear() });
  const known = await registered(client);
  for (const party of world.parties) {
    if (!known.has(party.id)) await client.create('/v1/parties', COORDINATOR, party);
  }
  const keyOf = (kind: string, n: number): string => `world-${size.seed}-${kind}-${n}`;
  await inParallel(world.offers, ({ party, body }, n) =>
    client.create('/v1/offers', officeOf(party), body, { 'idempotency-key': keyOf('offer', n) }),
  );
  const fileNeed = async ({ party, body }: Filing, n: number): Promise<string> => {
    const office = officeOf(party);
    const path = locationOf(await client.create('/v1/needs', office, body, { 'idempotency-key': keyOf('need', n) }));
    await client.commandAt(0, path, 'submit', office, { consent: { circulate: true, publish: true } });
    await client.commandAt(1, path, 'open', COORDINATOR);
    return path;
  };
  const [first, ...others] = world.needs;
  await inParallel(others, (need, n) => fileNeed(need, n + 1));
  // After all others, and read as matching has it: from here on a run takes account of all of them.
  if (first !== undefined) await client.get(`${await fileNeed(first, 0)}/matches?limit=1`, COORDINATOR);
};

/** As `test/data/arms-control-assistance` says of each row. */
const filePublished = async (
  client: Client,
  folder: string,
): Promise<{ readonly reported: number; readonly needs: number; readonly offers: number }> => {
  const cases = heldCases(folder);
  await registerParties(client, readHowHeld(folder), await registered(client));
  const player = new Player(client, await reportAll(client, cases));
  let [needs, offers] = [0, 0];
  for (const each of cases) {
    const { claimedAs } = each.held;
    if (claimedAs === 'need' || claimedAs === 'joint need') needs += 1;
    else if (claimedAs === 'offer') offers += 1;
    else continue;
    await player.play(each);
  }
  return { reported: cases.length, needs, offers };
};

const registered = async (client: Client): Promise<ReadonlySet<string>> =>
  new Set((await client.all('/v1/parties', COORDINATOR)).map((party) => textIn(party, 'id')));

const inParallel = async <T>(list: readonly T[], each: (item: T, n: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < list.length; n = next++) await each(list[n] as T, n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
};
