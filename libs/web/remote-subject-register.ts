import { LRUCache } from 'lru-cache';
import type { Sealed } from '#kernel';
import { StoreUnavailableError } from '#kernel';
import type { Person, SealedAt, TextToSeal, Unsealed } from './subject-register.js';
import { KeyStoreUnavailableError, SubjectRegister } from './subject-register.js';

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

/** What `POST /v1/seal` takes: texts of one subject; it answers null where that one was erased. */
export interface SealAsked {
  readonly subject: string;
  readonly texts: readonly TextToSeal[];
}

export interface SealAnswered {
  readonly sealed: readonly Sealed[] | null;
}

/** What `POST /v1/unseal` takes and answers, in the order of the question. */
export interface UnsealAsked {
  readonly sealed: readonly SealedAt[];
}

export interface UnsealAnswered {
  readonly unsealed: readonly Unsealed[];
}

/** What `POST /v1/erase` takes; it answers once their keys are destroyed. */
export interface EraseAsked {
  readonly subjects: readonly string[];
}

/** Questions that one call carries at most. */
export const MAX_ASKED = 500;

const ANSWER_TIMEOUT_MS = 3_000;
/** The key store writes its file anew before it answers. */
const ERASE_TIMEOUT_MS = 30_000;
const CACHED = 50_000;
/** An erased person is forgotten everywhere this soon. */
const PERSON_KEPT_MS = 60_000;

/**
 * The register of a key store elsewhere, asked over HTTP with a shared secret. Who is who is kept for a minute; what was sealed is asked for
 * every time. Questions of one moment travel in one call.
 */
export class RemoteSubjectRegister extends SubjectRegister {
  private readonly known = new LRUCache<string, string>({
    max: CACHED,
    ttl: PERSON_KEPT_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
  });
  private readonly people = new LRUCache<string, Person>({ max: CACHED, ttl: PERSON_KEPT_MS });
  private readonly references: Gathering<Person & { readonly make: boolean }, string>;
  private readonly persons: Gathering<string, Person>;
  private readonly unsealing: Gathering<SealedAt, Unsealed>;

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
    this.unsealing = new Gathering(async (sealed) => {
      const { unsealed } = await this.ask<UnsealAnswered>('/v1/unseal', { sealed } satisfies UnsealAsked);
      return unsealed;
    });
  }

  override async referenceOf(person: Person): Promise<string> {
    const reference = await this.reference({ ...person, make: true });
    if (reference === undefined) throw unavailable('it gave no reference');
    return reference;
  }

  override knownReferenceOf(person: Person): Promise<string | undefined> {
    return this.reference({ ...person, make: false });
  }

  override async personBehind(reference: string): Promise<Person | undefined> {
    const cached = this.people.get(reference);
    if (cached !== undefined) return cached;
    const person = await this.persons.ask(reference);
    if (person !== undefined) this.people.set(reference, person);
    return person;
  }

  override async seal(subject: string, texts: readonly TextToSeal[]): Promise<readonly Sealed[] | undefined> {
    const { sealed } = await this.ask<SealAnswered>('/v1/seal', { subject, texts } satisfies SealAsked);
    if (sealed !== null && sealed.length !== texts.length) throw unavailable('it answered something else');
    return sealed ?? undefined;
  }

  override async unseal(sealed: SealedAt): Promise<Unsealed> {
    return (await this.unsealing.ask(sealed)) ?? 'unreadable';
  }

  override async erase(subjects: readonly string[]): Promise<void> {
    for (let from = 0; from < subjects.length; from += MAX_ASKED) {
      const some = subjects.slice(from, from + MAX_ASKED);
      await this.ask('/v1/erase', { subjects: some } satisfies EraseAsked, ERASE_TIMEOUT_MS);
      const gone = new Set(some);
      for (const [person, reference] of [...this.known.entries()]) if (gone.has(reference)) this.known.delete(person);
      for (const reference of some) this.people.delete(reference);
    }
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

  private async reference({ issuer, subject, make }: Person & { readonly make: boolean }): Promise<string | undefined> {
    const key = JSON.stringify([issuer, subject]);
    const isFresh = this.known.getRemainingTTL(key) > 0;
    const cached = this.known.get(key);
    if (cached !== undefined && isFresh) return cached;
    let reference: string | undefined;
    try {
      reference = await this.references.ask({ issuer, subject, make });
    } catch (error) {
      // While the key store is away nobody is erased either: whoever was known goes on.
      if (cached !== undefined && error instanceof StoreUnavailableError) return cached;
      throw error;
    }
    if (reference === undefined) this.known.delete(key);
    else this.known.set(key, reference);
    return reference;
  }

  // What went wrong is said without what was asked: a question names people.
  private async ask<T>(path: string, question: object, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.address), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.ok) return (await response.json()) as T;
      await response.arrayBuffer();
    } catch {
      throw unavailable('it cannot be reached');
    }
    throw unavailable(response.status === 401 ? 'the shared secret is not its own' : `it answered ${response.status}`);
  }
}

const unavailable = (why: string): KeyStoreUnavailableError =>
  new KeyStoreUnavailableError(`the key store cannot be asked: ${why}`);

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
