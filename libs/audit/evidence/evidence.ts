import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { Manifest, RevisionEvidence } from '#evidence/format';
import {
  CHECKPOINT,
  EVIDENCE_FORMAT,
  eventPath,
  schemaPath,
  stateFile,
  statePath,
  VERIFIER_KEY,
} from '#evidence/format';
import type { Folded, RecordedEvent } from '#kernel';
import { categoryOfStream, emptyFold, EventStore, foldOnto, idOfStream, Transactor, Upcasting } from '#kernel';
import { canonicalForm, entryHashOf, formatProofFile, leafEntry, openingBytes, TlogRefusal } from '#tlog';
import type { AnyRecordKind } from '#web';
import { lookingBack, RecordKinds, showsWhole, withoutToday } from '#web';
import { EVENT_SCHEMAS } from '../event-schemas.data.js';
import type { Signed } from '../signed-log/checkpoints.js';
import { behind } from '../signed-log/checkpoints.js';
import { LogSigning } from '../signed-log/log-signing.js';
import type { StreamLeaf } from '../signed-log/log-tree.js';
import { LogTree } from '../signed-log/log-tree.js';
import { openingOf } from '../signed-log/opening-of.js';
import { evidencePage, type ToldEvent } from './evidence-page.js';
import type { BundledFile } from './evidence-zip.js';
import { VERIFY_GUIDE } from './verify-guide.data.js';

/** Kinds of record that evidence is given of. */
export type EvidencedKind = Manifest['record']['kind'];

/** A stream as one caller may have it, up to its last event under a checkpoint. */
interface StreamInSight {
  readonly stream: string;
  readonly kind: AnyRecordKind;
  /** The record as it is now: what sight is judged by. */
  readonly now: unknown;
  /** The record after the last of these events. */
  readonly then: Folded<unknown>;
  /** When that was recorded. */
  readonly at: string;
  readonly events: readonly RevisionEvidence[];
}

/** What a bundle is made of: all of it is proven by one checkpoint. */
export interface EvidenceOfRecord {
  readonly record: Manifest['record'];
  readonly signed: Signed;
  /** The record's own stream first. */
  readonly streams: readonly StreamInSight[];
}

const PAGE = 100;

/** Evidence of a record that verifies without this service: events, what proves them, and how to verify it. */
@Injectable()
export class Evidence {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly transactor: Transactor,
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
    private readonly tree: LogTree,
    private readonly signing: LogSigning,
  ) {}

  /**
   * What the caller may have of a record, and of those that it is made of where they are seen, under this checkpoint; undefined where the
   * record is absent or hidden from the caller.
   * @param revision of the record that the checkpoint is to cover
   * @throws {Problem} 503 where it does not @throws {NewerEventError}
   */
  async of(
    caller: Caller,
    category: EvidencedKind,
    id: string,
    signed: Signed,
    revision: number,
  ): Promise<EvidenceOfRecord | undefined> {
    const kind = this.kinds.of(category);
    const stream = `${category}-${id}`;
    const own = kind === undefined ? undefined : await this.streamFor(caller, kind, stream, signed);
    if (kind === undefined || own === undefined) return undefined;
    if (own.then.revision < revision) throw behind();
    const streams = [own];
    for (const under of kind.under?.(own.now) ?? []) {
      const other = this.kinds.of(categoryOfStream(under));
      const seen = other === undefined ? undefined : await this.streamFor(caller, other, under, signed);
      if (seen !== undefined && seen.events.length > 0) streams.push(seen);
    }
    return { record: { kind: category, id, stream }, signed, streams };
  }

  /** The newest revision of a record, whoever sees it; -1 where there is none. */
  async revisionOf(category: EvidencedKind, id: string): Promise<number> {
    const kind = this.kinds.of(category);
    return kind === undefined ? -1 : (await this.transactor.load(kind.decider, id)).revision;
  }

  /** Every file of the bundle but the manifest; each is to be read before the next is asked for. */
  async *files(caller: Caller, evidence: EvidenceOfRecord): AsyncGenerator<BundledFile> {
    const { signed, streams } = evidence;
    yield { path: CHECKPOINT, content: signed.note };
    yield { path: VERIFIER_KEY, content: `${this.signing.signer.verifier.toString()}\n` };
    const shapes = new Set<string>();
    for (const each of streams) {
      yield* this.eventFiles(each, signed, shapes);
      if (isWhole(each)) {
        const { stream, then } = each;
        yield { path: statePath(stream), content: stateFile(stream, then.revision, then.state) };
      }
    }
    for (const { type, schema, jsonSchema } of EVENT_SCHEMAS) {
      const path = schemaPath(type, schema);
      if (shapes.has(path)) yield { path, content: canonicalForm(jsonSchema) };
    }
    const record = await recordFor(caller, evidence);
    yield { path: 'record.json', content: canonicalForm(record) };
    yield { path: 'VERIFY.md', content: VERIFY_GUIDE };
    const about = { kind: evidence.record.kind, record, origin: this.signing.origin, size: signed.size };
    const told = streams.map((each) => ({ ...each, told: this.told(caller, each) }));
    yield { path: 'index.html', content: evidencePage(about, told) };
  }

  manifest({ record, signed, streams }: EvidenceOfRecord, files: Manifest['files']): string {
    const sorted = [...streams].sort((a, b) => (a.stream < b.stream ? -1 : 1));
    const manifest: Manifest = {
      format: EVIDENCE_FORMAT,
      record,
      origin: this.signing.origin,
      size: signed.size,
      streams: sorted.map(({ stream, events }) => ({
        stream,
        category: categoryOfStream(stream),
        events: events.length,
        revisions: events,
      })),
      state: Object.fromEntries(sorted.filter(isWhole).map(({ stream }) => [stream, statePath(stream)])),
      files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)),
    };
    return canonicalForm(manifest);
  }

  private async streamFor(
    caller: Caller,
    kind: AnyRecordKind,
    stream: string,
    { size }: Signed,
  ): Promise<StreamInSight | undefined> {
    const id = idOfStream(stream);
    const { state: now } = await this.transactor.load(kind.decider, id);
    if (!kind.exists(now) || !(await kind.sees(caller, id, now))) return undefined;
    const leaves: (StreamLeaf & { readonly whole: boolean; readonly request: string | undefined })[] = [];
    const withheld = new Set<string>();
    let then = emptyFold(kind.decider.initial);
    let at = '';
    for await (const { event, leaf } of this.recorded(stream, this.leaves(stream, size))) {
      at = event.metadata.recordedAt;
      then = foldOnto(kind.decider, then, [event], this.upcasting);
      const lifted = this.upcasting.lift(event);
      const whole = showsWhole(await kind.maskEvent(caller, now, lifted), lifted.data);
      const { commandId, requestHash } = event.metadata;
      const request = requestHash === undefined ? undefined : commandId;
      if (!whole && request !== undefined) withheld.add(request);
      leaves.push({ ...leaf, whole, request });
    }
    // With the hash of the request and its salt a reader could try what the request said in the events that are withheld.
    const isOpened = (whole: boolean, request: string | undefined): boolean =>
      whole && (request === undefined || !withheld.has(request));
    const events = leaves.map(({ seq, revision, entryHash, whole, request }) => ({
      ...{ revision, seq, entryHash },
      opened: isOpened(whole, request),
    }));
    return { stream, kind, now, then, at, events };
  }

  private async *eventFiles(
    { stream, events }: StreamInSight,
    { size, note }: Signed,
    shapes: Set<string>,
  ): AsyncGenerator<BundledFile> {
    let prevInStream: string | null = null;
    for await (const { event, leaf } of this.recorded(stream, paged(events))) {
      const path = eventPath(stream, leaf.revision);
      if (leaf.opened) {
        const { salt, schema } = event.metadata;
        const opening = openingOf(event, prevInStream);
        if (entryHashOf(opening, salt) !== leaf.entryHash)
          throw new TlogRefusal(`revision ${leaf.revision} of ${stream} is not the event that was signed`);
        shapes.add(schemaPath(event.type, schema));
        yield { path: `${path}.json`, content: openingBytes(opening) };
        yield { path: `${path}.salt`, content: `${salt}\n` };
      }
      const proof = this.tree.inclusion(leaf.seq, size);
      const file = { extra: leafEntry(leaf), index: leaf.seq, proof, checkpoint: note };
      yield { path: `${path}.tlog-proof`, content: formatProofFile(file) };
      prevInStream = leaf.entryHash;
    }
  }

  /** The events that the caller is shown in the record's history, in whole or in part. */
  private async *told(caller: Caller, { stream, kind, now, events }: StreamInSight): AsyncGenerator<ToldEvent> {
    for await (const { event, leaf } of this.recorded(stream, paged(events))) {
      const lifted = this.upcasting.lift(event);
      const data = await kind.maskEvent(caller, now, lifted);
      if (data === undefined) continue;
      const { actor, effectiveAt, recordedAt } = lifted.metadata;
      yield { ...leaf, type: lifted.type, data, actor, effectiveAt, recordedAt };
    }
  }

  private async *leaves(stream: string, size: number): AsyncGenerator<readonly StreamLeaf[]> {
    for (let from = 0; ; from += PAGE) {
      const page = this.tree.leavesOf(stream, from, size, PAGE);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      await setImmediate();
    }
  }

  /** The events of leaves, in order; what else this process does gets its turn between two pages. */
  private async *recorded<Leaf extends StreamLeaf>(
    stream: string,
    pages: AsyncIterable<readonly Leaf[]>,
  ): AsyncGenerator<{ readonly event: RecordedEvent; readonly leaf: Leaf }> {
    for await (const page of pages) {
      const events = await this.store.readStream(stream, page[0]?.revision ?? 0, page.length);
      for (const [at, leaf] of page.entries()) {
        const event = events[at];
        if (event?.revision !== leaf.revision)
          throw new TlogRefusal(`revision ${leaf.revision} of ${stream}, which was signed, is not in the log`);
        yield { event, leaf };
      }
    }
  }
}

async function* paged<Leaf>(leaves: readonly Leaf[]): AsyncGenerator<readonly Leaf[]> {
  for (let from = 0; from < leaves.length; from += PAGE) {
    yield leaves.slice(from, from + PAGE);
    await setImmediate();
  }
}

const isWhole = ({ events }: StreamInSight): boolean => events.every(({ opened }) => opened);

/** The record as `GET` shows it after the last of its events, without what is of the day: which commands may be sent, and how it may be improved. */
const recordFor = async (caller: Caller, { record: { id }, streams }: EvidenceOfRecord): Promise<object> => {
  const [own] = streams;
  if (own === undefined) return {};
  const { kind, now, then, at } = own;
  const shown = await (await lookingBack(kind, caller, id, now, at)).of(then.state);
  return shown === null ? {} : { ...withoutToday(shown), revision: then.revision };
};
