import type { Quantity } from '#vocabulary';
import { add, measureKey, stateOf, stateOfParty, zeroLike } from '#vocabulary';
import type { TestApp, TestRequest } from './app.js';

/**
 * What `/v1/gaps` and `/v1/unused` have to answer a caller, added up one by one from the records as `GET` shows them to it: written
 * apart from the views and from what they read.
 */
type Dimension = 'kind' | 'region' | 'instrument' | 'network' | 'period';
type Figure = Quantity | 'not-measurable';

interface NeedShown {
  readonly id: string;
  readonly beneficiaries: readonly string[];
  readonly instruments: readonly string[];
  readonly period?: { readonly from: string; readonly to: string };
  /** In the body: there for those who see it. */
  readonly urgency?: string;
  readonly objections?: readonly string[];
  readonly lines?: readonly {
    readonly kind: string;
    readonly quantity: Quantity;
    readonly coverage: 'not-measurable' | Readonly<Record<'binding' | 'delivered' | 'outstanding', Quantity>>;
  }[];
}

interface OfferShown {
  readonly id: string;
  readonly earmark: Readonly<Partial<Record<'regions' | 'instruments' | 'networks' | 'kinds', readonly string[]>>>;
  readonly period?: { readonly from?: string; readonly to?: string };
  readonly lines: readonly (Readonly<Record<'held' | 'committed' | 'available', Figure>> & {
    readonly kinds: readonly string[];
    readonly capacity: Quantity;
  })[];
}

interface Part {
  readonly record: string;
  readonly quantity: Quantity;
  readonly figures: Readonly<Record<string, Quantity>> | undefined;
  readonly places: Readonly<Record<Dimension, readonly string[]>>;
}

/** Networks of a party, by its id. */
export type NetworksOf = (party: string) => readonly string[];

/** An item of either view. */
export type CellShown = Readonly<Record<string, unknown>>;

const listed = async <T>(app: TestApp, path: string, request: TestRequest): Promise<readonly T[]> => {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body, text } = await app.get(`${path}${more}`, request);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    items.push(...(body as { items: T[] }).items);
    cursor = (body as { next: string | null }).next;
  }
  return items;
};

const or = (values: readonly string[] | undefined, otherwise: string): readonly string[] =>
  values === undefined || values.length === 0 ? [otherwise] : [...new Set(values)];

const years = (period: { readonly from?: string; readonly to?: string } | undefined): readonly string[] => {
  const { from, to } = period ?? {};
  if (from === undefined && to === undefined) return ['open-ended'];
  if (from === undefined || to === undefined) return [(from ?? to ?? '').slice(0, 4), 'open-ended'];
  const all: string[] = [];
  for (let year = Number(from.slice(0, 4)); year <= Number(to.slice(0, 4)); year += 1) all.push(String(year));
  return all;
};

const product = (lists: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  lists.length === 0
    ? [[]]
    : (lists[0] ?? []).flatMap((value) => product(lists.slice(1)).map((rest) => [value, ...rest]));

/** The same items as a set would hold them: in the order of their text, names in the order of the alphabet. */
export const inOrder = (items: readonly CellShown[]): readonly CellShown[] =>
  items
    .map((item) => JSON.stringify(Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))))
    .sort()
    .map((text) => JSON.parse(text) as CellShown);

const added = (parts: readonly Part[], by: readonly Dimension[], name: 'needs' | 'offers'): readonly CellShown[] => {
  const cells = new Map<string, { parts: Part[]; at: readonly string[] }>();
  for (const part of parts) {
    for (const at of product(by.map((dimension) => part.places[dimension]))) {
      const { quantity } = part;
      const unlimited = quantity.measure === 'access' && quantity.amount === 'unlimited';
      const key = JSON.stringify([at, measureKey(quantity), unlimited]);
      const cell = cells.get(key) ?? { parts: [], at };
      cell.parts.push(part);
      cells.set(key, cell);
    }
  }
  const items = [...cells.values()].map(({ parts: of, at }): CellShown => {
    const [first] = of;
    if (first === undefined) throw new Error('a cell without a line');
    const { quantity } = first;
    const sums: Record<string, Quantity> = {};
    for (const { figures = {} } of of) {
      for (const [figure, amount] of Object.entries(figures)) {
        const before = sums[figure];
        const unlimited = amount.measure === 'access' && amount.amount === 'unlimited';
        sums[figure] = unlimited ? amount : add(before ?? zeroLike(amount), amount);
      }
    }
    const ids = [...new Set(of.map(({ record }) => record))].sort();
    return {
      ...Object.fromEntries(by.map((dimension, n) => [dimension, at[n]])),
      measure: quantity.measure,
      ...(quantity.measure === 'money' ? { currency: quantity.currency } : {}),
      ...(quantity.measure === 'items' ? { unit: quantity.unit } : {}),
      lines: of.length,
      ...sums,
      [name]: ids,
      [`${name}Count`]: ids.length,
    };
  });
  return inOrder(items);
};

/** Items of `/v1/gaps?by=…` for this caller. */
export const gapsFromRecords = async (
  app: TestApp,
  request: TestRequest,
  by: readonly Dimension[],
  networksOf: NetworksOf,
): Promise<readonly CellShown[]> => {
  const needs = await listed<NeedShown>(app, '/v1/needs?limit=200&status=open', request);
  const parts = needs
    .filter(({ urgency, beneficiaries, objections = [] }) => {
      return urgency !== undefined && beneficiaries.length > 0 && !objections.includes('circulation');
    })
    .flatMap(({ id, beneficiaries, instruments, period, lines = [] }) =>
      lines.map(({ kind, quantity, coverage }): Part => ({
        record: id,
        quantity,
        figures:
          coverage === 'not-measurable'
            ? undefined
            : {
                asked: quantity,
                binding: coverage.binding,
                delivered: coverage.delivered,
                unmet: coverage.outstanding,
              },
        places: {
          kind: [kind],
          instrument: instruments,
          period: years(period),
          region: or(
            beneficiaries.flatMap((party) => stateOf(stateOfParty(party) ?? '')?.regions ?? []),
            'none',
          ),
          network: or(
            beneficiaries.flatMap((party) => [...(party.startsWith('network:') ? [party] : []), ...networksOf(party)]),
            'none',
          ),
        },
      })),
    );
  return added(parts, by, 'needs');
};

/** Items of `/v1/unused?by=…` for this caller. */
export const unusedFromRecords = async (
  app: TestApp,
  request: TestRequest,
  by: readonly Dimension[],
): Promise<readonly CellShown[]> => {
  const offers = [
    ...(await listed<OfferShown>(app, '/v1/offers?limit=200&status=open', request)),
    ...(await listed<OfferShown>(app, '/v1/offers?limit=200&status=suspended', request)),
  ];
  const parts = offers.flatMap(({ id, earmark, period, lines }) =>
    lines.map(({ kinds, capacity, held, committed, available }): Part => {
      const both = kinds.filter((kind) => earmark.kinds?.includes(kind));
      const either = kinds.length === 0 ? earmark.kinds : kinds;
      return {
        record: id,
        quantity: capacity,
        figures:
          held === 'not-measurable' || committed === 'not-measurable' || available === 'not-measurable'
            ? undefined
            : { capacity, held, committed, available },
        places: {
          kind: kinds.length > 0 && (earmark.kinds ?? []).length > 0 ? or(both, 'none') : or(either, 'any'),
          region: or(earmark.regions, 'any'),
          instrument: or(earmark.instruments, 'any'),
          network: or(earmark.networks, 'any'),
          period: years(period),
        },
      };
    }),
  );
  return added(parts, by, 'offers');
};
