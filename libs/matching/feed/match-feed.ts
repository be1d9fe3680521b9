import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Caller } from '#directory/contract';
import { EventStore, Turns } from '#kernel';
import type { RequestContext } from '#web';
import { Cursors, invalid, ReadGate } from '#web';
import type { HeldStanding } from '../held-standing.js';
import { MATCH_INDEX } from '../match-index.projection.js';
import type { Hindrance } from '../matches.js';
import { Matches, NOT_SHOWN } from '../matches.js';
import { NEWEST, type RulesetVersion } from '../rules/rulesets.js';
import type { Component } from '../rules/sides.js';
import type { Standing } from '../standing.js';
import { Standings } from '../standings.js';
import type { Change, MatchSet, Step } from './match-changes.js';
import { digestOf, joinedAt, stepped, stepsBetween } from './match-changes.js';
import type { Watch } from './watched-matches.js';
import { MOST_WATCHED, TooManyWatchedError, WatchedMatches, watches } from './watched-matches.js';

/** A reason, as matches give it, or that the watch itself no longer takes the pairing in. */
export type Reason = Hindrance | { readonly code: 'outside-watch'; readonly because: string };

/** What became of one match since it was last told. */
export interface FeedItem {
  readonly change: Change;
  readonly needId: string;
  readonly offerId: string;
  /** null where there is no match. */
  readonly score: { readonly before: number | null; readonly after: number | null };
  /** Of what appeared: what stood in the way when last told. Of what vanished: what stands in the way now. */
  readonly reasons: readonly Reason[];
  /** Of what improved or worsened: the parts of the score that are worth another share of it. */
  readonly components?: readonly { readonly name: string; readonly before: PartWorth; readonly after: PartWorth }[];
}

type PartWorth = Pick<Component, 'weight' | 'value'>;

export interface FeedPage {
  /** What was known is to be forgotten: these items begin anew. */
  readonly restart: boolean;
  readonly items: readonly FeedItem[];
  /** Goes on behind these items, now or later. */
  readonly next: string;
  /** There is more to be told now. */
  readonly more: boolean;
  readonly ruleset: RulesetVersion;
  /** Position of the log up to which is told, as decimal text. */
  readonly asOf: string;
  /** The UTC day that is told for. */
  readonly on: string;
}

/** A moment that all matches of a watch are of. */
interface Cut {
  readonly position: string;
  /** UTC day. */
  readonly on: string;
}

/**
 * Where a reader is: told of all at `to`; with a `key`, of what comes up to it at `to`, and of what comes behind as at `from` (of nothing
 * where that is absent). `digest` is of all that was told.
 */
interface Place {
  readonly from: Cut | undefined;
  readonly to: Cut;
  readonly key: string;
  readonly digest: string;
}

/** A page under way. */
interface Reading {
  readonly ctx: RequestContext;
  readonly watch: Watch;
  readonly limit: number;
  readonly told: MatchSet;
  readonly place: Place | undefined;
  readonly restart: boolean;
}

/** Matches kept in memory for readers who come again; some 1 KB each. */
const REMEMBERED = 20_000;

const OUTSIDE: Reason = { code: 'outside-watch', because: 'the pairing is none of those that are watched' };

/**
 * What became of the matches of a watch since a reader was last told. Nothing of it is stored: the cursor names the moment that was told of,
 * and a digest of what was. What was told is found again in memory or from the past, by who may see what today; where neither gives the
 * digest (sight has changed meanwhile, and another process is asked), the reader begins anew.
 */
@Injectable()
export class MatchFeed {
  private readonly remembered = new LRUCache<string, MatchSet>({
    maxSize: REMEMBERED,
    sizeCalculation: ({ size }) => size + 1,
  });

  constructor(
    private readonly watched: WatchedMatches,
    private readonly matches: Matches,
    private readonly standings: Standings,
    private readonly store: EventStore,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /**
   * At most `limit` items behind the cursor `after`: from nothing where it is absent.
   * @throws {Problem} 400 for a cursor of another watch, caller or log, and for a watch of too many records; 503 as every list
   */
  async page(ctx: RequestContext, watch: Watch, after: string | undefined, limit: number): Promise<FeedPage> {
    const place = after === undefined ? undefined : this.placeOf(ctx, watch, after);
    if (place !== undefined && BigInt(place.to.position) > (await this.store.head())) {
      throw invalid([{ field: 'after', message: 'names a place that this log has not come to: start without it' }]);
    }
    await this.gate.ready(ctx, MATCH_INDEX);
    try {
      const told = place === undefined ? new Map() : await this.told(ctx.caller, watch, place);
      return await (told === undefined
        ? this.read({ ctx, watch, limit, told: new Map(), place: undefined, restart: true })
        : this.read({ ctx, watch, limit, told, place, restart: false }));
    } catch (error) {
      if (!(error instanceof TooManyWatchedError)) throw error;
      const message = `matches of more than ${MOST_WATCHED} records would be watched: narrow it by needId, offerId, state, region, network, kind, instrument or donor`;
      throw invalid([{ field: 'records', message }]);
    }
  }

  private async read({ ctx, watch, limit, told, place, restart }: Reading): Promise<FeedPage> {
    const { caller } = ctx;
    const now = { position: this.standings.position(), on: this.standings.today() };
    // What was begun is finished first: two moments at once are enough.
    const unfinished = place !== undefined && place.key !== '';
    const to = unfinished ? place.to : now;
    const from = unfinished ? place.from : place?.to;
    const standing = await this.held(to);
    const steps = stepsBetween(told, await this.watched.at(caller, watch, standing), unfinished ? place.key : '');
    const page = steps.slice(0, limit);
    const rest = steps.length > page.length;
    const next = stepped(told, page);
    const digest = digestOf(next);
    this.remembered.set(digest, next);
    const before = from === undefined ? undefined : this.standings.at(BigInt(from.position), from.on);
    const items: FeedItem[] = [];
    const turns = new Turns();
    for (const step of page) {
      await turns.pass();
      items.push(await this.item(caller, watch, step, before, standing));
    }
    return {
      restart,
      items,
      next: this.cursors.encode(ctx, watch, wordsOf({ from, to, key: rest ? (page.at(-1)?.key ?? '') : '', digest })),
      more: rest || to.position !== now.position || to.on !== now.on,
      ruleset: NEWEST,
      asOf: to.position,
      on: to.on,
    };
  }

  /** What the reader was told of; undefined where it cannot be found again. */
  private async told(caller: Caller, watch: Watch, { from, to, key, digest }: Place): Promise<MatchSet | undefined> {
    const remembered = this.remembered.get(digest);
    if (remembered !== undefined) return remembered;
    const ends = await this.watched.at(caller, watch, await this.held(to));
    if (key === '') return digestOf(ends) === digest ? ends : undefined;
    const begins: MatchSet =
      from === undefined ? new Map() : await this.watched.at(caller, watch, await this.held(from));
    const found = joinedAt(key, ends, begins);
    return digestOf(found) === digest ? found : undefined;
  }

  private async held({ position, on }: Cut): Promise<HeldStanding> {
    const standing = await this.standings.held(BigInt(position), on);
    if (standing === undefined) throw new Error(`matches have not come to ${position}, where the reader is`);
    return standing;
  }

  private async item(
    caller: Caller,
    watch: Watch,
    { change, before, after }: Step,
    then: Standing | undefined,
    now: Standing,
  ): Promise<FeedItem> {
    const known = after ?? before;
    if (known === undefined) throw new Error('a step leads from something or to something');
    const { needId, offerId } = known;
    const reasonsAt = async (standing: Standing | undefined): Promise<readonly Reason[]> => {
      if (standing === undefined) return [];
      const reasons = await this.matches.hindrances(caller, needId, offerId, standing, NEWEST);
      if (reasons.length > 0) return reasons;
      return watches(watch, caller, standing, needId, offerId) ? [NOT_SHOWN] : [OUTSIDE];
    };
    return {
      change,
      needId,
      offerId,
      score: { before: before?.score ?? null, after: after?.score ?? null },
      reasons: change === 'appeared' ? await reasonsAt(then) : change === 'vanished' ? await reasonsAt(now) : [],
      ...(before === undefined || after === undefined
        ? {}
        : {
            components: Object.entries(after.parts).flatMap(([name, part]) => {
              const earlier = before.parts[name] ?? { weight: 0, value: 0 };
              return earlier.weight * earlier.value === part.weight * part.value
                ? []
                : [{ name, before: earlier, after: part }];
            }),
          }),
    };
  }

  private placeOf(ctx: RequestContext, watch: Watch, after: string): Place {
    const [fromPosition = '', fromOn = '', position = '', on = '', key = '', digest = ''] = this.cursors
      .decode(ctx, watch, after, 'after')
      .map(String);
    return {
      from: fromPosition === '' ? undefined : { position: fromPosition, on: fromOn },
      to: { position, on },
      key,
      digest,
    };
  }
}

/** What of a place goes into a cursor. What it began from is of no use once it was told to the end. */
const wordsOf = ({ from, to, key, digest }: Place): readonly string[] => {
  const begun = key === '' ? undefined : from;
  return [begun?.position ?? '', begun?.on ?? '', to.position, to.on, key, digest];
};
