import {
  ACTIVE_CURRENCIES,
  currencyOf,
  isMemberOf,
  isPartyId,
  isRegion,
  isState,
  membersOf,
  ORGANISATIONS,
  organisationsOf,
  partyFault,
  partyKind,
  regionContains,
  regionOf,
  REGIONS,
  sovereignOf,
  stateOf,
  stateOfParty,
  STATES,
  unitScale,
  isUnit,
  UNITS,
} from './index.js';

describe('currencies', () => {
  it.each([
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['VUV', 0],
    ['ISK', 0],
    ['UGX', 0],
    ['XOF', 0],
    ['XPF', 0],
    ['UYI', 0],
    ['KWD', 3],
    ['BHD', 3],
    ['IQD', 3],
    ['JOD', 3],
    ['LYD', 3],
    ['OMR', 3],
    ['TND', 3],
    ['CLF', 4],
    ['UYW', 4],
    ['AFN', 2],
    ['ALL', 2],
    ['RSD', 2],
    ['TRY', 2],
    ['XCG', 2],
    ['ZWG', 2],
    ['SLE', 2],
    ['VED', 2],
  ])('%s is in use with %i minor digits', (code, digits) => {
    expect(currencyOf(code)).toMatchObject({ code, digits });
    expect(ACTIVE_CURRENCIES).toContain(code);
  });

  it.each(['HRK', 'ZWL', 'DEM', 'EEK', 'ANG', 'SLL', 'BGN'])('%s is known for published amounts only', (code) => {
    expect(currencyOf(code)?.withdrawn).toMatch(/^\d{4}-\d{2}$/);
    expect(ACTIVE_CURRENCIES).not.toContain(code);
  });

  it.each(['XDR', 'XBT', 'usd', 'toString', '', undefined, 840])('%p is no currency to count in', (code) => {
    expect(currencyOf(code)).toBeUndefined();
  });
});

describe('units', () => {
  it('count what can be weighed or measured finely, and everything else whole', () => {
    expect([unitScale('tonne'), unitScale('metre'), unitScale('marking-machine'), unitScale('never-heard-of')]).toEqual(
      [3, 2, 0, 0],
    );
    expect(UNITS.every(isUnit)).toBe(true);
  });

  it.each(['Tonne', '', '1st', 'marking machine', 'a'.repeat(41), 'é', 5])('%p is no unit', (unit) => {
    expect(isUnit(unit)).toBe(false);
  });
});

describe('States and regions', () => {
  it('are those of ISO 3166-1 and M49', () => {
    expect(STATES).toHaveLength(249);
    expect(new Set(STATES.map(({ m49 }) => m49)).size).toBe(249);
    expect(stateOf('VUT')).toEqual({ code: 'VUT', name: 'Vanuatu', m49: '548', regions: ['001', '009', '054', '722'] });
    expect(['XKX', 'vut', 'VU', 'toString', 5].map(isState)).toEqual([false, false, false, false, false]);
    expect(regionOf('054')).toEqual({ code: '054', name: 'Melanesia', parent: '009' });
    expect(['1', '54', '999', 54].map(isRegion)).toEqual([false, false, false, false]);
  });

  it('nest: whatever a region holds, its parent holds, and the World holds all', () => {
    for (const { code } of STATES) expect(regionContains('001', code)).toBe(true);
    for (const { code, parent } of REGIONS) {
      expect(STATES.some((state) => regionContains(code, state.code))).toBe(true);
      if (parent === undefined) continue;
      for (const state of STATES)
        if (regionContains(code, state.code)) expect(regionContains(parent, state.code)).toBe(true);
    }
    expect(regionContains('202', 'KEN') && regionContains('014', 'KEN') && regionContains('002', 'KEN')).toBe(true);
    expect(regionContains('003', 'JAM') && !regionContains('003', 'BRA')).toBe(true);
    expect(regionContains('054', 'XXX')).toBe(false);
  });

  it('know under which sovereign a territory acts', () => {
    expect(['GUM', 'NCL', 'ALA', 'VUT', 'COK', 'PSE'].map(sovereignOf)).toEqual([
      'USA',
      'FRA',
      'FIN',
      'VUT',
      'COK',
      'PSE',
    ]);
    for (const { administeredBy } of STATES)
      if (administeredBy !== undefined) expect(isState(administeredBy)).toBe(true);
  });
});

describe('memberships of regional organisations', () => {
  const sizes = Object.fromEntries(ORGANISATIONS.map(({ id, members }) => [id, members.length]));

  it('hold the members of the reference table', () => {
    expect(sizes).toMatchObject({
      'network:osce': 57,
      'network:au': 54,
      'network:nato': 32,
      'network:eu': 27,
      'network:pif': 19,
      'network:msg': 8,
    });
    for (const { members } of ORGANISATIONS) for (const { party } of members) expect(isPartyId(party)).toBe(true);
    expect(membersOf('network:nowhere', '2020-01-01')).toEqual([]);
  });

  it('count from the last instant of a year they are known to, and end with their last day', () => {
    expect(isMemberOf('network:msg', 'FJI', '1996-12-30')).toBe(false);
    expect(isMemberOf('network:msg', 'FJI', '1996-12-31')).toBe(true);
    expect(isMemberOf('network:ecowas', 'MLI', '2025-01-29')).toBe(true);
    expect(isMemberOf('network:ecowas', 'MLI', '2025-01-29T23:59:59Z')).toBe(true);
    expect(isMemberOf('network:ecowas', 'MLI', '2025-01-30')).toBe(false);
  });

  it('tell members from associates, observers and movements that are no State', () => {
    expect(isMemberOf('network:msg', 'IDN', '2020-01-01')).toBe(false);
    expect(isMemberOf('network:msg', 'IDN', '2020-01-01', ['associate'])).toBe(true);
    expect(isMemberOf('network:msg', 'TLS', '2020-01-01', ['observer'])).toBe(true);
    expect(isMemberOf('network:msg', 'NCL', '2020-01-01', ['member', 'associate', 'observer'])).toBe(false);
    expect(isMemberOf('network:msg', 'authority:flnks', '2020-01-01')).toBe(true);
    expect(organisationsOf('VUT', '2026-11-22')).toEqual(['network:msg', 'network:pif']);
  });
});

describe('party ids', () => {
  it.each([
    'state:VUT',
    'authority:flnks',
    'donor:japan',
    'fund:unscar',
    'agency:cavr',
    'network:msg',
    'auditor:a1',
    `donor:${'a'.repeat(63)}`,
  ])('%s is one', (id) => {
    expect(isPartyId(id)).toBe(true);
    expect(partyFault(id)).toBeUndefined();
  });

  it.each([
    'state:vut',
    'state:XKX',
    'state:',
    'donor:',
    'donor:Japan',
    'donor:-x',
    'person:x',
    `donor:${'a'.repeat(64)}`,
    'donor:a\n',
    'VUT',
    5,
  ])('%p is none', (id) => {
    expect(isPartyId(id)).toBe(false);
    expect(partyFault(id)).toContain('must be a party id');
  });

  it('tell their kind, and their State where they are one', () => {
    expect(partyKind('network:msg')).toBe('network');
    expect([stateOfParty('state:VUT'), stateOfParty('donor:japan')]).toEqual(['VUT', undefined]);
    expect(partyFault('donor:japan', ['network', 'state'])).toBe(
      'must be a party id: network:<slug>, state:<ISO alpha-3>',
    );
  });
});
