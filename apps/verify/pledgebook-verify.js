#!/usr/bin/env node
// The bin of the package: plain JavaScript, since a clone has nothing built yet.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const program = join(root, 'dist/apps/verify/main.js');
if (!existsSync(program)) {
  process.stderr.write('Building the verifier, once …\n');
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const built = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    // What is proved goes to standard output; nothing else does.
    stdio: ['ignore', 2, 2],
  });
  // Nothing was verified: as with any other doubt.
  if (built.status !== 0) process.exit(1);
}
await import(pathToFileURL(program).href);
