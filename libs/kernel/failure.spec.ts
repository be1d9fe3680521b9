import { StoreUnavailableError } from './event-store.js';
import { failureOf, framesOf } from './failure.js';

const SECRET = 'Ammunition store 12, Vila';

/** An error whose text quotes what it broke on. */
const quoting = (): unknown => {
  try {
    return JSON.parse(SECRET);
  } catch (error) {
    return error;
  }
};

it('names the class and the code of an error, and never its text', () => {
  expect(failureOf(quoting())).toBe('SyntaxError');
  expect(failureOf(Object.assign(new Error(SECRET), { code: 'ERR_SQLITE_ERROR' }))).toBe('Error ERR_SQLITE_ERROR');
  expect(failureOf(Object.assign(new Error('x'), { name: SECRET, code: SECRET }))).toBe('Error');
  expect(failureOf(SECRET)).toBe('string');
});

it("keeps the text of the kernel's own errors: it tells the operator what to do", () => {
  expect(failureOf(new StoreUnavailableError('the disk is full: free space'))).toBe('the disk is full: free space');
});

it('says where an error arose without its text, whatever that looks like', () => {
  const error = new Error(`${SECRET}\n    at ${SECRET} (file.ts:1:2)`);
  expect(framesOf(error).length).toBeGreaterThan(0);
  expect(framesOf(error).join('\n')).not.toContain('Ammunition');
  error.message = 'changed';
  expect(framesOf(error)).toEqual([]);
  expect(framesOf(SECRET)).toEqual([]);
});
