import type { NoteAudience, RefusalReasonCode } from '#vocabulary';
import { NOTE_AUDIENCES, REFUSAL_REASONS } from '#vocabulary';
import { CodeList, Nested, Text } from './dto.js';

/** A reason given by a person: a code, and a note for the other side or for the coordinator only (API.md). */
export class ReasonDto {
  @CodeList(REFUSAL_REASONS, { example: 'budget' })
  code!: RefusalReasonCode;

  @Text({ required: false })
  note?: string;

  @CodeList(NOTE_AUDIENCES, { required: false, description: 'Whom the note is for' })
  noteFor?: NoteAudience;
}

/** The body of every command that asks why. */
export class ReasonBody {
  @Nested(() => ReasonDto)
  reason!: ReasonDto;
}

/** The reason as events hold it: without what was left out. */
export const reasonOf = ({
  reason: { code, note, noteFor },
}: ReasonBody): { readonly code: RefusalReasonCode; readonly note?: string; readonly noteFor?: NoteAudience } => ({
  code,
  ...(note === undefined ? {} : { note }),
  ...(noteFor === undefined ? {} : { noteFor }),
});
