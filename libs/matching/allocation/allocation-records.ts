import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { EventStore, streamOf } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { RecordKind } from '#web';
import type { AllocationEvent, AllocationPair, AllocationPiece } from './allocation.contract.js';
import type {
  AllocationCommand,
  AllocationRejection,
  AllocationRun,
  AllocationState,
  PiecePart,
} from './allocation.js';
import { allocationDecider, hasEnded } from './allocation.js';

/** Lists of an answer of which `GET` shows a first page. */
export type ListPart = Extract<PiecePart, 'pairs' | 'unmet' | 'prices'>;

/** Where a page of a list ends: the piece, and how many of its items went before. */
export interface PlaceInList {
  readonly piece: number;
  readonly item: number;
}

export interface ListPage {
  readonly items: readonly object[];
  readonly next?: PlaceInList;
}

const FIRST: PlaceInList = { piece: 0, item: 0 };
export const FIRST_PAGE = 50;

/** An allocation is a private tool of the coordinators of the party that asked for it: its figures are of what they see. */
const isOf = (caller: Caller, { requestedBy }: AllocationRun): boolean =>
  hasRole(caller, 'coordinator') && caller.party === requestedBy;

/** How allocations are served. Of their lists a caller is shown what it may still see of the needs and offers they name. */
@Injectable()
export class AllocationRecords implements RecordKind<
  AllocationState,
  AllocationCommand,
  AllocationEvent,
  AllocationRejection
> {
  readonly decider = allocationDecider;
  readonly path = '/v1/allocations';

  constructor(
    private readonly store: EventStore,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {}

  exists({ run }: AllocationState): boolean {
    return run !== undefined;
  }

  sees(caller: Caller, _id: string, { run }: AllocationState): boolean {
    return run !== undefined && isOf(caller, run);
  }

  permits(caller: Caller, _command: AllocationCommand['type'], { run }: AllocationState): boolean {
    return run !== undefined && isOf(caller, run);
  }

  async view(caller: Caller, id: string, { state: { run } }: Folded<AllocationState>): Promise<object> {
    if (run === undefined) return {};
    const [pairs, unmet, prices] = await Promise.all(
      (['pairs', 'unmet', 'prices'] as const).map((part) => this.page(caller, id, run, part, FIRST_PAGE)),
    );
    const readUpTo = run.readUpTo;
    const [last] = readUpTo === undefined ? [] : await this.store.readStream(readUpTo.stream, readUpTo.revision, 1);
    return {
      ...this.shown(id, run),
      ...(last === undefined ? {} : { asOf: String(last.position) }),
      ...{ pairs, unmet, prices },
    };
  }

  /** A run without its lists, as the list of runs shows it. */
  shown(id: string, run: AllocationRun): object {
    const { requestedBy, requestedAt, order, status, started, progress, pieces, end, shared } = run;
    const { summary, because, conflicts } = end ?? {};
    return {
      ...{ id, status, requestedBy, requestedAt, ...order },
      ...(progress === undefined || hasEnded(run) ? {} : { progress }),
      ...(started === undefined ? {} : { model: started }),
      ...(because === undefined ? {} : { because }),
      ...(conflicts === undefined ? {} : { conflicts }),
      ...(summary ?? {}),
      certificate: pieces.certificate.length > 0 && hasEnded(run),
      shared: Object.entries(shared).map(([party, { at, lines }]) => ({ party, at, lines: lines.length })),
      actions: hasEnded(run) ? (summary === undefined ? [] : ['share']) : ['cancel'],
    };
  }

  /** Some items of a list of the answer that the caller may see, from a place on; none while the run goes on. */
  async page(
    caller: Caller,
    id: string,
    run: AllocationRun,
    part: ListPart,
    limit: number,
    from: PlaceInList = FIRST,
  ): Promise<ListPage> {
    if (!hasEnded(run)) return { items: [] };
    const items: object[] = [];
    let { piece, item } = from;
    for (; piece < run.pieces[part].length; piece += 1, item = 0) {
      const held = await this.piece(id, run, part, piece);
      const list: readonly object[] = held !== undefined && 'items' in held ? held.items : [];
      for (; item < list.length; item += 1) {
        const one = list[item];
        if (one === undefined || !(await this.mayKnow(caller, one))) continue;
        if (items.length === limit) return { items, next: { piece, item } };
        items.push(one);
      }
    }
    return { items };
  }

  /** Every pair of the answer, in order, whoever may see it. */
  async *pairs(id: string, run: AllocationRun): AsyncGenerator<AllocationPair> {
    for (const [n] of run.pieces.pairs.entries()) {
      const piece = await this.piece(id, run, 'pairs', n);
      if (piece?.part === 'pairs') yield* piece.items;
    }
  }

  /** The certificate, piece by piece. */
  async *certificate(id: string, run: AllocationRun): AsyncGenerator<string> {
    for (const [n] of run.pieces.certificate.entries()) {
      const piece = await this.piece(id, run, 'certificate', n);
      if (piece?.part === 'certificate') yield piece.text;
    }
  }

  /** Of a piece its history tells what it is part of, and of what was shared how much: what they hold is shown by the lists. */
  maskEvent(
    _caller: Caller,
    _state: AllocationState,
    { type, data }: RecordedEvent<AllocationEvent>,
  ): object | undefined {
    // The event's type and data belong together; the envelope's type lost that.
    const fact = { type, data } as AllocationEvent;
    if (fact.type === 'AllocationPieceRecorded') return { n: fact.data.n, piece: { part: fact.data.piece.part } };
    return fact.type === 'AllocationShared' ? { ...fact.data, lines: fact.data.lines.length } : fact.data;
  }

  private async piece(
    id: string,
    { pieces }: AllocationRun,
    part: PiecePart,
    n: number,
  ): Promise<AllocationPiece | undefined> {
    const revision = pieces[part][n];
    if (revision === undefined) return undefined;
    const [event] = await this.store.readStream(streamOf(allocationDecider.category, id), revision, 1);
    return (event as RecordedEvent<Extract<AllocationEvent, { type: 'AllocationPieceRecorded' }>> | undefined)?.data
      .piece;
  }

  private async mayKnow(caller: Caller, item: object): Promise<boolean> {
    const { needId, offerId } = item as { readonly needId?: string; readonly offerId?: string };
    if (needId !== undefined && !(await this.needs.sight(needId, caller)).body) return false;
    return offerId === undefined || this.offers.sees(offerId, caller);
  }
}
