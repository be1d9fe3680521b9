/**
 * A personal field as an event holds it: ciphertext under the key of one subject, good at one place only. `iv`, `ct` and `tag` are base64url
 * without padding. Who destroys the key makes it unreadable for ever; hashes over it stay what they are.
 */
export interface Sealed {
  readonly alg: 'A256GCM';
  /** Whose key opens it: an opaque subject reference. */
  readonly subject: string;
  readonly iv: string;
  readonly ct: string;
  readonly tag: string;
}
