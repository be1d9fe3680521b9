import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { leafHash, NoteSigner, type NoteSignature, signatureLine, signCheckpoint } from '#tlog';
import { lineBy, StubWitness } from './stub-witness.fixture.js';
import { type Cosigning, WitnessClient } from './witness-client.js';

const log = NoteSigner.generate('log.example/test');
const signer = NoteSigner.generate('witness.example/w1', 'cosignature');
const note = (size: number): string => signCheckpoint(log, size, leafHash(Buffer.from(String(size))));

describe('what a witness answers', () => {
  let witness: StubWitness;
  let stop: AbortController;
  let client: WitnessClient;
  beforeEach(async () => {
    witness = await new StubWitness(signer).start();
    stop = new AbortController();
    client = new WitnessClient(witness.address, stop.signal);
  });
  afterEach(() => witness.close());
  const ask = (size: number): Promise<Cosigning> => client.ask({ size, note: note(size) }, () => []);

  it('is its cosignature, among those of others', async () => {
    const stranger = NoteSigner.generate('witness.example/w2', 'cosignature');
    witness.answers = [[200, `${lineBy(stranger, note(9))}${lineBy(signer, note(9))}`]];
    const cosigning = await ask(9);
    expect(cosigning.kind).toBe('cosigned');
    expect(signatureLine((cosigning as { signature: NoteSignature }).signature)).toBe(lineBy(signer, note(9)));
    expect(witness.paths).toEqual(['POST /w/add-checkpoint']);
    expect(client.size).toBe(9);
    witness.answers = [[200, lineBy(signer, note(12))]];
    expect((await ask(12)).kind).toBe('cosigned');
    expect(witness.oldSizes).toEqual([0, 9]);
  });

  it('may be the size that it has: the question is put again from there', async () => {
    witness.answers = [
      [409, '5\n'],
      [409, '7\n'],
      [200, lineBy(signer, note(9))],
    ];
    expect((await ask(9)).kind).toBe('cosigned');
    expect(witness.oldSizes).toEqual([0, 5, 7]);
  });

  it('is that it is ahead, until it no longer is', async () => {
    witness.answers = [[409, '10\n']];
    expect(await ask(9)).toEqual({ kind: 'ahead', size: 10 });
    expect(await ask(9)).toEqual({ kind: 'ahead', size: 10 });
    witness.answers = [[200, lineBy(signer, note(9))]];
    expect((await ask(9)).kind).toBe('cosigned');
    expect(witness.oldSizes).toEqual([0, 0, 0]);
  });

  it.each<[string, readonly (readonly [number, string])[], Cosigning['kind'], string]>([
    ['another tree of the same size', [[409, '9\n']], 'fork', 'another tree of the same 9 events'],
    [
      'a proof that leads nowhere',
      [
        [409, '5\n'],
        [422, 'no'],
      ],
      'fork',
      'of its first 5 events, others stand in the log',
    ],
    ['an unknown log', [[404, '']], 'refused', 'does not know this log'],
    ['an unknown key', [[403, '']], 'refused', "does not know the log's key"],
    ['a malformed request', [[400, '']], 'refused', 'malformed'],
    ['a conflict without a size', [[409, 'no']], 'refused', 'no witness of this kind'],
    ['a conflict with the size that was named', [[409, '0\n']], 'refused', 'no witness of this kind'],
    ['a size with a zero in front', [[409, '05\n']], 'refused', 'no witness of this kind'],
    ['nothing under 200', [[200, '']], 'refused', 'did not sign'],
    [
      'the signature of another key',
      [[200, lineBy(NoteSigner.generate('witness.example/w1', 'cosignature'), note(9))]],
      'refused',
      'did not sign',
    ],
    ['the cosignature of another checkpoint', [[200, lineBy(signer, note(8))]], 'refused', 'did not sign'],
    [
      'the cosignature of a text that it added to',
      [[200, `\nx\n\n${lineBy(signer, `${note(9)}\nx\n\n${lineBy(signer, note(8))}`)}`]],
      'refused',
      'did not sign',
    ],
    ['a page of some proxy', [[502, '<html>']], 'silent', 'answers 502'],
    ['another address', [[307, '']], 'silent', 'does not answer'],
    ['more than any witness says', [[200, 'x'.repeat(100_000)]], 'silent', 'does not answer'],
    [
      'sizes without end',
      [
        [409, '1\n'],
        [409, '2\n'],
        [409, '3\n'],
        [409, '4\n'],
      ],
      'silent',
      'changes the size',
    ],
    ['too many requests', [[429, '']], 'silent', 'answers 429'],
  ])('is no cosignature where it is %s', async (_what, given, kind, says) => {
    witness.answers = [...given];
    const cosigning = await ask(9);
    expect(cosigning.kind).toBe(kind);
    expect((cosigning as { says: string }).says).toContain(says);
  });

  it('is waited for no longer than its time', async () => {
    witness.answers = [[0, '']];
    const hasty = new WitnessClient(witness.address, stop.signal, 50);
    expect(await hasty.ask({ size: 9, note: note(9) }, () => [])).toEqual({ kind: 'silent', says: 'does not answer' });
    expect(witness.oldSizes).toEqual([0]);
  });

  it('is not waited for once the log is stopped, and none where nobody listens', async () => {
    witness.answers = [[0, '']];
    const asked = ask(9);
    stop.abort();
    expect(await asked).toEqual({ kind: 'silent', says: 'does not answer' });
    witness.close();
    const another = new WitnessClient(witness.address, new AbortController().signal);
    expect((await another.ask({ size: 9, note: note(9) }, () => [])).kind).toBe('silent');
  });

  it('is not asked for where there is no proof yet', async () => {
    witness.answers = [[409, '5\n']];
    expect(await client.ask({ size: 9, note: note(9) }, (old) => (old === 0 ? [] : undefined))).toEqual({
      kind: 'unproven',
    });
  });
});
