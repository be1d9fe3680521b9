/** Something handed in is malformed or does not prove what it should; the message is the reason, in words. */
export class TlogRefusal extends Error {
  override readonly name = 'TlogRefusal';
}
