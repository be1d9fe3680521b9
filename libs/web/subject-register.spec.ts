import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SubjectRegister } from './subject-register.js';

const ruth = { issuer: 'https://id.example', subject: 'ruth' };

describe('the register of subjects', () => {
  it('gives a person one reference for ever, also after a restart, and another person another', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pledgebook-'));
    const first = SubjectRegister.open(folder);
    const reference = first.referenceOf(ruth);
    expect(first.referenceOf({ ...ruth })).toBe(reference);
    expect(first.referenceOf({ ...ruth, issuer: 'https://other.example' })).not.toBe(reference);
    expect(first.referenceOf({ ...ruth, subject: 'Ruth' })).not.toBe(reference);
    first.close();
    const second = SubjectRegister.open(folder);
    expect(second.referenceOf(ruth)).toBe(reference);
    expect(second.personBehind(reference)).toEqual(ruth);
    second.close();
    rmSync(folder, { recursive: true });
  });

  it('tells nothing of a person in the reference itself', () => {
    const register = SubjectRegister.inMemory();
    const other = SubjectRegister.inMemory();
    expect(register.referenceOf(ruth)).not.toBe(other.referenceOf(ruth));
    expect(register.personBehind('unknown')).toBeUndefined();
  });
});
