import { Injectable } from '@nestjs/common';
import type { Caller, MandateInForce } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import { EventStore, streamOf, Transactor, Upcasting } from '#kernel';
import type { AnyRecordKind, MandateReach } from '#web';
import { notFound, RecordKinds } from '#web';
import type { AuditedRecord, FindingGround } from './finding.contract.js';

/** A record at hand: how its kind is served, and its state. */
interface Held {
  readonly kind: AnyRecordKind;
  readonly state: unknown;
}

const PAGE = 500;

/** True where the scope of a mandate names the record; a sealed mandate reaches its giver's records alone. */
export const reaches = (
  { everything, parties, records, sealed, appointedBy }: MandateInForce,
  { owners, ids }: MandateReach,
): boolean =>
  (everything || owners.some((party) => parties.has(party)) || ids.some((id) => records.has(id))) &&
  (!sealed || owners.includes(appointedBy));

/** What findings rest on: records and events of every context, and who sees them. */
@Injectable()
export class Grounds {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly transactor: Transactor,
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
  ) {}

  async sees(caller: Caller, { kind, id }: AuditedRecord): Promise<boolean> {
    const held = await this.held({ kind, id });
    return held !== undefined && (await held.kind.sees(caller, id, held.state));
  }

  /** The events of these ids that stand in the histories of these records. */
  async find(
    records: readonly AuditedRecord[],
    eventIds: readonly string[],
  ): Promise<ReadonlyMap<string, FindingGround>> {
    const wanted = new Set(eventIds);
    const found = new Map<string, FindingGround>();
    for (const { kind, id } of records) {
      for (let from = 0; found.size < wanted.size; from += PAGE) {
        const page = await this.store.readStream(streamOf(kind, id), from, PAGE);
        for (const { id: eventId, revision } of page) {
          if (wanted.has(eventId)) found.set(eventId, { kind, id, eventId, revision });
        }
        if (page.length < PAGE) break;
      }
    }
    return found;
  }

  /** Those of the events that the caller is not shown in the history of their record. */
  async hidden(caller: Caller, events: readonly FindingGround[]): Promise<readonly FindingGround[]> {
    const shown = await Promise.all(events.map((event) => this.shows(caller, event)));
    return events.filter((_, index) => shown[index] !== true);
  }

  /** Whose record it is, as mandates name them; nobody's where it does not exist. */
  async owners(record: AuditedRecord): Promise<readonly string[]> {
    const held = await this.held(record);
    return held?.kind.mandated?.(record.id, held.state).owners ?? [];
  }

  /** The first mandate of the caller in force that covers all of the records; undefined where none does. */
  async mandateOver({ mandates }: Caller, records: readonly AuditedRecord[]): Promise<string | undefined> {
    if (mandates.length === 0) return undefined;
    const named: MandateReach[] = [];
    for (const record of records) {
      const held = await this.held(record);
      named.push(held?.kind.mandated?.(record.id, held.state) ?? { owners: [], ids: [record.id] });
    }
    return mandates.find((mandate) => named.every((each) => reaches(mandate, each)))?.mandate;
  }

  /** The same of records that were shown to the caller under a mandate a moment ago. @throws {Problem} 404 where it is over */
  async mandateStillOver(caller: Caller, records: readonly AuditedRecord[]): Promise<string> {
    const mandate = await this.mandateOver(caller, records);
    if (mandate === undefined) throw notFound();
    return mandate;
  }

  private async shows(caller: Caller, { kind, id, revision }: FindingGround): Promise<boolean> {
    const held = await this.held({ kind, id });
    if (held === undefined || !(await held.kind.sees(caller, id, held.state))) return false;
    const [event] = await this.store.readStream(streamOf(kind, id), revision, 1);
    return event !== undefined && (await this.unmasked(caller, held, event));
  }

  private async unmasked(caller: Caller, { kind, state }: Held, event: RecordedEvent): Promise<boolean> {
    return (await kind.maskEvent(caller, state, this.upcasting.lift(event))) !== undefined;
  }

  private async held({ kind: category, id }: AuditedRecord): Promise<Held | undefined> {
    const kind = this.kinds.of(category);
    if (kind === undefined) return undefined;
    const { state } = await this.transactor.load(kind.decider, id);
    return kind.exists(state) ? { kind, state } : undefined;
  }
}
