import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Clock, streamOf } from '#kernel';
import type { RequestContext } from './request-context.js';
import type { Person } from './subject-register.js';

/** What one person read in one minute, by stream: the ways of reading it, such as `record`, `history`, `list`. */
export interface Noted {
  readonly person: Person;
  readonly caller: Caller;
  /** Whole minutes since 1970. */
  readonly minute: number;
  readonly records: ReadonlyMap<string, ReadonlySet<string>>;
  /** What the person said it reads for. */
  readonly purposes: ReadonlySet<string>;
  /** Records that there was no room to name. */
  readonly unnamed: number;
}

interface Noting extends Noted {
  readonly records: Map<string, Set<string>>;
  readonly purposes: Set<string>;
  unnamed: number;
}

const MINUTE_MS = 60_000;
/** Records of all persons that are held at once: beyond, they are counted and no longer named. */
const MOST_NAMED = 20_000;
/** Purposes of one person and minute. */
const MOST_PURPOSES = 20;

/**
 * Who reads what, held until somebody writes it down: a look-up and a set on the way of each answer, and nothing that could fail. Which of the
 * records are restricted is asked later, off that way.
 */
@Injectable()
export class ReadNotes {
  /** By the person as its verified token names it, which is one object for as long as the token is known. */
  private readonly current = new Map<Person, Noting>();
  private over: Noted[] = [];
  private named = 0;

  constructor(private readonly clock: Clock) {}

  /** @param category of the streams, such as `need`; `ids` of the records that the answer shows */
  note({ method, person, caller, path, purpose }: RequestContext, category: string, ids: readonly string[]): void {
    if (person === undefined || method !== 'GET') return;
    const noting = this.notingOf(person, caller);
    if (purpose !== undefined && noting.purposes.size < MOST_PURPOSES) noting.purposes.add(purpose);
    const way = wayOf(path);
    for (const id of ids) {
      const stream = streamOf(category, id);
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
    for (const [person, noting] of this.current) if (noting.minute < minute) this.close(person, noting);
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

  private notingOf(person: Person, caller: Caller): Noting {
    const minute = minuteOf(this.clock.now());
    const known = this.current.get(person);
    if (known?.minute === minute) return known;
    if (known !== undefined) this.close(person, known);
    const noting: Noting = { person, caller, minute, records: new Map(), purposes: new Set(), unnamed: 0 };
    this.current.set(person, noting);
    return noting;
  }

  private close(person: Person, noting: Noted): void {
    this.current.delete(person);
    this.over.push(noting);
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
