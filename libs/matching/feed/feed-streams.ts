import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { pause } from '#kernel';
import type { RequestContext } from '#web';
import { Problem, problemDocument, streamedEvent } from '#web';
import { Standings } from '../standings.js';
import type { FeedPage } from './match-feed.js';
import { MatchFeed } from './match-feed.js';
import type { Watch } from './watched-matches.js';

/** Streams that one caller may hold at a process, and all callers together. */
const MOST_OF_ONE = 4;
const MOST_OF_ALL = 200;
/** How often it is looked whether anything moved. */
const LOOK_MS = 500;
/** So often it is read anew although nothing did: sight and days change without an event of matching. It is the heartbeat as well. */
const READ_MS = 15_000;
/** A stream rests so many times as long as its reading took: however much it watches, it takes a twentieth of a processor at most. */
const REST = 19;
/** What clients are told to wait before they come again. */
const RETRY_MS = 3_000;

/** What is asked of a stream: as of a page, which is each of its events. */
export interface StreamRequest {
  readonly watch: Watch;
  readonly after: string | undefined;
  readonly limit: number;
}

/** The feed as a stream of its pages: each event carries the cursor to go on from. */
@Injectable()
export class FeedStreams implements OnModuleDestroy {
  private readonly held = new Map<string, number>();
  private readonly ending = new AbortController();

  constructor(
    private readonly feed: MatchFeed,
    private readonly standings: Standings,
  ) {}

  /** Before the server waits for its answers to end. */
  onModuleDestroy(): void {
    this.ending.abort();
  }

  /**
   * Opens a stream that ends with the answer's connection, with the caller's right to it, and with this process.
   * @throws {Problem} as the first page does, and 429 where too many are held
   */
  async open(ctx: RequestContext, request: StreamRequest, answer: ServerResponse): Promise<Readable> {
    const gone = this.hold(ctx, answer);
    const newest = this.standings.newestEvent();
    const begun = performance.now();
    const first = await this.feed.page(ctx, request.watch, request.after, request.limit);
    const signal = AbortSignal.any([gone, this.ending.signal]);
    return Readable.from(this.events(ctx, request, { page: first, newest, begun }, signal));
  }

  private hold({ caller: { issuer, party, subject } }: RequestContext, answer: ServerResponse): AbortSignal {
    const who = JSON.stringify([issuer, party, subject]);
    const own = this.held.get(who) ?? 0;
    const all = [...this.held.values()].reduce((sum, count) => sum + count, 0);
    if (own >= MOST_OF_ONE || all >= MOST_OF_ALL) {
      const whose = own >= MOST_OF_ONE ? `You hold ${own} streams here: close one` : 'All streams are taken';
      throw Problem.of('too-many-requests', `${whose}, or read the feed page by page.`, {
        headers: { 'retry-after': '30' },
      });
    }
    const gone = new AbortController();
    // Who left before its answer began is not told of leaving.
    if (answer.destroyed) {
      gone.abort();
      return gone.signal;
    }
    this.held.set(who, own + 1);
    answer.once('close', () => {
      const left = (this.held.get(who) ?? 1) - 1;
      if (left === 0) this.held.delete(who);
      else this.held.set(who, left);
      gone.abort();
    });
    return gone.signal;
  }

  private async *events(
    ctx: RequestContext,
    { watch, limit }: StreamRequest,
    first: { readonly page: FeedPage; readonly newest: string | undefined; readonly begun: number },
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    yield `retry: ${RETRY_MS}\n\n`;
    let { page, newest, begun } = first;
    try {
      for (;;) {
        const told = page.items.length > 0 || page.restart;
        yield streamedEvent('matches', { id: page.next, ...(told ? { data: page } : {}) });
        if (!page.more) await this.rest(newest, performance.now() - begun, signal);
        if (signal.aborted) return;
        newest = this.standings.newestEvent();
        begun = performance.now();
        page = await this.feed.page(await ctx.again(), watch, page.next, limit);
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      yield streamedEvent('problem', { data: problemDocument(error, ctx.correlationId) });
    }
  }

  /** Until something moved since the newest event, or it is time to look all the same. */
  private async rest(newest: string | undefined, tookMs: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + READ_MS;
    await pause(Math.max(LOOK_MS, tookMs * REST), signal);
    while (!signal.aborted && performance.now() < until && this.standings.newestEvent() === newest) {
      await pause(LOOK_MS, signal);
    }
  }
}
