import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cosign, NoteSigner } from '#tlog';
import type { BundleOptions } from './bundle.fixture.js';
import { EvidenceLog, forged, frozenEvents, leavesOf, manifestOf, SIGNER } from './bundle.fixture.js';
import type { Files, Manifest, RevisionEvidence } from './format.js';
import { keysIn, type Trust } from './trust.js';
import { verifyBundle } from './verify-bundle.js';

const LOG = new EvidenceLog(leavesOf(frozenEvents()));
const longest = (category: string): string => {
  const counts = new Map<string, number>();
  for (const { opening } of LOG.leaves)
    if (opening.stream.startsWith(`${category}-`)) counts.set(opening.stream, (counts.get(opening.stream) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]![0];
};
const DEAL = longest('commitment');
const NEED = longest('need');
const OFFER = longest('offer');
const WHOLE: BundleOptions = { stream: DEAL, beside: [NEED, OFFER] };
const BUNDLE = LOG.bundle(WHOLE);
const LAST = manifestOf(BUNDLE).streams.find(({ stream }) => stream === DEAL)!.events - 1;
const PINNED: Trust = { key: SIGNER.verifier, witnesses: [], receipts: [], checkpoints: [] };

const outcome = (files: Files, trust: Partial<Trust> = {}): string => {
  const report = verifyBundle(files, { ...PINNED, ...trust });
  const refused = report.findings.find(({ kind }) => kind === 'refused');
  return refused === undefined ? report.verdict : `${refused.file ?? '-'}: ${refused.text}`;
};

const texts = (files: Files, kind: string, trust: Partial<Trust> = {}): string[] =>
  verifyBundle(files, { ...PINNED, ...trust })
    .findings.filter((each) => each.kind === kind)
    .map(({ text }) => text);

const textOf = (path: string, files: Files = BUNDLE): string => Buffer.from(files.get(path)!).toString();

const withRevisions = (
  manifest: Manifest,
  change: (revisions: readonly RevisionEvidence[]) => RevisionEvidence[],
): Manifest => ({
  ...manifest,
  streams: manifest.streams.map((each) => {
    if (each.stream !== DEAL) return each;
    const revisions = change(each.revisions);
    return { ...each, events: revisions.length, revisions };
  }),
});

/** The bundle with another signed note in place of its own. */
const resigned = (files: Files, own: string, other: string): Files =>
  forged(
    files,
    Object.fromEntries(
      [...files.keys()]
        .filter((path) => path === 'checkpoint' || path.endsWith('.tlog-proof'))
        .map((path) => [path, textOf(path, files).replace(own, other)]),
    ),
  );

/** The log as somebody else was shown it: one event says something else. */
const forkedAt = (seq: number): EvidenceLog =>
  new EvidenceLog(
    leavesOf(
      frozenEvents().map((event, at) => (at === seq ? { ...event, data: { ...event.data, forked: true } } : event)),
    ),
  );
const FORK = forkedAt(5);
const OTHER = forkedAt(LOG.seqOf(DEAL, 3));

/** The schema that nothing but this event needs. */
const missingSchemas = (revision: number): Record<string, undefined> => {
  const { type } = LOG.leaves[LOG.seqOf(DEAL, revision)]!.opening;
  const others = LOG.leaves.filter(
    ({ opening }) => [DEAL, NEED, OFFER].includes(opening.stream) && opening.type === type,
  );
  return others.length > 1 ? {} : { [`schemas/${type}.v1.json`]: undefined };
};

const at = (revision: number, ending: string): string => `events/${DEAL}/${revision}.${ending}`;

describe('a bundle of a commitment, its need and its offer', () => {
  it('is verified, and what no bundle can prove is said', () => {
    expect(LAST).toBeGreaterThan(10);
    expect(outcome(BUNDLE)).toBe('verified');
    const proved = texts(BUNDLE, 'proved').join('\n');
    expect(proved).toContain(`${DEAL}: events 0 to ${LAST}, none missing`);
    for (const stream of [DEAL, NEED, OFFER])
      expect(proved).toContain(`${stream}: the state claimed is the one that the published rules come to`);
    expect(texts(BUNDLE, 'open').join('\n')).toContain('that no later event exists');
  });

  it('is of every record of the frozen log as well', () => {
    const streams = new Set(LOG.leaves.map(({ opening }) => opening.stream));
    const records = [...streams].filter((stream) => /^(need|offer|commitment)-/.test(stream));
    expect(records.length).toBeGreaterThan(30);
    expect(records.filter((stream) => outcome(LOG.bundle({ stream })) !== 'verified')).toEqual([]);
  });

  it('leaves whose log it is in doubt where no key is pinned', () => {
    const { key: _key, ...unpinned } = PINNED;
    const report = verifyBundle(BUNDLE, unpinned);
    expect(report.verdict).toBe('in doubt');
    expect(report.findings.find(({ kind }) => kind === 'doubt')?.text).toContain('its key came along with it');
  });

  it('is verified where openings are withheld, and says which of them rest on the server’s word', () => {
    const withheld = [`${DEAL}#2`, `${DEAL}#${LAST - 1}`, `${DEAL}#${LAST}`];
    const redacted = LOG.bundle({ ...WHOLE, withheld });
    expect(outcome(redacted)).toBe('verified');
    const open = texts(redacted, 'open').join('\n');
    expect(open).toContain(`that event ${LAST - 1}, event ${LAST} withheld of ${DEAL} belongs to it`);
    expect(open).toContain(`the state of ${DEAL}: not all of its events are opened`);
  });

  it('counts the witnesses who cosigned it, and wants as many as asked for', () => {
    const [one, two] = [
      NoteSigner.generate('one.example', 'cosignature'),
      NoteSigner.generate('two.example', 'cosignature'),
    ];
    const note = cosign(Buffer.from(LOG.checkpoint()), one, 1_796_000_000);
    const cosigned = resigned(BUNDLE, LOG.checkpoint(), note);
    expect(texts(cosigned, 'proved', { witnesses: [one.verifier] })).toContain(
      'one.example saw it at 2026-11-30T00:53:20.000Z and had seen no other history',
    );
    expect(outcome(cosigned, { witnesses: [one.verifier, two.verifier], need: 1 })).toBe('verified');
    expect(outcome(cosigned, { witnesses: [one.verifier, two.verifier] })).toBe(
      'checkpoint: 1 of the 2 witnesses cosigned it, 2 are needed',
    );
    expect(outcome(BUNDLE, { witnesses: [one.verifier], need: 1 })).toContain('0 of the 1 witnesses');
  });

  it('proves that the log only grew since a checkpoint, where it holds the event at its end or behind it', () => {
    const seq = LOG.seqOf(DEAL, 3);
    for (const size of [seq, seq + 1]) {
      const checkpoints = [{ name: 'older', bytes: Buffer.from(LOG.checkpoint(size)) }];
      expect(texts(BUNDLE, 'proved', { checkpoints })).toContain(
        `the log begins with the ${size} events of older, unchanged`,
      );
    }
    const elsewhere = LOG.leaves.findIndex(
      ({ opening }, index) =>
        index > 0 &&
        ![DEAL, NEED, OFFER].includes(opening.stream) &&
        ![DEAL, NEED, OFFER].includes(LOG.leaves[index - 1]!.opening.stream),
    );
    expect(outcome(BUNDLE, { checkpoints: [{ name: 'older', bytes: Buffer.from(LOG.checkpoint(elsewhere)) }] })).toBe(
      'in doubt',
    );
  });
});

describe('of a log whose key was rotated', () => {
  const before = NoteSigner.generate(SIGNER.verifier.name);
  const then = new EvidenceLog(LOG.leaves, before);
  const size = LOG.seqOf(DEAL, 3) + 1;
  const { key, former } = keysIn(
    `${SIGNER.verifier.toString()} ${size + 1} -\n${before.verifier.toString()} 0 ${size}\n`,
  );

  it('what the former key signed while it was in use counts, and nothing that it signed after', () => {
    const seen = (at: number): Partial<Trust> => ({
      checkpoints: [{ name: 'seen', bytes: Buffer.from(then.checkpoint(at)) }],
      receipts: [{ name: 'receipt', bytes: then.receipt(LOG.seqOf(DEAL, 3), at) }],
    });
    expect(outcome(BUNDLE, { key, former, ...seen(size) })).toBe('verified');
    expect(outcome(BUNDLE, seen(size))).toBe('seen: the note is signed by none of the keys asked for');
    expect(outcome(BUNDLE, { key, former, ...seen(size + 1) })).toBe(
      'seen: the note is signed by none of the keys asked for',
    );
    expect(outcome(then.bundle(WHOLE), { key, former })).toBe(
      'checkpoint: the note is signed by none of the keys asked for',
    );
  });

  it('either key verifies what both signed', () => {
    const both = resigned(BUNDLE, LOG.checkpoint(), cosign(Buffer.from(LOG.checkpoint()), before, 0));
    expect(outcome(both)).toBe('verified');
    expect(outcome(both, { key: before.verifier })).toBe('verified');
    expect(texts(both, 'open', { key: before.verifier })[0]).toContain(
      `that the log's key is ${SIGNER.verifier.keyId} now`,
    );
  });

  it('is told by lines of keys, or by a key alone', () => {
    expect([key.toString(), former]).toEqual([
      SIGNER.verifier.toString(),
      [{ key: before.verifier, from: 0, to: size }],
    ]);
    expect(keysIn(`${SIGNER.verifier.toString()}\n`)).toEqual({ key: SIGNER.verifier, former: [] });
    for (const wrong of ['', 'key', `${SIGNER.verifier.toString()} 1`, `${SIGNER.verifier.toString()}\n\n`.repeat(2)])
      expect(() => keysIn(wrong)).toThrow('the verifier key');
  });
});

describe('of attacks on a bundle', () => {
  const other = new EvidenceLog(leavesOf(frozenEvents().slice(0, 600)), NoteSigner.generate(SIGNER.verifier.name));

  it.each<[string, () => Files, Partial<Trust>, string]>([
    [
      'a byte flipped in an opening',
      () => forged(BUNDLE, { [at(1, 'json')]: textOf(at(1, 'json')).replace('Z"', 'Y"') }),
      {},
      `${at(1, 'json')}: with its salt it hashes to`,
    ],
    [
      'a byte flipped in a salt',
      () =>
        forged(BUNDLE, {
          [at(1, 'salt')]: textOf(at(1, 'salt')).replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
        }),
      {},
      `${at(1, 'json')}: with its salt it hashes to`,
    ],
    [
      'a byte flipped in a leaf',
      () =>
        forged(BUNDLE, {}, (manifest) =>
          withRevisions(manifest, (all) =>
            all.map((each) =>
              each.revision === 1
                ? { ...each, entryHash: each.entryHash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }
                : each,
            ),
          ),
        ),
      {},
      `${at(1, 'tlog-proof')}: the proof is not of the leaf that the manifest names`,
    ],
    [
      'a byte flipped in a state',
      () =>
        forged(BUNDLE, {
          [`state/${DEAL}.json`]: textOf(`state/${DEAL}.json`)
            .replace('"side":"provider"', '"side":"recipient"')
            .replace('"side":"beneficiary"', '"side":"provider"'),
        }),
      {},
      `state/${DEAL}.json: the published rules come to another state than the one claimed: /state/`,
    ],
    [
      'a byte flipped in the checkpoint',
      () =>
        forged(BUNDLE, {
          checkpoint: textOf('checkpoint').replace(`\n${LOG.leaves.length}\n`, `\n${LOG.leaves.length - 1}\n`),
        }),
      {},
      'checkpoint: the signature of log.example/commitments (6a15cb5d) is not of this text',
    ],
    [
      'an event removed from the middle',
      () =>
        forged(
          BUNDLE,
          { [at(2, 'json')]: undefined, [at(2, 'salt')]: undefined, [at(2, 'tlog-proof')]: undefined },
          (manifest) => withRevisions(manifest, (all) => all.filter(({ revision }) => revision !== 2)),
        ),
      {},
      `manifest.json: revision 2 of ${DEAL} is missing`,
    ],
    [
      'an event removed, and those behind it moved up',
      () => {
        const moved: Record<string, string | undefined> = {};
        for (let revision = 2; revision <= LAST; revision += 1)
          for (const ending of ['json', 'salt', 'tlog-proof'])
            moved[at(revision, ending)] = revision === LAST ? undefined : textOf(at(revision + 1, ending));
        return forged(BUNDLE, moved, (manifest) =>
          withRevisions(manifest, (all) =>
            all.filter(({ revision }) => revision !== 2).map((each, revision) => ({ ...each, revision })),
          ),
        );
      },
      {},
      `${at(2, 'json')}: it is revision 3 of ${DEAL}`,
    ],
    [
      'two events swapped',
      () =>
        forged(BUNDLE, {}, (manifest) =>
          withRevisions(manifest, ([a, b, ...all]) => [{ ...b!, revision: 0 }, { ...a!, revision: 1 }, ...all]),
        ),
      {},
      `${at(0, 'tlog-proof')}: the proof is not of the leaf that the manifest names`,
    ],
    [
      'two events swapped with all their files',
      () => {
        const swapped: Record<string, string> = {};
        for (const ending of ['json', 'salt', 'tlog-proof']) {
          swapped[at(0, ending)] = textOf(at(1, ending));
          swapped[at(1, ending)] = textOf(at(0, ending));
        }
        return forged(BUNDLE, swapped, (manifest) =>
          withRevisions(manifest, ([a, b, ...all]) => [{ ...b!, revision: 0 }, { ...a!, revision: 1 }, ...all]),
        );
      },
      {},
      `${at(0, 'json')}: it is revision 1 of ${DEAL}`,
    ],
    [
      'an event inserted that the log lacks',
      () => {
        const made = leavesOf([
          ...frozenEvents(),
          { ...frozenEvents().findLast(({ stream }) => stream === DEAL)!, revision: LAST + 1 },
        ]);
        const forger = new EvidenceLog(made, NoteSigner.parse(SIGNER.privateKey()));
        const files = forger.bundle(WHOLE);
        const real = new EvidenceLog(made.slice(0, -1)).bundle(WHOLE);
        const own = Object.fromEntries(
          ['json', 'salt', 'tlog-proof'].map((ending) => [
            at(LAST + 1, ending),
            Buffer.from(files.get(at(LAST + 1, ending))!),
          ]),
        );
        const proof = Buffer.from(own[at(LAST + 1, 'tlog-proof')]!)
          .toString()
          .replace(forger.checkpoint(), LOG.checkpoint());
        const { revisions } = manifestOf(files).streams.find(({ stream }) => stream === DEAL)!;
        return forged(real, { ...own, [at(LAST + 1, 'tlog-proof')]: proof }, (manifest) =>
          withRevisions(manifest, (all) => [...all, revisions.at(-1)!]),
        );
      },
      {},
      `${at(LAST + 1, 'tlog-proof')}: a tree of ${LOG.leaves.length} leaves has no leaf ${LOG.leaves.length}`,
    ],
    [
      'an event of another stream inserted',
      () => {
        const seq = LOG.seqOf(NEED, 1);
        const { opening, salt, entryHash } = LOG.leaves[seq]!;
        const tail = LAST + 1;
        return forged(
          LOG.bundle({ stream: DEAL }),
          {
            [at(tail, 'tlog-proof')]: LOG.receipt(seq),
            [at(tail, 'salt')]: `${salt}\n`,
            [at(tail, 'json')]: JSON.stringify(opening),
          },
          (manifest) => withRevisions(manifest, (all) => [...all, { revision: tail, seq, entryHash, opened: true }]),
        );
      },
      {},
      `${at(LAST + 1, 'tlog-proof')}: the event stands at`,
    ],
    [
      'an event altered, with leaf, proof and state made to fit',
      () => resigned(OTHER.bundle({ stream: DEAL }), OTHER.checkpoint(), LOG.checkpoint()),
      {},
      `${at(0, 'tlog-proof')}: the inclusion proof leads to another root`,
    ],
    [
      'an event back-dated',
      () =>
        forged(BUNDLE, {
          [at(1, 'json')]: textOf(at(1, 'json')).replace(/"recordedAt":"20\d\d/, '"recordedAt":"2019'),
        }),
      {},
      `${at(1, 'json')}: with its salt it hashes to`,
    ],
    [
      'the last event withheld, where a party holds its receipt',
      () =>
        forged(
          BUNDLE,
          { [at(LAST, 'json')]: undefined, [at(LAST, 'salt')]: undefined, [at(LAST, 'tlog-proof')]: undefined },
          (manifest) => withRevisions(manifest, (all) => all.slice(0, -1)),
        ),
      { receipts: [{ name: 'receipt.tlog-proof', bytes: LOG.receipt(LOG.seqOf(DEAL, LAST)) }] },
      `state/${DEAL}.json: the published rules come to another state`,
    ],
    [
      'the last event withheld with a state that fits',
      () => {
        const { [LAST]: _last, ...kept } = Object.fromEntries(
          frozenEvents()
            .filter(({ stream }) => stream === DEAL)
            .entries(),
        );
        const short = new EvidenceLog(leavesOf([...Object.values(kept)])).bundle({ stream: DEAL });
        return forged(
          BUNDLE,
          {
            [`state/${DEAL}.json`]: short.get(`state/${DEAL}.json`),
            [at(LAST, 'json')]: undefined,
            [at(LAST, 'salt')]: undefined,
            [at(LAST, 'tlog-proof')]: undefined,
            ...missingSchemas(LAST),
          },
          (manifest) => withRevisions(manifest, (all) => all.slice(0, -1)),
        );
      },
      { receipts: [{ name: 'receipt.tlog-proof', bytes: LOG.receipt(LOG.seqOf(DEAL, LAST)) }] },
      'manifest.json: the bundle lacks the event of the receipt receipt.tlog-proof',
    ],
    [
      'a signature by another key of the same name',
      () => other.bundle({ stream: DEAL }),
      {},
      'checkpoint: the note is signed by none of the keys asked for',
    ],
    [
      'a signature by a rotated-out key, under the name of the new',
      () => forged(other.bundle({ stream: DEAL }), { 'verifier-key': `${SIGNER.verifier.toString()}\n` }),
      {},
      'checkpoint: the note is signed by none of the keys asked for',
    ],
    [
      'a bundle of another log',
      () => new EvidenceLog(LOG.leaves, NoteSigner.generate('other.example/log')).bundle(WHOLE),
      {},
      'verifier-key: it is the key of the log other.example/log, the one pinned is of log.example/commitments',
    ],
    [
      'the checkpoint of another log',
      () =>
        forged(BUNDLE, {
          checkpoint: new EvidenceLog(LOG.leaves, NoteSigner.generate('other.example/log')).checkpoint(),
        }),
      {},
      'checkpoint: the note is signed by none of the keys asked for',
    ],
    [
      'an older checkpoint replayed, where a newer one is known',
      () => LOG.bundle({ stream: DEAL, size: LOG.seqOf(DEAL, LAST) }),
      { checkpoints: [{ name: 'newer', bytes: Buffer.from(LOG.checkpoint()) }] },
      `checkpoint: the bundle's checkpoint of ${LOG.seqOf(DEAL, LAST)} events is older than one that is known (${LOG.leaves.length}, newer)`,
    ],
    [
      'an older checkpoint replayed, where a receipt is newer',
      () => LOG.bundle({ stream: DEAL, size: LOG.seqOf(DEAL, LAST) }),
      { receipts: [{ name: 'receipt', bytes: LOG.receipt(LOG.seqOf(DEAL, LAST)) }] },
      'checkpoint: the event of the receipt receipt stands at',
    ],
    [
      'a fork of the log',
      () => BUNDLE,
      { checkpoints: [{ name: 'known', bytes: Buffer.from(FORK.checkpoint()) }] },
      `known: the log signed another history of ${LOG.leaves.length} events: it is forked`,
    ],
    [
      'a fork of the log, before the checkpoint',
      () => BUNDLE,
      { checkpoints: [{ name: 'known', bytes: Buffer.from(FORK.checkpoint(LOG.seqOf(DEAL, 3) + 1)) }] },
      `known: the log does not begin with the ${LOG.seqOf(DEAL, 3) + 1} events that were signed before`,
    ],
    [
      'a receipt of a fork',
      () => BUNDLE,
      { receipts: [{ name: 'receipt', bytes: FORK.receipt(LOG.seqOf(DEAL, 3), LOG.seqOf(DEAL, 3) + 1) }] },
      `receipt: the log does not begin with the ${LOG.seqOf(DEAL, 3) + 1} events that were signed before`,
    ],
    [
      'a receipt of another event at the same place',
      () => BUNDLE,
      { receipts: [{ name: 'receipt', bytes: OTHER.receipt(LOG.seqOf(DEAL, 3), LOG.seqOf(DEAL, 3) + 2) }] },
      `events/${DEAL}/3: the receipt receipt is of another event at ${LOG.seqOf(DEAL, 3)}`,
    ],
    [
      'a receipt signed by another key',
      () => BUNDLE,
      { receipts: [{ name: 'receipt', bytes: other.receipt(LOG.seqOf(DEAL, 3)) }] },
      'receipt: the note is signed by none of the keys asked for',
    ],
    [
      'a duplicate key in an opening',
      () =>
        forged(BUNDLE, { [at(1, 'json')]: textOf(at(1, 'json')).replace('"revision":1', '"revision":0,"revision":1') }),
      {},
      `${at(1, 'json')}: ${at(1, 'json')} is not canonical JSON`,
    ],
    [
      'a number beyond 2^53',
      () =>
        forged(BUNDLE, {
          [at(1, 'json')]: textOf(at(1, 'json')).replace('"revision":1', '"revision":9007199254740993'),
        }),
      {},
      `${at(1, 'json')}: "/revision" is not a whole number below 2^53`,
    ],
    [
      'a lone surrogate',
      () =>
        forged(BUNDLE, { [at(1, 'json')]: textOf(at(1, 'json')).replace(`"stream":"${DEAL}"`, '"stream":"\\ud800"') }),
      {},
      `${at(1, 'json')}: "/stream" holds a lone surrogate`,
    ],
    [
      'a value nested without end',
      () => forged(BUNDLE, { [at(1, 'json')]: '['.repeat(200_000) + ']'.repeat(200_000) }),
      {},
      `${at(1, 'json')}: ${at(1, 'json')} is nested too deep`,
    ],
    [
      'a duplicate key in the manifest',
      () =>
        new Map(BUNDLE).set(
          'manifest.json',
          Buffer.from(textOf('manifest.json').replace('"size":', '"size":1,"size":')),
        ),
      {},
      'manifest.json: manifest.json is not canonical JSON',
    ],
    ['a file besides', () => forged(BUNDLE, { 'notes.txt': 'hello' }), {}, 'notes.txt: it is no file of this format'],
    [
      'a file that the manifest does not name',
      () => new Map(BUNDLE).set('notes.txt', Buffer.from('hello')),
      {},
      'notes.txt: the manifest does not name this file',
    ],
    [
      'a file gone',
      () => {
        const less = new Map(BUNDLE);
        less.delete('VERIFY.md');
        return less;
      },
      {},
      'VERIFY.md: the manifest names this file, which the bundle lacks',
    ],
    [
      'a path that leads out, in the manifest',
      () => forged(BUNDLE, { '../outside': 'x' }),
      {},
      '../outside: the path leads out of the bundle',
    ],
    [
      'a schema of another shape',
      () => forged(BUNDLE, { 'schemas/CommitmentProposed.v1.json': '{}' }),
      {},
      'schemas/CommitmentProposed.v1.json: it is not the schema that this program publishes',
    ],
    [
      'no state, where every event is opened',
      () =>
        forged(
          BUNDLE,
          { [`state/${DEAL}.json`]: undefined },
          ({ state: { [DEAL]: _gone, ...state }, ...manifest }) => ({ ...manifest, state }),
        ),
      {},
      `manifest.json: state names none for ${DEAL}`,
    ],
    [
      'a size that is not the checkpoint’s',
      () => forged(BUNDLE, {}, (manifest) => ({ ...manifest, size: manifest.size - 1 })),
      {},
      `manifest.json: size is ${LOG.leaves.length - 1}, the checkpoint's is ${LOG.leaves.length}`,
    ],
    ['no bundle at all', () => new Map(), {}, 'manifest.json: the bundle lacks its manifest'],
  ])('%s is refused, with its reason', (_what, files, trust, reason) => {
    expect(outcome(files(), trust).slice(0, reason.length)).toBe(reason);
  });

  it('any byte of any file, flipped, is refused', () => {
    const sizes = [...BUNDLE].map(([path, { length }]) => ({ path, length }));
    fc.assert(
      fc.property(
        fc
          .constantFrom(...sizes)
          .chain(({ path, length }) =>
            fc.tuple(fc.constant(path), fc.nat(length - 1), fc.integer({ min: 1, max: 255 })),
          ),
        ([path, byte, flip]) => {
          const flipped = Buffer.from(BUNDLE.get(path)!);
          flipped[byte]! ^= flip;
          expect(verifyBundle(new Map(BUNDLE).set(path, flipped), PINNED).verdict).toBe('refused');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('any byte flipped is refused where every hash of the manifest is made to fit, but in what people read', () => {
    const proven = [...BUNDLE.keys()].filter(
      (path) => !['manifest.json', 'record.json', 'index.html', 'VERIFY.md'].includes(path),
    );
    fc.assert(
      fc.property(fc.constantFrom(...proven), fc.nat(), fc.integer({ min: 1, max: 255 }), (path, place, flip) => {
        const flipped = Buffer.from(BUNDLE.get(path)!);
        flipped[place % flipped.length]! ^= flip;
        expect(verifyBundle(forged(BUNDLE, { [path]: flipped }), PINNED).verdict).toBe('refused');
      }),
      { numRuns: 60 },
    );
  });

  it('every byte of manifest, checkpoint and key, flipped, is refused', () => {
    const shortest = LOG.leaves.findLast(
      ({ opening }) => opening.stream.startsWith('need-') && opening.revision === 1,
    )!;
    const small = LOG.bundle({ stream: shortest.opening.stream, size: LOG.leaves.indexOf(shortest) + 1 });
    expect(outcome(small)).toBe('verified');
    for (const path of ['manifest.json', 'checkpoint', 'verifier-key'])
      for (let byte = 0; byte < small.get(path)!.length; byte += 1) {
        const flipped = Buffer.from(small.get(path)!);
        flipped[byte]! ^= 1;
        const { verdict } = verifyBundle(new Map(small).set(path, flipped), PINNED);
        if (verdict !== 'refused') throw new Error(`byte ${byte} of ${path} flipped: ${verdict}`);
      }
  });
});
