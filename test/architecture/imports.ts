import { posix } from 'node:path';
import ts from 'typescript';

/** Text of TypeScript files by path from the repository's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** Where `#name` leads, by name: `#kernel` → `libs/kernel/index.ts`. */
export type Aliases = ReadonlyMap<string, string>;

export interface Violation {
  readonly rule: Rule;
  readonly file: string;
  readonly because: string;
}

export type Rule =
  | 'decider-is-pure'
  | 'context-through-contract'
  | 'adapter-knows-kernel-only'
  | 'engine-knows-core-only'
  | 'only-apps-compose'
  | 'hosting-knows-no-context'
  | 'verifier-stands-apart'
  | 'one-driver-import'
  | 'core-stands-alone'
  | 'testing-stays-in-tests'
  | 'libs-by-name'
  | 'witness-stands-alone'
  | 'no-cycles';

interface Import {
  readonly name: string;
  /** Gone after compilation: it binds nothing at run time. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
  /** The file it leads to where that is one of ours. */
  readonly target: string | undefined;
}

interface Place {
  readonly kind: 'lib' | 'app' | 'test' | 'elsewhere';
  /** Name of the lib or app. */
  readonly name: string;
}

const CORE = new Set(['kernel', 'vocabulary']);
const CONTEXTS = new Set([
  'directory',
  'needs',
  'offers',
  'commitments',
  'funds',
  'accounts',
  'documents',
  'reported',
  'matching',
  'audit',
  'web',
]);
const ADAPTERS = new Set(['store-sqlite', 'store-kurrent', 'bus-local', 'bus-kafka', 'read-database', 'sqlite']);
/** Reckon what they are given; they know neither contexts nor frameworks. */
const ENGINES = new Set(['allocation', 'tlog']);
/** What verifies outside the server: it shares formats and pure rules with it, nothing else. */
const VERIFIER = { lib: 'evidence', app: 'verify' };
const VERIFIER_SHARES = new Set(['kernel', 'vocabulary', 'tlog', VERIFIER.lib]);
const EVENT_SCHEMAS = 'libs/audit/event-schemas.data.ts';
/** Runs whatever contexts it is given. */
const HOSTING = 'hosting';
/** Which contexts there are, and which app runs what of them. */
const COMPOSITION = 'services';
/** What the apps of the services shape share: as an app, it picks adapters. */
const DISTRIBUTED = 'distributed';
/** Run by others, who read what they run: no store of ours, no framework but the one that speaks HTTP. */
const WITNESS = 'witness';
const WITNESS_LIBS = new Set(['tlog', 'sqlite']);
const WITNESS_PACKAGES = /^(node:.*|fastify|pino|@photostructure\/sqlite)$/;
const DRIVERS = /^(@photostructure\/sqlite|node:sqlite|better-sqlite3|sqlite3)(\/|$)/;
const SOLVER = /^highs(\/|$)/;
const DECIDER_FILES = new Set([
  'need.ts',
  'offer.ts',
  'commitment.ts',
  'party.ts',
  'reported.ts',
  'fund.ts',
  'contribution.ts',
  'call.ts',
  'document.ts',
  'duplicate.ts',
]);
const DECIDER_TEXT = /export const \w+\s*:\s*Decider</;
const EDGES = /\.(controller|dto|module|problems|projection|process|view)\.ts$/;

/** The layer a lib belongs to; undefined where no rule knows it. */
export const layerOf = (
  lib: string,
): 'core' | 'context' | 'adapter' | 'engine' | 'hosting' | 'composition' | 'verifier' | 'testing' | undefined => {
  if (CORE.has(lib)) return 'core';
  if (CONTEXTS.has(lib)) return 'context';
  if (ADAPTERS.has(lib)) return 'adapter';
  if (ENGINES.has(lib)) return 'engine';
  if (lib === HOSTING) return 'hosting';
  if (lib === VERIFIER.lib) return 'verifier';
  if (lib === COMPOSITION || lib === DISTRIBUTED) return 'composition';
  return lib === 'kernel-testing' ? 'testing' : undefined;
};

/** Every break of DESIGN's import rules in these sources. */
export const violationsIn = (sources: Sources, aliases: Aliases): Violation[] => {
  const imports = new Map([...sources].map(([file, text]) => [file, importsOf(file, text, aliases)] as const));
  return [
    ...[...imports].flatMap(([file, of]) => of.flatMap((one) => breaksOf(file, one))),
    ...[...sources].filter(([file, text]) => isDecider(file, text)).flatMap(([file]) => impuritiesOf(file, imports)),
    ...witnessBreaks(imports),
    ...cyclesIn(imports),
  ];
};

const placeOf = (file: string): Place => {
  const [root = '', name = ''] = file.split('/');
  if (root === 'libs') return { kind: 'lib', name };
  if (root === 'apps') return { kind: 'app', name };
  return { kind: root === 'test' || root === 'infra' ? 'test' : 'elsewhere', name };
};

/** Specs and what they share, test folders, and the lib that exists for them. */
const isForTests = (file: string): boolean =>
  /\.(spec|fixture)\.ts$/.test(file) || placeOf(file).kind === 'test' || placeOf(file).name === 'kernel-testing';

const breaksOf = (file: string, { name, target }: Import): Violation[] => {
  const from = placeOf(file);
  const broken = (rule: Rule, because: string): Violation => ({ rule, file, because: `imports ${name}: ${because}` });
  const found: Violation[] = [];
  if (DRIVERS.test(name) && !(from.kind === 'lib' && from.name === 'sqlite')) {
    found.push(broken('one-driver-import', 'only libs/sqlite knows the driver'));
  }
  if (SOLVER.test(name) && (from.kind === 'lib' || from.kind === 'app') && from.name !== 'allocation') {
    found.push(broken('one-driver-import', 'only libs/allocation knows the solver'));
  }
  if (
    from.kind === 'lib' &&
    (CORE.has(from.name) || ENGINES.has(from.name)) &&
    /^(@nestjs|fastify|pino|rxjs|reflect-metadata)(\/|$)/.test(name)
  ) {
    found.push(broken('core-stands-alone', 'the core and what reckons on it know no framework'));
  }
  if (isVerifier(from) && !isForTests(file) && !mayVerifierImport(from, name, target))
    found.push(broken('verifier-stands-apart', 'it shares formats, deciders and event schemas with the server alone'));
  if (name.startsWith('#') && target === undefined)
    found.push(broken('libs-by-name', 'package.json names no such lib'));
  if (target === undefined) return found;
  const to = placeOf(target);
  const same = from.kind === to.kind && from.name === to.name;
  // Apps have no name to import them by.
  const testing = from.kind === 'test' && (to.kind === 'test' || to.kind === 'app');
  if (!name.startsWith('#') && !same && !testing) {
    found.push(broken('libs-by-name', 'another lib is imported by its name, through its index or contract'));
  }
  if (same || isForTests(file)) return found;
  if (to.name === 'kernel-testing') found.push(broken('testing-stays-in-tests', 'production code must not need it'));
  if (to.kind === 'app' || to.kind === 'test')
    found.push(broken('only-apps-compose', 'nothing stands on an app or a test'));
  if (from.kind !== 'lib' || from.name === DISTRIBUTED) return found;
  if (to.name === DISTRIBUTED) found.push(broken('only-apps-compose', 'the apps alone stand on it'));
  if (CORE.has(from.name)) found.push(broken('core-stands-alone', 'kernel and vocabulary import no other lib'));
  if (ADAPTERS.has(from.name)) {
    const allowed = from.name !== 'sqlite' && (to.name === 'kernel' || to.name === 'sqlite');
    if (!allowed) found.push(broken('adapter-knows-kernel-only', 'an adapter imports the kernel, and sqlite, alone'));
  } else if (ADAPTERS.has(to.name) && !(from.name === 'web' && to.name === 'sqlite')) {
    // web keeps the register of subjects, which must stay apart from the log (DESIGN, privacy), in a file of its own.
    found.push(broken('only-apps-compose', 'adapters are picked by apps'));
  }
  if (ENGINES.has(from.name) && !CORE.has(to.name)) {
    found.push(broken('engine-knows-core-only', 'an engine imports kernel and vocabulary alone'));
  }
  if (to.kind === 'lib' && (to.name === COMPOSITION || (to.name === HOSTING && from.name !== COMPOSITION)))
    found.push(broken('only-apps-compose', 'apps run contexts; a context knows nothing of that'));
  if (from.name === HOSTING && CONTEXTS.has(to.name) && to.name !== 'web')
    found.push(broken('hosting-knows-no-context', 'it runs whatever contexts an app gives it'));
  if (CONTEXTS.has(from.name) && CONTEXTS.has(to.name) && to.name !== 'web' && !target.endsWith('.contract.ts')) {
    found.push(broken('context-through-contract', `say #${to.name}/contract`));
  }
  return found;
};

const isVerifier = ({ kind, name }: Place): boolean =>
  (kind === 'lib' && name === VERIFIER.lib) || (kind === 'app' && name === VERIFIER.app);

/** What a decider stands on is seen to by the rule of deciders. */
const mayVerifierImport = (from: Place, name: string, target: string | undefined): boolean => {
  if (target === undefined)
    return (from.kind === 'app' ? /^node:/ : /^(node:crypto|@zip\.js\/zip\.js|ajv)$/).test(name);
  const to = placeOf(target);
  if (isVerifier(to)) return true;
  if (to.kind !== 'lib') return false;
  return VERIFIER_SHARES.has(to.name) || DECIDER_FILES.has(posix.basename(target)) || target === EVENT_SCHEMAS;
};

const isDecider = (file: string, text: string): boolean =>
  CONTEXTS.has(placeOf(file).name) &&
  placeOf(file).kind === 'lib' &&
  !file.endsWith('.spec.ts') &&
  (DECIDER_FILES.has(posix.basename(file)) || DECIDER_TEXT.test(text));

/** A decider and every file of its lib that it stands on: nothing but kernel and vocabulary, and other contexts' contracts as types. */
const impuritiesOf = (decider: string, imports: ReadonlyMap<string, readonly Import[]>): Violation[] => {
  const lib = placeOf(decider).name;
  const found: Violation[] = [];
  const seen = new Set([decider]);
  const queue = [decider];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const via = file === decider ? '' : ` (through ${file})`;
    for (const { name, target, typeOnly } of imports.get(file) ?? []) {
      const broken = (because: string): void => {
        found.push({ rule: 'decider-is-pure', file: decider, because: `imports ${name}${via}: ${because}` });
      };
      if (target !== undefined && CORE.has(placeOf(target).name)) continue;
      if (target === undefined) broken('a decider imports only kernel and vocabulary');
      else if (placeOf(target).name === lib) {
        if (EDGES.test(target)) broken('a decider stands on no edge of its lib');
        else if (!seen.has(target)) queue.push(target);
        seen.add(target);
      } else if (!(typeOnly && target.endsWith('.contract.ts'))) {
        broken("another context's contract gives a decider types, nothing to run");
      }
    }
  }
  return found;
};

/** Whatever a witness reaches that it should not, wherever in its libs that is. */
const witnessBreaks = (imports: ReadonlyMap<string, readonly Import[]>): Violation[] => {
  const found: Violation[] = [];
  const isWitness = (file: string): boolean => placeOf(file).kind === 'app' && placeOf(file).name === WITNESS;
  const queue = [...imports.keys()].filter((file) => isWitness(file) && !isForTests(file));
  const seen = new Set(queue);
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const { name, target } of imports.get(file) ?? []) {
      const allowed =
        target === undefined
          ? WITNESS_PACKAGES.test(name)
          : isWitness(target) || WITNESS_LIBS.has(placeOf(target).name);
      if (!allowed)
        found.push({
          rule: 'witness-stands-alone',
          file,
          because: `imports ${name}: a witness is small enough to read`,
        });
      else if (target !== undefined && !seen.has(target)) queue.push(target);
      if (target !== undefined) seen.add(target);
    }
  }
  return found;
};

/** Circles of files that need each other at run time, each told once. Type imports bind nothing and close no circle. */
const cyclesIn = (imports: ReadonlyMap<string, readonly Import[]>): Violation[] => {
  const found: Violation[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      const circle = path.slice(path.indexOf(file));
      found.push({ rule: 'no-cycles', file, because: [...circle, file].join(' → ') });
      return;
    }
    state.set(file, 'open');
    path.push(file);
    for (const { target, typeOnly, dynamic } of imports.get(file) ?? []) {
      if (target !== undefined && !typeOnly && !dynamic) visit(target);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of imports.keys()) visit(file);
  return found;
};

const importsOf = (file: string, text: string, aliases: Aliases): Import[] => {
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean, dynamic: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const name = specifier.text;
    found.push({ name, typeOnly, dynamic, target: targetOf(file, name, aliases) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, bindsTypesOnly(node.importClause), false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, exportsTypesOnly(node), false);
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node.moduleReference.expression, node.isTypeOnly, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true, false);
    else if (ts.isCallExpression(node) && isModuleCall(node)) add(node.arguments[0], false, true);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, withImports(text), ts.ScriptTarget.ESNext, false, ts.ScriptKind.TS));
  return found;
};

/** As much of a file as may import anything, and a little more: what stands after it costs most of the parser's time, for nothing. */
const withImports = (text: string): string => {
  const last = [...text.matchAll(/\bimport\b|\brequire\b|\bfrom\s*['"`]/g)].at(-1);
  return last === undefined ? '' : text.slice(0, last.index + last[0].length + 1_000);
};

const isModuleCall = ({ expression }: ts.CallExpression): boolean =>
  expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require');

const bindsTypesOnly = (clause: ts.ImportClause | undefined): boolean => {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
};

const exportsTypesOnly = ({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean =>
  isTypeOnly ||
  (exportClause !== undefined &&
    ts.isNamedExports(exportClause) &&
    exportClause.elements.length > 0 &&
    exportClause.elements.every((element) => element.isTypeOnly));

const targetOf = (file: string, name: string, aliases: Aliases): string | undefined => {
  if (name.startsWith('#')) return aliases.get(name);
  if (!name.startsWith('.')) return undefined;
  return posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts');
};
