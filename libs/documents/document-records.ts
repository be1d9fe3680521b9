import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { ProjectionRunner, Transactor } from '#kernel';
import type { RecordKind } from '#web';
import { RecordKinds } from '#web';
import type { DocumentEvent } from './document.contract.js';
import type { DocumentCommand, DocumentHolder, DocumentRejection, DocumentState } from './document.js';
import { documentDecider } from './document.js';
import { DOCUMENT_LINKS, linksOf } from './document-links.projection.js';

/** Auditors and operators hold nothing by their party: an auditor reads what its mandates open. */
const isMember = ({ anonymous, roles }: Caller): boolean =>
  !anonymous && (roles.length === 0 || roles.some((role) => role !== 'operator'));

/** Through whose upload somebody sees a document and, unless it is its own, in which record it is listed. */
export interface Held {
  readonly holder: DocumentHolder;
  readonly listedIn?: { readonly category: string; readonly id: string };
}

/** A place in a record's view where a document is listed. `by` is the party that the nearest enclosing object names. */
interface Occurrence {
  readonly by: string | undefined;
}

const occurrencesOf = (sha256: string, view: unknown, by?: string): readonly Occurrence[] => {
  if (typeof view !== 'object' || view === null) return [];
  if (Array.isArray(view)) return view.flatMap((each) => occurrencesOf(sha256, each, by));
  const { party = by, sha256: listed, ...rest } = view as { readonly party?: string; readonly sha256?: unknown };
  return [
    ...(listed === sha256 ? [{ by: party }] : []),
    ...Object.values(rest).flatMap((inner) => occurrencesOf(sha256, inner, party)),
  ];
};

/**
 * Who sees which document. There is one rule, and it is the records': whoever is shown a record with the document listed in it may have
 * the document. It asks the record's own view, so that every label, mask and mandate counts exactly as it does there. A listing counts
 * only if whoever listed it had uploaded the file: else a known hash, listed in a record of one's own, would open what others hide.
 */
@Injectable()
export class DocumentRecords implements RecordKind<DocumentState, DocumentCommand, DocumentEvent, DocumentRejection> {
  readonly decider = documentDecider;
  readonly path = '/v1/documents';

  constructor(
    private readonly kinds: RecordKinds,
    private readonly transactor: Transactor,
    private readonly runner: ProjectionRunner,
  ) {
    kinds.add(this);
  }

  exists({ holders }: DocumentState): boolean {
    return holders.size > 0;
  }

  async sees(caller: Caller, sha256: string, state: DocumentState): Promise<boolean> {
    return (await this.heldFor(caller, sha256, state)) !== undefined;
  }

  permits(): boolean {
    return false;
  }

  async view(caller: Caller, sha256: string, { state }: Folded<DocumentState>): Promise<object> {
    return { sha256, size: state.size, ...(await this.heldFor(caller, sha256, state))?.holder };
  }

  /** That another party holds the same file is its own affair. */
  maskEvent(caller: Caller, _state: DocumentState, { data }: RecordedEvent<DocumentEvent>): object | undefined {
    const open = caller.mandates.some(({ everything, parties }) => everything || parties.has(data.party));
    return open || (isMember(caller) && caller.party === data.party) ? data : undefined;
  }

  /** How the caller sees the document: by its own upload, or by that of a party that shows it to the caller in a record. */
  async heldFor(caller: Caller, sha256: string, { holders }: DocumentState): Promise<Held | undefined> {
    const own = isMember(caller) ? holders.get(caller.party) : undefined;
    if (own !== undefined) return { holder: own };
    for (const link of linksOf(this.runner.model(DOCUMENT_LINKS), sha256)) {
      const listers = link.listers.filter((lister) => holders.has(lister));
      if (listers.length === 0) continue;
      const everyone = listers.length === link.listers.length;
      for (const { by } of occurrencesOf(sha256, await this.viewOf(caller, link.category, link.id))) {
        // Where the view does not say who listed it, everybody who did must have had it.
        const lister = by !== undefined && link.listers.includes(by) ? by : everyone ? listers[0] : undefined;
        const holder = lister === undefined ? undefined : holders.get(lister);
        if (holder !== undefined) return { holder, listedIn: { category: link.category, id: link.id } };
      }
    }
    return undefined;
  }

  /** The record as `GET` shows it to this caller; undefined where it does not see it. */
  private async viewOf(caller: Caller, category: string, id: string): Promise<object | undefined> {
    const kind = this.kinds.of(category);
    if (kind === undefined) return undefined;
    const folded = await this.transactor.load(kind.decider, id);
    if (!kind.exists(folded.state) || !(await kind.sees(caller, id, folded.state))) return undefined;
    return kind.view(caller, id, folded);
  }
}
