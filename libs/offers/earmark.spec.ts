import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Earmark, EarmarkedNeed, EarmarkedOffer, EarmarkReasonCode, LinePair } from './earmark.js';
import { earmarkReasons } from './earmark.js';

const NEED: EarmarkedNeed = {
  beneficiaries: ['state:VUT'],
  networks: ['network:msg'],
  regions: ['054', '009'],
  instruments: ['ATT', 'UNPoA'],
  traffickingNexus: false,
  needPeriod: { from: '2026-03-01', to: '2026-06-30' },
  needLineKinds: { 1: 'training', 2: 'legal' },
};
const PAIR: readonly LinePair[] = [{ offerLine: 1, needLine: 1 }];

const judged = (
  earmark: Earmark,
  need: Partial<EarmarkedNeed> = {},
  offer: Partial<EarmarkedOffer> = {},
  pairs = PAIR,
): readonly EarmarkReasonCode[] =>
  earmarkReasons(
    { earmark, lines: [{ line: 1, kinds: ['training', 'legal'] }], ...offer },
    { ...NEED, ...need },
    pairs,
  ).map(({ code }) => code);

describe('an earmark', () => {
  test.each<[string, Earmark, readonly EarmarkReasonCode[], Partial<EarmarkedNeed>?]>([
    ['that says nothing admits any need', {}, []],
    [
      'whose parts are empty admits any need',
      { beneficiaries: [], regions: [], networks: [], instruments: [], kinds: [], implementerTypes: [] },
      [],
    ],
    ['names its beneficiaries by State code', { beneficiaries: ['FJI', 'VUT'] }, []],
    ['names its beneficiaries by party id', { beneficiaries: ['state:VUT'] }, []],
    ['does not admit a State it does not name', { beneficiaries: ['FJI'] }, ['beneficiary']],
    [
      'admits a need of several States only where it names each',
      { beneficiaries: ['VUT'] },
      ['beneficiary'],
      { beneficiaries: ['state:VUT', 'state:FJI'] },
    ],
    [
      'admits a network it names as a beneficiary',
      { beneficiaries: ['network:msg'] },
      [],
      { beneficiaries: ['network:msg'] },
    ],
    [
      'admits a joint need only where each State is within its regions',
      { regions: ['054'] },
      ['region'],
      { beneficiaries: ['state:VUT', 'state:FJI', 'state:KEN'], regions: ['054', '009', '002'] },
    ],
    [
      'admits a joint need whose States are all within its regions',
      { regions: ['054', '202'] },
      [],
      { beneficiaries: ['state:VUT', 'state:FJI', 'state:KEN'], regions: ['054', '009', '002'] },
    ],
    [
      'knows no region of a network that is one of several beneficiaries',
      { regions: ['054'] },
      ['region'],
      { beneficiaries: ['state:VUT', 'network:msg'] },
    ],
    ['for the world admits several', { regions: ['001'] }, [], { beneficiaries: ['state:VUT', 'network:msg'] }],
    [
      'admits a joint need only where each beneficiary is a member, or the network itself',
      { networks: ['network:msg'] },
      ['network'],
      {
        beneficiaries: ['state:VUT', 'state:KEN', 'network:msg'],
        memberships: { 'state:VUT': ['network:msg'], 'network:msg': [] },
      },
    ],
    [
      'admits a joint need of members of any of its networks',
      { networks: ['network:msg', 'network:ecowas'] },
      [],
      {
        beneficiaries: ['state:VUT', 'state:GHA', 'network:msg'],
        memberships: { 'state:VUT': ['network:msg'], 'state:GHA': ['network:ecowas'] },
      },
    ],
    [
      'judges several beneficiaries together where their memberships were not told',
      { networks: ['network:msg'] },
      [],
      { beneficiaries: ['state:VUT', 'state:FJI'] },
    ],
    ['does not take a member for its network', { beneficiaries: ['network:msg'] }, ['beneficiary']],
    ['admits a State within its region', { regions: ['009'] }, []],
    ['does not admit a State outside its regions', { regions: ['002', '150'] }, ['region']],
    [
      'for the world admits whoever belongs to no region',
      { regions: ['001'] },
      [],
      { beneficiaries: ['authority:somewhere'], regions: [] },
    ],
    ['admits members of its network', { networks: ['network:pif', 'network:msg'] }, []],
    ['admits the network itself', { networks: ['network:msg'] }, [], { beneficiaries: ['network:msg'], networks: [] }],
    ['does not admit who is no member on the day', { networks: ['network:msg'] }, ['network'], { networks: [] }],
    ['admits a need that shares one instrument', { instruments: ['ITI', 'ATT'] }, []],
    ['does not admit a need of other instruments', { instruments: ['ITI'] }, ['instrument']],
    [
      'does not admit a need without instruments where it asks for one',
      { instruments: ['ITI'] },
      ['instrument'],
      { instruments: [] },
    ],
    ['admits needs of its kinds', { kinds: ['training'] }, []],
    ['does not admit needs of other kinds', { kinds: ['legal'] }, ['kind']],
    ['for a trafficking nexus does not admit a need without', { traffickingNexus: true }, ['trafficking-nexus']],
    ['for a trafficking nexus admits a need with', { traffickingNexus: true }, [], { traffickingNexus: true }],
    ['that asks for no trafficking nexus admits both', { traffickingNexus: false }, [], { traffickingNexus: true }],
    ['admits an implementer of its types', { implementerTypes: ['ngo'] }, [], { implementerType: 'ngo' }],
    [
      'does not admit an implementer of another type',
      { implementerTypes: ['ngo'] },
      ['implementer-type'],
      { implementerType: 'un-entity' },
    ],
    [
      'that asks for an implementer does not admit a proposal without',
      { implementerTypes: ['ngo'] },
      ['implementer-type'],
    ],
    ['that has only a level admits any need', { level: 'geographic' }, []],
    [
      'names every reason at once',
      {
        beneficiaries: ['FJI'],
        regions: ['150'],
        networks: ['network:pif'],
        instruments: ['ITI'],
        kinds: ['legal'],
        traffickingNexus: true,
        implementerTypes: ['ngo'],
      },
      ['beneficiary', 'region', 'network', 'instrument', 'trafficking-nexus', 'kind', 'implementer-type'],
    ],
  ])('%s', (_, earmark, codes, need = {}) => {
    expect(judged(earmark, need)).toEqual(codes);
  });

  test('is judged on the kind of every need line that is to be credited', () => {
    const pairs = [
      { offerLine: 1, needLine: 1 },
      { offerLine: 1, needLine: 2 },
    ];
    expect(judged({ kinds: ['training'] }, {}, {}, pairs)).toEqual(['kind']);
  });

  test('says nothing of the kinds a line of the offer gives: they guide matching, and the sides agree on the rest', () => {
    expect(judged({}, {}, { lines: [{ line: 1, kinds: ['training'] }] }, [{ offerLine: 1, needLine: 1 }])).toEqual([]);
  });

  test('does not admit a need line of unknown kind where it names kinds', () => {
    expect(judged({ kinds: ['training'] }, {}, {}, [{ offerLine: 1, needLine: 9 }])).toEqual(['kind']);
  });

  test.each([
    [{ from: '2026-01-01', to: '2026-03-01' }, []],
    [{ from: '2026-06-30', to: '2026-12-31' }, []],
    [{ from: '2026-07-01' }, ['period']],
    [{ to: '2026-02-28' }, ['period']],
    [{}, []],
  ])('with the offer period %j against March to June', (period, codes) => {
    expect(judged({}, {}, { period })).toEqual(codes);
  });

  test('does not ask for a period where need or offer has none', () => {
    const { needPeriod, ...timeless } = NEED;
    expect(needPeriod).toBeDefined();
    const offer = { earmark: {}, lines: [], period: { from: '2030-01-01', to: '2030-12-31' } };
    expect(earmarkReasons(offer, timeless, [])).toEqual([]);
    expect(earmarkReasons(offer, { ...timeless, needPeriod: { to: '2029-12-31' } }, [])).toEqual([
      {
        code: 'period',
        because: 'The periods of offer (2030-01-01 to 2030-12-31) and need (… to 2029-12-31) share no day.',
      },
    ]);
    expect(
      earmarkReasons(
        { ...offer, period: { to: '2030-01-01' } },
        { ...timeless, needPeriod: { from: '2031-01-01' } },
        [],
      ),
    ).toEqual([
      { code: 'period', because: 'The periods of offer (… to 2030-01-01) and need (2031-01-01 to …) share no day.' },
    ]);
  });

  test('admits whatever it names: widening a part never adds a reason', () => {
    const states = ['VUT', 'FJI', 'SLB', 'PNG'];
    const some = fc.subarray(states);
    fc.assert(
      fc.property(some, some, fc.subarray(states, { minLength: 1 }), (listed, added, beneficiaries) => {
        fc.pre(listed.length > 0);
        const need = { beneficiaries: beneficiaries.map((code) => `state:${code}`) };
        const narrow = judged({ beneficiaries: listed }, need);
        const wide = judged({ beneficiaries: [...listed, ...added] }, need);
        expect(narrow).toEqual(beneficiaries.every((code) => listed.includes(code)) ? [] : ['beneficiary']);
        expect(narrow).toEqual(expect.arrayContaining([...wide]));
      }),
    );
  });
});
