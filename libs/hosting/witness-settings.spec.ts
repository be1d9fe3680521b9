import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { NoteSigner } from '#tlog';
import { Variables } from './settings.js';
import { configuredWitnesses } from './witness-settings.js';

const keyOf = (name: string): string => NoteSigner.generate(name, 'cosignature').verifier.toString();
const [w1, w2, w3] = ['w.example/1', 'w.example/2', 'w.example/3'].map(keyOf) as [string, string, string];
const read = (PLEDGEBOOK_WITNESSES: string, PLEDGEBOOK_WITNESS_QUORUM = ''): ReturnType<typeof configuredWitnesses> =>
  configuredWitnesses(new Variables({ PLEDGEBOOK_WITNESSES, PLEDGEBOOK_WITNESS_QUORUM }));

describe('the witnesses of the log', () => {
  it('are an address and a key each, and the smallest majority of them has to cosign unless told', () => {
    expect(read('')).toBeUndefined();
    expect(read(`http://one:3200 ${w1}`)).toMatchObject({ quorum: 1, witnesses: [{ address: 'http://one:3200' }] });
    const three = read(`http://one ${w1}\n# Finance\nhttps://two/w  ${w2} https://three ${w3}`);
    expect(three!.witnesses.map(({ address, key }) => [address, key.toString()])).toEqual([
      ['http://one', w1],
      ['https://two/w', w2],
      ['https://three', w3],
    ]);
    expect(three!.quorum).toBe(2);
    expect(read(`http://one ${w1} http://two ${w2}`)!.quorum).toBe(2);
    expect(read(`http://one ${w1} http://two ${w2}`, '1')!.quorum).toBe(1);
  });

  it('may stand in a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pledgebook-witnesses-'));
    const file = join(folder, 'witnesses');
    writeFileSync(file, `# Ministry of Finance\nhttp://one ${w1}\n`);
    expect(configuredWitnesses(new Variables({ PLEDGEBOOK_WITNESSES_FILE: file }))!.witnesses).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['a key alone', w1, '', 'must be an address and a verifier key for each witness'],
    ['an address that is none', `ftp://one ${w1}`, '', '"ftp://one" must be an http or https address'],
    ['a key that is none', 'http://one w.example', '', 'the verifier key is not <name>+'],
    ['the key of a log', `http://one ${NoteSigner.generate('log').verifier.toString()}`, '', 'is the key of a log'],
    ['a witness twice', `http://one ${w1} http://two ${w1}`, '', 'names w.example/1 twice'],
    ['more needed than there are', `http://one ${w1}`, '2', 'PLEDGEBOOK_WITNESS_QUORUM must be a whole number up to 1'],
    ['none needed', `http://one ${w1}`, '0', 'PLEDGEBOOK_WITNESS_QUORUM must be at least 1'],
    ['a number of none', '', '1', 'PLEDGEBOOK_WITNESS_QUORUM is set, but PLEDGEBOOK_WITNESSES is not'],
  ])('are refused with %s', (_what, witnesses, quorum, reason) => {
    expect(() => read(witnesses, quorum)).toThrow(reason);
  });
});
