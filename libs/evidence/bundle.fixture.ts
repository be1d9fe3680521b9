import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { categoryOfStream, idOfStream, type RecordedEvent } from '#kernel';
import {
  canonicalForm,
  entryHashOf,
  formatProofFile,
  grownTiles,
  inclusionProof,
  leafEntry,
  leafHash,
  nodesOf,
  NoteSigner,
  type Opening,
  parseTilePath,
  rootOf,
  signCheckpoint,
  tileWidth,
  type TreeNodes,
} from '#tlog';
import { EVIDENCE_FORMAT, eventPath, type Files, type Manifest, schemaPath, stateFile, statePath } from './format.js';
import { publishedSchema, replayOf, rulesOf } from './published.js';

/** The signer of the log in tests; its key is that of AUDIT-LOG's vectors. */
export const SIGNER = NoteSigner.parse(
  'PRIVATE+KEY+log.example/commitments+6a15cb5d+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f',
);

type LoggedEvent = Omit<RecordedEvent, 'position'>;

/** Real events of every kind of stream: the newest frozen log with its salts. */
export const frozenEvents = (): LoggedEvent[] =>
  readFileSync(join(process.cwd(), 'test/history/log-5.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LoggedEvent);

export interface LoggedLeaf {
  readonly opening: Opening;
  readonly salt: string;
  readonly entryHash: string;
}

/** Leaves as the integrator makes them of events in the log's order. */
export const leavesOf = (events: readonly LoggedEvent[]): LoggedLeaf[] => {
  const last = new Map<string, string>();
  return events.map(({ id, stream, revision, type, data, metadata: { salt, ...metadata } }) => {
    const prevInStream = last.get(stream) ?? null;
    const opening = { stream, revision, eventId: id, type, schema: metadata.schema, data, metadata, prevInStream };
    const entryHash = entryHashOf(opening, salt);
    last.set(stream, entryHash);
    return { opening, salt, entryHash };
  });
};

export interface BundleOptions {
  readonly stream: string;
  readonly beside?: readonly string[];
  /** Events that are not opened, as `<stream>#<revision>`. */
  readonly withheld?: readonly string[];
  readonly size?: number;
}

/** A log whose evidence is handed out. */
export class EvidenceLog {
  readonly entries: readonly Uint8Array[];
  private readonly tiles = new Map<string, Uint8Array>();
  private readonly nodes = remembered(
    nodesOf({ tile: (level, n) => this.tiles.get(`${level}/${n}`) ?? new Uint8Array() }),
  );

  constructor(
    readonly leaves: readonly LoggedLeaf[],
    readonly signer: NoteSigner = SIGNER,
  ) {
    this.entries = leaves.map(({ entryHash }, seq) => leafEntry({ seq, entryHash }));
    const tiles = { tile: () => new Uint8Array() };
    for (const { level, n, hashes } of grownTiles(tiles, 0, this.entries.map(leafHash)))
      this.tiles.set(`${level}/${n}`, hashes);
  }

  /** A tile as a server hands it out for a tree of this size, by its path. */
  tileAt(path: string, size: number): Uint8Array | undefined {
    const { level, n, width } = parseTilePath(path);
    if (level === 'entries' || tileWidth(size, level, n) < width) return undefined;
    return this.tiles.get(`${level}/${n}`)?.subarray(0, width * 32);
  }

  rootAt(size: number): Uint8Array {
    return rootOf(this.nodes, size);
  }

  checkpoint(size = this.leaves.length): string {
    return signCheckpoint(this.signer, size, this.rootAt(size));
  }

  inclusion(seq: number, size = this.leaves.length): Uint8Array[] {
    return inclusionProof(this.nodes, seq, size);
  }

  /** What a party is handed when it wrote: signed at a size, the log's newest unless told. */
  receipt(seq: number, size = this.leaves.length): Buffer {
    return Buffer.from(this.proof(seq, size, this.checkpoint(size)));
  }

  seqOf(stream: string, revision: number): number {
    return this.leaves.findIndex(({ opening }) => opening.stream === stream && opening.revision === revision);
  }

  bundle(options: BundleOptions): Map<string, Uint8Array> {
    return bundled(this, options);
  }

  proof(seq: number, size: number, checkpoint: string): string {
    const entryHash = this.leaves[seq]?.entryHash ?? '';
    return formatProofFile({
      extra: leafEntry({ seq, entryHash }),
      index: seq,
      proof: this.inclusion(seq, size),
      checkpoint,
    });
  }
}

/** Nodes that are reckoned once: of a log that does not grow any more. */
const remembered = (nodes: TreeNodes): TreeNodes => {
  const known = new Map<string, Uint8Array>();
  return {
    node: (level, index) => {
      const node = known.get(`${level}/${index}`) ?? nodes.node(level, index);
      known.set(`${level}/${index}`, node);
      return node;
    },
  };
};

const bundled = (
  log: EvidenceLog,
  { stream: own, beside = [], withheld = [], size = log.leaves.length }: BundleOptions,
): Map<string, Uint8Array> => {
  const checkpoint = log.checkpoint(size);
  const files = new Map<string, Uint8Array>();
  const put = (path: string, text: string): void => void files.set(path, Buffer.from(text));
  put('checkpoint', checkpoint);
  put('verifier-key', `${log.signer.verifier.toString()}\n`);
  put('record.json', canonicalForm({ id: idOfStream(own) }));
  put('index.html', '<!doctype html><title>Evidence</title>\n');
  put('VERIFY.md', '# How to verify\n');
  const state: Record<string, string> = {};
  const streams = [own, ...beside].sort().map((stream) => {
    const leaves = log.leaves.slice(0, size).filter(({ opening }) => opening.stream === stream);
    const revisions = leaves.map(({ opening, salt, entryHash }) => {
      const { revision, type, schema } = opening;
      const seq = log.seqOf(stream, revision);
      const opened = !withheld.includes(`${stream}#${revision}`);
      const path = eventPath(stream, revision);
      put(`${path}.tlog-proof`, log.proof(seq, size, checkpoint));
      if (opened) {
        put(`${path}.json`, canonicalForm(opening));
        put(`${path}.salt`, `${salt}\n`);
        put(schemaPath(type, schema), publishedSchema(type, schema) ?? '');
      }
      return { revision, seq, entryHash, opened };
    });
    const rules = rulesOf(categoryOfStream(stream));
    if (rules !== undefined && revisions.every(({ opened }) => opened)) {
      state[stream] = statePath(stream);
      const openings = leaves.map(({ opening }) => opening);
      put(statePath(stream), stateFile(stream, revisions.length - 1, replayOf(rules, openings)));
    }
    return { stream, category: categoryOfStream(stream), events: revisions.length, revisions };
  });
  const kind = categoryOfStream(own) as Manifest['record']['kind'];
  const record = { kind, id: idOfStream(own), stream: own };
  const manifest = {
    ...{ format: EVIDENCE_FORMAT, record, origin: log.signer.verifier.name },
    ...{ size, streams, state, files: [] },
  } satisfies Manifest;
  return withManifest(files, manifest);
};

/** The files with a manifest that names them as they are: what a forger would do, too. */
export const withManifest = (files: Files, manifest: Manifest): Map<string, Uint8Array> => {
  const named = [...files]
    .filter(([path]) => path !== 'manifest.json')
    .map(([path, bytes]) => ({ path, sha256: hash('sha256', bytes, 'hex') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return new Map(files).set('manifest.json', Buffer.from(canonicalForm({ ...manifest, files: named })));
};

export const manifestOf = (files: Files): Manifest =>
  JSON.parse(Buffer.from(files.get('manifest.json') ?? '').toString()) as Manifest;

/** A forged bundle: files exchanged (gone where undefined), the manifest changed, and every hash in it made to fit. */
export const forged = (
  files: Files,
  exchanged: Readonly<Record<string, string | Uint8Array | undefined>>,
  change: (manifest: Manifest) => Manifest = (manifest) => manifest,
): Map<string, Uint8Array> => {
  const changed = new Map(files);
  for (const [path, content] of Object.entries(exchanged)) {
    if (content === undefined) changed.delete(path);
    else changed.set(path, Buffer.from(content));
  }
  return withManifest(changed, change(manifestOf(files)));
};
