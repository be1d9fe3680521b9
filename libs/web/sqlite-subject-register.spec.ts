import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteSubjectRegister } from './sqlite-subject-register.js';

const ruth = { issuer: 'https://id.example', subject: 'ruth' };

describe('the register of subjects', () => {
  it('gives a person one reference for ever, also after a restart, and another person another', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pledgebook-'));
    const first = SqliteSubjectRegister.open(folder);
    const reference = await first.referenceOf(ruth);
    expect(await first.referenceOf({ ...ruth })).toBe(reference);
    expect(await first.referenceOf({ ...ruth, issuer: 'https://other.example' })).not.toBe(reference);
    expect(await first.referenceOf({ ...ruth, subject: 'Ruth' })).not.toBe(reference);
    first.close();
    const second = SqliteSubjectRegister.open(folder);
    expect(await second.referenceOf(ruth)).toBe(reference);
    expect(await second.personBehind(reference)).toEqual(ruth);
    second.close();
    rmSync(folder, { recursive: true });
  });

  it('tells nothing of a person in the reference itself', async () => {
    const register = SqliteSubjectRegister.inMemory();
    const other = SqliteSubjectRegister.inMemory();
    expect(await register.referenceOf(ruth)).not.toBe(await other.referenceOf(ruth));
    expect(await register.personBehind('unknown')).toBeUndefined();
  });
});
