import { isDeterminate, measureKey, stateParty } from '#vocabulary';
import type { IndexedNeed } from '../match-index.projection.js';
import type { OfferSide } from '../rules/sides.js';
import { needSide } from '../standing.js';
import type { Facets, Sought } from './facet-table.js';
import { ANY, dayNumber, figuresOf, keysOf, primaryTag, WORLD } from './keys.js';

/** Memberships change with the day and the register: they are asked when an offer is matched, not kept. */
const NO_NETWORKS = { networksOf: (): readonly string[] => [] };

/** What a need is found by: what is still open of it, and for whom. */
export const facetsOfNeed = (indexed: IndexedNeed): Facets => {
  const need = needSide('', indexed, NO_NETWORKS);
  const open = need.lines.filter(({ quantity, outstanding }) => outstanding > 0n || !isDeterminate(quantity));
  const left: Record<string, number> = {};
  for (const { quantity, outstanding } of open) {
    const column = `left ${isDeterminate(quantity) ? measureKey(quantity) : ANY}`;
    left[column] = Math.max(left[column] ?? 0, isDeterminate(quantity) ? Number(outstanding) : Infinity);
  }
  return {
    keys: [
      ...keysOf('kind', [...new Set(open.map(({ kind }) => kind))]),
      ...keysOf('measure', [
        ...new Set(open.map(({ quantity }) => (isDeterminate(quantity) ? measureKey(quantity) : ANY))),
      ]),
      ...keysOf('instrument', need.instruments),
      ...keysOf('beneficiary', need.beneficiaries),
      ...keysOf('region', need.regions),
      ...keysOf(
        'language',
        need.languages === undefined || need.languages.length === 0 ? [ANY] : need.languages.map(primaryTag),
      ),
      ...(need.traffickingNexus ? ['nexus'] : []),
      `label ${indexed.content.visibility.body}`,
    ],
    figures: { ...figuresOf(need.period), ...left },
  };
};

/** Which needs an offer could serve on a day; `membersOf` names who is of a network on it. */
export const needsSoughtBy = (
  offer: OfferSide,
  today: string,
  membersOf: (network: string) => readonly string[],
  anonymous: boolean,
): Sought => {
  const { earmark, languages = [] } = offer;
  const part = <T>(values: readonly T[] | undefined): readonly T[] => values ?? [];
  const serving = offer.lines.filter(
    ({ capacity, available }) => isDeterminate(capacity) && (available === 'unlimited' || available > 0n),
  );
  const allowed = part(earmark.kinds);
  const over = offer.suspended || (offer.period?.to !== undefined && offer.period.to < today);
  return {
    all: [
      ...(part(earmark.instruments).length === 0 ? [] : [keysOf('instrument', part(earmark.instruments))]),
      ...(part(earmark.beneficiaries).length === 0
        ? []
        : [
            keysOf(
              'beneficiary',
              part(earmark.beneficiaries).map((entry) => (entry.includes(':') ? entry : stateParty(entry))),
            ),
          ]),
      ...(part(earmark.regions).length === 0 || part(earmark.regions).includes(WORLD)
        ? []
        : [keysOf('region', part(earmark.regions))]),
      ...(part(earmark.networks).length === 0
        ? []
        : [
            keysOf(
              'beneficiary',
              part(earmark.networks).flatMap((network) => [network, ...membersOf(network)]),
            ),
          ]),
      ...(languages.length === 0 ? [] : [keysOf('language', [...languages.map(primaryTag), ANY])]),
      ...(earmark.traffickingNexus === true ? [['nexus']] : []),
      ...(anonymous ? [['label public']] : []),
    ],
    oneOf:
      over || serving.length === 0
        ? [[[]]]
        : serving.map(({ kinds, capacity }) => {
            const given =
              kinds.length === 0
                ? allowed
                : allowed.length === 0
                  ? kinds
                  : kinds.filter((kind) => allowed.includes(kind));
            const any = kinds.length === 0 && allowed.length === 0;
            return [...(any ? [] : [keysOf('kind', given)]), [`measure ${measureKey(capacity)}`, `measure ${ANY}`]];
          }),
    ranges: [
      { column: 'until', least: dayNumber(offer.period?.from), most: Infinity },
      { column: 'since', least: -Infinity, most: dayNumber(offer.period?.to, Infinity) },
    ],
    left: [...new Set([...serving.map(({ capacity }) => `left ${measureKey(capacity)}`), `left ${ANY}`])],
  };
};
