import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { Command, DomainEvent, Rejection } from '#kernel';
import { Transactor } from '#kernel';
import type { RecordKind } from './record-kind.js';

/** Any kind of record, its types forgotten: for what treats all records alike. */
export type AnyRecordKind = RecordKind<unknown, Command, DomainEvent, Rejection>;

/** The kinds of record that this process serves, by stream category. Each context adds its own at start. */
@Injectable()
export class RecordKinds {
  private readonly byCategory = new Map<string, AnyRecordKind>();
  private readonly byPath = new Map<string, AnyRecordKind>();

  /** @throws where two kinds claim one category */
  add<S, C extends Command, E extends DomainEvent, R extends Rejection>(kind: RecordKind<S, C, E, R>): void {
    const { category } = kind.decider;
    if (this.byCategory.has(category)) throw new Error(`two kinds of record use streams ${category}-…`);
    this.byCategory.set(category, kind);
    this.byPath.set(kind.path, kind);
  }

  of(category: string): AnyRecordKind | undefined {
    return this.byCategory.get(category);
  }

  /** The kind whose list this path is. */
  servedAt(path: string): AnyRecordKind | undefined {
    return this.byPath.get(path);
  }

  all(): readonly AnyRecordKind[] {
    return [...this.byCategory.values()];
  }
}

/** What is asked of records of other contexts: whether a caller sees one, before its id is named, and whose it is. */
@Injectable()
export class RecordSight {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly transactor: Transactor,
  ) {}

  async sees(caller: Caller, category: string, id: string): Promise<boolean> {
    const kind = this.kinds.of(category);
    if (kind === undefined) return false;
    const { state } = await this.transactor.load(kind.decider, id);
    return kind.exists(state) && (await kind.sees(caller, id, state));
  }

  /** Whether this is the id of a record, of whatever kind, that the caller sees and its party is an owner of, as mandates have it. */
  async owns(caller: Caller, id: string): Promise<boolean> {
    for (const kind of this.kinds.all()) {
      if (kind.mandated === undefined) continue;
      const { state } = await this.transactor.load(kind.decider, id);
      const own = kind.exists(state) && kind.mandated(id, state).owners.includes(caller.party);
      if (own && (await kind.sees(caller, id, state))) return true;
    }
    return false;
  }
}
