import { canonicalForm, parseCanonical, textIn, TlogRefusal } from '#tlog';

/** The technical stream of a log that holds every checkpoint that was signed of it, oldest first, as `{note}`. */
export const CHECKPOINT_STREAM = '_log-checkpoints';

/** The format that this package writes and reads. */
export const EVIDENCE_FORMAT = 'pledgebook-evidence/1';

/** Files of a bundle by path. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** One event of a stream: its leaf, and whether its opening is in the bundle. */
export interface RevisionEvidence {
  readonly revision: number;
  /** Index of its leaf in the log. */
  readonly seq: number;
  /** SHA-256 over salt and opening, hexadecimal. */
  readonly entryHash: string;
  readonly opened: boolean;
}

export interface StreamEvidence {
  readonly stream: string;
  readonly category: string;
  readonly events: number;
  readonly revisions: readonly RevisionEvidence[];
}

/** `manifest.json`: what a bundle holds. Whatever it says is held against files, leaves and checkpoint: nothing in it is taken at its word. */
export interface Manifest {
  readonly format: typeof EVIDENCE_FORMAT;
  readonly record: { readonly kind: 'commitment' | 'need' | 'offer'; readonly id: string; readonly stream: string };
  /** The log's name. */
  readonly origin: string;
  /** Leaves under the checkpoint. */
  readonly size: number;
  /** Sorted by stream. */
  readonly streams: readonly StreamEvidence[];
  /** Where the folded state of a stream stands; only of streams whose every event is opened. */
  readonly state: Readonly<Record<string, string>>;
  /** Every file but the manifest, sorted by path; SHA-256 in hexadecimal. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

export const MANIFEST = 'manifest.json';
export const CHECKPOINT = 'checkpoint';
export const VERIFIER_KEY = 'verifier-key';

/** Files that show the record to people: words of the server, which no proof covers. */
export const SHOWN = ['record.json', 'index.html', 'VERIFY.md'] as const;

/** Where an event lies, without the ending: `.json` and `.salt` where it is opened, `.tlog-proof` always. */
export const eventPath = (stream: string, revision: number): string =>
  `events/${encodeURIComponent(stream)}/${revision}`;

export const statePath = (stream: string): string => `state/${encodeURIComponent(stream)}.json`;

export const schemaPath = (type: string, schema: number): string => `schemas/${type}.v${schema}.json`;

/**
 * A folded state as plain JSON: whole numbers beyond JSON's (`bigint`) as decimal strings, a Map as its pairs in order, a Set as its
 * members in order. Members that are undefined are left out by the canonical form.
 */
export const plainState = (state: unknown): unknown => {
  if (typeof state === 'bigint') return String(state);
  if (state === null || typeof state !== 'object') return state;
  if (state instanceof Map) return [...state].map(([key, value]) => [plainState(key), plainState(value)]);
  if (state instanceof Set) return [...state].map(plainState);
  if (Array.isArray(state)) return state.map(plainState);
  return Object.fromEntries(Object.entries(state).map(([name, member]) => [name, plainState(member)]));
};

/** The bytes of `state/<stream>.json`. @param revision of the last event folded */
export const stateFile = (stream: string, revision: number, state: unknown): string =>
  canonicalForm({ stream, revision, state: plainState(state) });

/** The value of a file in canonical JSON. @throws {TlogRefusal} naming the file where it is not */
export const canonicalIn = (bytes: Uint8Array, file: string): unknown => {
  try {
    return parseCanonical(textIn(bytes, file), file);
  } catch (error) {
    // What is nested so deep that it exhausts the stack is nothing that a record holds.
    if (error instanceof RangeError) throw new TlogRefusal(`${file} is nested too deep`);
    throw error;
  }
};

type Fields = Readonly<Record<string, unknown>>;

const objectIn = (value: unknown, at: string, names: readonly string[]): Fields => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new TlogRefusal(`${at} is no object`);
  const strange = Object.keys(value).find((name) => !names.includes(name));
  if (strange !== undefined) throw new TlogRefusal(`${at} has a member "${strange}", which the format lacks`);
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw new TlogRefusal(`${at} lacks "${missing}"`);
  return value as Fields;
};

const listIn = <T>(value: unknown, at: string, each: (item: unknown, at: string) => T): T[] => {
  if (!Array.isArray(value)) throw new TlogRefusal(`${at} is no list`);
  return value.map((item, index) => each(item, `${at}[${index}]`));
};

const textAt = (value: unknown, at: string): string => {
  if (typeof value !== 'string' || value === '') throw new TlogRefusal(`${at} is no text`);
  return value;
};

const countAt = (value: unknown, at: string): number => {
  if (typeof value !== 'number' || value < 0) throw new TlogRefusal(`${at} is no whole number from 0`);
  return value;
};

const hashAt = (value: unknown, at: string): string => {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw new TlogRefusal(`${at} is no SHA-256 in lower-case hexadecimal`);
  return value;
};

const requireSorted = (names: readonly string[], at: string): void => {
  const wrong = names.findIndex((name, index) => index > 0 && name <= (names[index - 1] ?? ''));
  if (wrong >= 0) throw new TlogRefusal(`${at} names "${names[wrong] ?? ''}" out of order or twice`);
};

const KINDS = ['commitment', 'need', 'offer'] as const;

/** Reads `manifest.json`, to the last member; what it says is not verified by that. @throws {TlogRefusal} naming the member */
export const parseManifest = (bytes: Uint8Array): Manifest => {
  const names = ['format', 'record', 'origin', 'size', 'streams', 'state', 'files'];
  const value = canonicalIn(bytes, MANIFEST);
  const { format } = (value ?? {}) as Fields;
  if (format !== EVIDENCE_FORMAT)
    throw new TlogRefusal(`the bundle's format is ${JSON.stringify(format)}, this verifier reads ${EVIDENCE_FORMAT}`);
  const manifest = objectIn(value, 'the manifest', names);
  const record = objectIn(manifest.record, 'record', ['kind', 'id', 'stream']);
  const kind = KINDS.find((each) => each === record.kind);
  if (kind === undefined) throw new TlogRefusal(`record.kind is none of ${KINDS.join(', ')}`);
  const id = textAt(record.id, 'record.id');
  if (record.stream !== `${kind}-${id}`) throw new TlogRefusal(`record.stream is not ${kind}-${id}`);
  const streams = listIn(manifest.streams, 'streams', streamAt);
  requireSorted(
    streams.map(({ stream }) => stream),
    'streams',
  );
  if (!streams.some(({ stream }) => stream === record.stream))
    throw new TlogRefusal(`the bundle has no events of its record ${record.stream}`);
  const files = listIn(manifest.files, 'files', (item, at) => {
    const { path, sha256 } = objectIn(item, at, ['path', 'sha256']);
    return { path: textAt(path, `${at}.path`), sha256: hashAt(sha256, `${at}.sha256`) };
  });
  requireSorted(
    files.map(({ path }) => path),
    'files',
  );
  return {
    format: EVIDENCE_FORMAT,
    record: { kind, id, stream: record.stream },
    origin: textAt(manifest.origin, 'origin'),
    size: countAt(manifest.size, 'size'),
    streams,
    state: stateAt(manifest.state),
    files,
  };
};

const streamAt = (item: unknown, at: string): StreamEvidence => {
  const fields = objectIn(item, at, ['stream', 'category', 'events', 'revisions']);
  const stream = textAt(fields.stream, `${at}.stream`);
  const category = textAt(fields.category, `${at}.category`);
  if (!stream.startsWith(`${category}-`) || category.includes('-'))
    throw new TlogRefusal(`${at}.category is not that of ${stream}`);
  const revisions = listIn(fields.revisions, `${at}.revisions`, revisionAt);
  if (revisions.length === 0) throw new TlogRefusal(`${stream} has no events`);
  if (fields.events !== revisions.length)
    throw new TlogRefusal(`${at}.events is not ${revisions.length}, which is how many revisions it lists`);
  const gap = revisions.findIndex(({ revision }, index) => revision !== index);
  if (gap >= 0) throw new TlogRefusal(`revision ${gap} of ${stream} is missing`);
  return { stream, category, events: revisions.length, revisions };
};

const revisionAt = (item: unknown, at: string): RevisionEvidence => {
  const { revision, seq, entryHash, opened } = objectIn(item, at, ['revision', 'seq', 'entryHash', 'opened']);
  if (typeof opened !== 'boolean') throw new TlogRefusal(`${at}.opened is neither true nor false`);
  return {
    revision: countAt(revision, `${at}.revision`),
    seq: countAt(seq, `${at}.seq`),
    entryHash: hashAt(entryHash, `${at}.entryHash`),
    opened,
  };
};

const stateAt = (value: unknown): Readonly<Record<string, string>> => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new TlogRefusal('state is no object');
  for (const [stream, path] of Object.entries(value))
    if (path !== statePath(stream))
      throw new TlogRefusal(`the state of ${stream} does not lie at ${statePath(stream)}`);
  return value as Readonly<Record<string, string>>;
};
