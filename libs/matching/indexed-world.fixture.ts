import type { CommitmentEvent } from '#commitments/contract';
import type { PartyEvent } from '#directory/contract';
import type { ProjectionRunner, ReadModel } from '#kernel';
import { applyToModel } from '#kernel';
import { recordedEvent } from '#kernel-testing';
import type { NeedContent, NeedEvent } from '#needs/contract';
import type { OfferContent, OfferEvent } from '#offers/contract';
import { MemoryReadDatabase } from '#read-database';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits, quantityOf } from '#vocabulary';
import { LiveIndex } from './live-index.js';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { matchIndex } from './match-index.projection.js';
import type { RulesetEvent } from './matching.contract.js';
import type { Chance } from './rules/small-worlds.fixture.js';
import { pairingFrom } from './rules/small-worlds.fixture.js';
import type { NeedSide, OfferSide, Pairing } from './rules/sides.js';

const needContent = (side: NeedSide, chance: Chance): NeedContent => ({
  title: 'A need',
  kinds: side.kinds,
  instruments: side.instruments,
  traffickingNexus: side.traffickingNexus,
  lines: side.lines.map(({ line, kind, quantity }) => ({ line, kind, quantity })),
  urgency: side.urgency,
  ...(side.period === undefined ? {} : { period: side.period }),
  ...(side.languages === undefined ? {} : { languages: side.languages }),
  visibility: { summary: 'public', body: chance.of(['public', 'members', 'sealed']), annex: 'sealed' },
  named: [],
  oversubscription: chance.is(0.2),
});

const offerContent = (side: OfferSide, chance: Chance): OfferContent => ({
  title: 'An offer',
  lines: side.lines.map(({ line, kinds, capacity, minimumLot }) => ({
    line,
    kinds,
    capacity,
    ...(minimumLot === undefined ? {} : { minimumLot: amountOf(capacity, minimumLot) }),
  })),
  earmark: side.earmark,
  conditions: side.conditions,
  ...(side.period === undefined ? {} : { period: side.period }),
  ...(side.languages === undefined ? {} : { languages: side.languages }),
  visibility: chance.of(['public', 'members', 'named']),
  named: [],
});

const amountOf = (like: Quantity, minor: bigint): string => {
  const quantity = quantityOf(like, minor);
  return 'amount' in quantity ? quantity.amount : '';
};

/** Needs and offers as events make them, and the index over their read model. */
export class IndexedWorld {
  readonly model: ReadModel = new MemoryReadDatabase().open(matchIndex);
  readonly index = new LiveIndex({ model: () => this.model } as unknown as ProjectionRunner);
  private readonly revisions = new Map<string, number>();
  private readonly contents = new Map<string, NeedContent | OfferContent>();
  /** Of the newest event. */
  position = 0n;
  private pending: ReturnType<typeof recordedEvent>[] = [];

  /** @param alike seeds that pairings are made of: the fewer, the more records of the world match */
  constructor(
    private readonly chance: Chance,
    private readonly alike?: readonly [number, ...number[]],
  ) {}

  /** Something happens to a record, a new one or one that there is. */
  step(): void {
    const ids = [...this.contents.keys()];
    if (ids.length < 4 || this.chance.is(0.3)) this.begin(`r${ids.length}`);
    else this.move(ids[this.chance.below(ids.length)] ?? '');
    if (this.chance.is(0.3)) this.flush();
  }

  /** Of the newest event that the model has. */
  applied = 0n;

  flush(): void {
    if (this.pending.length > 0) applyToModel(matchIndex, this.model, this.pending, (event) => event);
    this.pending = [];
    this.applied = this.position;
  }

  sides(kind: 'need' | 'offer'): readonly (readonly [string, IndexedNeed & IndexedOffer])[] {
    return this.model
      .all('SELECT id, doc FROM side WHERE kind = ? AND live = 1 ORDER BY id', kind)
      .map(({ id, doc }) => [id as string, JSON.parse(doc as string) as IndexedNeed & IndexedOffer]);
  }

  private pairing(): Pairing {
    return pairingFrom(this.alike === undefined ? this.chance.below(1_000_000) : this.chance.of(this.alike), 2);
  }

  private begin(id: string): void {
    const { need, offer } = this.pairing();
    if (this.chance.is(0.5)) {
      const content = needContent(need, this.chance);
      const [filer = 'state:VUT'] = need.beneficiaries;
      this.contents.set(`need-${id}`, content);
      this.append(`need-${id}`, {
        type: 'NeedDrafted',
        data: { filer, beneficiaries: need.beneficiaries, content },
      });
      for (const party of need.beneficiaries.slice(1)) {
        if (this.chance.is(0.7)) this.append(`need-${id}`, { type: 'ParticipationConsented', data: { party } });
      }
      if (this.chance.is(0.9)) {
        this.append(`need-${id}`, { type: 'NeedOpened', data: { reaffirmBy: '2027-11-29T00:00:00.000Z' } });
      }
    } else {
      const content = offerContent(offer, this.chance);
      this.contents.set(`offer-${id}`, content);
      const provider = this.chance.of(['donor:japan', 'state:VUT', 'agency:ngo']);
      this.append(`offer-${id}`, { type: 'OfferPosted', data: { provider, content } });
    }
  }

  private move(stream: string): void {
    const content = this.contents.get(stream);
    const [line] = content?.lines ?? [];
    if (content === undefined || line === undefined) return;
    const { need, offer } = this.pairing();
    const quantity = 'capacity' in line ? line.capacity : line.quantity;
    const key = { commitment: 'c1', leg: 1, amendment: 0, line: line.line };
    const part = isRival(quantity)
      ? quantityOf(quantity, (minorUnits(quantity) * BigInt(this.chance.below(3))) / 2n)
      : quantity;
    if (stream.startsWith('need-')) {
      this.append(
        stream,
        this.chance.of<NeedEvent>([
          { type: 'NeedAmended', data: { changes: needContent(need, this.chance) } },
          { type: 'NeedClosed', data: { outcome: 'met', waivers: [] } },
          { type: 'NeedFellDormant', data: {} },
          { type: 'NeedReopened', data: { reaffirmBy: '2028-01-01T00:00:00.000Z' } },
          { type: 'NeedObjected', data: { to: 'circulation' } },
          { type: 'CoverageReserved', data: { ...key, quantity: part } },
          { type: 'CoverageReleased', data: { ...key, quantity: part } },
        ]),
      );
    } else {
      this.append(
        stream,
        this.chance.of<OfferEvent>([
          { type: 'OfferAmended', data: { changes: offerContent(offer, this.chance) } },
          { type: 'OfferSuspended', data: {} },
          { type: 'OfferResumed', data: {} },
          { type: 'OfferWithdrawn', data: {} },
          { type: 'CapacityReserved', data: { ...key, quantity: part } },
          { type: 'CapacityReleased', data: { ...key, quantity: part } },
        ]),
      );
    }
  }

  append(stream: string, event: NeedEvent | OfferEvent | PartyEvent | CommitmentEvent | RulesetEvent): void {
    const revision = (this.revisions.get(stream) ?? -1) + 1;
    this.revisions.set(stream, revision);
    this.position += 1n;
    this.pending.push({ ...recordedEvent(stream, revision, event), position: this.position });
  }
}
