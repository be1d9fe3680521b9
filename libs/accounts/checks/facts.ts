import type { CommitmentEvent, Terms } from '#commitments/contract';
import type { PartyEvent } from '#directory/contract';
import type { AnyFundEvent } from '#funds/contract';
import type { NeedEvent } from '#needs/contract';
import type { OfferEvent } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { addDays, lastInstant, minorUnits } from '#vocabulary';

/** Every event that a check may look at. */
export type FactEvent = CommitmentEvent | AnyFundEvent | NeedEvent | OfferEvent | PartyEvent;
export type FactType = FactEvent['type'];
// Some events of one shape share a union of names, which Extract would not find.
type DataOf<T extends FactType> = FactEvent extends infer E
  ? E extends FactEvent
    ? T extends E['type']
      ? E['data']
      : never
    : never
  : never;

/** An event as checks read it: what happened, who recorded it when, and where it stands. */
export interface Fact<T extends FactType = FactType> {
  readonly position: bigint;
  readonly stream: string;
  readonly eventId: string;
  readonly type: T;
  readonly data: DataOf<T>;
  readonly effectiveAt: string;
  readonly recordedAt: string;
}

/** Where an event stands: on which record, and at which place of the log. */
export type Place = Pick<Fact, 'stream' | 'position'>;

/** A person of a party, by opaque reference, seen acting on a record. */
export interface Hand {
  readonly subject: string;
  readonly party: string;
  readonly stream: string;
  readonly eventId: string;
}

/** What a check is a pure function of: events in the order of the log, and whose hands recorded what. */
export class Facts {
  private readonly byType = new Map<string, Fact[]>();
  private readonly byStream = new Map<string, Fact[]>();

  constructor(
    readonly all: readonly Fact[],
    readonly hands: readonly Hand[] = [],
  ) {
    for (const fact of all) {
      push(this.byType, fact.type, fact);
      push(this.byStream, fact.stream, fact);
    }
  }

  of<T extends FactType>(type: T): readonly Fact<T>[] {
    return (this.byType.get(type) ?? []) as unknown as readonly Fact<T>[];
  }

  /** The events of these types on one record, in order. */
  on<T extends FactType>(stream: string, ...types: readonly T[]): readonly Fact<T>[] {
    return (this.byStream.get(stream) ?? []).filter(({ type }) => types.includes(type as T)) as unknown as Fact<T>[];
  }
}

export const push = <K, V>(lists: Map<K, V[]>, key: K, value: V): void => {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
};

/** The day from which a claimed moment counts: a month or year counts from its last day. */
export const dayOf = (moment: string): string => lastInstant(moment).slice(0, 10);

/** Days from one day to the other; negative where `to` comes first. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

export const later = (day: string, days: number): string => addDays(day, days);

export const sumOf = (quantities: readonly Quantity[]): bigint =>
  quantities.reduce((sum, quantity) => sum + minorUnits(quantity), 0n);

/** Events of a record that say one numbered thing, the newest last, with every event that had a say. */
export interface Current<D> {
  readonly stream: string;
  readonly data: D;
  readonly events: readonly string[];
}

type Transfer = DataOf<'TransferReported'>;
interface CurrentTransfer extends Current<Transfer> {
  /** Of what was said last. */
  readonly position: bigint;
}

/** The transfers as corrected, on every commitment. */
export const transfersOf = (facts: Facts): readonly CurrentTransfer[] =>
  facts.of('TransferReported').map((fact) =>
    facts
      .on(fact.stream, 'TransferCorrected')
      .filter(({ data }) => data.n === fact.data.n)
      .reduce<CurrentTransfer>(
        (current, { data: { reason: _reason, ...data }, eventId, position }) => {
          const { leg: _leg, instalment: _instalment, reference: _reference, ...kept } = current.data;
          return { ...current, data: { ...kept, ...data }, events: [...current.events, eventId], position };
        },
        {
          stream: fact.stream,
          data: fact.data,
          events: [fact.eventId],
          position: fact.position,
        },
      ),
  );

type Receipt = DataOf<'ReceiptReported'>;

/** The receipts as corrected, on every commitment. */
export const receiptsOf = (facts: Facts): readonly Current<Receipt>[] =>
  facts.of('ReceiptReported').map((fact) =>
    facts
      .on(fact.stream, 'ReceiptCorrected')
      .filter(({ data }) => data.n === fact.data.n)
      .reduce<Current<Receipt>>(
        (current, { data: { reason: _reason, ...data }, eventId }) => ({
          ...current,
          data: { ...data, party: current.data.party },
          events: [...current.events, eventId],
        }),
        { stream: fact.stream, data: fact.data, events: [fact.eventId] },
      ),
  );

/** The terms of a commitment as amended (up to a place of the log), with the events that set them. */
export const termsOf = (
  facts: Facts,
  stream: string,
  upTo?: bigint,
): { readonly terms: Terms; readonly events: readonly string[] } => {
  let terms: Terms = {};
  const events: string[] = [];
  for (const fact of facts.on(stream, 'CommitmentProposed', 'CommitmentAmended')) {
    if (upTo !== undefined && fact.position > upTo) break;
    const given = 'changes' in fact.data ? fact.data.changes.terms : fact.data.terms;
    if (given === undefined) continue;
    terms = { ...terms, ...given };
    events.push(fact.eventId);
  }
  return { terms, events };
};

/** Providers of each commitment. */
export const providersOf = (facts: Facts): ReadonlyMap<string, readonly string[]> =>
  new Map(facts.of('CommitmentProposed').map(({ stream, data }) => [stream, data.providers]));

/** The assisted side of each commitment. */
export const recipientsOf = (facts: Facts): ReadonlyMap<string, readonly string[]> =>
  new Map(
    facts
      .of('CommitmentProposed')
      .map(({ stream, data: { beneficiaries, filer } }) => [
        stream,
        filer.startsWith('network:') ? [...beneficiaries, filer] : beneficiaries,
      ]),
  );

export const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Interim accounts that a later one replaces, as `<stream> <holder> <number>`. */
export const replacedReports = (facts: Facts): ReadonlySet<string> =>
  new Set(
    facts
      .of('ExpenditureReported')
      .flatMap(({ stream, data }) => (data.replaces ?? []).map((n) => `${stream} ${data.party} ${n}`)),
  );
