import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { RecordedEvent } from '#kernel';

/** A JSON Schema (draft-07), or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The data of one event type in one version of its shape. */
export interface EventSchema {
  readonly type: string;
  readonly schema: number;
  readonly jsonSchema: JsonSchema;
}

/** One line of a frozen log: a recorded event, its position as a decimal string. */
export type LoggedEvent = Omit<RecordedEvent, 'position'> & { readonly position: string };

/** A file of `test/history`: what was shipped, with events that were written in it. */
export interface FrozenEvent extends EventSchema {
  readonly samples: readonly LoggedEvent[];
}

/** A frozen log and what it says, by its name: `log`, `log-2` … */
export interface FrozenLog {
  readonly name: string;
  readonly events: readonly LoggedEvent[];
}

/** What stands beside the data of every event is frozen like an event type, under a name that no event has. */
export const METADATA = 'metadata';

/** Where frozen events live, from the repository's root. */
export const HISTORY = 'test/history';
/** Where they are published from: generated, so that the build ships them. */
export const PUBLISHED = 'libs/audit/event-schemas.data.ts';

/** The union of each contract. A new context adds its own here. */
const UNIONS: Readonly<Record<string, string>> = {
  '#directory/contract': 'DirectoryEvent',
  '#needs/contract': 'NeedEvent',
  '#offers/contract': 'OfferEvent',
  '#commitments/contract': 'CommitmentEvent',
  '#reported/contract': 'ReportedEvent',
  '#funds/contract': 'AnyFundEvent',
  '#accounts/contract': 'AccountsEvent',
  '#documents/contract': 'DocumentEvent',
  '#matching/contract': 'MatchingEvent',
  '#audit/contract': 'AuditEvent',
};

const GENERATOR = 'node_modules/ts-json-schema-generator/bin/ts-json-schema-generator.js';
const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** The schema of every event type's data as the contracts have it now, by type; `metadata` among them. */
export const currentSchemas = async (root: string): Promise<ReadonlyMap<string, JsonSchema>> => {
  const folder = mkdtempSync(join(tmpdir(), 'event-schemas-'));
  try {
    writeFileSync(join(folder, 'events.ts'), entry());
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(compilerSettings(resolve(root), folder)));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        GENERATOR,
        ...['--path', join(folder, 'events.ts'), '--tsconfig', join(folder, 'tsconfig.json'), '--type', 'AnyEvent'],
        // Whether the code compiles is the type check's question; what is not described may stand in an event.
        ...['--no-type-check', '--additional-properties', '--no-top-ref'],
      ],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
    );
    return byType(JSON.parse(stdout) as JsonSchema);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const entry = (): string =>
  [
    ...Object.entries(UNIONS).map(([contract, union]) => `import type { ${union} } from '${contract}';`),
    "import type { EventMetadata } from '#kernel';",
    `type Metadata = { type: '${METADATA}'; data: EventMetadata };`,
    `export type AnyEvent = ${[...Object.values(UNIONS), 'Metadata'].join(' | ')};`,
  ].join('\n');

// The generator's own compiler knows no `imports` of package.json: each becomes a path to its source.
const compilerSettings = (root: string, folder: string): object => {
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly imports: Readonly<Record<string, string>>;
  };
  const sourceOf = (built: string): string => join(root, built.replace('./dist/', '').replace(/\.js$/, '.ts'));
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2023'],
      types: [],
      typeRoots: [],
      rootDir: '/',
      incremental: false,
      paths: Object.fromEntries(Object.entries(imports).map(([name, built]) => [name, [sourceOf(built)]])),
    },
    files: [join(folder, 'events.ts')],
    include: [],
  };
};

type Named = Readonly<Record<string, JsonSchema>>;

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const byType = (generated: JsonSchema): ReadonlyMap<string, JsonSchema> => {
  const definitions = (generated.definitions ?? {}) as Named;
  const schemas = new Map<string, JsonSchema>();
  for (const alternative of alternativesOf(generated, definitions)) {
    const properties = alternative.properties as Named;
    const data = open(resolved(properties.data ?? {}, definitions)) as JsonSchema;
    const needed = reachable(data, definitions);
    // Types that share their data stand in one alternative.
    for (const type of codesOf(resolved(properties.type ?? {}, definitions))?.map(String) ?? []) {
      if (schemas.has(type)) throw new Error(`two event types are called ${type}`);
      schemas.set(type, {
        $schema: DRAFT,
        title: type,
        ...data,
        ...(needed.length === 0
          ? {}
          : { definitions: Object.fromEntries(needed.map((name) => [name, open(definitions[name])])) }),
      });
    }
  }
  return schemas;
};

const REF = '#/definitions/';

const nameIn = (schema: JsonSchema): string | undefined =>
  typeof schema.$ref === 'string' ? decodeURIComponent(schema.$ref.slice(REF.length)) : undefined;

const resolved = (schema: JsonSchema, definitions: Named): JsonSchema => {
  const name = nameIn(schema);
  return name === undefined ? schema : resolved(definitions[name] ?? {}, definitions);
};

const alternativesOf = (schema: JsonSchema, definitions: Named): readonly JsonSchema[] => {
  const plain = resolved(schema, definitions);
  const { anyOf } = plain;
  return Array.isArray(anyOf) ? (anyOf as JsonSchema[]).flatMap((each) => alternativesOf(each, definitions)) : [plain];
};

/** Without the closure that `Record<string, never>` leaves: a later optional field must not break an empty event. */
const open = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(open);
  if (!isObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword, value]) => keyword !== 'additionalProperties' || JSON.stringify(value) !== '{"not":{}}')
      .map(([keyword, value]) => [keyword, open(value)]),
  );
};

const reachable = (schema: JsonSchema, definitions: Named): readonly string[] => {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isObject(value)) return;
    const name = nameIn(value);
    if (name !== undefined && !found.has(name)) {
      found.add(name);
      visit(definitions[name]);
    }
    Object.values(value).forEach(visit);
  };
  visit(schema);
  return [...found].sort();
};

/** How a shape differs from the one that was frozen. */
export interface ShapeChanges {
  /** What old events, or readers of the frozen schema, do not survive. */
  readonly breaking: readonly string[];
  /** New optional fields and new codes: every frozen event still holds. */
  readonly extending: readonly string[];
}

const NO_CHANGE: ShapeChanges = { breaking: [], extending: [] };

/** Compares a frozen schema with the one of the same type and version now. Words (titles, descriptions) are no change. */
export const shapeChanges = (frozen: JsonSchema, now: JsonSchema): ShapeChanges => {
  const [before, after] = [(frozen.definitions ?? {}) as Named, (now.definitions ?? {}) as Named];
  const under = new Set<string>();

  const compare = (from: JsonSchema, to: JsonSchema, path: string): ShapeChanges => {
    const pair = `${nameIn(from) ?? ''} ${nameIn(to) ?? ''}`;
    if (nameIn(from) !== undefined && nameIn(to) !== undefined) {
      if (under.has(pair)) return NO_CHANGE;
      under.add(pair);
      const changes = compare(resolved(from, before), resolved(to, after), path);
      under.delete(pair);
      return changes;
    }
    return shapes(resolved(from, before), resolved(to, after), path);
  };

  const shapes = (from: JsonSchema, to: JsonSchema, path: string): ShapeChanges => {
    if (Array.isArray(from.anyOf) || Array.isArray(to.anyOf)) {
      return alternatives(from, to, path);
    }
    return merged([
      constraints(from, to, path),
      codes(from, to, path),
      fields(from, to, path),
      ...['items', 'additionalProperties'].map((keyword) => inner(from[keyword], to[keyword], `${path}[]`)),
    ]);
  };

  // No word on members means any member, as an empty schema does.
  const inner = (from: unknown, to: unknown, path: string): ShapeChanges => {
    if (from === undefined && to === undefined) return NO_CHANGE;
    const [old, young] = [from ?? {}, to ?? {}];
    if (isObject(old) && isObject(young)) return compare(old, young, path);
    return JSON.stringify(from) === JSON.stringify(to) ? NO_CHANGE : broken(`${path}: its members have another shape`);
  };

  const fields = (from: JsonSchema, to: JsonSchema, path: string): ShapeChanges => {
    const [old, young] = [(from.properties ?? {}) as Named, (to.properties ?? {}) as Named];
    const [oldMust, youngMust] = [requiredOf(from), requiredOf(to)];
    return merged([
      ...Object.entries(old).map(([name, schema]) => {
        const at = `${path}.${name}`;
        const counterpart = young[name];
        if (counterpart === undefined) return broken(`${at}: is gone`);
        if (oldMust.has(name) && !youngMust.has(name)) return broken(`${at}: was required and is optional now`);
        if (!oldMust.has(name) && youngMust.has(name)) return broken(`${at}: was optional and is required now`);
        return compare(schema, counterpart, at);
      }),
      ...Object.keys(young)
        .filter((name) => !Object.hasOwn(old, name))
        .map((name) =>
          youngMust.has(name)
            ? broken(`${path}.${name}: is new and required`)
            : extended(`${path}.${name}: is new and optional`),
        ),
    ]);
  };

  const alternatives = (from: JsonSchema, to: JsonSchema, path: string): ShapeChanges => {
    const old = alternativesOf(from, before);
    const young = [...alternativesOf(to, after)];
    const changes: ShapeChanges[] = [];
    for (const each of old) {
      const tried = young.map((candidate, index) => ({ index, changes: shapes(each, candidate, path) }));
      const [best] = tried.sort((a, b) => weight(a.changes) - weight(b.changes));
      if (best === undefined) changes.push(broken(`${path}: an alternative is gone`));
      else {
        young.splice(best.index, 1);
        changes.push(best.changes);
      }
    }
    if (young.length > 0) changes.push(broken(`${path}: has a further alternative`));
    return merged(changes);
  };

  return compare(frozen, now, 'data');
};

/** Compared keyword by keyword elsewhere, or words for people. */
const ELSEWHERE = new Set([
  ...['$schema', '$ref', 'definitions', 'title', 'description', 'examples'],
  ...['properties', 'required', 'items', 'additionalProperties', 'anyOf', 'enum', 'const'],
]);

const constraints = (from: JsonSchema, to: JsonSchema, path: string): ShapeChanges => {
  const keywords = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((each) => !ELSEWHERE.has(each));
  return merged(
    keywords
      .filter((keyword) => JSON.stringify(from[keyword]) !== JSON.stringify(to[keyword]))
      .map((keyword) => broken(`${path}: ${keyword} was ${shown(from[keyword])} and is ${shown(to[keyword])} now`)),
  );
};

const shown = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));

const codesOf = (schema: JsonSchema): readonly unknown[] | undefined =>
  Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : undefined;

const codes = (from: JsonSchema, to: JsonSchema, path: string): ShapeChanges => {
  const [old, young] = [codesOf(from), codesOf(to)];
  if (old === undefined && young === undefined) return NO_CHANGE;
  if (old === undefined || young === undefined)
    return broken(`${path}: a code list and any value are different shapes`);
  return merged([
    ...old.filter((code) => !young.includes(code)).map((code) => broken(`${path}: code ${shown(code)} is gone`)),
    ...young.filter((code) => !old.includes(code)).map((code) => extended(`${path}: code ${shown(code)} is new`)),
  ]);
};

const requiredOf = (schema: JsonSchema): ReadonlySet<string> => new Set((schema.required ?? []) as string[]);

const broken = (what: string): ShapeChanges => ({ breaking: [what], extending: [] });
const extended = (what: string): ShapeChanges => ({ breaking: [], extending: [what] });
const merged = (all: readonly ShapeChanges[]): ShapeChanges => ({
  breaking: all.flatMap(({ breaking }) => breaking),
  extending: all.flatMap(({ extending }) => extending),
});
const weight = ({ breaking, extending }: ShapeChanges): number => breaking.length * 1000 + extending.length;

/** What freezing asks for. */
export interface Freezing {
  /** Schemas as the contracts have them now, by type. */
  readonly now: ReadonlyMap<string, JsonSchema>;
  /** The newest version of every type, from the contexts. */
  readonly versions: Readonly<Record<string, number>>;
  readonly upcasters: readonly { readonly type: string; readonly from: number }[];
  readonly frozen: readonly FrozenEvent[];
  /** True where optional fields and codes may be added to a frozen version. */
  readonly extend: boolean;
}

export interface FreezingPlan {
  /** Types and versions to write, in order: new ones, extended ones, and those whose words changed. */
  readonly write: readonly EventSchema[];
  /** Sentences that name the type and the way out; nothing is written while there is one. */
  readonly refusals: readonly string[];
  readonly extensions: readonly string[];
}

/** Decides what may be frozen: a frozen version is never changed so that an old event or an old reader breaks. */
export const planFreezing = ({ now, versions, upcasters, frozen, extend }: Freezing): FreezingPlan => {
  const refusals: string[] = [];
  const extensions: string[] = [];
  const write: EventSchema[] = [];
  const known: Readonly<Record<string, number>> = { ...versions, [METADATA]: 1 };
  const frozenAt = (type: string, schema: number): FrozenEvent | undefined =>
    frozen.find((each) => each.type === type && each.schema === schema);
  for (const type of now.keys()) {
    if (known[type] === undefined)
      refusals.push(`${type} is in a contract, but in no context's schemas: name it there.`);
  }
  for (const { type, schema } of frozen) {
    if (known[type] === undefined)
      refusals.push(`${type} was shipped and is known no more: an event once written is read for ever.`);
    else if (schema > known[type])
      refusals.push(`${type} was shipped in schema ${schema}, but its context knows ${known[type]} only.`);
  }
  for (const [type, schema] of Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const jsonSchema = now.get(type);
    if (jsonSchema === undefined) {
      refusals.push(`${type} is in a context's schemas, but in no contract: describe its data there.`);
      continue;
    }
    for (let from = 1; from < schema; from += 1) {
      if (frozenAt(type, from) === undefined) refusals.push(`${type}: schema ${from} was never frozen.`);
      if (!upcasters.some((each) => each.type === type && each.from === from))
        refusals.push(`${type}: write an upcaster from schema ${from} to ${from + 1}.`);
    }
    const earlier = frozenAt(type, schema);
    if (earlier === undefined) {
      write.push({ type, schema, jsonSchema });
      continue;
    }
    const { breaking, extending } = shapeChanges(earlier.jsonSchema, jsonSchema);
    if (breaking.length > 0) {
      refusals.push(
        `${type}: schema ${schema} was shipped and would change: ${breaking.join('; ')}. ` +
          `Bump its schema to ${schema + 1} and write an upcaster from ${schema}.`,
      );
    } else if (extending.length > 0 && !extend) {
      refusals.push(
        `${type}: schema ${schema} was shipped and would grow: ${extending.join('; ')}. ` +
          'Where old events mean the same without it, freeze again with --extend; otherwise bump the schema.',
      );
    } else if (JSON.stringify(earlier.jsonSchema) !== JSON.stringify(jsonSchema)) {
      extensions.push(...extending.map((what) => `${type}: ${what}`));
      write.push({ type, schema, jsonSchema });
    }
  }
  return { write, refusals, extensions };
};

/** Every frozen event type and version, by name. */
export const readFrozen = (root: string): readonly FrozenEvent[] =>
  filesOf(root, /^[A-Za-z]+\.v\d+\.json$/).map(
    (file) => JSON.parse(readFileSync(join(root, HISTORY, file), 'utf8')) as FrozenEvent,
  );

/** Every frozen log, oldest first. */
export const readLogs = (root: string): readonly FrozenLog[] =>
  [...filesOf(root, /^log(-\d+)?\.ndjson$/)]
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map((file) => ({
      name: file.slice(0, -'.ndjson'.length),
      events: readFileSync(join(root, HISTORY, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LoggedEvent),
    }));

/** The first log has no number, the second is `log-2`. */
const numberOf = (file: string): number => Number(/\d+/.exec(file)?.[0] ?? 1);

const filesOf = (root: string, pattern: RegExp): readonly string[] =>
  readdirSync(join(root, HISTORY))
    .filter((file) => pattern.test(file))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

export const fileOf = ({ type, schema }: Pick<EventSchema, 'type' | 'schema'>): string => `${type}.v${schema}.json`;

/** An event as a log's line has it. */
export const logged = ({ id, stream, type, revision, position, data, metadata }: RecordedEvent): LoggedEvent => ({
  position: String(position),
  id,
  stream,
  revision,
  type,
  data,
  metadata,
});

/** The first event of this type and version, and the one that says most. */
export const samplesOf = (
  { type, schema }: Pick<EventSchema, 'type' | 'schema'>,
  events: readonly LoggedEvent[],
): readonly LoggedEvent[] => {
  const all = events.filter((event) => event.type === type && event.metadata.schema === schema);
  const [first] = all;
  const [richest] = [...all].sort((a, b) => JSON.stringify(b.data).length - JSON.stringify(a.data).length);
  return [...new Set([first, richest])].filter((event) => event !== undefined);
};

/** The text of the module that publishes the frozen schemas: one line per type and version. */
export const publishedModule = (frozen: readonly EventSchema[]): string =>
  [
    '// Generated from test/history by `npm run freeze-events`: change nothing here.',
    '',
    '// As JSON, which is read in a fraction of the time that the same takes as code.',
    'const LINES: readonly string[] = [',
    ...[...frozen]
      .sort((a, b) => (a.type === b.type ? a.schema - b.schema : a.type < b.type ? -1 : 1))
      .map(({ type, schema, jsonSchema }) => `  ${quoted(JSON.stringify({ type, schema, jsonSchema }))},`),
    '];',
    '',
    'export interface EventSchema {',
    '  readonly type: string;',
    '  readonly schema: number;',
    '  readonly jsonSchema: object;',
    '}',
    '',
    '/** The JSON Schema of every event type in every version ever shipped. */',
    'export const EVENT_SCHEMAS = LINES.map((line) => JSON.parse(line) as EventSchema);',
    '',
  ].join('\n');

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
