import { createHash, createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkpointText,
  cosign,
  EMPTY_ROOT,
  formatNote,
  formatProofFile,
  inclusionProof,
  leafHash,
  NoteSigner,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseCheckpointText,
  parseNote,
  parseProofFile,
  rootOf,
  signCheckpoint,
  VerifierKey,
  verifyProofFile,
} from './index.js';
import { GrowingTiles } from './tree.fixture.js';

const SEED = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
const ORIGIN = 'log.example/commitments';
const VERIFIER = 'log.example/commitments+6a15cb5d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4';
const SIGNER = `PRIVATE+KEY+${ORIGIN}+6a15cb5d+${Buffer.concat([Buffer.of(1), SEED]).toString('base64')}`;

const log = NoteSigner.parse(SIGNER);
const witness = NoteSigner.generate('witness.example/w1', 'cosignature');
const stranger = NoteSigner.generate(ORIGIN);

const tiles = new GrowingTiles();
const entries = ['entry 0', 'entry 1', 'entry 2'].map((text) => Buffer.from(text));
tiles.append(entries.map(leafHash));
const root = rootOf(tiles.nodes, 3);
const checkpoint = signCheckpoint(log, 3, root);

const bytes = (text: string): Buffer => Buffer.from(text);

describe('keys', () => {
  it('of a seed have the text of the specification', () => {
    expect(log.verifier.toString()).toBe(VERIFIER);
    expect(Buffer.from(log.verifier.publicKey).toString('hex')).toBe(
      '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8',
    );
    expect(log.privateKey()).toBe(SIGNER);
    expect(VerifierKey.parse(VERIFIER).toString()).toBe(VERIFIER);
  });

  it('of two kinds have two ids: a log never signs as a witness', () => {
    const other = new VerifierKey(ORIGIN, 'cosignature', log.verifier.publicKey);
    const id = createHash('sha256').update(`${ORIGIN}\n`).update(Buffer.of(4)).update(other.publicKey).digest('hex');
    expect(other.keyId).toBe(id.slice(0, 8));
    expect(other.keyId).not.toBe(log.verifier.keyId);
    expect(VerifierKey.parse(other.toString()).kind).toBe('cosignature');
  });

  it.each([
    ['', '<name>+<8 hexadecimal digits>'],
    ['log.example+6a15cb5d', '<name>+<8 hexadecimal digits>'],
    ['log example+6a15cb5d+AQOh', '<name>+<8 hexadecimal digits>'],
    ['log\u00a0example+6a15cb5d+AQOh', '<name>+<8 hexadecimal digits>'],
    [VERIFIER.replace('6a15cb5d', '6A15CB5D'), '<name>+<8 hexadecimal digits>'],
    [VERIFIER.replace('6a15cb5d', '6a15cb5e'), 'id is 6a15cb5e, that of its key 6a15cb5d'],
    [VERIFIER.replace('log.example', 'log.sample'), 'id is 6a15cb5d, that of its key'],
    [VERIFIER.slice(0, -1), 'is not canonical base64'],
    [`${VERIFIER} `, 'is not canonical base64'],
    [`${VERIFIER}\n`, 'is not canonical base64'],
    ['a+6a15cb5d+AQOh', 'has 2 bytes, not 32'],
    [VERIFIER.replace('+AQ', '+BQ'), 'is of a kind other than'],
  ])('that are malformed are refused: %j', (text, reason) => {
    expect(() => VerifierKey.parse(text)).toThrow(reason);
  });

  it('that sign are refused where they are malformed, too', () => {
    expect(() => NoteSigner.parse(VERIFIER)).toThrow('the private key is not');
    expect(() => NoteSigner.parse(SIGNER.replace('6a15cb5d', '00000000'))).toThrow("the private key's id is 00000000");
    expect(() => NoteSigner.generate('two words')).toThrow('is no name of a key');
  });
});

describe('a signed note', () => {
  it("is verified with the key in the documentation of Go's note", () => {
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const line =
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    const key = VerifierKey.parse('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    expect(openNote(bytes(`${text}\n${line}`), [key])).toEqual({ text, verified: [{ key }] });
  });

  it('is signed over its text up to the line feed before the empty line', () => {
    const [line = ''] = checkpoint.split('\n').slice(-2);
    const key = createPublicKey(
      createPrivateKey({
        key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]),
        format: 'der',
        type: 'pkcs8',
      }),
    );
    const signature = Buffer.from(line.split(' ')[2]!, 'base64');
    expect(line.startsWith(`— ${ORIGIN} `)).toBe(true);
    expect(signature.subarray(0, 4).toString('hex')).toBe('6a15cb5d');
    const text = `${ORIGIN}\n3\n${root.toString('base64')}\n`;
    expect(checkpoint).toBe(`${text}\n${line}\n`);
    expect(verify(null, bytes(text), key, signature.subarray(4))).toBe(true);
  });

  it('may hold empty lines, and divides at the last', () => {
    const text = 'one\n\n\ntwo\n';
    const note = formatNote({ text, signatures: [log.sign(text)] });
    expect(openNote(bytes(note), [log.verifier]).text).toBe(text);
  });

  it('counts with the signatures of known keys, whatever others stand beside', () => {
    const text = 'a\n';
    const note = formatNote({ text, signatures: [stranger.sign(text), log.sign(text), log.sign(text)] });
    expect(openNote(bytes(note), [log.verifier, witness.verifier]).verified).toEqual([{ key: log.verifier }]);
    expect(() => openNote(bytes(note), [witness.verifier])).toThrow('signed by none of the keys asked for');
  });

  it('is refused as a whole where a known key did not sign it', () => {
    const text = 'a\n';
    const another = log.sign('b\n');
    const note = formatNote({ text, signatures: [stranger.sign(text), another] });
    expect(() => openNote(bytes(note), [log.verifier, stranger.verifier])).toThrow(
      `the signature of ${ORIGIN} (6a15cb5d) is not of this text`,
    );
    const short = formatNote({ text, signatures: [{ ...another, signature: another.signature.subarray(1) }] });
    expect(() => openNote(bytes(short), [log.verifier])).toThrow('is not of this text');
  });

  it.each([
    ['no empty line', 'a\n— b AAAAAAA=\n', 'has no empty line'],
    ['no signature', 'a\n\n', 'do not end with a line feed'],
    ['no last line feed', 'a\n\n— b AAAAAAA=', 'do not end with a line feed'],
    ['a hyphen for the dash', 'a\n\n- b AAAAAAA=\n', 'a signature is not'],
    ['a name with a plus', 'a\n\n— b+c AAAAAAA=\n', 'a signature is not'],
    ['no base64', 'a\n\n— b AAAAAAA\n', 'the signature of b is not canonical base64'],
    ['spare bits', 'a\n\n— b AAAAAAB=\n', 'the signature of b is not canonical base64'],
    ['no signature behind the id', 'a\n\n— b AAAAAA==\n', 'the signature of b is too short'],
    ['a third part', 'a\n\n— b AAAAAAA= c\n', 'a signature is not'],
    ['a control character', 'a\tb\n\n— b AAAAAAA=\n', 'holds control characters'],
    ['a carriage return', 'a\r\n\n— b AAAAAAA=\n', 'holds control characters'],
    ['no text', '\n\n— b AAAAAAA=\n', 'signed by none'],
  ])('with %s is refused', (_what, note, reason) => {
    expect(() => openNote(bytes(note), [log.verifier])).toThrow(reason);
  });

  it('that is not UTF-8, too long or signed too often is refused', () => {
    expect(() => parseNote(Buffer.from([0x61, 0xff, 0x0a, 0x0a]))).toThrow('the note is not UTF-8');
    expect(() => parseNote(Buffer.alloc(1_000_001, 'a'))).toThrow('more than 1000000 bytes');
    const often = (times: number): Buffer => bytes(`a\n\n${'— b AAAAAAA=\n'.repeat(times)}`);
    expect(parseNote(often(100)).signatures).toHaveLength(100);
    expect(() => parseNote(often(101))).toThrow('more than 100 signatures');
    expect(() => formatNote({ text: 'a', signatures: [] })).toThrow('does not end with a line feed');
    expect(() => formatNote({ text: '\ud800\n', signatures: [] })).toThrow('lone surrogate');
  });
});

describe('a checkpoint', () => {
  it('reads as it was written', () => {
    expect(parseCheckpoint(bytes(checkpoint))).toEqual({ origin: ORIGIN, size: 3, root, extensions: [] });
    const extended = { origin: 'x', size: 0, root: EMPTY_ROOT, extensions: ['one', 'two'] };
    expect(parseCheckpointText(checkpointText(extended))).toEqual(extended);
  });

  it.each([
    ['two lines', 'x\n0\n', 'three or more lines'],
    ['an empty line', `x\n0\n\n${EMPTY_ROOT.toString('base64')}\n`, 'three or more lines'],
    ['no last line feed', `x\n0\n${EMPTY_ROOT.toString('base64')}`, 'three or more lines'],
    ['a zero in front', `x\n00\n${EMPTY_ROOT.toString('base64')}\n`, 'size is not a decimal number'],
    ['a sign', `x\n-1\n${EMPTY_ROOT.toString('base64')}\n`, 'size is not a decimal number'],
    ['2^53', `x\n9007199254740992\n${EMPTY_ROOT.toString('base64')}\n`, 'size is not a decimal number'],
    ['a short root', 'x\n0\nAAAA\n', 'root has 3 bytes, not the 32'],
    ['no base64', 'x\n0\n!\n', 'root is not canonical base64'],
  ])('with %s is refused', (_what, text, reason) => {
    expect(() => parseCheckpointText(text)).toThrow(reason);
  });

  it('of another log, or signed by a key that is not trusted, is refused', () => {
    expect(openCheckpoint(bytes(checkpoint), ORIGIN, [log.verifier]).checkpoint.size).toBe(3);
    expect(() => openCheckpoint(bytes(checkpoint), 'other.example', [log.verifier])).toThrow(
      'is of log.example/commitments, not of other.example',
    );
    expect(() => openCheckpoint(bytes(checkpoint), ORIGIN, [stranger.verifier])).toThrow('none of the keys');
  });

  it('carries the cosignature of a witness, with its time, over its text', () => {
    const cosigned = cosign(bytes(checkpoint), witness, 1_764_400_000);
    const { verified } = openCheckpoint(bytes(cosigned), ORIGIN, [log.verifier, witness.verifier]);
    expect(verified).toEqual([{ key: log.verifier }, { key: witness.verifier, seconds: 1_764_400_000 }]);
    const line = cosigned.split('\n').at(-2)!;
    const field = Buffer.from(line.split(' ')[2]!, 'base64');
    expect(field).toHaveLength(4 + 8 + 64);
    expect(field.readBigUInt64BE(4)).toBe(1_764_400_000n);
    const message = `cosignature/v1\ntime 1764400000\n${checkpointText(parseCheckpoint(bytes(checkpoint)))}`;
    const { x } = { x: Buffer.from(witness.verifier.publicKey).toString('base64url') };
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, bytes(message), key, field.subarray(12))).toBe(true);
    expect(() => cosign(bytes(formatNote({ text: 'a\n', signatures: [log.sign('a\n')] })), witness, 1)).toThrow(
      'three or more lines',
    );
  });

  it('with a cosignature of another time is refused', () => {
    const text = parseNote(bytes(checkpoint)).text;
    const { signature, ...by } = witness.sign(text, 1_764_400_000);
    const later = Buffer.from(signature);
    later.writeBigUInt64BE(1_764_400_001n);
    const far = Buffer.from(signature);
    far.writeBigUInt64BE(2n ** 60n);
    for (const touched of [later, far]) {
      const note = formatNote({ text, signatures: [log.sign(text), { ...by, signature: touched }] });
      expect(() => openNote(bytes(note), [log.verifier, witness.verifier])).toThrow('witness.example/w1');
    }
  });
});

describe('a proof file', () => {
  const made = (extra?: Uint8Array): string =>
    formatProofFile({
      ...(extra === undefined ? {} : { extra }),
      index: 2,
      proof: inclusionProof(tiles.nodes, 2, 3),
      checkpoint,
    });

  it('is what tlog-proof says, and proves its entry', () => {
    const sibling = inclusionProof(tiles.nodes, 2, 3).map((hash) => Buffer.from(hash).toString('base64'));
    expect(made(bytes('more'))).toBe(
      `c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 2\n${sibling.join('\n')}\n\n${checkpoint}`,
    );
    expect(parseProofFile(bytes(made(bytes('more')))).extra).toEqual(bytes('more'));
    expect(verifyProofFile(bytes(made()), entries[2]!, ORIGIN, [log.verifier])).toEqual({
      index: 2,
      size: 3,
      verified: [{ key: log.verifier }],
    });
  });

  it('of a tree of one entry has no hashes', () => {
    const text = formatProofFile({ index: 0, proof: [], checkpoint: signCheckpoint(log, 1, leafHash(entries[0]!)) });
    expect(verifyProofFile(bytes(text), entries[0]!, ORIGIN, [log.verifier]).size).toBe(1);
  });

  it('proves no other entry', () => {
    expect(() => verifyProofFile(bytes(made()), entries[1]!, ORIGIN, [log.verifier])).toThrow('leads to another root');
  });

  it.each<[string, (text: string) => string, string]>([
    ['another header', (text) => text.replace('@v1', '@v2'), 'does not begin with'],
    ['no empty line', (text) => text.replace(/\n\n/g, '\n'), 'has no empty line'],
    ['no index', (text) => text.replace('index 2\n', ''), 'names no index'],
    ['no line but the header', (text) => text.replace(/index 2\n.*\n/, ''), 'names no index'],
    ['an index with a zero in front', (text) => text.replace('index 2', 'index 02'), 'index is not a decimal'],
    [
      'extra data behind the index',
      (text) => text.replace('index 2\n', 'index 2\nextra AAAA\n'),
      'hash 1 of the proof',
    ],
    ['extra data twice', (text) => text.replace('index', 'extra AAAA\nextra AAAA\nindex'), 'names no index'],
    ['extra data that is none', (text) => text.replace('index', 'extra !\nindex'), 'extra data is not canonical'],
    ['too many hashes', (text) => text.replace('index 2\n', `index 2\n${'A\n'.repeat(54)}`), 'more than 53 hashes'],
    ['a hash too few', (text) => text.replace(/index 2\n.*\n/, 'index 2\n'), 'too short'],
  ])('with %s is refused', (_what, touch, reason) => {
    expect(() => verifyProofFile(bytes(touch(made())), entries[2]!, ORIGIN, [log.verifier])).toThrow(reason);
  });

  it('with any bit flipped is refused, but for the extra data that proves nothing', () => {
    const file = bytes(made());
    fc.assert(
      fc.property(fc.nat(file.length * 8 - 1), (bit) => {
        const touched = Buffer.from(file);
        const at = Math.floor(bit / 8);
        touched.writeUInt8(touched.readUInt8(at) ^ (1 << (bit % 8)), at);
        expect(() => verifyProofFile(touched, entries[2]!, ORIGIN, [log.verifier])).toThrow();
      }),
      { numRuns: 200 },
    );
  });
});
