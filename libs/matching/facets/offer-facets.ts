import { stateOf, stateOfParty, stateParty } from '#vocabulary';
import { isDeterminate, isUnlimited, measureKey } from '#vocabulary';
import type { IndexedOffer } from '../match-index.projection.js';
import { providersOf } from '../match-index.projection.js';
import type { NeedSide } from '../rules/sides.js';
import { offerSide } from '../standing.js';
import type { Facets, Key, Sought } from './facet-table.js';
import { ANY, dayNumber, figuresOf, keysOf, primaryTag, WORLD } from './keys.js';

/** What an offer is found by: what its earmark and lines admit, as far as bits and figures can say. */
export const facetsOfOffer = (offer: IndexedOffer): Facets => {
  const { content, status } = offer;
  const { earmark } = content;
  const { lines } = offerSide('', offer, []);
  const serving = lines.filter(
    ({ capacity, available }) => isDeterminate(capacity) && (available === 'unlimited' || available > 0n),
  );
  const allowed = earmark.kinds ?? [];
  const kinds = serving.flatMap(({ kinds: given }): readonly string[] => {
    if (given.length === 0) return allowed.length === 0 ? [ANY] : allowed;
    return allowed.length === 0 ? given : given.filter((kind) => allowed.includes(kind));
  });
  const left: Record<string, number> = {};
  for (const { capacity, available } of serving) {
    const column = `left ${measureKey(capacity)}`;
    left[column] = Math.max(left[column] ?? 0, isUnlimited(capacity) ? Infinity : Number(available));
  }
  return {
    keys: [
      ...(status === 'open' ? ['open'] : []),
      ...keysOf('kind', [...new Set(kinds)]),
      ...keysOf('measure', [...new Set(serving.map(({ capacity }) => measureKey(capacity)))]),
      ...(serving.length > 0 ? [`measure ${ANY}`] : []),
      ...keysOf('instrument', orAny(earmark.instruments)),
      ...keysOf(
        'beneficiary',
        orAny(earmark.beneficiaries?.map((entry) => (entry.includes(':') ? entry : stateParty(entry)))),
      ),
      ...keysOf('region', orAny(earmark.regions)),
      ...keysOf('network', orAny(earmark.networks)),
      ...keysOf('language', orAny(content.languages?.map(primaryTag))),
      ...(earmark.traffickingNexus === true ? [] : [`nexus ${ANY}`]),
      `label ${content.visibility}`,
      ...keysOf('provider', providersOf(offer)),
    ],
    figures: { ...figuresOf(content.period), ...left },
  };
};

const orAny = (values: readonly string[] | undefined): readonly string[] =>
  values === undefined || values.length === 0 ? [ANY] : values;

/** Which offers could serve a need on a day; `anonymous`: as far as anybody may see them. */
export const offersSoughtBy = (need: NeedSide, today: string, anonymous: boolean): Sought => {
  const { beneficiaries, memberships, networks } = need;
  const joint = beneficiaries.length > 1;
  const each = (values: (party: string) => readonly string[], facet: string): readonly (readonly Key[])[] =>
    beneficiaries.map((party) => keysOf(facet, [...values(party), ANY]));
  const lines = need.lines.filter(({ quantity, outstanding }) => outstanding > 0n || !isDeterminate(quantity));
  const measured = lines.every(({ quantity }) => isDeterminate(quantity));
  return {
    all: [
      ['open'],
      keysOf('instrument', [...need.instruments, ANY]),
      ...each((party) => [party], 'beneficiary'),
      ...(joint
        ? each((party) => [...(stateOf(stateOfParty(party) ?? '')?.regions ?? []), WORLD], 'region')
        : [keysOf('region', [...need.regions, WORLD, ANY])]),
      ...(joint && memberships !== undefined
        ? each((party) => [party, ...(memberships[party] ?? [])], 'network')
        : [keysOf('network', [...networks, ...beneficiaries, ANY])]),
      ...(need.languages === undefined || need.languages.length === 0
        ? []
        : [keysOf('language', [...need.languages.map(primaryTag), ANY])]),
      ...(need.traffickingNexus ? [] : [[`nexus ${ANY}`]]),
      ...(anonymous ? [['label public']] : []),
    ],
    oneOf:
      lines.length === 0
        ? [[[]]]
        : lines.map(({ kind, quantity }) => [
            keysOf('kind', [kind, ANY]),
            [`measure ${isDeterminate(quantity) ? measureKey(quantity) : ANY}`],
          ]),
    ranges: [
      { column: 'until', least: Math.max(dayNumber(today), dayNumber(need.period?.from)), most: Infinity },
      { column: 'since', least: -Infinity, most: dayNumber(need.period?.to, Infinity) },
    ],
    left: measured ? [...new Set(lines.map(({ quantity }) => `left ${measureKey(quantity)}`))] : [],
  };
};
