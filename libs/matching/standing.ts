import type { ReadQueries } from '#kernel';
import type { InstrumentCode, Quantity } from '#vocabulary';
import {
  dateOf,
  isDeterminate,
  isRival,
  isUnlimited,
  membershipHolds,
  minorUnits,
  ORGANISATIONS,
  sovereignOf,
  stateOf,
  stateOfParty,
} from '#vocabulary';
import type { IndexedNeed, IndexedOffer, IndexedParty } from './match-index.projection.js';
import { countedBeneficiaries } from './match-index.projection.js';
import { weightsIn } from './rules/ruleset-weights.js';
import type { RulesetVersion } from './rules/rulesets.js';
import type { NeedSide, OfferSide } from './rules/sides.js';
import type { Weights } from './rules/weighted-parts.js';
import { DEFAULT_WEIGHTS } from './rules/weighted-parts.js';

/** How needs and offers stand, now or at a position of the log: all that a pairing is judged by but for who sees what. */
export interface Standing {
  /** Position of the log, as decimal text. */
  readonly asOf: string;
  /** The UTC day it is judged for. */
  readonly today: string;
  need(id: string): IndexedNeed | undefined;
  offer(id: string): IndexedOffer | undefined;
  /** Ids of all open needs, in their order. */
  needIds(): readonly string[];
  /** Ids of all open and suspended offers, in their order. */
  offerIds(): readonly string[];
  /** Those of `needIds` that the offer could serve, and perhaps some that it could not; `anonymous`: of those that anybody may see. */
  needsFor(offer: OfferSide, anonymous: boolean): readonly string[];
  /** Those of `offerIds` that could serve the need, and perhaps some that could not; `anonymous`: of those that anybody may see. */
  offersFor(need: NeedSide, anonymous: boolean): readonly string[];
  weights(version: RulesetVersion): Weights;
  networksOf(party: string): readonly string[];
  /** The State a party belonged to, where it is of the past; absent now, when the directory says it. */
  sovereignOf?(party: string): string | undefined;
  /** Commitments that bound one of these providers to one of these beneficiaries and were not cancelled, newest first. */
  work(providers: readonly string[], beneficiaries: readonly string[]): readonly string[];
}

/** A need as the rules see it on that day. */
export const needSide = (id: string, need: IndexedNeed, standing: Pick<Standing, 'networksOf'>): NeedSide => {
  const { content, reserved, reaffirmBy } = need;
  const beneficiaries = countedBeneficiaries(need);
  const memberships = Object.fromEntries(beneficiaries.map((party) => [party, standing.networksOf(party)]));
  const states = beneficiaries.flatMap((party) => stateOfParty(party) ?? []);
  return {
    id,
    beneficiaries,
    sovereigns: states,
    networks: [
      ...new Set([
        ...beneficiaries.filter((party) => party.startsWith('network:')),
        ...Object.values(memberships).flat(),
      ]),
    ],
    memberships,
    regions: [...new Set(states.flatMap((code) => stateOf(code)?.regions ?? []))],
    kinds: content.kinds,
    instruments: content.instruments,
    traffickingNexus: content.traffickingNexus,
    urgency: content.urgency,
    ...(content.rank === undefined ? {} : { rank: content.rank }),
    ...(content.period === undefined ? {} : { period: content.period }),
    ...(content.languages === undefined ? {} : { languages: content.languages }),
    reports: content.reportRefs?.map(({ instrument }): InstrumentCode => instrument) ?? [],
    contributes: Array.isArray(content.ownContribution) && content.ownContribution.length > 0,
    ...(reaffirmBy === undefined ? {} : { reaffirmBy: dateOf(reaffirmBy) }),
    lines: content.lines.map(({ line, kind, quantity }) => ({
      line,
      kind,
      quantity,
      outstanding: left(quantity, reserved[line]),
      ...inUse(reserved[line]),
    })),
  };
};

/** An offer as the rules see it. `sovereigns` are those of its providers, in their order; undefined for one of no State. */
export const offerSide = (
  id: string,
  { content, status, provider, reserved }: IndexedOffer,
  sovereigns: readonly (string | undefined)[],
): OfferSide => ({
  id,
  provider,
  sovereigns,
  suspended: status === 'suspended',
  earmark: content.earmark,
  conditions: content.conditions,
  ...(content.period === undefined ? {} : { period: content.period }),
  ...(content.languages === undefined ? {} : { languages: content.languages }),
  lines: content.lines.map(({ line, kinds, capacity, minimumLot }) => ({
    line,
    kinds,
    capacity,
    available: isUnlimited(capacity) ? ('unlimited' as const) : left(capacity, reserved[line]),
    ...inUse(reserved[line]),
    ...(minimumLot === undefined || !isDeterminate(capacity)
      ? {}
      : { minimumLot: minorUnits({ ...capacity, amount: minimumLot }) }),
  })),
});

/** The State of each provider, as it stood: the directory's word now, the register's of then. */
export const sovereignsOf = (
  providers: readonly { readonly party: string; readonly sovereign?: string }[],
  standing: Pick<Standing, 'sovereignOf'>,
): readonly (string | undefined)[] =>
  providers.map(({ party, sovereign }) =>
    standing.sovereignOf === undefined ? sovereign : standing.sovereignOf(party),
  );

const inUse = (reserved: string | undefined): { readonly inUse?: true } =>
  BigInt(reserved ?? '0') > 0n ? { inUse: true } : {};

/** What is left of a line, never below zero (a need that allows oversubscription may be reserved beyond what it asks). */
const left = (quantity: Quantity, reserved: string | undefined): bigint => {
  if (!isRival(quantity)) return 0n;
  const rest = minorUnits(quantity) - BigInt(reserved ?? '0');
  return rest > 0n ? rest : 0n;
};

/** The weights set last up to a position. */
export const weightsAt = (model: ReadQueries, version: RulesetVersion, position: bigint): Weights => {
  const rows = model.all(
    'SELECT doc FROM weights WHERE ruleset = ? AND position <= ? ORDER BY position',
    version,
    position,
  );
  return rows.reduce<Weights>(
    (before, { doc }) => weightsIn(JSON.parse(doc as string) as Parameters<typeof weightsIn>[0], before),
    DEFAULT_WEIGHTS,
  );
};

/** See `Standing.work`. */
export const workAt = (
  model: ReadQueries,
  providers: readonly string[],
  beneficiaries: readonly string[],
  position: bigint,
): readonly string[] =>
  model
    .all(
      `SELECT commitment, MAX(bound) AS bound FROM work
        WHERE provider IN (SELECT value FROM json_each(?)) AND beneficiary IN (SELECT value FROM json_each(?))
          AND bound <= ? AND (cancelled IS NULL OR cancelled > ?)
        GROUP BY commitment ORDER BY bound DESC`,
      JSON.stringify(providers),
      JSON.stringify(beneficiaries),
      position,
      position,
    )
    .map(({ commitment }) => commitment as string);

/** A party in a network, as the register or the reference table has it. */
interface Member {
  readonly party: string;
  readonly as: string;
  readonly from?: string;
  readonly to?: string;
}

/** A version without its content. */
interface Head {
  readonly live: boolean;
}

/** How things stood at a position, from the versions the read model keeps. */
export class PastStanding implements Standing {
  readonly asOf: string;
  private parties: ReadonlyMap<string, IndexedParty> | undefined;
  private readonly networks = new Map<string, readonly string[]>();

  constructor(
    protected readonly model: ReadQueries,
    protected readonly position: bigint,
    readonly today: string,
  ) {
    this.asOf = String(position);
  }

  need(id: string): IndexedNeed | undefined {
    return this.one(id, 'need') as IndexedNeed | undefined;
  }

  offer(id: string): IndexedOffer | undefined {
    return this.one(id, 'offer') as IndexedOffer | undefined;
  }

  needIds(): readonly string[] {
    return this.live('need');
  }

  offerIds(): readonly string[] {
    return this.live('offer');
  }

  needsFor(_offer: OfferSide, _anonymous: boolean): readonly string[] {
    return this.needIds();
  }

  offersFor(_need: NeedSide, _anonymous: boolean): readonly string[] {
    return this.offerIds();
  }

  weights(version: RulesetVersion): Weights {
    return weightsAt(this.model, version, this.position);
  }

  /** By the register as it stood, and the reference table for networks of which it named no members (see `Networks`). */
  networksOf(party: string): readonly string[] {
    const known = this.networks.get(party) ?? this.membershipsOf(party);
    this.networks.set(party, known);
    return known;
  }

  /** Parties that were full or associate members of the network on that day; by the same sources. */
  countedMembers(network: string): readonly string[] {
    const named = this.registered().get(network)?.members ?? [];
    const members = named.length > 0 ? named : (ORGANISATIONS.find(({ id }) => id === network)?.members ?? []);
    return members.filter((member) => this.counts(member)).map(({ party }) => party);
  }

  sovereignOf(party: string): string | undefined {
    const alpha3 = stateOfParty(party) ?? this.registered().get(party)?.ofState;
    return alpha3 === undefined ? undefined : sovereignOf(alpha3);
  }

  work(providers: readonly string[], beneficiaries: readonly string[]): readonly string[] {
    return workAt(this.model, providers, beneficiaries, this.position);
  }

  private membershipsOf(party: string): readonly string[] {
    const registered = this.registered();
    const named = (id: string): boolean => (registered.get(id)?.members ?? []).length > 0;
    const of = (members: readonly Member[]): boolean =>
      members.some((member) => member.party === party && this.counts(member));
    return [
      ...[...registered].filter(([, { members = [] }]) => of(members)).map(([id]) => id),
      ...ORGANISATIONS.filter(({ id, members }) => !named(id) && of(members)).map(({ id }) => id),
    ].sort();
  }

  private counts({ as, ...member }: Member): boolean {
    return as !== 'observer' && membershipHolds(member, this.today);
  }

  private registered(): ReadonlyMap<string, IndexedParty> {
    this.parties ??= new Map(
      this.model
        .all('SELECT id, doc, MAX(position) FROM party_version WHERE position <= ? GROUP BY id', this.position)
        .map(({ id, doc }) => [id as string, JSON.parse(doc as string) as IndexedParty]),
    );
    return this.parties;
  }

  private one(id: string, kind: 'need' | 'offer'): object | undefined {
    const row = this.model.get(
      'SELECT head FROM side_version WHERE id = ? AND kind = ? AND position <= ? ORDER BY position DESC LIMIT 1',
      id,
      kind,
      this.position,
    );
    return row === undefined ? undefined : this.whole(id, JSON.parse(row.head as string) as object);
  }

  private live(kind: 'need' | 'offer'): readonly string[] {
    return this.model
      .all(
        'SELECT id, head, MAX(position) FROM side_version WHERE kind = ? AND position <= ? GROUP BY id ORDER BY id',
        kind,
        this.position,
      )
      .filter(({ head }) => (JSON.parse(head as string) as Head).live)
      .map(({ id }) => id as string);
  }

  private whole(id: string, head: object): object {
    const row = this.model.get(
      'SELECT content FROM side_version WHERE id = ? AND position <= ? AND content IS NOT NULL ORDER BY position DESC LIMIT 1',
      id,
      this.position,
    );
    return { ...head, content: JSON.parse(row?.content as string) as object };
  }
}
