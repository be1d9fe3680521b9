import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';

const made: string[] = [];

process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/**
 * A folder with these libs as plain JavaScript and with programs beside them that import them by name: a child process cannot use the
 * transform of the tests. Gone with this process.
 */
export const compiled = (libs: readonly string[], programs: Readonly<Record<string, string>>): string => {
  const root = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'pledgebook-program-'));
  made.push(folder);
  for (const lib of libs) {
    const target = join(folder, 'dist/libs', lib);
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(join(root, 'libs', lib))) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const { code } = transformSync(readFileSync(join(root, 'libs', lib, name), 'utf8'), {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
        module: { type: 'es6' },
      });
      writeFileSync(join(target, name.replace(/\.ts$/, '.js')), code);
    }
  }
  const { imports } = createRequire(join(root, 'package.json'))('./package.json') as { imports: object };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(programs)) writeFileSync(join(folder, name), text);
  return folder;
};
