import type { Earmark } from '#offers/contract';
import type { InstrumentCode, Kind, Quantity, Urgency } from '#vocabulary';
import { isDeterminate, isRival, minorUnits, stateOf, stateOfParty } from '#vocabulary';
import type { AskedLine, NeedSide, OfferedLine, OfferSide, Pairing, Span } from './sides.js';

/** Chance that is the same for the same seed (mulberry32). */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** From 0 to below 1. */
  next(): number {
    // Signed, as V8 keeps it in place: beyond 31 bits each state were an object of its own.
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  is(share: number): boolean {
    return this.next() < share;
  }

  of<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  /** Some of these, in their order; none where `least` is 0 and chance has it so. */
  some<T>(values: readonly T[], least = 0): readonly T[] {
    const chosen = values.filter(() => this.is(0.4));
    return chosen.length >= least ? chosen : values.slice(0, least);
  }
}

const KINDS: readonly [Kind, ...Kind[]] = ['legal', 'training', 'tracing'];
const INSTRUMENTS: readonly [InstrumentCode, ...InstrumentCode[]] = ['ATT', 'UNPoA', 'regional:MSG-plan'];
const BENEFICIARIES: readonly [string, ...string[]] = ['state:VUT', 'state:FJI', 'state:KEN', 'network:msg'];
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'state:VUT': ['network:msg', 'network:pif'],
  'state:FJI': ['network:msg', 'network:pif'],
  'state:KEN': ['network:igad'],
  'network:msg': [],
};
const DAYS: readonly [string, ...string[]] = ['2026-06-01', '2026-11-29', '2027-03-01', '2027-09-30', '2028-05-01'];
const TODAY = '2026-11-29';

const quantityBy = (chance: Chance): Quantity =>
  chance.of<Quantity>([
    { measure: 'money', currency: 'USD', amount: chance.of(['100.00', '5000.00', '90000.00']) },
    { measure: 'money', currency: 'EUR', amount: '700.00' },
    { measure: 'seats', amount: chance.of(['1', '6', '20']) },
    { measure: 'access', amount: '2' },
    { measure: 'undetermined', why: 'to-be-assessed' },
  ]);

const spanBy = (chance: Chance): Span | undefined => {
  if (chance.is(0.4)) return undefined;
  const [from = TODAY, to = TODAY] = [chance.of(DAYS), chance.of(DAYS)].sort();
  return { ...(chance.is(0.2) ? {} : { from }), ...(chance.is(0.2) ? {} : { to }) };
};

const part = (quantity: Quantity, chance: Chance): bigint =>
  isRival(quantity) ? (minorUnits(quantity) * BigInt(chance.below(5))) / 4n : 0n;

const maybe = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);

const needBy = (chance: Chance, lines: number): NeedSide => {
  const beneficiaries = chance.is(0.7) ? [chance.of(BENEFICIARIES)] : chance.some(BENEFICIARIES, 2);
  const states = beneficiaries.flatMap((party) => stateOfParty(party) ?? []);
  const asked = Array.from({ length: 1 + chance.below(lines) }, (_, index): AskedLine => {
    const quantity = quantityBy(chance);
    return { line: index + 1, kind: chance.of(KINDS), quantity, outstanding: part(quantity, chance) };
  });
  return {
    id: 'n1',
    beneficiaries,
    sovereigns: states,
    networks: [
      ...new Set([
        ...beneficiaries.filter((party) => party.startsWith('network:')),
        ...beneficiaries.flatMap((party) => MEMBERS[party] ?? []),
      ]),
    ],
    memberships: Object.fromEntries(beneficiaries.map((party) => [party, MEMBERS[party] ?? []])),
    regions: [...new Set(states.flatMap((code) => stateOf(code)?.regions ?? []))],
    kinds: [...new Set(asked.map(({ kind }) => kind))],
    instruments: chance.some(INSTRUMENTS, 1),
    traffickingNexus: chance.is(0.4),
    urgency: chance.of<Urgency>(['normal', 'urgent']),
    ...maybe('rank', chance.is(0.5) ? 1 + chance.below(4) : undefined),
    ...maybe('period', spanBy(chance)),
    ...maybe('languages', chance.is(0.3) ? undefined : chance.some(['en', 'fr', 'pt-BR'])),
    reports: chance.is(0.5) ? [] : ['UNPoA'],
    contributes: chance.is(0.3),
    ...maybe('reaffirmBy', chance.is(0.2) ? undefined : chance.of(DAYS)),
    lines: asked,
  };
};

const earmarkBy = (chance: Chance): Earmark => ({
  ...maybe('beneficiaries', chance.is(0.75) ? undefined : chance.some(['VUT', 'state:FJI', 'KEN'])),
  ...maybe('regions', chance.is(0.7) ? undefined : chance.some(['054', '009', '202'])),
  ...maybe('networks', chance.is(0.75) ? undefined : chance.some(['network:msg', 'network:igad'])),
  ...maybe('instruments', chance.is(0.6) ? undefined : chance.some(INSTRUMENTS)),
  ...maybe('kinds', chance.is(0.7) ? undefined : chance.some(KINDS)),
  ...maybe('traffickingNexus', chance.is(0.7) ? undefined : chance.is(0.7)),
  ...maybe('level', chance.is(0.8) ? undefined : chance.of(['thematic', 'geographic', 'need-specific'] as const)),
});

const offerBy = (chance: Chance, lines: number): OfferSide => ({
  id: 'o1',
  provider: 'donor:japan',
  sovereigns: chance.is(0.08) ? ['VUT'] : chance.is(0.1) ? ['JPN', 'VUT'] : chance.is(0.2) ? [undefined] : ['JPN'],
  suspended: chance.is(0.1),
  earmark: earmarkBy(chance),
  conditions: chance.some([
    { code: 'national-report' },
    { code: 'co-financing', percent: '10' },
    { code: 'assessment-first' },
    { code: 'reporting' },
  ]),
  ...maybe('period', spanBy(chance)),
  ...maybe('languages', chance.is(0.3) ? undefined : chance.some(['en', 'fr', 'pt'])),
  lines: Array.from({ length: 1 + chance.below(lines) }, (_, index): OfferedLine => {
    const quantity = quantityBy(chance);
    const capacity = quantity.measure === 'access' && chance.is(0.5) ? { ...quantity, amount: 'unlimited' } : quantity;
    const unlimited = capacity.measure === 'access' && capacity.amount === 'unlimited';
    const lot = isDeterminate(capacity) && !unlimited && chance.is(0.4) ? part(capacity, chance) : 0n;
    return {
      line: index + 1,
      kinds: chance.some(KINDS),
      capacity,
      available: unlimited ? 'unlimited' : part(capacity, chance),
      ...(lot > 0n ? { minimumLot: lot } : {}),
    };
  }),
});

/** A need and an offer of at most so many lines each, and how they see each other: always the same for a seed. */
export const pairingFrom = (seed: number, lines = 3): Pairing => {
  const chance = new Chance(seed);
  const [need, offer] = [needBy(chance, lines), offerBy(chance, lines)];
  return {
    need,
    offer,
    circumstances: {
      now: TODAY,
      providerSeesNeed: !chance.is(0.08),
      recipientSeesOffer: !chance.is(0.08),
      earmarkReasons: [],
      priorWork: chance.below(5),
    },
  };
};
