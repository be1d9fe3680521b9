import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import 'reflect-metadata';
import { build } from 'esbuild';

/*
 * Every spec file loads its packages anew, and the framework's are a thousand small modules: half of the time of most files. Bundled they
 * are a dozen. Nothing but how they are cut into files differs: the same code, still loaded anew for each spec file.
 */

/** Packages that are bundled, with those they depend on. Who is not bundled must not depend on them: it would load them a second time. */
const PACKAGES = [
  '@nestjs/common',
  '@nestjs/common/constants',
  '@nestjs/common/internal',
  '@nestjs/core',
  '@nestjs/cqrs',
  '@nestjs/platform-fastify',
  '@nestjs/swagger',
  'ajv',
  'class-transformer',
  'class-validator',
  'csv-parse/sync',
  'fast-check',
  'fastify',
  'jose',
  'lru-cache',
  'pino',
  'prom-client',
  'supertest',
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const NAME = /^[A-Za-z_$][\w$]*$/;

const fileOf = (name) => `${name.replaceAll(/[^\w]+/g, '-').replace(/^-/, '')}`;

/** What `import` would find in it, told under the same names. */
const entryOf = async (name) => {
  const names = Object.keys(await import(name)).filter((each) => NAME.test(each));
  return names.length === 0 ? `import '${name}';` : `export { ${names.join(', ')} } from '${name}';`;
};

const bundleInto = async (folder) => {
  const entries = {};
  for (const name of PACKAGES) entries[fileOf(name)] = await entryOf(name);
  await build({
    entryPoints: Object.fromEntries(Object.keys(entries).map((file) => [file, `entry:${file}`])),
    plugins: [
      {
        name: 'entries',
        setup: ({ onResolve, onLoad }) => {
          onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }));
          onLoad({ filter: /./, namespace: 'entry' }, ({ path }) => ({ contents: entries[path], resolveDir: root }));
        },
      },
    ],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    keepNames: true,
    logLevel: 'error',
    // What is not installed is asked for at run time, and done without.
    external: [
      ...['@nestjs/microservices', '@nestjs/platform-express', '@nestjs/websockets'],
      'reflect-metadata',
      ...['@fastify/multipart', '@fastify/static', '@fastify/view'],
    ],
    // Pieces are evaluated in an order of their own: what decorators write to is there before any.
    banner: {
      js: "import 'reflect-metadata'; import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
};

/** Names of packages as Jest maps them, to the files they are bundled in: made once for each state of the lock file. */
export const bundledPackages = async () => {
  const made = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex');
  const place = join('node_modules', '.cache', 'bundled-packages', made);
  const folder = join(root, place);
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true });
    const beside = mkdtempSync(`${folder}-`);
    await bundleInto(beside);
    try {
      renameSync(beside, folder);
    } catch (error) {
      rmSync(beside, { recursive: true });
      // Unless another run was faster.
      if (!existsSync(folder)) throw error;
    }
  }
  return Object.fromEntries(PACKAGES.map((name) => [`^${name}$`, `<rootDir>/${place}/${fileOf(name)}.mjs`]));
};
