import type { Sealed } from '#kernel';
import { StoreUnavailableError } from '#kernel';
import type { Place } from './sealing.js';

/** A person as the identity provider names them. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
}

/** The key store cannot be asked or written. Nothing was answered by halves. */
export class KeyStoreUnavailableError extends StoreUnavailableError {}

/** A text, and where it is to stand. */
export interface TextToSeal {
  readonly place: Place;
  readonly text: string;
}

/** What is to be opened, and where it stands. */
export interface SealedAt {
  readonly place: Place;
  readonly sealed: Sealed;
}

/** What opening gives. `unreadable`: the key was lost, not erased, or what was sealed is not what it was. */
export type Unsealed = { readonly text: string } | 'erased' | 'unreadable';

/**
 * Port: the key store, apart from the log. It alone knows which person an opaque reference stands for, and holds the keys that a person's
 * data in the log is sealed with. `iss` and `sub` (which may be an e-mail address) never reach the log.
 * Every method @throws {KeyStoreUnavailableError} where it cannot be asked, or what is new not be written.
 */
export abstract class SubjectRegister {
  /** The reference of a person, durable before it is answered: an event may rest on it. */
  abstract referenceOf(person: Person): Promise<string>;
  /** The reference of a person who has one: who only reads leaves no trace. */
  abstract knownReferenceOf(person: Person): Promise<string | undefined>;
  /** The person behind a reference; undefined where it is unknown or was erased. */
  abstract personBehind(reference: string): Promise<Person | undefined>;
  /** Seals texts with the subject's key, which is made, durably, with the first of them. Undefined where the subject was erased. */
  abstract seal(subject: string, texts: readonly TextToSeal[]): Promise<readonly Sealed[] | undefined>;
  abstract unseal(sealed: SealedAt): Promise<Unsealed>;
  /**
   * Destroys the keys of these subjects and who they were: what was sealed for them is noise, the references stand for nobody, and no key is
   * ever made for them again. Done before is done.
   */
  abstract erase(subjects: readonly string[]): Promise<void>;
  abstract close(): Promise<void> | void;
}
