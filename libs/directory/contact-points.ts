import type { Sealed } from '#kernel';
import { streamOf } from '#kernel';
import type { Place } from '#web';
import { SubjectRegister } from '#web';
import { Injectable } from '@nestjs/common';
import type { SealedContact } from './party.contract.js';
import type { Designation } from './party.js';
import { partyDecider } from './party.js';
import { PartyBoard } from './party-board.js';

/** How the holder of a designation is reached, in the clear: never in an event, a read model or a line of the log. */
export interface ContactPoint {
  readonly name?: string;
  readonly mailbox?: string;
  /** E.164. */
  readonly telephone?: string;
}

/** What is shown in place of it. `unreadable`: its key was lost without an erasure, or the log is not what it was. */
export type ShownContact = ContactPoint | { readonly erased: true } | { readonly unreadable: true };

const FIELDS = ['name', 'mailbox', 'telephone'] as const;

const placeOf = (party: string, designation: string, field: string): Place => [
  streamOf(partyDecider.category, party),
  designation,
  field,
];

/** Contact data on its way into events and out of them. Every method @throws {KeyStoreUnavailableError} */
@Injectable()
export class ContactPoints {
  constructor(
    private readonly keys: SubjectRegister,
    private readonly board: PartyBoard,
  ) {}

  /** The log decides who was erased, whatever the key store still holds. */
  isErased(holder: string): boolean {
    return this.board.isErased(holder);
  }

  /** As an event holds it; undefined where the holder was erased. */
  async seal(
    party: string,
    { designation, holder }: Pick<Designation, 'designation' | 'holder'>,
    contact: ContactPoint,
  ): Promise<SealedContact | undefined> {
    if (this.isErased(holder)) return undefined;
    const given = FIELDS.flatMap((field) => {
      const text = contact[field];
      return text === undefined ? [] : [{ field, text, place: placeOf(party, designation, field) }];
    });
    const sealed = await this.keys.seal(
      holder,
      given.map(({ place, text }) => ({ place, text })),
    );
    if (sealed === undefined) return undefined;
    const fields: Record<string, Sealed> = {};
    given.forEach(({ field }, index) => {
      const each = sealed[index];
      if (each !== undefined) fields[field] = each;
    });
    return fields;
  }

  /** As it is shown to who may see it. */
  async shown(party: string, { designation, holder, contact = {} }: Designation): Promise<ShownContact> {
    if (this.isErased(holder)) return { erased: true };
    const opened = await Promise.all(
      FIELDS.flatMap((field) => {
        const sealed = contact[field];
        if (sealed === undefined) return [];
        const place = placeOf(party, designation, field);
        // A key opens what was sealed for its own subject: another one's ciphertext stands here by nobody's doing.
        const asked = sealed.subject === holder ? this.keys.unseal({ place, sealed }) : ('unreadable' as const);
        return [Promise.resolve(asked).then((unsealed) => ({ field, unsealed }))];
      }),
    );
    if (opened.some(({ unsealed }) => unsealed === 'erased')) return { erased: true };
    const texts: Record<string, string> = {};
    for (const { field, unsealed } of opened) {
      if (typeof unsealed === 'string') return { unreadable: true };
      texts[field] = unsealed.text;
    }
    return texts;
  }
}
