import { hash, randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { logTree, storedTiles, storeTile } from '#audit';
import type { EventStore } from '#kernel';
import { SqliteReadDatabase } from '#read-database';
import { SqliteEventStore } from '#store-sqlite';
import { canonicalForm, grownTiles, inclusionProof, nodesOf, rootOf, verifyInclusion } from '#tlog';
import { verifyStoredLog } from '../../infra/log-verification.js';
import { AUDITOR, COORDINATOR, deskOf, npcOf } from './content.js';
import type { Folders } from './folders.js';
import type { Turn } from './measure.js';
import { interleaved, quantile, rateOf, ratioOf, turn } from './measure.js';
import { Drafting } from './p1-transact.js';
import { boundCommitments } from './p2-http.js';
import { build, scan } from './p3-rebuild.js';
import type { Figure } from './report.js';
import { serve } from './service.js';

const PAGE = 2_000;
const TIMEOUT_MS = 600_000;
const SALT_BYTES = 32;
const LINE_FEED = 10;
/** Not in gzip, which this client would accept unless told: the service is measured, and no compression. */
const AS_IT_IS = 'identity';
/** Of a leaf: the byte before it, and `{"entryHash":"<64>","seq":<6>,"v":1}`. */
const LEAF_BYTES = 1 + 95;
/** Of an inner node: the byte before it, and two hashes. A tree has one less than leaves. */
const NODE_BYTES = 1 + 64;

/**
 * The signed log over the events of `log`: leaves and tiles from nothing, against the durable commands that bring events and against
 * SHA-256 alone over as many bytes; the whole log verified, and exported with its openings, against reading it; proofs in a tree of `leaves`.
 */
export const signingTheLog = async (
  folders: Folders,
  log: string,
  { rounds, seconds, leaves, proofs, replayed }: SignedLogOrder,
): Promise<readonly Figure[]> => {
  // Before the rest: a server that has just exported its log still writes down who read what.
  const replays = await replaying(folders, replayed);
  const store = SqliteEventStore.open(log);
  const drafting = new Drafting(folders.fresh('drafting'));
  const exporting = await Exporting.of(folders, log);
  try {
    const lengths = await openingLengths(store);
    const integrate = (): Promise<Turn> =>
      turn(async () => {
        await build(store, folders.fresh('tree'), [logTree]);
        return lengths.length;
      });
    const turns = await interleaved(rounds, {
      commands: () => drafting.during(seconds),
      integrate,
      verify: () => turn(() => verified(store, lengths.length)),
      hashing: () => turn(() => hashed(lengths)),
      scan: () => turn(() => scan(log)),
      exporting: () => turn(() => exporting.whole()),
    });
    const taken = provingIn(folders, leaves, proofs);
    return [
      { name: 'durable commands through transact, 50 callers', value: rateOf(turns.commands), unit: '/s' },
      { name: 'events into leaves and tiles', value: rateOf(turns.integrate), unit: 'ev/s' },
      {
        name: 'events into the tree : durable commands',
        value: ratioOf(turns.integrate, turns.commands),
        unit: 'ratio',
        target: { bound: 'at least', value: 2 },
      },
      { name: 'SHA-256 of as many bytes', value: rateOf(turns.hashing), unit: 'ev/s' },
      { name: 'events into the tree : SHA-256', value: ratioOf(turns.integrate, turns.hashing), unit: 'ratio' },
      { name: 'events verified from the log, tree and checkpoints', value: rateOf(turns.verify), unit: 'ev/s' },
      {
        name: 'events verified : into the tree',
        value: ratioOf(turns.verify, turns.integrate),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.3 },
      },
      { name: 'raw scan and JSON.parse of the log', value: rateOf(turns.scan), unit: 'ev/s' },
      { name: 'export with openings, over HTTP', value: rateOf(turns.exporting), unit: 'ev/s' },
      {
        name: 'export : raw scan',
        value: ratioOf(turns.exporting, turns.scan),
        unit: 'ratio',
        target: { bound: 'at least', value: 0.5 },
      },
      { name: `inclusion proof among ${leaves} leaves, p50`, value: quantile(taken, 0.5), unit: 'ms' },
      {
        name: `inclusion proof among ${leaves} leaves, p95`,
        value: quantile(taken, 0.95),
        unit: 'ms',
        target: { bound: 'at most', value: 1 },
      },
      {
        name: `replay of a commitment with ${replayed} events and more, over HTTP, p50`,
        value: quantile(replays, 0.5),
        unit: 'ms',
        target: { bound: 'at most', value: 50 },
      },
    ];
  } finally {
    await exporting.close();
    await drafting.close();
    await store.close();
  }
};

interface SignedLogOrder {
  readonly rounds: number;
  readonly seconds: number;
  readonly leaves: number;
  readonly proofs: number;
  /** Events of the commitment that is replayed. */
  readonly replayed: number;
}

const REPLAYS = 7;

/** Milliseconds that each of some replays of one commitment takes, with a transfer for each of its `events`. */
const replaying = async (folders: Folders, events: number): Promise<readonly number[]> => {
  const service = await serve(folders.fresh('replay'));
  const { app, url, post, tokenOf } = service;
  try {
    const [id = ''] = await boundCommitments(service, 1);
    const donor = deskOf(0);
    const amount = { measure: 'money', currency: 'USD', amount: '12.50' };
    const body = { kind: 'disbursement', from: donor.party, to: npcOf(0).party, amount, date: '2026-01-15' };
    for (let n = 0; n < events; n += 1)
      await post(`/v1/commitments/${id}/transfers`, { ...body, reference: `Payment order ${n}` }, donor);
    await app.settled(TIMEOUT_MS);
    const headers = { authorization: `Bearer ${await tokenOf(donor)}`, 'accept-encoding': AS_IT_IS };
    const taken: number[] = [];
    for (let n = 0; n < REPLAYS; n += 1) {
      const begun = performance.now();
      const { steps } = (await (await fetch(`${url}/v1/commitments/${id}/replay`, { headers })).json()) as {
        readonly steps: readonly unknown[];
      };
      taken.push(performance.now() - begun);
      if (steps.length < events) throw new Error(`a replay of ${steps.length} steps`);
    }
    return taken;
  } finally {
    await app.close();
  }
};

/** What `npm run verify-log` does with a data folder: every event hashed anew. */
const verified = async (store: EventStore, events: number): Promise<number> => {
  const report = await verifyStoredLog(store, { witnesses: [], checkpoints: [], receipts: [] });
  const refused = report.findings.find(({ kind }) => kind === 'refused');
  if (refused !== undefined) throw new Error(refused.text);
  return events;
};

/** An auditor of everything who has the whole log sent. */
class Exporting {
  /** Of a copy: what the service appends is not for those who measure this log. */
  static async of(folders: Folders, log: string): Promise<Exporting> {
    const copy = folders.fresh('export');
    cpSync(log, copy, { recursive: true });
    const service = await serve(copy, [], [AUDITOR.party]);
    const mandate = { auditor: AUDITOR.party, scope: { everything: true }, from: '2026-01-01', to: '2099-12-31' };
    await service.post('/v1/mandates', { ...mandate, reference: 'Bench' }, COORDINATOR);
    await service.app.settled(TIMEOUT_MS);
    return new Exporting(service);
  }

  private constructor(private readonly service: Awaited<ReturnType<typeof serve>>) {}

  /** Events that were sent, up to the checkpoint at the end. */
  async whole(): Promise<number> {
    const { url, tokenOf } = this.service;
    const headers = {
      authorization: `Bearer ${await tokenOf(AUDITOR)}`,
      accept: 'application/x-ndjson',
      'accept-encoding': AS_IT_IS,
      prefer: 'wait=30',
    };
    const { body, status } = await fetch(`${url}/v1/audit/events?openings=true`, { headers });
    if (status !== 200 || body === null) throw new Error(`the export answers ${status}`);
    let lines = 0;
    let last = LINE_FEED;
    // Counted as bytes: a reader that parses would take its share of what is measured.
    for await (const piece of body as ReadableStream<Uint8Array>) {
      for (const byte of piece) if (byte === LINE_FEED) lines += 1;
      last = piece.at(-1) ?? last;
    }
    if (lines < 2 || last !== LINE_FEED) throw new Error('the export was cut off');
    return lines - 1;
  }

  close(): Promise<void> {
    return this.service.app.close();
  }
}

/** How many bytes are hashed for each event's opening, its salt among them. */
const openingLengths = async (store: EventStore): Promise<readonly number[]> => {
  const lengths: number[] = [];
  let after = 0n;
  for (;;) {
    const page = await store.readAll(after, PAGE);
    for (const { id, stream, revision, type, data, metadata } of page) {
      const { salt: _salt, ...shown } = metadata;
      const prevInStream = revision === 0 ? null : '0'.repeat(64);
      const opening = {
        stream,
        revision,
        eventId: id,
        type,
        schema: shown.schema,
        data,
        metadata: shown,
        prevInStream,
      };
      lengths.push(SALT_BYTES + Buffer.byteLength(canonicalForm(opening)));
    }
    const last = page.at(-1);
    if (last === undefined) return lengths;
    after = last.position;
  }
};

/** The three hashes of each event, over bytes that are there already: SHA-256 takes as long for any. */
const hashed = (lengths: readonly number[]): number => {
  const bytes = randomBytes(
    Math.max(...[LEAF_BYTES, NODE_BYTES, lengths.reduce((most, one) => Math.max(most, one), 0)]),
  );
  let seen = 0;
  for (const length of lengths) {
    for (const each of [length, LEAF_BYTES, NODE_BYTES])
      seen += hash('sha256', bytes.subarray(0, each), 'buffer').length;
  }
  return seen / 96;
};

/** Milliseconds that each of `count` proofs takes, of leaves all over a tree on disk. */
const provingIn = (folders: Folders, leaves: number, count: number): readonly number[] => {
  const database = new SqliteReadDatabase(folders.fresh('leaves'));
  const model = database.open(logTree);
  const leafOf = (n: number): Buffer => hash('sha256', String(n), 'buffer');
  try {
    model.commit(1n, (tx) => {
      const added = Array.from({ length: leaves }, (_, n) => leafOf(n));
      for (const tile of grownTiles(storedTiles(tx), 0, added)) storeTile(tx, tile);
    });
    const root = rootOf(nodesOf(storedTiles(model)), leaves);
    return Array.from({ length: count }, (_, n) => {
      const index = (n * 7_919) % leaves;
      const begun = performance.now();
      const proof = inclusionProof(nodesOf(storedTiles(model)), index, leaves);
      const took = performance.now() - begun;
      verifyInclusion(leafOf(index), index, leaves, proof, root);
      return took;
    });
  } finally {
    model.close();
    database.close();
  }
};
