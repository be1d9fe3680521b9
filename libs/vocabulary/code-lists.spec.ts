import * as vocabulary from './index.js';

const { isInstrument, isKind, KINDS, OFFICES, POWERS, ROLE_POWERS, ROLES, stricterVisibility, VISIBILITIES } =
  vocabulary;

describe('code lists', () => {
  const lists = Object.entries(vocabulary).filter(
    (entry): entry is [string, readonly string[]] =>
      Array.isArray(entry[1]) &&
      entry[1].every((code) => typeof code === 'string') &&
      !['ACTIVE_CURRENCIES'].includes(entry[0]),
  );

  it.each(lists)('%s holds each code once', (_, codes) => {
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => /^[A-Za-z0-9-]+$/.test(code))).toBe(true);
  });

  it('are exact: no other case, no inherited name, no other type', () => {
    expect(KINDS).toHaveLength(23);
    expect(KINDS.every(isKind)).toBe(true);
    expect(['Legal', 'legal ', 'constructor', '', null, 5, ['legal']].map(isKind)).toEqual(Array(7).fill(false));
  });

  it('know the global instruments, and regional ones by their form', () => {
    expect(['ATT', 'UNSCR-1540', 'regional:OSCE-SALW', 'regional:Kinshasa'].map(isInstrument)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      ['att', 'regional:', 'regional:a b', `regional:${'x'.repeat(41)}`, 'regional:x\n'].map(isInstrument),
    ).toEqual(Array(5).fill(false));
  });

  it('take the stricter of two labels, in either order', () => {
    for (const [i, a] of VISIBILITIES.entries()) {
      for (const [j, b] of VISIBILITIES.entries()) {
        expect(stricterVisibility(a, b)).toBe(VISIBILITIES[Math.max(i, j)]);
      }
    }
  });

  it('give every role its powers: State offices never post offers, a fiscal agent never decides', () => {
    for (const role of ROLES) for (const power of ROLE_POWERS[role]) expect(POWERS).toContain(power);
    for (const role of ['npc', 'mission', 'line-ministry'] as const) expect(ROLE_POWERS[role]).not.toContain('offer');
    for (const power of ['accept', 'sign', 'confirm', 'propose'] as const)
      expect(ROLE_POWERS['fiscal-agent']).not.toContain(power);
    expect(ROLES.filter((role) => !OFFICES.some((office) => office === role))).toEqual(['operator']);
  });
});
