import type { Kind, Quantity } from '#vocabulary';
import { formatQuantity, isDeterminate, isRival, quantityOf, sameMeasure } from '#vocabulary';
import type { Change } from './changes.js';
import { ofEarmark, ofNeed, ofOffer } from './changes.js';
import { kindsOf, isScope, linePairs, list, lotOf, measureOf, servable } from './lines.js';
import type { AskedLine, Block, BlockCode, OfferedLine, OfferSide, Pairing } from './sides.js';

/** Whether anything of the need could be served now, by a figure or in words. */
export const isServed = ({ need, offer }: Pick<Pairing, 'need' | 'offer'>): boolean => {
  const { coverage, scopes } = servable(need, offer);
  return coverage.length > 0 || scopes.length > 0;
};

/** The first rule about lines that fails: each presupposes those before it, so that there is one at the most. */
export const lineBlock = ({ need, offer }: Pick<Pairing, 'need' | 'offer'>): Block | undefined => {
  const pairs = linePairs(need, offer);
  const asked = { lines: need.lines.map(({ line, kind, quantity }) => ({ line, kind, quantity })) };
  if (pairs.length === 0) {
    const given = kindsOf(offer);
    return {
      code: 'kind',
      because: `the need asks for ${list(kindsAsked(need.lines))}; the offer gives ${list(given) || 'none of them'}`,
      need: { kinds: kindsAsked(need.lines) },
      offer: {
        lines: offer.lines.map(({ line, kinds }) => ({ line, kinds })),
        ...(offer.earmark.kinds === undefined ? {} : { earmark: { kinds: offer.earmark.kinds } }),
      },
    };
  }
  const alike = pairs.filter((pair) => pair.alike || isScope(pair));
  const [lines, figures] = [linesOf(pairs.map(({ offerLine }) => offerLine)), figuresOf(need.lines)];
  if (alike.length === 0) {
    return {
      code: 'measure',
      because: `no line of the offer is in the measure, currency or unit that the need asks in (${list(pairs.map(({ needLine }) => measureOf(needLine.quantity)))})`,
      need: asked,
      offer: { lines: lines.map(({ line, capacity }) => ({ line, capacity })) },
    };
  }
  const wanted = alike.filter((pair) => isScope(pair) || pair.needLine.outstanding > 0n);
  if (wanted.length === 0) {
    return {
      code: 'outstanding',
      because: 'nothing is outstanding on the lines that this offer could serve',
      need: { lines: figures },
      offer: { lines },
    };
  }
  if (!wanted.some(({ offerLine: { available } }) => available === 'unlimited' || available > 0n)) {
    return {
      code: 'capacity',
      because: "nothing is left on the offer's lines that could serve this need",
      need: { lines: figures },
      offer: { lines: linesOf(wanted.map(({ offerLine }) => offerLine)) },
    };
  }
  if (isServed({ need, offer })) return undefined;
  const lots = [...new Map(wanted.map(({ offerLine }) => [offerLine.line, offerLine])).values()];
  return {
    code: 'below-minimum-lot',
    because: `what could be served now is less than the smallest lot of the offer (${list(lots.map(lotOf))})`,
    need: { lines: figures },
    offer: { lines: linesOf(lots) },
  };
};

const kindsAsked = (lines: readonly AskedLine[]): readonly Kind[] => [...new Set(lines.map(({ kind }) => kind))];

const figuresOf = (lines: readonly AskedLine[]): readonly object[] =>
  lines.map(({ line, quantity, outstanding }) => ({
    line,
    outstanding: isRival(quantity) ? quantityOf(quantity, outstanding) : quantity,
  }));

const linesOf = (
  lines: readonly OfferedLine[],
): readonly { line: number; capacity: Quantity; available: unknown; minimumLot?: Quantity }[] =>
  [...new Map(lines.map((line) => [line.line, line])).values()].map(({ line, capacity, available, minimumLot }) => ({
    line,
    capacity,
    available: available === 'unlimited' || !isDeterminate(capacity) ? available : quantityOf(capacity, available),
    ...(minimumLot === undefined || !isDeterminate(capacity) ? {} : { minimumLot: quantityOf(capacity, minimumLot) }),
  }));

const largest = (values: readonly bigint[]): bigint =>
  values.reduce((most, value) => (value > most ? value : most), 1n);

/** Whatever a side could change about its lines; a State is asked how much and in what measure it asks, never to ask for something else. */
export const lineChanges = ({ need, offer }: Pick<Pairing, 'need' | 'offer'>): readonly Change[] => [
  ...kindChanges(need.lines, offer),
  ...need.lines.flatMap((line) => askedMore(line, offer)),
  ...offer.lines.flatMap((line) => offeredMore(line, need.lines)),
  ...need.lines.flatMap((asked) => offer.lines.flatMap((given) => remeasured(asked, given))),
  ...need.lines.map((asked) => addedLine(asked, offer, lineBlock({ need, offer })?.code ?? 'kind')),
];

const kindChanges = (lines: readonly AskedLine[], { earmark, lines: given }: OfferSide): readonly Change[] =>
  kindsAsked(lines).flatMap((kind) => [
    ...given
      .filter(({ kinds }) => kinds.length > 0 && !kinds.includes(kind))
      .map(({ line }) =>
        ofOffer({ code: 'kind', to: `let line ${line} give ${kind} too`, breadth: 1, line }, (offer) =>
          withLine(offer, line, (each) => ({ ...each, kinds: [...each.kinds, kind] })),
        ),
      ),
    ...(earmark.kinds === undefined || earmark.kinds.length === 0 || earmark.kinds.includes(kind)
      ? []
      : [
          ofEarmark({ code: 'kind', to: `add ${kind} to the kinds of the earmark`, breadth: 1 }, (narrow) => ({
            ...narrow,
            kinds: [...(narrow.kinds ?? []), kind],
          })),
        ]),
  ]);

const withLine = (offer: OfferSide, line: number, changed: (line: OfferedLine) => OfferedLine): OfferSide => ({
  ...offer,
  lines: offer.lines.map((each) => (each.line === line ? changed(each) : each)),
});

/** Asking for more helps where nothing is outstanding, and where a smallest lot is more than what is. */
const askedMore = ({ line, quantity, outstanding }: AskedLine, { lines }: OfferSide): readonly Change[] => {
  if (!isRival(quantity)) return [];
  const alike = lines.filter(({ capacity }) => sameMeasure(quantity, capacity));
  const enough = largest(alike.map(({ minimumLot = 1n }) => minimumLot));
  if (outstanding >= enough) return [];
  return [
    ofNeed(
      {
        code: outstanding === 0n ? 'outstanding' : 'below-minimum-lot',
        to: `ask for more on line ${line}: at least ${formatQuantity(quantityOf(quantity, enough))} outstanding`,
        breadth: 2,
      },
      (need) => ({
        ...need,
        lines: need.lines.map((each) => (each.line === line ? { ...each, outstanding: enough } : each)),
      }),
    ),
  ];
};

const offeredMore = (
  { line, capacity, available, minimumLot }: OfferedLine,
  asked: readonly AskedLine[],
): readonly Change[] => {
  if (!isRival(capacity) || available === 'unlimited') return [];
  const enough = largest([
    minimumLot ?? 1n,
    ...asked.filter(({ quantity }) => sameMeasure(quantity, capacity)).map(({ outstanding }) => outstanding),
  ]);
  return [
    ...(available >= enough
      ? []
      : [
          ofOffer(
            {
              code: 'capacity',
              to: `raise what is left on line ${line} to ${formatQuantity(quantityOf(capacity, enough))}`,
              breadth: 2,
              line,
            },
            (offer) => withLine(offer, line, (each) => ({ ...each, available: enough })),
          ),
        ]),
    ...(minimumLot === undefined
      ? []
      : [
          ofOffer(
            {
              code: 'below-minimum-lot',
              to: `let less be drawn of line ${line} than its smallest lot`,
              breadth: 1,
              line,
            },
            (offer) => withLine(offer, line, ({ minimumLot: _, ...each }) => each),
          ),
        ]),
  ];
};

/** Either side turns to the measure of the other's line, where nothing is drawn on its own: such a line keeps its measure. */
const remeasured = (asked: AskedLine, given: OfferedLine): readonly Change[] => {
  if (!isDeterminate(asked.quantity) || sameMeasure(asked.quantity, given.capacity)) return [];
  return [
    ...(given.inUse === true ? [] : [statedIn(asked, given)]),
    ...(asked.inUse === true || !isDeterminate(given.capacity) ? [] : [askedIn(asked, given)]),
  ];
};

const statedIn = ({ quantity, outstanding }: AskedLine, given: OfferedLine): Change =>
  ofOffer(
    {
      code: 'measure',
      to: `state line ${given.line} in ${measureOf(quantity)}`,
      breadth: 3,
      line: given.line,
    },
    (offer) =>
      withLine(offer, given.line, ({ line, kinds }) => ({
        line,
        kinds,
        capacity: quantity,
        available: outstanding > 0n ? outstanding : 1n,
      })),
  );

const askedIn = (asked: AskedLine, { line, capacity, minimumLot, available }: OfferedLine): Change => {
  const wanted = isRival(capacity) ? largest([minimumLot ?? 1n, available === 'unlimited' ? 1n : available]) : 1n;
  return ofNeed(
    {
      code: 'measure',
      to: `ask line ${asked.line} in ${measureOf(capacity)}`,
      breadth: 3,
      line,
    },
    (need) => ({
      ...need,
      lines: need.lines.map((each) =>
        each.line === asked.line ? { ...each, quantity: quantityOf(capacity, wanted), outstanding: wanted } : each,
      ),
    }),
  );
};

const addedLine = (
  { kind, quantity, outstanding, line: of }: AskedLine,
  { lines }: OfferSide,
  code: BlockCode,
): Change => {
  const line = largest(lines.map(({ line: each }) => BigInt(each))) + BigInt(of);
  const known = isDeterminate(quantity);
  return ofOffer(
    {
      code,
      to: `add a line that gives ${kind}${known ? ` in ${measureOf(quantity)}` : ''}`,
      breadth: 4,
      line: Number(line),
    },
    (offer) => ({
      ...offer,
      lines: [
        ...offer.lines,
        {
          line: Number(line),
          kinds: [kind],
          capacity: known ? quantity : { measure: 'person-days', amount: '1' },
          available: known && outstanding > 0n ? outstanding : 1n,
        },
      ],
    }),
  );
};
