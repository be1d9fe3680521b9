import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Aliases, Rule, Sources } from './imports.js';
import { layerOf, violationsIn } from './imports.js';

const root = process.cwd();

const aliases: Aliases = new Map(
  Object.entries(
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, string> }).imports,
  ).map(([name, path]) => [name, path.replace('./dist/', '').replace(/\.js$/, '.ts')]),
);

const ours = (): Sources => {
  const sources = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && entry.name !== 'data') walk(path);
      } else if (entry.name.endsWith('.ts')) {
        sources.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
      }
    }
  };
  for (const folder of ['apps', 'libs', 'test', 'infra']) if (existsSync(join(root, folder))) walk(join(root, folder));
  return sources;
};

/** The rules broken by these files, as `rule file`. */
const broken = (files: Readonly<Record<string, string>>): string[] =>
  violationsIn(new Map(Object.entries(files)), aliases).map(({ rule, file }) => `${rule} ${file}`);

describe("DESIGN's import rules", () => {
  it('hold in this repository', () => {
    const sources = ours();
    expect(sources.size).toBeGreaterThan(50);
    expect(violationsIn(sources, aliases).map(({ rule, file, because }) => `${rule}: ${file} ${because}`)).toEqual([]);
  });

  it('every lib has its name', () => {
    const libs = readdirSync(join(root, 'libs')).filter((lib) => existsSync(join(root, 'libs', lib, 'index.ts')));
    expect(libs.filter((lib) => aliases.get(`#${lib}`) !== `libs/${lib}/index.ts`)).toEqual([]);
  });

  it('every lib belongs to a layer', () => {
    expect(readdirSync(join(root, 'libs')).filter((lib) => layerOf(lib) === undefined)).toEqual([]);
    expect(layerOf('nowhere')).toBeUndefined();
  });
});

describe('the check finds', () => {
  it.each<[string, Rule, string, string]>([
    [
      'a decider that imports a framework',
      'decider-is-pure',
      'libs/needs/need.ts',
      `import { Injectable } from '@nestjs/common';`,
    ],
    [
      'a decider that imports node',
      'decider-is-pure',
      'libs/needs/need.ts',
      `import { randomBytes } from 'node:crypto';`,
    ],
    ['a decider that imports web', 'decider-is-pure', 'libs/offers/offer.ts', `import type { Problem } from '#web';`],
    [
      'a decider that runs code of another contract',
      'decider-is-pure',
      'libs/offers/offer.ts',
      `import { f } from '#needs/contract';`,
    ],
    [
      'a decider that imports its controller',
      'decider-is-pure',
      'libs/offers/offer.ts',
      `export * from './offer.controller.js';`,
    ],
    [
      'a decider of another file name',
      'decider-is-pure',
      'libs/audit/finding.ts',
      `import x from 'lru-cache'; export const finding: Decider<S, C, E, R> = x;`,
    ],
    [
      "a context in another context's index",
      'context-through-contract',
      'libs/matching/a.ts',
      `import { need } from '#needs';`,
    ],
    ['also for types', 'context-through-contract', 'libs/matching/a.ts', `import type { Need } from '#needs';`],
    ['accounts on funds', 'context-through-contract', 'libs/accounts/a.ts', `import { f } from '#funds';`],
    ['funds on accounts', 'context-through-contract', 'libs/funds/a.ts', `import { a } from '#accounts';`],
    ['needs on documents', 'context-through-contract', 'libs/needs/a.ts', `import type { D } from '#documents';`],
    ['a fund that knows a framework', 'decider-is-pure', 'libs/funds/fund.ts', `import { M } from '@nestjs/common';`],
    [
      "web in a context's index",
      'context-through-contract',
      'libs/web/a.ts',
      `import type { Party } from '#directory';`,
    ],
    [
      'an adapter that knows a context',
      'adapter-knows-kernel-only',
      'libs/bus-local/a.ts',
      `import type { N } from '#needs/contract';`,
    ],
    [
      'an adapter that knows another adapter',
      'adapter-knows-kernel-only',
      'libs/read-database/a.ts',
      `import { B } from '#bus-local';`,
    ],
    [
      'the driver lib that knows the kernel',
      'adapter-knows-kernel-only',
      'libs/sqlite/a.ts',
      `import { B } from '#kernel';`,
    ],
    [
      'an engine that knows a context',
      'engine-knows-core-only',
      'libs/allocation/a.ts',
      `import type { N } from '#needs/contract';`,
    ],
    [
      'an engine that knows a framework',
      'core-stands-alone',
      'libs/allocation/a.ts',
      `import { M } from '@nestjs/common';`,
    ],
    ['a second import of the solver', 'one-driver-import', 'libs/matching/a.ts', `const h = await import('highs');`],
    ['a context that picks an adapter', 'only-apps-compose', 'libs/needs/a.ts', `import { S } from '#store-sqlite';`],
    [
      'a context that opens a database',
      'only-apps-compose',
      'libs/needs/a.ts',
      `const { o } = await import('#sqlite');`,
    ],
    ['hosting that picks an adapter', 'only-apps-compose', 'libs/hosting/a.ts', `import { S } from '#store-sqlite';`],
    ['hosting that knows a context', 'hosting-knows-no-context', 'libs/hosting/a.ts', `import { n } from '#needs';`],
    ['a context that runs itself', 'only-apps-compose', 'libs/needs/a.ts', `import { host } from '#hosting';`],
    ['a context that knows where it runs', 'only-apps-compose', 'libs/web/a.ts', `import type { R } from '#services';`],
    ['services that know an app', 'only-apps-compose', 'libs/services/a.ts', `import { r } from '#distributed';`],
    ['services that pick an adapter', 'only-apps-compose', 'libs/services/a.ts', `import { B } from '#bus-local';`],
    ['a verifier that knows a framework', 'verifier-stands-apart', 'apps/verify/a.ts', `import '@nestjs/common';`],
    [
      'a verifier that knows a store',
      'verifier-stands-apart',
      'apps/verify/a.ts',
      `import { S } from '#store-sqlite';`,
    ],
    ['a verifier that knows the web', 'verifier-stands-apart', 'libs/evidence/a.ts', `import { P } from '#web';`],
    ['also by type', 'verifier-stands-apart', 'libs/evidence/a.ts', `import type { N } from '#needs';`],
    ['a verification that reads files', 'verifier-stands-apart', 'libs/evidence/a.ts', `import { r } from 'node:fs';`],
    [
      'a second import of the driver',
      'one-driver-import',
      'libs/store-sqlite/a.ts',
      `import { D } from '@photostructure/sqlite';`,
    ],
    ['also in a spec', 'one-driver-import', 'libs/store-sqlite/a.spec.ts', `import { D } from 'node:sqlite';`],
    ['also by require', 'one-driver-import', 'apps/pledgebook/a.ts', `const D = require('better-sqlite3');`],
    [
      'a kernel that knows a framework',
      'core-stands-alone',
      'libs/kernel/a.ts',
      `import { Module } from '@nestjs/common';`,
    ],
    ['a kernel that knows a lib', 'core-stands-alone', 'libs/kernel/a.ts', `import type { K } from '#vocabulary';`],
    ['a vocabulary that knows a lib', 'core-stands-alone', 'libs/vocabulary/a.ts', `type A = import('#kernel').Actor;`],
    [
      'production code on test code',
      'testing-stays-in-tests',
      'libs/needs/a.ts',
      `import { specFor } from '#kernel-testing';`,
    ],
    [
      'a witness that knows the kernel',
      'witness-stands-alone',
      'apps/witness/a.ts',
      `import { Clock } from '#kernel';`,
    ],
    ['a witness on a framework', 'witness-stands-alone', 'apps/witness/a.ts', `import { M } from '@nestjs/common';`],
    ['a way around the index', 'libs-by-name', 'libs/needs/a.ts', `import { a } from '../kernel/ids.js';`],
    ['also in a spec', 'libs-by-name', 'libs/needs/a.spec.ts', `import { a } from '../kernel/ids.js';`],
    ['a name that is none', 'libs-by-name', 'libs/needs/a.ts', `import { a } from '#nowhere';`],
  ])('%s', (_what, rule, file, text) => {
    expect(broken({ [file]: text })).toContain(`${rule} ${file}`);
  });

  it('a lib that stands on an app or a test', () => {
    expect(
      broken({ 'libs/needs/a.ts': `import '../../apps/pledgebook/main.js'; import '../../test/data/x.js';` }),
    ).toEqual([
      'libs-by-name libs/needs/a.ts',
      'only-apps-compose libs/needs/a.ts',
      'libs-by-name libs/needs/a.ts',
      'only-apps-compose libs/needs/a.ts',
    ]);
  });

  it('what a witness reaches through a lib', () => {
    expect(
      broken({
        'apps/witness/main.ts': `import { w } from './witness.js';`,
        'apps/witness/witness.ts': `import { openNote } from '#tlog'; import { fastify } from 'fastify';`,
        'libs/tlog/index.ts': `export { openNote } from './note.js';`,
        'libs/tlog/note.ts': `import type { Clock } from '#kernel'; import { hash } from 'node:crypto';`,
      }),
    ).toEqual(['witness-stands-alone libs/tlog/note.ts']);
  });

  it('what a decider reaches through files of its own lib', () => {
    expect(
      broken({
        'libs/needs/need.ts': `import { a } from './a.js';`,
        'libs/needs/a.ts': `import { b } from './b.js';`,
        'libs/needs/b.ts': `import type { P } from './a.js'; import { x } from 'node:fs';`,
      }),
    ).toEqual(['decider-is-pure libs/needs/need.ts']);
  });

  it('circles of files, within a lib and across, but not those of types', () => {
    expect(broken({ 'libs/needs/a.ts': `import './b.js';`, 'libs/needs/b.ts': `export * from './a.js';` })).toEqual([
      'no-cycles libs/needs/a.ts',
    ]);
    expect(
      broken({
        'libs/needs/index.ts': `export { a } from './a.js';`,
        'libs/needs/a.ts': `import { type A, b } from './b.js';`,
        'libs/needs/b.ts': `import { a } from './index.js';`,
      }),
    ).toEqual(['no-cycles libs/needs/index.ts']);
    expect(
      broken({
        'libs/needs/a.ts': `import type { B } from './b.js';`,
        'libs/needs/b.ts': `import { type A } from './a.js'; export type { C } from './c.js';`,
        'libs/needs/c.ts': `export { type A } from './a.js'; import A = require('./a.js');`.replace(
          'import A',
          'import type A',
        ),
      }),
    ).toEqual([]);
  });

  it('nothing where the rules are kept', () => {
    expect(
      broken({
        'libs/needs/need.ts': `import { accept } from '#kernel'; import type { O } from '#offers/contract'; import { q } from './coverage.js';`,
        'libs/needs/coverage.ts': `import { q } from '#vocabulary';`,
        'libs/needs/need.spec.ts': `import { specFor } from '#kernel-testing'; import { M } from '#read-database'; import { o } from '#offers';`,
        'libs/needs/needs.controller.ts': `import { C } from '@nestjs/common'; import { P } from '#web'; import { O } from '#offers/contract';`,
        'libs/kernel/a.ts': `import { v7 } from 'uuid';`,
        'libs/kernel-testing/a.ts': `import { M } from '#read-database';`,
        'libs/read-database/a.ts': `import { openDatabase } from '#sqlite'; import { R } from '#kernel';`,
        'libs/sqlite/database.ts': `import { DatabaseSync } from '@photostructure/sqlite';`,
        'libs/allocation/a.ts': `import load from 'highs'; import { q } from '#vocabulary'; import { p } from '#kernel';`,
        'libs/matching/a.ts': `import { solveInWorker } from '#allocation';`,
        'libs/evidence/a.ts': `import { n } from '#needs/decider'; import { E } from '#audit/schemas'; import { t } from '#tlog'; import { Ajv } from 'ajv';`,
        'libs/audit/evidence/a.ts': `import { eventPath } from '#evidence';`,
        'apps/verify/main.ts': `import { v } from '#evidence'; import { readFileSync } from 'node:fs';`,
        'libs/hosting/a.ts': `import { Context } from '#web'; import { EventStore } from '#kernel';`,
        'libs/services/a.ts': `import { needsContext } from '#needs'; import type { Share } from '#hosting';`,
        'libs/distributed/a.ts': `import { B } from '#bus-kafka'; import { host } from '#hosting'; import { contexts } from '#services';`,
        'apps/needs/main.ts': `import { host } from '#hosting'; import { contexts } from '#services';`,
        'apps/pledgebook/main.ts': `import { S } from '#store-sqlite'; import { N } from '#needs'; import { a } from './a.js';`,
        'test/bench/a.ts': `import { S } from '#store-sqlite'; import { x } from '../scenarios/b.js'; import { m } from '../../apps/pledgebook/main.js';`,
      }),
    ).toEqual([]);
  });
});
