import { LRUCache } from 'lru-cache';
import { StoreUnavailableError } from '#kernel';
import type { Person } from './subject-register.js';
import { SubjectRegister } from './subject-register.js';

/** What `POST /v1/references` of the key store takes: people, each with whether an unknown one is given a reference. */
export interface ReferencesAsked {
  readonly people: readonly (Person & { readonly make: boolean })[];
}

/** What it answers, in the order of the question; null for a person without one. */
export interface ReferencesAnswered {
  readonly references: readonly (string | null)[];
}

/** What `POST /v1/people` takes and answers: who is behind references; null where nobody is known. */
export interface PeopleAsked {
  readonly references: readonly string[];
}

export interface PeopleAnswered {
  readonly people: readonly (Person | null)[];
}

/** Questions that one call carries at most. */
export const MAX_ASKED = 500;

const ANSWER_TIMEOUT_MS = 3_000;
const CACHED = 50_000;
/** An erased person is forgotten everywhere this soon. */
const PERSON_KEPT_MS = 60_000;

/**
 * The register of a key store elsewhere, asked over HTTP with a shared secret. What a person's reference is never changes, so it is kept;
 * questions of one moment travel in one call.
 */
export class RemoteSubjectRegister extends SubjectRegister {
  private readonly known = new LRUCache<string, string>({ max: CACHED });
  private readonly people = new LRUCache<string, Person>({ max: CACHED, ttl: PERSON_KEPT_MS });
  private readonly references: Gathering<Person & { readonly make: boolean }, string>;
  private readonly persons: Gathering<string, Person>;

  /** @param address such as `http://keys:3100` */
  constructor(
    private readonly address: string,
    private readonly secret: string,
  ) {
    super();
    this.references = new Gathering(async (people) => {
      const { references } = await this.ask<ReferencesAnswered>('/v1/references', { people } satisfies ReferencesAsked);
      return references;
    });
    this.persons = new Gathering(async (references) => {
      const { people } = await this.ask<PeopleAnswered>('/v1/people', { references } satisfies PeopleAsked);
      return people;
    });
  }

  override async referenceOf(person: Person): Promise<string> {
    const reference = await this.reference(person, true);
    if (reference === undefined) throw unavailable('it gave no reference');
    return reference;
  }

  override knownReferenceOf(person: Person): Promise<string | undefined> {
    return this.reference(person, false);
  }

  override async personBehind(reference: string): Promise<Person | undefined> {
    const cached = this.people.get(reference);
    if (cached !== undefined) return cached;
    const person = await this.persons.ask(reference);
    if (person !== undefined) this.people.set(reference, person);
    return person;
  }

  /** True where the key store answers. */
  async reachable(): Promise<boolean> {
    try {
      await this.ask<PeopleAnswered>('/v1/people', { references: [] });
      return true;
    } catch {
      return false;
    }
  }

  override close(): void {
    this.known.clear();
    this.people.clear();
  }

  private async reference({ issuer, subject }: Person, make: boolean): Promise<string | undefined> {
    const key = JSON.stringify([issuer, subject]);
    const cached = this.known.get(key);
    if (cached !== undefined) return cached;
    const reference = await this.references.ask({ issuer, subject, make });
    if (reference !== undefined) this.known.set(key, reference);
    return reference;
  }

  // What went wrong is said without what was asked: a question names people.
  private async ask<T>(path: string, question: object): Promise<T> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.address), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      if (response.ok) return (await response.json()) as T;
      await response.arrayBuffer();
    } catch {
      throw unavailable('it cannot be reached');
    }
    throw unavailable(response.status === 401 ? 'the shared secret is not its own' : `it answered ${response.status}`);
  }
}

const unavailable = (why: string): StoreUnavailableError =>
  new StoreUnavailableError(`the key store cannot be asked: ${why}`);

interface Waiting<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers the questions of one turn into calls of at most `MAX_ASKED`. */
class Gathering<Q, A> {
  private waiting: Waiting<Q, A>[] = [];

  constructor(private readonly call: (questions: readonly Q[]) => Promise<readonly (A | null)[]>) {}

  ask(question: Q): Promise<A | undefined> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(() => this.send());
      this.waiting.push({ question, resolve, reject });
    });
  }

  private send(): void {
    const all = this.waiting;
    this.waiting = [];
    for (let from = 0; from < all.length; from += MAX_ASKED) void this.sendSome(all.slice(from, from + MAX_ASKED));
  }

  private async sendSome(some: readonly Waiting<Q, A>[]): Promise<void> {
    try {
      const answers = await this.call(some.map(({ question }) => question));
      if (answers.length !== some.length) throw unavailable('it answered something else');
      some.forEach(({ resolve }, index) => {
        resolve(answers[index] ?? undefined);
      });
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
