import fc from 'fast-check';
import { needFromReport, offerFromReport } from './claimed-draft.js';
import { readReported } from './reported-content.js';

const LEAST = { kind: 'need', title: 'A need', source: { kind: 'published', url: 'https://example.org/a' } };

const faultsOf = (body: unknown): readonly string[] => {
  const read = readReported(body);
  return read.ok ? [] : read.faults.map(({ path }) => path).sort();
};

const contentOf = (over: object): Extract<ReturnType<typeof readReported>, { ok: true }>['value'] => {
  const read = readReported({ ...LEAST, ...over });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.value;
};

describe('the body of a reported record', () => {
  it('needs a kind, a title and a source, and nothing else', () => {
    expect(contentOf({})).toEqual({
      ...LEAST,
      donors: [],
      beneficiaries: [],
      kinds: [],
      instruments: [],
      what: {},
      visibility: 'public',
      amounts: 'not-published',
      dates: {},
      claims: [],
    });
    expect(faultsOf({})).toEqual(['kind', 'source', 'title']);
  });

  it('says where it was read: by reference or by address', () => {
    expect(faultsOf({ ...LEAST, source: { kind: 'published' } })).toEqual(['source.reference']);
    expect(faultsOf({ ...LEAST, source: { kind: 'published', reference: 'A/CONF.192/15' } })).toEqual([]);
    expect(faultsOf({ ...LEAST, source: { kind: 'published', url: 'javascript:alert(1)' } })).toEqual(['source.url']);
  });

  it('is members only for a transcribed paper unless narrower, and never public', () => {
    const source = { kind: 'transcribed', reference: 'Note Verbale 12/2026' };
    expect(contentOf({ source }).visibility).toBe('members');
    expect(contentOf({ source, visibility: 'named' }).visibility).toBe('named');
    expect(faultsOf({ ...LEAST, source, visibility: 'public' })).toEqual(['visibility']);
    expect(faultsOf({ ...LEAST, visibility: 'eligible' })).toEqual(['visibility']);
  });

  it('names parties by id, by State code or by published words', () => {
    const donors = ['donor:japan', 'DEU', 'state:FRA', { name: 'OSCE donors' }];
    expect(contentOf({ donors }).donors).toEqual(donors);
    expect(
      faultsOf({
        ...LEAST,
        donors: ['Germany', 'DEX', { name: '' }, {}, 7, null, 'system:timer', { name: 'a', id: 'b' }, 'DEU', 'DEU'],
      }),
    ).toEqual([
      'donors[0]',
      'donors[1]',
      'donors[2].name',
      'donors[3].name',
      'donors[4]',
      'donors[5]',
      'donors[6]',
      'donors[7].id',
      'donors[9]',
    ]);
  });

  it('keeps dates at the precision of the source, and refuses more', () => {
    const dates = { agreed: '2005', from: '2005-08', to: '2006-11-30' };
    expect(contentOf({ dates }).dates).toEqual(dates);
    expect(faultsOf({ ...LEAST, dates: { agreed: '2005-13', from: '2005-08-01T00:00:00Z', to: 2006 } })).toEqual([
      'dates.agreed',
      'dates.from',
      'dates.to',
    ]);
  });

  it('refuses a period only where no reading of its precisions puts it in order', () => {
    expect(faultsOf({ ...LEAST, dates: { from: '2006-07', to: '2006' } })).toEqual([]);
    expect(faultsOf({ ...LEAST, dates: { from: '2006-07-15', to: '2006-07' } })).toEqual([]);
    expect(faultsOf({ ...LEAST, dates: { from: '2006-08', to: '2006-07' } })).toEqual(['dates.to']);
  });

  it('keeps figures as published, with their qualifier, also in a withdrawn currency', () => {
    const amounts = [
      { measure: 'money', currency: 'EUR', amount: '10000000.00', qualifier: 'at-least' },
      { measure: 'money', currency: 'DEM', amount: '5.00' },
    ];
    expect(contentOf({ amounts }).amounts).toEqual(amounts);
    expect(faultsOf({ ...LEAST, amounts: [] })).toEqual(['amounts']);
    expect(faultsOf({ ...LEAST, amounts: 'unknown' })).toEqual(['amounts']);
    expect(faultsOf({ ...LEAST, amounts: [{ measure: 'money', currency: 'EUR', amount: 5 }] })).toEqual([
      'amounts[0].amount',
    ]);
  });

  it('keeps what contradicting sources claim, side by side', () => {
    const claims = [
      { value: { measure: 'items', unit: 'tonne', amount: '133000' }, source: 'nyjtimes.com' },
      { value: '133 tons', source: { kind: 'published', url: 'https://for-ua.com/article/1005044' } },
    ];
    expect(contentOf({ claims }).claims).toEqual(claims);
    expect(faultsOf({ ...LEAST, claims: [{ value: 5 }, { source: 'x' }] })).toEqual([
      'claims[0].source',
      'claims[0].value',
      'claims[1].value',
    ]);
  });

  it('reads `what` as the creation fields of its kind', () => {
    const lines = [{ kind: 'training', quantity: { measure: 'seats', amount: '40' } }, { description: 'the rest' }];
    expect(contentOf({ what: { lines, implementers: [{ name: 'OSCE' }] } }).what).toEqual({
      lines,
      implementers: [{ name: 'OSCE' }],
    });
    expect(faultsOf({ ...LEAST, what: { legs: [], lines: [{ capacity: 1 }] } })).toEqual([
      'what.legs',
      'what.lines[0].capacity',
    ]);
    expect(faultsOf({ ...LEAST, kind: 'commitment', what: { legs: [], lines: [] } })).toEqual(['what.lines']);
  });

  it('tells every fault at once', () => {
    expect(
      faultsOf({
        kind: 'wish',
        title: ' ',
        kinds: ['legal', 'legal', 'x'],
        instruments: 'ATT',
        statusWords: 'a\u0000b',
        more: 1,
      }),
    ).toEqual(['instruments', 'kind', 'kinds[1]', 'kinds[2]', 'more', 'source', 'statusWords', 'title']);
  });

  it('answers any JSON with content or with faults, and reads its own content back unchanged', () => {
    // Every code point that may stand in a text. fast-check's own `binary` makes a table of all of them first.
    const character = fc.nat({ max: 0x10f7ff }).map((n) => String.fromCodePoint(n < 0xd800 ? n : n + 0x800));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record(
            {
              kind: fc.constantFrom('need', 'offer', 'contribution', 'commitment', 'x'),
              title: fc.string({ unit: character }),
              source: fc.oneof(fc.constant(LEAST.source), fc.jsonValue()),
              donors: fc.oneof(fc.constant(['DEU']), fc.jsonValue()),
              what: fc.jsonValue(),
              dates: fc.jsonValue(),
              amounts: fc.oneof(fc.constant('not-published'), fc.jsonValue()),
              claims: fc.jsonValue(),
            },
            { requiredKeys: ['kind', 'title', 'source'] },
          ),
        ),
        (body) => {
          const read = readReported(body);
          if (read.ok) expect(readReported(read.value)).toEqual({ ok: true, value: read.value });
          else expect(read.faults.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});

const JAPAN = { party: 'donor:japan', sovereign: 'JPN' };
const USA = { party: 'donor:usa', sovereign: 'USA' };

describe('the draft that a claim makes', () => {
  it('holds what was published and says what was not', () => {
    const content = contentOf({
      title: 'Better border control',
      kinds: ['material'],
      instruments: ['UNSCR-1540'],
      description: 'Equipment for the border police',
      statusWords: 'requested',
      what: {
        lines: [
          {
            kind: 'border-control',
            description: 'scanners',
            quantity: { measure: 'items', unit: 'scanner', amount: '2' },
          },
          {},
        ],
        visibility: 'named',
        named: ['donor:japan'],
      },
    });
    expect(needFromReport(content)).toEqual({
      title: 'Better border control',
      problem: 'Equipment for the border police',
      kinds: ['material'],
      instruments: ['UNSCR-1540'],
      lines: [
        {
          line: 1,
          kind: 'border-control',
          description: 'scanners',
          quantity: { measure: 'items', unit: 'scanner', amount: '2' },
        },
        { line: 2, kind: 'material', quantity: { measure: 'undetermined', why: 'not-stated' } },
      ],
      traffickingNexus: false,
      urgency: 'normal',
      oversubscription: false,
      visibility: { summary: 'named', body: 'named', annex: 'sealed' },
      named: ['donor:japan'],
    });
  });

  it('leaves a line of unknown kind to the State', () => {
    expect(needFromReport(contentOf({ what: { lines: [{ description: 'something' }] } })).lines).toEqual([]);
  });

  it('never counts one contribution published in two currencies as two capacities', () => {
    const eur = { measure: 'money', currency: 'EUR', amount: '4450000.00' };
    const usd = { measure: 'money', currency: 'USD', amount: '4950000.00', qualifier: 'about' };
    const offer = (amounts: object[]): unknown =>
      offerFromReport(contentOf({ kind: 'offer', kinds: ['financial'], amounts }), JAPAN).lines;
    expect(offer([eur, usd])).toEqual([]);
    expect(offer([eur])).toEqual([{ line: 1, kinds: ['financial'], capacity: eur }]);
  });

  it('gives nobody a figure that was published for several together', () => {
    const tonnes = { measure: 'items', unit: 'tonne', amount: '461' };
    const what = { lines: [{ kind: 'surplus-destruction', quantity: tonnes }] };
    const need = (beneficiaries: string[]): unknown =>
      needFromReport(contentOf({ beneficiaries, what })).lines[0]?.quantity;
    expect(need(['GEO'])).toEqual(tonnes);
    expect(need(['GEO', 'MKD'])).toEqual({ measure: 'undetermined', why: 'not-stated' });
    const amounts = [{ measure: 'money', currency: 'EUR', amount: '7000000.00' }];
    expect(offerFromReport(contentOf({ kind: 'offer', donors: ['USA', 'GBR'], amounts }), USA).lines).toEqual([]);
  });

  it('holds what several donors give together where each of them is known', () => {
    const amounts = [{ measure: 'money', currency: 'EUR', amount: '7000000.00' }];
    const joint = (more: object) =>
      offerFromReport(
        contentOf({ kind: 'offer', kinds: ['financial'], donors: ['donor:uk', 'USA'], amounts, ...more }),
        USA,
      );
    expect(joint({})).toMatchObject({
      providers: [{ party: 'donor:usa' }, { party: 'donor:uk' }],
      lines: [{ capacity: { amount: '7000000.00' } }],
    });
    const partly = joint({ donors: ['donor:usa', 'donor:uk', { name: 'two more' }] });
    expect(partly).toMatchObject({ providers: [{ party: 'donor:usa' }, { party: 'donor:uk' }], lines: [] });
    expect(joint({ donors: ['donor:usa'] })).not.toHaveProperty('providers');
    expect(joint({ donors: ['donor:usa', 'auditor:board'] })).not.toHaveProperty('providers');
  });

  it('keeps a published split, unless it is more than the whole', () => {
    const split = (uk: string) =>
      offerFromReport(
        contentOf({
          kind: 'offer',
          donors: ['donor:usa', 'donor:uk'],
          what: {
            providers: [
              { party: 'donor:uk', share: uk },
              { party: 'donor:usa', share: '60' },
            ],
          },
        }),
        USA,
      ).providers;
    expect(split('40')).toEqual([
      { party: 'donor:usa', share: '60' },
      { party: 'donor:uk', share: '40' },
    ]);
    expect(split('41')).toEqual([{ party: 'donor:usa' }, { party: 'donor:uk' }]);
  });

  it('keeps the smallest lot of a line that it can be one of', () => {
    const lot = (minimumLot: string) =>
      offerFromReport(
        contentOf({
          kind: 'offer',
          what: { lines: [{ kinds: ['training'], capacity: { measure: 'seats', amount: '10' }, minimumLot }] },
        }),
        JAPAN,
      ).lines[0]?.minimumLot;
    expect([lot('2'), lot('0.5'), lot('11')]).toEqual(['2', undefined, undefined]);
  });

  it('is seen by members at most until its party says otherwise', () => {
    expect(needFromReport(contentOf({})).visibility).toEqual({ summary: 'members', body: 'members', annex: 'sealed' });
    expect(offerFromReport(contentOf({ kind: 'offer' }), JAPAN).visibility).toBe('members');
  });
});
