import fc from 'fast-check';
import { couldMatch, judge2 as judge } from './first-rulesets.js';
import type { Circumstances, NeedSide, OfferSide } from './sides.js';
import { byRank } from './sides.js';

const need = (changes: Partial<NeedSide> = {}): NeedSide => ({
  id: 'n1',
  beneficiaries: ['state:VUT'],
  sovereigns: ['VUT'],
  networks: ['network:msg'],
  regions: ['009', '054'],
  kinds: ['legal'],
  instruments: ['ATT'],
  traffickingNexus: false,
  urgency: 'normal',
  period: { from: '2027-01-01', to: '2027-12-31' },
  languages: ['en'],
  lines: [
    {
      line: 1,
      kind: 'legal',
      quantity: { measure: 'money', currency: 'USD', amount: '180000.00' },
      outstanding: 18_000_000n,
    },
  ],
  ...changes,
});

const offer = (changes: Partial<OfferSide> = {}): OfferSide => ({
  id: 'o1',
  provider: 'donor:japan',
  sovereigns: ['JPN'],
  suspended: false,
  earmark: {},
  conditions: [],
  lines: [
    {
      line: 1,
      kinds: ['legal'],
      capacity: { measure: 'money', currency: 'USD', amount: '90000.00' },
      available: 9_000_000n,
    },
  ],
  ...changes,
});

const today: Circumstances = {
  now: '2026-11-22T10:00:00.000Z',
  providerSeesNeed: true,
  recipientSeesOffer: true,
  earmarkReasons: [],
};

const blocks = (n: NeedSide, o: OfferSide, circumstances: Circumstances = today): string[] => {
  const judgement = judge(n, o, circumstances);
  return judgement.kind === 'blocked' ? judgement.blocks.map(({ code }) => code) : [];
};

const UNKNOWN = { measure: 'undetermined', why: 'to-be-assessed' } as const;

describe('ruleset 2', () => {
  it('says how much of which line a pairing could serve now', () => {
    const judgement = judge(need(), offer(), today);
    expect(judgement.kind === 'match' && judgement.coverage).toEqual([
      { needLine: 1, offerLine: 1, quantity: { measure: 'money', currency: 'USD', amount: '90000.00' } },
    ]);
  });

  it('never serves the same dollar of an offer to two lines of a need', () => {
    const judgement = judge(
      need({
        lines: [1, 2].map((line) => ({
          line,
          kind: 'legal',
          quantity: { measure: 'money', currency: 'USD', amount: '60000.00' },
          outstanding: 6_000_000n,
        })),
      }),
      offer(),
      today,
    );
    expect(
      judgement.kind === 'match' && judgement.coverage.map(({ needLine, quantity }) => [needLine, quantity]),
    ).toEqual([
      [1, { measure: 'money', currency: 'USD', amount: '60000.00' }],
      [2, { measure: 'money', currency: 'USD', amount: '30000.00' }],
    ]);
  });

  it.each<[string, Partial<NeedSide>, Partial<OfferSide>, Partial<Circumstances>, string]>([
    ['a suspended offer', {}, { suspended: true }, {}, 'offer-not-open'],
    ['a provider of the same sovereign', { sovereigns: ['JPN'] }, {}, {}, 'same-side'],
    ['no kind in common', {}, { lines: [{ ...offer().lines[0]!, kinds: ['training'] }] }, {}, 'kind'],
    ['no instrument in common', {}, { earmark: { instruments: ['UNPoA'] } }, {}, 'instrument'],
    ['an earmark for others', {}, {}, { earmarkReasons: ['only Fiji'] }, 'earmark'],
    ['a period that is over', {}, { period: { to: '2026-11-21' } }, {}, 'period'],
    ['periods that share no day', {}, { period: { from: '2028-01-01' } }, {}, 'period'],
    ['no language in common', {}, { languages: ['fr'] }, {}, 'language'],
    ['a provider that may not see the need', {}, {}, { providerSeesNeed: false }, 'visibility'],
    ['a State that may not see the offer', {}, {}, { recipientSeesOffer: false }, 'visibility'],
    [
      'another currency',
      {},
      { lines: [{ ...offer().lines[0]!, capacity: { measure: 'money', currency: 'EUR', amount: '90000.00' } }] },
      {},
      'measure',
    ],
    [
      'an offer without a figure',
      {},
      { lines: [{ ...offer().lines[0]!, capacity: { measure: 'undetermined', why: 'not-stated' }, available: 0n }] },
      {},
      'measure',
    ],
    [
      'less than the smallest lot',
      {},
      { lines: [{ ...offer().lines[0]!, minimumLot: 9_000_001n }] },
      {},
      'below-minimum-lot',
    ],
    [
      'a scope smaller than the smallest lot',
      { lines: [{ line: 1, kind: 'legal', quantity: UNKNOWN, outstanding: 0n }] },
      { lines: [{ ...offer().lines[0]!, minimumLot: 9_000_001n }] },
      {},
      'below-minimum-lot',
    ],
    ['nothing outstanding', { lines: [{ ...need().lines[0]!, outstanding: 0n }] }, {}, {}, 'outstanding'],
    ['nothing available', {}, { lines: [{ ...offer().lines[0]!, available: 0n }] }, {}, 'capacity'],
  ])('blocks %s and says why', (_, n, o, circumstances, code) => {
    expect(blocks(need(n), offer(o), { ...today, ...circumstances })).toEqual([code]);
  });

  it('serves a line whose quantity is not known yet, and says that no figure covers it', () => {
    const unknown = { line: 2, kind: 'legal', quantity: UNKNOWN, outstanding: 0n } as const;
    const alone = judge(need({ lines: [unknown] }), offer(), today);
    expect(alone).toMatchObject({ kind: 'match', coverage: [] });
    const [quantity, lines] = alone.kind === 'match' ? alone.components : [];
    expect(quantity).toMatchObject({ value: 0 });
    expect(quantity?.because).toContain('line 2 has no quantity yet and would be credited with a scope in words');
    expect(lines).toMatchObject({ value: 1, because: 'serves 1 of 1 open line' });
    const three = need({ lines: [need().lines[0]!, unknown, { ...unknown, line: 3 }] });
    const mixed = judge(three, offer({ lines: [{ ...offer().lines[0]!, available: 30_000_000n }] }), today);
    expect(mixed).toMatchObject({ kind: 'match', coverage: [{ needLine: 1 }] });
    // What the measured line takes is not there for a scope.
    expect(judge(three, offer(), today)).toMatchObject({ coverage: [{ needLine: 1 }] });
    expect(mixed.kind === 'match' && mixed.components[0]?.because).toContain('; lines 2, 3 have no quantity yet');
  });

  it('leaves out a line of which less than its smallest lot would be drawn', () => {
    const [line] = offer().lines;
    const judgement = judge(
      need(),
      offer({
        lines: [
          { ...line!, available: 15_000_000n },
          { ...line!, line: 2, minimumLot: 5_000_000n },
        ],
      }),
      today,
    );
    expect(judgement.kind === 'match' && judgement.coverage).toMatchObject([
      { offerLine: 1, quantity: { amount: '150000.00' } },
    ]);
    const reached = judge(need(), offer({ lines: [{ ...line!, minimumLot: 9_000_000n }] }), today);
    expect(reached).toMatchObject({ kind: 'match', coverage: [{ quantity: { amount: '90000.00' } }] });
  });

  it('serves whole uses of access, without end where the offer has none', () => {
    const asked = need({
      lines: [{ line: 1, kind: 'legal', quantity: { measure: 'access', amount: '3' }, outstanding: 3n }],
    });
    const access = (amount: string, available: bigint | 'unlimited') =>
      judge(
        asked,
        offer({ lines: [{ line: 1, kinds: [], capacity: { measure: 'access', amount }, available }] }),
        today,
      );
    expect(access('unlimited', 'unlimited')).toMatchObject({
      coverage: [{ quantity: { measure: 'access', amount: '3' } }],
    });
    expect(access('5', 2n)).toMatchObject({ coverage: [{ quantity: { measure: 'access', amount: '2' } }] });
    expect(access('5', 0n)).toMatchObject({ kind: 'blocked', blocks: [{ code: 'capacity' }] });
    const scope = need({ lines: [{ line: 1, kind: 'legal', quantity: UNKNOWN, outstanding: 0n }] });
    const course = {
      line: 1,
      kinds: [],
      capacity: { measure: 'access', amount: 'unlimited' },
      available: 'unlimited',
    } as const;
    expect(judge(scope, offer({ lines: [course] }), today)).toMatchObject({ kind: 'match', coverage: [] });
  });

  it('takes providers for one side with the State only where all of them belong to it', () => {
    expect(blocks(need(), offer({ sovereigns: ['VUT', 'JPN'] }))).toEqual([]);
    expect(blocks(need(), offer({ sovereigns: ['VUT', undefined] }))).toEqual([]);
    expect(blocks(need(), offer({ sovereigns: ['VUT', 'VUT'] }))).toEqual(['same-side']);
  });

  it('admits the last day of a period and one day in common', () => {
    expect(blocks(need(), offer({ period: { to: '2027-01-01' } }))).toEqual([]);
    expect(blocks(need({ period: { to: '2026-11-22' } }), offer({ period: { to: '2026-11-22' } }))).toEqual([]);
  });

  it('takes pt and pt-BR for one language', () => {
    expect(blocks(need({ languages: ['pt-BR'] }), offer({ languages: ['pt'] }))).toEqual([]);
  });

  it('counts an offer as able to match whatever is left on it', () => {
    expect(couldMatch(need(), offer({ lines: [{ ...offer().lines[0]!, available: 0n }] }), today)).toBe(true);
    expect(couldMatch(need(), offer({ suspended: true }), today)).toBe(false);
  });

  const side = fc.record({
    outstanding: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    available: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    urgent: fc.boolean(),
    level: fc.constantFrom('unearmarked', 'thematic', 'geographic', 'need-specific'),
    from: fc.constantFrom('2027-01-01', '2027-06-01', '2028-02-01'),
  });

  it('gives a score in 0..1 that is the sum of its parts, whose weights add up to one', () => {
    fc.assert(
      fc.property(side, ({ outstanding, available, urgent, level, from }) => {
        const judgement = judge(
          need({ urgency: urgent ? 'urgent' : 'normal', lines: [{ ...need().lines[0]!, outstanding }] }),
          offer({
            earmark: { level: level },
            period: { from },
            lines: [{ ...offer().lines[0]!, available }],
          }),
          today,
        );
        if (judgement.kind === 'blocked') return;
        const sum = judgement.components.reduce((total, { weight, value }) => total + weight * value, 0);
        expect(judgement.score).toBe(sum);
        expect(judgement.components.reduce((total, { weight }) => total + weight, 0)).toBeCloseTo(1, 12);
        for (const { value, because } of judgement.components) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
          expect(because).not.toBe('');
        }
        expect(judgement.score).toBeLessThanOrEqual(1);
      }),
    );
  });

  // I16. Seen to fail when byRank compared scores only: equal scores then kept the order of the input.
  it('ranks the same whatever the order the pairings come in', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ id: fc.uuid(), score: fc.constantFrom(0.1, 0.5, 0.9) }), {
          selector: ({ id }) => id,
          minLength: 2,
        }),
        fc.infiniteStream(fc.nat()),
        (pairs, noise) => {
          const shuffled = pairs
            .map((pair) => ({ pair, key: noise.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ pair }) => pair);
          expect([...shuffled].sort(byRank)).toEqual([...pairs].sort(byRank));
        },
      ),
    );
  });
});
