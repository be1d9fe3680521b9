import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { categoryOfStream, DeadlineTicker, derivedId, idOfStream, newId, Transactor, Turns } from '#kernel';
import type { Noted } from '#web';
import { ReadNotes, RecordKinds, SubjectRegister } from '#web';
import type { ReadEvent, RecordRead } from './read.contract.js';
import type { ReadCommand } from './reads.js';
import { readDecider } from './reads.js';

/** Records that one event names. */
const MOST_IN_EVENT = 1_000;

/**
 * Writes down who read which restricted records: once a minute is over, an event for each person and purpose. A crash loses what was read in the minute
 * under way and, where the log could not be written, before; a stop loses nothing.
 */
@Injectable()
export class ReadLog implements OnApplicationBootstrap {
  constructor(
    private readonly notes: ReadNotes,
    private readonly kinds: RecordKinds,
    private readonly subjects: SubjectRegister,
    private readonly transactor: Transactor,
    private readonly ticker: DeadlineTicker,
  ) {}

  onApplicationBootstrap(): void {
    this.ticker.alongside('read-log', (now) => this.write(now));
  }

  /** Writes what was read in minutes that are over at `now`; all of it without. @throws after what could not be written was kept */
  private async write(now?: Date): Promise<void> {
    const failures: unknown[] = [];
    for (const noted of this.notes.take(now)) {
      try {
        await this.append(noted);
      } catch (error) {
        this.notes.giveBack(noted);
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  private async append({ person, caller, minute, records, purpose, unnamed }: Noted): Promise<void> {
    const restricted = await this.restricted(caller, records);
    if (restricted.length === 0 && unnamed === 0) return;
    const at = new Date(minute * 60_000).toISOString();
    const { party, roles, sovereign } = caller;
    const subject = await this.subjects.referenceOf(person);
    const common = {
      minute: `${at.slice(0, 16)}Z`,
      ...(purpose === undefined ? {} : { purposes: [purpose] }),
    };
    const reads: ReadEvent['data'][] = [];
    for (let from = 0; from < Math.max(1, restricted.length); from += MOST_IN_EVENT) {
      reads.push({
        ...common,
        records: restricted.slice(from, from + MOST_IN_EVENT),
        ...(from === 0 && unnamed > 0 ? { unnamed } : {}),
      });
    }
    const id = derivedId('reads', party, subject, at.slice(0, 10));
    const commandId = newId();
    await this.transactor.transact(readDecider, id, (by): ReadCommand => ({ type: 'RecordReads', by, reads }), {
      ...{ commandId, once: true, correlationId: commandId, causationId: null },
      actor: {
        ...{ party, role: roles[0] ?? '', subject },
        ...(sovereign === undefined ? {} : { sovereign }),
      },
      effectiveAt: at,
    });
  }

  /** Those of the records that are restricted and not the reader's own, by stream. */
  private async restricted(caller: Caller, records: Noted['records']): Promise<readonly RecordRead[]> {
    const found: RecordRead[] = [];
    const turns = new Turns();
    for (const [stream, ways] of [...records].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await turns.pass();
      const category = categoryOfStream(stream);
      const kind = this.kinds.of(category);
      if (kind?.isRestricted === undefined) continue;
      const id = idOfStream(stream);
      const { state } = await this.transactor.load(kind.decider, id);
      if (!kind.exists(state) || kind.mandated?.(id, state).owners.includes(caller.party) === true) continue;
      if (await kind.isRestricted(caller, id, state)) found.push({ kind: category, id, ways: [...ways].sort() });
    }
    return found;
  }
}
