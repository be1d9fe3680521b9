import { hash } from 'node:crypto';
import {
  type Checkpoint,
  EMPTY_ROOT,
  entryHashOf,
  leafEntry,
  leafHash,
  type Opening,
  parseProofFile,
  TlogRefusal,
  VerifierKey,
  verifyInclusion,
} from '#tlog';
import type { Files, Manifest, RevisionEvidence, StreamEvidence } from './format.js';
import {
  canonicalIn,
  CHECKPOINT,
  eventPath,
  MANIFEST,
  parseManifest,
  schemaPath,
  SHOWN,
  stateFile,
  statePath,
  VERIFIER_KEY,
} from './format.js';
import { prefixRoot } from './prefix-root.js';
import { publishedSchema, replayOf, requireShape, rulesOf } from './published.js';
import { about, Refusal, Report } from './report.js';
import type { Trust } from './trust.js';
import { checkSignatures, openSeen, openReceipt, requireOneHistory, trustedKey } from './trust.js';
import { pathFault } from './zip.js';

/** Verifies a bundle against what whoever verifies knows; of the bundle itself nothing is believed. Never throws. */
export const verifyBundle = (files: Files, trust: Trust): Report => {
  const report = new Report();
  try {
    new BundleVerification(files, trust, report).run();
  } catch (error) {
    if (error instanceof Refusal) report.refused(error.message, error.file === '' ? undefined : error.file);
    else report.refused(error instanceof Error ? error.message : String(error));
  }
  return report;
};

const OPENING = ['stream', 'revision', 'eventId', 'type', 'schema', 'data', 'metadata', 'prevInStream'];
const NOTHING = new Uint8Array();

class BundleVerification {
  private readonly manifest: Manifest;
  /** Events by their place in the log. */
  private readonly bySeq = new Map<number, { readonly path: string; readonly entryHash: string }>();
  private readonly schemas = new Set<string>();

  constructor(
    private readonly files: Files,
    private readonly trust: Trust,
    private readonly report: Report,
  ) {
    if (!files.has(MANIFEST)) throw new Refusal('the bundle lacks its manifest: it is no evidence', MANIFEST);
    this.manifest = about(MANIFEST, () => parseManifest(this.bytes(MANIFEST)));
  }

  run(): void {
    const { report, trust, manifest } = this;
    this.checkHashes();
    const key = this.checkKey();
    const checkpoint = checkSignatures(report, { name: CHECKPOINT, bytes: this.bytes(CHECKPOINT) }, key, trust);
    if (manifest.size !== checkpoint.size)
      throw new Refusal(`size is ${manifest.size}, the checkpoint's is ${checkpoint.size}`, MANIFEST);
    const known = trust.checkpoints.map((given) => ({ ...openSeen(given, trust), name: given.name }));
    for (const before of known) this.requireNotOlder(before, checkpoint);
    const openings = manifest.streams.map((stream) => this.checkStream(stream, checkpoint));
    this.checkNames(openings.flat());
    manifest.streams.forEach((stream, at) => this.checkState(stream, openings[at] ?? []));
    this.checkReceipts(checkpoint);
    for (const before of known) this.checkGrowth(before, checkpoint);
    this.sayWhatIsOpen(openings);
  }

  /** Every file as the manifest names it, and none besides. */
  private checkHashes(): void {
    const { files } = this.manifest;
    for (const { path, sha256 } of files) {
      const fault = pathFault(path);
      if (fault !== undefined) throw new Refusal(fault, path);
      if (path === MANIFEST || !this.files.has(path))
        throw new Refusal('the manifest names this file, which the bundle lacks', path);
      const found = hash('sha256', this.bytes(path), 'hex');
      if (found !== sha256) throw new Refusal(`its SHA-256 is ${found}, in the manifest ${sha256}`, path);
    }
    const named = new Set(files.map(({ path }) => path));
    for (const path of this.files.keys())
      if (path !== MANIFEST && !named.has(path)) throw new Refusal('the manifest does not name this file', path);
    this.report.proved(`${files.length} files are whole, each as the manifest names it, and there is none besides`);
  }

  /** The key that signatures are verified with: the one pinned, or the bundle's own. */
  private checkKey(): VerifierKey {
    const { trust, manifest, report } = this;
    const text = Buffer.from(this.bytes(VERIFIER_KEY)).toString('utf8');
    const own = about(VERIFIER_KEY, () => VerifierKey.parse(text.replace(/\n$/, '')));
    if (text !== `${own.toString()}\n`) throw new Refusal('the file is not one key and a line feed', VERIFIER_KEY);
    if (manifest.origin !== own.name)
      throw new Refusal(`origin is ${manifest.origin}, the key is of the log ${own.name}`, MANIFEST);
    return trustedKey(report, own, trust, VERIFIER_KEY);
  }

  private requireNotOlder(before: Checkpoint & { readonly name: string }, now: Checkpoint): void {
    requireOneHistory(before, now, before.name);
    if (before.size > now.size)
      throw new Refusal(
        `the bundle's checkpoint of ${now.size} events is older than one that is known (${before.size}, ${before.name}): ask for a new bundle`,
        CHECKPOINT,
      );
  }

  /** Answers what was opened of the stream, in order. */
  private checkStream({ stream, revisions }: StreamEvidence, checkpoint: Checkpoint): Opening[] {
    const openings: Opening[] = [];
    for (const [at, revision] of revisions.entries()) {
      const path = eventPath(stream, revision.revision);
      this.checkLeaf(path, revision, revisions[at - 1], checkpoint);
      if (revision.opened) openings.push(this.checkOpening(path, stream, revision, revisions[at - 1]));
    }
    const withheld = revisions.length - openings.length;
    this.report.proved(
      `${stream}: events 0 to ${revisions.length - 1}, none missing, in the order of the log, each in the tree that is signed; ` +
        (withheld === 0 ? 'all opened' : `${openings.length} opened, ${withheld} withheld`),
    );
    return openings;
  }

  private checkLeaf(
    path: string,
    { seq, entryHash }: RevisionEvidence,
    before: RevisionEvidence | undefined,
    checkpoint: Checkpoint,
  ): void {
    const file = `${path}.tlog-proof`;
    about(file, () => {
      if (before !== undefined && before.seq >= seq)
        throw new TlogRefusal(
          `the event stands at ${seq} in the log, the one before it in its stream at ${before.seq}`,
        );
      const twice = this.bySeq.get(seq);
      if (twice !== undefined) throw new TlogRefusal(`leaf ${seq} stands for ${twice.path}, too`);
      this.bySeq.set(seq, { path, entryHash });
      const { extra, index, proof, checkpoint: note } = parseProofFile(this.bytes(file));
      if (Buffer.compare(Buffer.from(note), this.bytes(CHECKPOINT)) !== 0)
        throw new TlogRefusal("the proof is against another checkpoint than the bundle's");
      const entry = leafEntry({ seq, entryHash });
      if (index !== seq || Buffer.compare(extra ?? NOTHING, entry) !== 0)
        throw new TlogRefusal(`the proof is not of the leaf that the manifest names (${entry.toString()})`);
      verifyInclusion(leafHash(entry), index, checkpoint.size, proof, checkpoint.root);
    });
  }

  private checkOpening(
    path: string,
    stream: string,
    { revision, entryHash }: RevisionEvidence,
    before: RevisionEvidence | undefined,
  ): Opening {
    const salt = about(`${path}.salt`, () => saltIn(this.bytes(`${path}.salt`)));
    const file = `${path}.json`;
    return about(file, () => {
      const opening = openingIn(canonicalIn(this.bytes(file), file));
      if (opening.stream !== stream || opening.revision !== revision)
        throw new TlogRefusal(`it is revision ${opening.revision} of ${opening.stream}`);
      const found = entryHashOf(opening, salt);
      if (found !== entryHash)
        throw new TlogRefusal(`with its salt it hashes to ${found}, its leaf holds ${entryHash}`);
      if (opening.prevInStream !== (before?.entryHash ?? null))
        throw new TlogRefusal('it does not follow the event before it: prevInStream is the hash of another');
      requireShape(opening, salt);
      return opening;
    });
  }

  /** Nothing is in the bundle but what the format has in it, and all of that. */
  private checkNames(openings: readonly Opening[]): void {
    const expected = new Set<string>([CHECKPOINT, VERIFIER_KEY, ...SHOWN, ...Object.values(this.manifest.state)]);
    for (const { stream, revisions } of this.manifest.streams)
      for (const { revision, opened } of revisions)
        for (const ending of opened ? ['json', 'salt', 'tlog-proof'] : ['tlog-proof'])
          expected.add(`${eventPath(stream, revision)}.${ending}`);
    for (const { type, schema } of openings) this.checkSchema(type, schema, expected);
    for (const path of this.files.keys())
      if (path !== MANIFEST && !expected.has(path)) throw new Refusal('it is no file of this format', path);
    for (const path of expected) this.bytes(path);
    if (this.schemas.size > 0)
      this.report.proved(`${this.schemas.size} event types have the shape that this program publishes of them`);
  }

  private checkSchema(type: string, schema: number, expected: Set<string>): void {
    const path = schemaPath(type, schema);
    if (expected.has(path)) return;
    const published = publishedSchema(type, schema);
    if (published === undefined) {
      this.report.open(`the shape of ${type} in schema ${schema}: this program has no published schema of it`);
      return;
    }
    expected.add(path);
    this.schemas.add(path);
    if (!Buffer.from(published).equals(this.bytes(path)))
      throw new Refusal('it is not the schema that this program publishes of these events', path);
  }

  /** The state claimed of a stream is the one that the published rules come to. */
  private checkState({ stream, category, revisions }: StreamEvidence, openings: readonly Opening[]): void {
    const { state } = this.manifest;
    const rules = rulesOf(category);
    const claimed = Object.hasOwn(state, stream);
    const whole = openings.length === revisions.length;
    if (!whole || rules === undefined) {
      if (claimed)
        throw new Refusal(
          `the state of ${stream} is claimed, and cannot follow from what is opened`,
          statePath(stream),
        );
      const why = whole ? `this program publishes no rules of ${category} streams` : 'not all of its events are opened';
      this.report.open(`the state of ${stream}: ${why}`);
      return;
    }
    if (!claimed) throw new Refusal(`state names none for ${stream}, whose every event is opened`, MANIFEST);
    const file = statePath(stream);
    about(file, () => {
      const replayed = stateFile(stream, revisions.length - 1, replayOf(rules, openings));
      const claimedState = canonicalIn(this.bytes(file), file);
      if (Buffer.from(replayed).equals(this.bytes(file))) return;
      const where = differenceOf(JSON.parse(replayed), claimedState, '');
      throw new TlogRefusal(`the published rules come to another state than the one claimed: ${where}`);
    });
    this.report.proved(`${stream}: the state claimed is the one that the published rules come to from its events`);
  }

  private checkReceipts(now: Checkpoint): void {
    for (const given of this.trust.receipts) {
      const { name, seq, entryHash, then } = openReceipt(given, this.trust);
      requireOneHistory(then, now, name);
      if (seq >= now.size)
        throw new Refusal(
          `the event of the receipt ${name} stands at ${seq} in the log, the bundle's checkpoint covers ${now.size} events: it is older`,
          CHECKPOINT,
        );
      const found = this.bySeq.get(seq);
      if (found === undefined)
        throw new Refusal(
          `the bundle lacks the event of the receipt ${name} (at ${seq} in the log): it was left out`,
          MANIFEST,
        );
      if (found.entryHash !== entryHash)
        throw new Refusal(
          `the receipt ${name} is of another event at ${seq}: the log was altered or is forked`,
          found.path,
        );
      this.report.proved(`the event of the receipt ${name} is in the bundle (${found.path})`);
      this.grew({ ...then, name }, now);
    }
    if (this.trust.receipts.length === 0)
      this.report.open('that no event was left out at the end: no receipt is given (--receipt <file.tlog-proof>)');
  }

  private checkGrowth(before: Checkpoint & { readonly name: string }, now: Checkpoint): void {
    if (this.grew(before, now)) return;
    this.report.doubt(
      `that the log only grew since ${before.name} (${before.size} events): the bundle holds no proof of that; ` +
        `pledgebook-verify <url of the server> --since ${before.name} proves it from the log's tiles`,
    );
  }

  /**
   * Whether the log is proved to begin as it was signed before: it can be where the bundle holds the event at the end of what was signed
   * then, or the one right behind it. @throws {Refusal} where it begins otherwise
   */
  private grew(before: Checkpoint & { readonly name: string }, now: Checkpoint): boolean {
    const { name, size, root } = before;
    if (size === now.size) {
      this.report.proved(`the checkpoint of ${name} is the bundle's own`);
      return true;
    }
    const seq = [size - 1, size].find((each) => this.bySeq.has(each)) ?? 0;
    const event = this.bySeq.get(seq);
    if (event === undefined || size > now.size) return false;
    const { proof } = parseProofFile(this.bytes(`${event.path}.tlog-proof`));
    const leaf = seq < size ? leafHash(leafEntry({ seq, entryHash: event.entryHash })) : undefined;
    const found = prefixRoot(proof, seq, now.size, leaf) ?? EMPTY_ROOT;
    if (Buffer.compare(found, root) !== 0)
      throw new Refusal(
        `the log does not begin with the ${size} events that were signed before: it was altered or is forked`,
        name,
      );
    this.report.proved(`the log begins with the ${size} events of ${name}, unchanged`);
    return true;
  }

  private sayWhatIsOpen(openings: readonly (readonly Opening[])[]): void {
    const { report, manifest } = this;
    manifest.streams.forEach(({ stream, revisions }, at) => {
      const own = openings[at] ?? [];
      const openedAt = new Set(own.map(({ revision }) => revision));
      const unlinked = revisions.filter(({ revision }) => !openedAt.has(revision) && !openedAt.has(revision + 1));
      if (unlinked.length > 0)
        report.open(
          `that ${unlinked.map(({ revision }) => `event ${revision}`).join(', ')} withheld of ${stream} belongs to it: ` +
            'no opened event follows to say so. That its hash stands in the log is proved',
        );
    });
    report.open('that no later event exists than those that the checkpoint covers');
    report.open(
      `what ${SHOWN.join(', ')} say: words of the server for people to read, which no proof covers; the events are what is proved`,
    );
    report.open(
      'that what was recorded is true: proved is that it was recorded, by whom, in which order, and not changed since',
    );
  }

  private bytes(path: string): Uint8Array {
    const found = this.files.get(path);
    if (found === undefined) throw new Refusal('the bundle lacks this file', path);
    return found;
  }
}

const saltIn = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString('latin1');
  if (!/^[0-9a-f]{64}\n$/.test(text)) throw new TlogRefusal('the salt is not 64 hexadecimal digits and a line feed');
  return text.slice(0, 64);
};

const openingIn = (value: unknown): Opening => {
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  const names = Object.keys(fields);
  if (names.length !== OPENING.length || !OPENING.every((name) => names.includes(name)))
    throw new TlogRefusal(`an opening has ${OPENING.join(', ')}, this has ${names.join(', ')}`);
  const { type, schema, data, metadata } = fields;
  const { schema: recorded } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string' || typeof schema !== 'number' || schema !== recorded)
    throw new TlogRefusal('the opening does not name the type and the schema of its event');
  if (data === null || typeof data !== 'object' || metadata === null || typeof metadata !== 'object')
    throw new TlogRefusal('data and metadata of an opening are objects');
  return fields as unknown as Opening;
};

/** Where two JSON values first differ, in words. */
const differenceOf = (replayed: unknown, claimed: unknown, at: string): string => {
  const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
    value !== null && typeof value === 'object';
  if (!isObject(replayed) || !isObject(claimed))
    return `${at === '' ? 'the whole' : at} is ${JSON.stringify(replayed)}, claimed is ${claimed === undefined ? 'nothing' : JSON.stringify(claimed)}`;
  const names = [...new Set([...Object.keys(replayed), ...Object.keys(claimed)])];
  const name = names.find((each) => JSON.stringify(replayed[each]) !== JSON.stringify(claimed[each]));
  return name === undefined
    ? `${at} is in another order`
    : differenceOf(replayed[name], claimed[name], `${at}/${name}`);
};
