/** A person as the identity provider names them. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
}

/**
 * Port: the only place that knows which person an opaque reference stands for. `iss` and `sub` (which may be an e-mail address) never
 * reach the log. Every method @throws {StoreUnavailableError} where the register cannot be asked, or a new reference not be written.
 */
export abstract class SubjectRegister {
  /** The reference of a person, durable before it is answered: an event may rest on it. */
  abstract referenceOf(person: Person): Promise<string>;
  /** The reference of a person who has one: who only reads leaves no trace. */
  abstract knownReferenceOf(person: Person): Promise<string | undefined>;
  /** The person behind a reference; undefined where it is unknown or was erased. */
  abstract personBehind(reference: string): Promise<Person | undefined>;
  abstract close(): Promise<void> | void;
}
