import type { CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse } from '#kernel';
import type { DocumentEvent } from './document.contract.js';

export type DocumentRejection = Rejection<'forbidden'>;

/** The bytes are on disk and have this hash: what is left is to say whose they are. */
export interface DocumentCommand {
  readonly type: 'StoreDocument';
  readonly by: CommandContext;
  readonly sha256: string;
  readonly size: number;
  readonly mediaType: string;
  readonly name?: string;
}

/** A party that uploaded the file, and what it called it. */
export interface DocumentHolder {
  readonly mediaType: string;
  readonly name?: string;
}

export interface DocumentState {
  readonly size: number;
  /** By party id. */
  readonly holders: ReadonlyMap<string, DocumentHolder>;
}

const decide = (command: DocumentCommand, { holders }: DocumentState): Decision<DocumentEvent, DocumentRejection> => {
  const { by, sha256, size, mediaType, name } = command;
  const { party, role } = by.actor;
  if (role === 'operator') return refuse('forbidden', 'Whoever runs the system brings no documents to it.');
  if (holders.has(party)) return accept();
  return accept<DocumentEvent>({
    type: 'DocumentStored',
    data: { sha256, size, mediaType, ...(name === undefined ? {} : { name }), party },
  });
};

const evolve = (state: DocumentState, { type, data }: RecordedEvent<DocumentEvent>): DocumentState => {
  // An event of a later version says nothing here.
  if ((type as string) !== 'DocumentStored') return state;
  const { party, size, mediaType, name } = data;
  const holder = { mediaType, ...(name === undefined ? {} : { name }) };
  return { size, holders: new Map([...state.holders, [party, holder]]) };
};

const DOCUMENT_SCHEMAS = { DocumentStored: 1 } as const;

/** Who holds which file. */
export const documentDecider: Decider<DocumentState, DocumentCommand, DocumentEvent, DocumentRejection> = {
  category: 'document',
  initial: { size: 0, holders: new Map() },
  schemas: DOCUMENT_SCHEMAS,
  decide,
  evolve,
};
