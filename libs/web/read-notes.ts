import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Clock, streamOf } from '#kernel';
import type { RequestContext } from './request-context.js';
import type { Person } from './subject-register.js';

/** What one person read in one minute for one purpose, by stream: the ways of reading it, such as `record`, `history`, `list`. */
export interface Noted {
  readonly person: Person;
  readonly caller: Caller;
  /** Whole minutes since 1970. */
  readonly minute: number;
  readonly records: ReadonlyMap<string, ReadonlySet<string>>;
  /** What the person said it reads for: apart from other purposes, which may be those of records whose parties see other things. */
  readonly purpose: string | undefined;
  /** Records that there was no room to name. */
  readonly unnamed: number;
}

interface Noting extends Noted {
  readonly records: Map<string, Set<string>>;
  unnamed: number;
}

/** The minute under way of one person. */
interface Minute {
  readonly minute: number;
  readonly notings: Map<string | undefined, Noting>;
}

const MINUTE_MS = 60_000;
/** Records of all persons that are held at once: beyond, they are counted and no longer named. */
const MOST_NAMED = 20_000;
/** Purposes of one person and minute: what is read for further ones is noted without. */
const MOST_PURPOSES = 20;

/**
 * Who reads what, held until somebody writes it down: a look-up and a set on the way of each answer, and nothing that could fail. Which of the
 * records are restricted is asked later, off that way.
 */
@Injectable()
export class ReadNotes {
  /** By the person as its verified token names it, which is one object for as long as the token is known. */
  private readonly current = new Map<Person, Minute>();
  private over: Noted[] = [];
  private named = 0;

  constructor(private readonly clock: Clock) {}

  /** @param category of the streams, such as `need`; `ids` of the records that the answer shows */
  note(ctx: RequestContext, category: string, ids: readonly string[]): void {
    this.noteStreams(
      ctx,
      ids.map((id) => streamOf(category, id)),
    );
  }

  /** The same by the streams of the records. */
  noteStreams({ method, person, caller, path, purpose }: RequestContext, streams: Iterable<string>): void {
    if (person === undefined || method !== 'GET') return;
    const noting = this.notingOf(person, caller, purpose);
    const way = wayOf(path);
    for (const stream of streams) {
      const ways = noting.records.get(stream);
      if (ways !== undefined) ways.add(way);
      else if (this.named >= MOST_NAMED) noting.unnamed += 1;
      else {
        this.named += 1;
        noting.records.set(stream, new Set([way]));
      }
    }
  }

  /** What was read in minutes that are over at `now`; all of it without `now`. It is held no longer. */
  take(now?: Date): readonly Noted[] {
    const minute = now === undefined ? Infinity : minuteOf(now);
    for (const [person, under] of this.current) if (under.minute < minute) this.close(person, under);
    const taken = this.over;
    this.over = [];
    for (const { records } of taken) this.named -= records.size;
    return taken;
  }

  /** Holds once more what could not be written: where there is no room for its records, as a count. */
  giveBack({ records, unnamed, ...rest }: Noted): void {
    const fits = this.named + records.size <= MOST_NAMED;
    this.named += fits ? records.size : 0;
    this.over.push({
      ...rest,
      ...(fits ? { records, unnamed } : { records: new Map(), unnamed: unnamed + records.size }),
    });
  }

  private notingOf(person: Person, caller: Caller, said: string | undefined): Noting {
    const { minute, notings } = this.minuteOf(person);
    const purposes = notings.size - (notings.has(undefined) ? 1 : 0);
    const purpose = said === undefined || notings.has(said) || purposes < MOST_PURPOSES ? said : undefined;
    const known = notings.get(purpose);
    if (known !== undefined) return known;
    const noting: Noting = { person, caller, minute, records: new Map(), purpose, unnamed: 0 };
    notings.set(purpose, noting);
    return noting;
  }

  private minuteOf(person: Person): Minute {
    const minute = minuteOf(this.clock.now());
    const known = this.current.get(person);
    if (known?.minute === minute) return known;
    if (known !== undefined) this.close(person, known);
    const begun: Minute = { minute, notings: new Map() };
    this.current.set(person, begun);
    return begun;
  }

  private close(person: Person, { notings }: Minute): void {
    this.current.delete(person);
    this.over.push(...notings.values());
  }
}

const minuteOf = (now: Date): number => Math.floor(now.getTime() / MINUTE_MS);

/** What is reckoned from records: its parts, such as `/v1/totals/events`, are no records. */
const SUMMARIES: ReadonlySet<string> = new Set(['totals', 'statements', 'suggestions']);

/** `/v1/needs/<id>/history` → `history`, `/v1/needs/<id>` → `record`, `/v1/needs` → `list`; of other lists their own name. */
const wayOf = (path: string): string => {
  const [, , collection = '', id, part] = path.split('/');
  if (SUMMARIES.has(collection)) return collection;
  if (collection === 'documents') return 'document';
  if (collection === 'audit') return 'log';
  return part ?? (id === undefined ? 'list' : 'record');
};
