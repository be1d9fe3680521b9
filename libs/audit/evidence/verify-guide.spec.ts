import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERIFY_GUIDE } from './verify-guide.data.js';

const PROGRAMS = ['verify-bundle.sh', 'verify-bundle.py', 'go/bundle/main.go'];

test('what a bundle tells its reader to run are the programs that the outside verifiers try', () => {
  const blocks = [...VERIFY_GUIDE.matchAll(/^~~~(?:sh|python|go)\n(.*?)^~~~$/gms)].map(([, program]) => program);
  const tried = PROGRAMS.map((name) => readFileSync(join('test', 'outside-verifiers', name), 'utf8'));
  expect(blocks.slice(1)).toEqual(tried);
});
