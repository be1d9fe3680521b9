import type { Body, Client } from './demo/client.js';
import { listIn } from './demo/client.js';
import type { HeldCase, Player } from './real-cases.js';
import { COORDINATOR } from './real-cases.js';

/** What the newest rules say of one item of a published request and one published offer. */
export interface RealMatch {
  readonly request: string;
  readonly item: string;
  readonly offer: string;
  /** `admitted`, `blocked`, or `not matched`: one of the two is held as something that no rule judges. */
  readonly outcome: string;
  /** Codes of the rules that block it; where nothing is judged, what the row is held as. */
  readonly why: string;
  /** The smallest change that would unlock it, in words; none where it is admitted or no change of the two could. */
  readonly unlock: string;
}

const COLUMNS = ['request', 'item', 'offer', 'outcome', 'why', 'unlock'] as const;

/** The rows as the file has them: CSV with a head, quoted where a comma stands in it. */
export const tableOf = (rows: readonly RealMatch[]): string =>
  [COLUMNS.join(','), ...rows.map((row) => COLUMNS.map((column) => quoted(row[column])).join(','))].join('\n') + '\n';

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Every item of the requests against every row of the offers, in the order of the files. Needs and offers are filed as their parties would,
 * by `player`; a row that is held as something else (a call, a contribution, a draft without lines) is judged by no rule.
 */
export const realMatches = async (
  client: Client,
  player: Player,
  cases: readonly HeldCase[],
  settled: () => Promise<void>,
): Promise<readonly RealMatch[]> => {
  const of = (file: string): readonly HeldCase[] => cases.filter(({ published }) => published.file === file);
  const isNeed = ({ held }: HeldCase): boolean => held.claimedAs === 'need' || held.claimedAs === 'joint need';
  const isOffer = ({ held }: HeldCase): boolean => held.claimedAs === 'offer';
  const paths = new Map<string, string>();
  for (const each of [...of('needs.csv').filter(isNeed), ...of('offers.csv').filter(isOffer)]) {
    const { path } = await player.play(each);
    if (path === undefined) throw new Error(`${each.published.key} is held by no record`);
    paths.set(each.published.key, path);
  }
  await settled();
  const rows: RealMatch[] = [];
  for (const need of of('needs.csv')) {
    const path = paths.get(need.published.key);
    const list =
      path === undefined
        ? undefined
        : (await client.get(`${path}/matches?includeBlocked=true&limit=200`, COORDINATOR)).body;
    const [request = '', item = ''] = need.published.key.split('/');
    for (const offer of of('offers.csv')) {
      const offerPath = paths.get(offer.published.key);
      const named = { request, item, offer: offer.published.key };
      if (list === undefined || offerPath === undefined) {
        const [held, what] = list === undefined ? [need, 'request'] : [offer, 'offer'];
        const as = held.held.claimedAs === 'none' ? 'reported record' : held.held.claimedAs;
        rows.push({ ...named, outcome: 'not matched', why: `the ${what} is held as a ${as}`, unlock: '' });
      } else rows.push({ ...named, ...judgedIn(list, offerPath.slice(offerPath.lastIndexOf('/') + 1)) });
    }
  }
  return rows;
};

const judgedIn = (list: Body, offerId: string): Pick<RealMatch, 'outcome' | 'why' | 'unlock'> => {
  const found = (name: string): Body | undefined => listIn(list, name).find((each) => each.offerId === offerId);
  if (found('items') !== undefined) return { outcome: 'admitted', why: '', unlock: '' };
  const blocked = found('blocked');
  if (blocked === undefined) throw new Error(`the offer ${offerId} is neither matched nor blocked`);
  return {
    outcome: 'blocked',
    why: listIn(blocked, 'reasons')
      .map(({ code }) => String(code))
      .join(' '),
    unlock: listIn(blocked, 'unlock')
      .map(({ change }) => String(change))
      .join('; '),
  };
};
