import 'reflect-metadata';
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { ratesDecider } from '#accounts';
import { confirmationDecider, EVENT_SCHEMAS, findingDecider, logKeysDecider, readDecider, sampleDecider } from '#audit';
import { commitmentDecider } from '#commitments';
import { partyDecider, subjectDecider } from '#directory';
import { documentDecider } from '#documents';
import { RULES, UPCASTERS } from '#evidence';
import { callDecider, contributionDecider, fundDecider } from '#funds';
import type { Command, Decider, DomainEvent, Projection, RecordedEvent, Rejection } from '#kernel';
import {
  applyToModel,
  categoryOfStream,
  emptyFold,
  foldOnto,
  idOfStream,
  ManualClock,
  NewerEventError,
  SYSTEM_PROCESS,
  Transactor,
  Upcasting,
} from '#kernel';
import { dumpOf, InMemoryEventStore, throughJson } from '#kernel-testing';
import type { ModelDump } from '#kernel-testing';
import { allocationDecider, duplicateDecider, rulesetDecider } from '#matching';
import { needDecider } from '#needs';
import { offerDecider } from '#offers';
import { MemoryReadDatabase } from '#read-database';
import { reportedDecider } from '#reported';
import type { ContextDeps } from '#web';
import type { EventSchema, FrozenLog, JsonSchema, LoggedEvent } from '../../infra/frozen-events.js';
import {
  currentSchemas,
  logged,
  METADATA,
  planFreezing,
  PUBLISHED,
  publishedModule,
  readFrozen,
  readLogs,
  shapeChanges,
} from '../../infra/frozen-events.js';
import { categories, contexts } from '#services';
import { solverThread } from '../support/allocation-thread.js';
import { testApp } from '../support/app.js';
import type { Reading } from './replay.js';
import { recordedOf, replayed, storeOf } from './replay.js';
import { playStory } from './story.js';

type AnyDecider = Decider<unknown, Command, DomainEvent, Rejection>;

const ROOT = '.';
const frozen = readFrozen(ROOT);
const logs = readLogs(ROOT);
const versions = Object.assign({}, ...contexts.flatMap(({ streams }) => Object.values(streams))) as Readonly<
  Record<string, number>
>;
const upcasters = contexts.flatMap((context) => context.upcasters ?? []);
const upcasting = new Upcasting(upcasters);
const deciders = [
  partyDecider,
  needDecider,
  offerDecider,
  commitmentDecider,
  reportedDecider,
  fundDecider,
  contributionDecider,
  callDecider,
  ratesDecider,
  documentDecider,
  rulesetDecider,
  allocationDecider,
  duplicateDecider,
  findingDecider,
  sampleDecider,
  confirmationDecider,
  readDecider,
  subjectDecider,
  logKeysDecider,
] as unknown as AnyDecider[];
const deciderOf = (stream: string): AnyDecider =>
  deciders.find(({ category }) => category === categoryOfStream(stream))!;

// Most schemas validate a few events: without passes that optimise them they compile in half the time.
const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, code: { optimize: false } });
const validators = new Map<string, ValidateFunction>();
const nameOf = (type: string, schema: number): string => `${type} in schema ${schema}`;
for (const { type, schema, jsonSchema } of frozen) validators.set(nameOf(type, schema), ajv.compile(jsonSchema));

const faultsIn = (name: string, value: unknown): readonly string[] => {
  const validate = validators.get(name);
  if (validate === undefined) return [`${name} was never frozen`];
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`);
};

/** What is wrong with an event by the schema it was written in, and by that of its metadata. */
const faultsOf = ({ type, data, metadata }: Pick<LoggedEvent, 'type' | 'data' | 'metadata'>): readonly string[] => [
  ...faultsIn(nameOf(type, metadata.schema), data),
  ...faultsIn(nameOf(METADATA, 1), metadata),
];

describe('frozen events', () => {
  it('holds a sample of every event type that a context writes, in its newest schema', () => {
    const sampled = frozen.filter(({ samples }) => samples.length > 0).map(({ type, schema }) => nameOf(type, schema));
    expect(sampled.sort()).toEqual(
      expect.arrayContaining(Object.entries(versions).map(([type, schema]) => nameOf(type, schema))),
    );
    expect(Object.keys(versions).length).toBeGreaterThan(60);
  });

  it('is replayed by the verifier of evidence with the same rules and upcasters', () => {
    for (const { category, schemas } of RULES) {
      const { streams, upcasters: own = [] } = contexts.find((context) => context.streams[category] === schemas)!;
      expect(own.filter((each) => Object.keys(streams[category]!).includes(each.type))).toEqual(
        UPCASTERS.filter((each) => Object.keys(schemas).includes(each.type)),
      );
    }
    expect(RULES.map(({ category }) => category).sort()).toEqual(['commitment', 'need', 'offer', 'party']);
  });

  it('knows every type and version that was ever shipped, with an upcaster from each to the next', () => {
    for (const { type, schema } of frozen.filter((each) => each.type !== METADATA)) {
      expect([type, versions[type]! >= schema]).toEqual([type, true]);
      for (let from = schema; from < versions[type]!; from += 1) {
        expect(upcasters.some((each) => each.type === type && each.from === from)).toBe(true);
      }
    }
  });

  it.each(
    frozen.filter(({ samples }) => samples.length > 0).map((each) => [nameOf(each.type, each.schema), each] as const),
  )('reads its samples of %s, as they are and lifted to the newest schema', (_, { type, schema, samples }) => {
    for (const sample of samples) {
      expect([sample.type, sample.metadata.schema]).toEqual([type, schema]);
      expect(faultsOf(sample)).toEqual([]);
      const lifted = upcasting.lift(recordedOf(sample));
      expect(lifted.metadata.schema).toBe(versions[type]);
      expect(faultsOf(lifted as unknown as LoggedEvent)).toEqual([]);
    }
  });

  it('notices data of another shape', () => {
    const { data, ...sample } = frozen.find(({ type }) => type === 'TransferReported')!.samples[0]!;
    const { amount: _, ...without } = data as { amount: unknown };
    expect(faultsOf({ ...sample, data: without })).toEqual([
      "TransferReported in schema 1 must have required property 'amount'",
    ]);
    expect(faultsOf({ ...sample, data: { ...data, n: '1' } })).toEqual([
      'TransferReported in schema 1/n must be number',
    ]);
    expect(faultsOf({ ...sample, data: { ...data, kind: 'gift' } })).toHaveLength(1);
  });

  it('is what is published, and published is what is shipped', () => {
    expect(readFileSync(PUBLISHED, 'utf8')).toBe(publishedModule(frozen));
    expect(EVENT_SCHEMAS).toEqual(
      frozen
        .map(({ type, schema, jsonSchema }) => ({ type, schema, jsonSchema }))
        .sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : a.schema - b.schema)),
    );
  });

  it('is served to anyone, each schema by itself', async () => {
    const app = await testApp();
    try {
      const { status, body } = await app.get('/v1/schemas');
      expect(status).toBe(200);
      expect(body.items).toHaveLength(frozen.length);
      for (const { type, schema, uri } of body.items as { type: string; schema: number; uri: string }[]) {
        const served = await app.sendPlain('GET', uri);
        const { jsonSchema } = frozen.find((each) => each.type === type && each.schema === schema)!;
        expect(served.status).toBe(200);
        expect(served.headers['content-type']).toMatch(/^application\/schema\+json/);
        expect(JSON.parse(served.text)).toEqual({ $id: uri, ...jsonSchema });
      }
      const newest = { type: 'NeedDrafted', schema: 1, uri: '/v1/schemas/NeedDrafted/1' };
      expect((await app.get('/v1/schemas?type=NeedDrafted')).body.items).toEqual([newest]);
      expect((await app.get('/v1/schemas/NeedDrafted/2')).body.code).toBe('not-found');
      expect((await app.get('/v1/schemas/NeedDrafted/01')).status).toBe(404);
    } finally {
      await app.close();
    }
  });
});

describe.each(logs.map((log) => [log.name, log] as const))('the frozen %s', (_, { name, events }: FrozenLog) => {
  const history = events.map(recordedOf);

  it('holds only events of the shape they were written in', () => {
    expect(events.flatMap(faultsOf)).toEqual([]);
    expect(events.map(({ position }) => BigInt(position))).toEqual(events.map((__, index) => BigInt(index + 1)));
  });

  it('holds nothing that has no category to be told to partners in', () => {
    const types = new Map(categories.map((category) => [category.name, new Set(category.types)]));
    expect(types.size).toBe(categories.length);
    expect(events.filter(({ stream, type }) => types.get(categoryOfStream(stream))?.has(type) !== true)).toEqual([]);
  });

  it('folds, with nothing in it that is newer than the deciders', () => {
    for (const stream of new Set(history.map((event) => event.stream))) {
      const decider = deciderOf(stream);
      const own = history.filter((event) => event.stream === stream);
      const folded = foldOnto(decider, emptyFold(decider.initial), own, upcasting);
      expect([stream, folded.newer, folded.revision]).toEqual([stream, undefined, own.length - 1]);
      // Nothing is decided on what was read: its events leave no state.
      if (decider.category !== 'reads') expect(folded.state).not.toEqual(decider.initial);
    }
  });

  it.each(projections().map((projection) => [projection.name, projection] as const))(
    'gives %s the same rows in batches of 1, of 7 and as a whole',
    (__, projection) => {
      const whole = rowsOf(projection, history, history.length);
      expect(Object.keys(whole).length).toBeGreaterThan(0);
      // Of thousands of rows, faster than `toEqual`.
      deepStrictEqual(rowsOf(projection, history, 1), whole);
      deepStrictEqual(rowsOf(projection, history, 7), whole);
    },
  );

  it('reads as it read when it was written, and processes that see it again write nothing', async () => {
    const file = name.replace('log', 'expected');
    const expected = JSON.parse(readFileSync(join('test/history', `${file}.json`), 'utf8')) as Reading;
    const { reading, log } = await replayed(events);
    expect(log.slice(events.length)).toEqual([]);
    deepStrictEqual(log, events);
    // Fields may be added to an answer; what was said stays said.
    expect(reading).toMatchObject(expected);
  });
});

function projections(): readonly Projection[] {
  const store = new InMemoryEventStore();
  const clock = new ManualClock('2026-01-05T09:00:00.000Z');
  const deps: ContextDeps = {
    store,
    clock,
    transactor: new Transactor(store, clock, upcasting),
    reads: () => {
      throw new Error('a projection reads its own rows only');
    },
  };
  return contexts.flatMap((context) => context.projections?.(deps) ?? []);
}

const rowsOf = (projection: Projection, history: readonly RecordedEvent[], size: number): ModelDump => {
  const database = new MemoryReadDatabase();
  const model = database.open(projection);
  for (let from = 0; from < history.length; from += size) {
    applyToModel(projection, model, history.slice(from, from + size), (event) => upcasting.lift(event));
  }
  const rows = dumpOf(model);
  model.close();
  database.close();
  return rows;
};

describe('what is written now', () => {
  let now: ReadonlyMap<string, JsonSchema>;
  let story: readonly LoggedEvent[];

  beforeAll(async () => {
    [now, story] = await Promise.all([currentSchemas(ROOT), playStory([solverThread]).then((log) => log.map(logged))]);
  });

  it('is frozen: the contracts describe the same data, type by type', () => {
    const plan = planFreezing({ now, versions, upcasters, frozen, extend: false });
    expect(plan).toEqual({ write: [], refusals: [], extensions: [] });
  });

  it('has the shape that its contract describes, for every type', () => {
    expect(story.flatMap(faultsOf)).toEqual([]);
    expect([...new Set(story.map(({ type, metadata }) => nameOf(type, metadata.schema)))].sort()).toEqual(
      Object.entries(versions)
        .map(([type, schema]) => nameOf(type, schema))
        .sort(),
    );
  });

  it('fills every field that its contract describes, but those that no command gives', () => {
    const line = {
      type: 'object',
      properties: { line: {}, of: { type: 'array', items: { $ref: '#/definitions/Of' } } },
    };
    const whole = { definitions: { Of: { type: 'object', properties: { name: {}, when: {} } } } };
    expect(unfilledIn([{ line: 1, of: [{ name: 'a' }] }], line, whole, 'data')).toEqual(['data.of.when']);
    const unfilled = [...now].flatMap(([type, shape]) => {
      const values =
        type === METADATA
          ? story.map(({ metadata }) => metadata)
          : story.filter((each) => each.type === type).map(({ data }) => data);
      return unfilledIn(values, shape, shape, type);
    });
    expect(unfilled.sort()).toEqual(['ContributionClosed.reason', 'RecordsRead.unnamed']);
  });

  it('has no field that its contract does not describe', () => {
    const shape = now.get('NeedDrafted')!;
    const planted = story.find(({ type }) => type === 'NeedDrafted')!.data as { readonly content: object };
    const content = {
      ...planted.content,
      lines: [{ line: 1, kind: 'legal', quantity: { measure: 'seats', amount: '1', of: 2 } }],
    };
    expect(strangersIn({ ...planted, content }, shape, shape, 'data')).toEqual(['data.content.lines[0].quantity.of']);
    expect(story.flatMap(({ type, data }) => strangersIn(data, now.get(type)!, now.get(type)!, type))).toEqual([]);
  });
});

/** Fields of a value that no alternative of its schema names. */
const strangersIn = (value: unknown, schema: JsonSchema, whole: JsonSchema, path: string): readonly string[] => {
  const alternatives = alternativesIn(schema, whole);
  const fitting = alternatives.length === 1 ? alternatives : alternatives.filter((each) => fits(value, each, whole));
  if (Array.isArray(value)) {
    const items = fitting.map((each) => each.items as JsonSchema | undefined).find((each) => each !== undefined);
    return items === undefined
      ? []
      : value.flatMap((each, index) => strangersIn(each, items, whole, `${path}[${index}]`));
  }
  if (value === null || typeof value !== 'object') return [];
  const tried = fitting.map((each) => {
    // A map, or what a publication says of a record: any name may stand there.
    if (each.additionalProperties !== undefined) return [];
    const properties = propertiesOf(each);
    return Object.entries(value).flatMap(([name, inner]) =>
      properties[name] === undefined
        ? [`${path}.${name}`]
        : strangersIn(inner, properties[name], whole, `${path}.${name}`),
    );
  });
  return tried.sort((a, b) => a.length - b.length)[0] ?? [];
};

/** What has fields of its own at every place: those are measures and rates, not what an event says. */
const VALUES = ['Quantity', 'Valuation'].map((name) => `#/definitions/${name}`);

/** Fields that a schema names and none of the values has. */
const unfilledIn = (
  values: readonly unknown[],
  schema: JsonSchema,
  whole: JsonSchema,
  path: string,
): readonly string[] => {
  if (VALUES.includes(String(schema.$ref))) return [];
  const flat = values.flat(Infinity).filter((value): value is object => typeof value === 'object' && value !== null);
  const found = alternativesIn(schema, whole).flatMap((each) => [
    ...(each.items === undefined ? [] : unfilledIn(flat, each.items as JsonSchema, whole, path)),
    ...(typeof each.additionalProperties === 'object'
      ? unfilledIn(
          flat.flatMap((value) => Object.values(value) as unknown[]),
          each.additionalProperties as JsonSchema,
          whole,
          `${path}.*`,
        )
      : []),
    ...Object.entries(propertiesOf(each)).flatMap(([name, inner]) => {
      const given = flat.flatMap((value) => (Object.hasOwn(value, name) ? [(value as JsonSchema)[name]] : []));
      return given.length === 0 ? [`${path}.${name}`] : unfilledIn(given, inner, whole, `${path}.${name}`);
    }),
  ]);
  return [...new Set(found)];
};

const propertiesOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  (schema.properties ?? {}) as Record<string, JsonSchema>;

const alternativesIn = (schema: JsonSchema, whole: JsonSchema): readonly JsonSchema[] => {
  if (typeof schema.$ref === 'string') {
    const named = (whole.definitions as Record<string, JsonSchema>)[schema.$ref.slice('#/definitions/'.length)]!;
    return alternativesIn(named, whole);
  }
  return Array.isArray(schema.anyOf)
    ? (schema.anyOf as JsonSchema[]).flatMap((each) => alternativesIn(each, whole))
    : [schema];
};

const compiled = new Map<JsonSchema, ValidateFunction>();
/** For parts of schemas that were examined as a whole. */
const partial = new Ajv({ strict: false, validateSchema: false, code: { optimize: false } });
const fits = (value: unknown, schema: JsonSchema, whole: JsonSchema): boolean => {
  const validate = compiled.get(schema) ?? partial.compile({ ...schema, definitions: whole.definitions ?? {} });
  compiled.set(schema, validate);
  return validate(value);
};

describe('events that are newer than this version', () => {
  const sample = (type: string): LoggedEvent => frozen.find((each) => each.type === type)!.samples[0]!;
  const NEED = sample('NeedDrafted');

  it.each(deciders.map((decider) => [decider.category, decider] as const))(
    'of an unknown type are passed by when a %s is folded, and flagged for whoever decides',
    (_, decider) => {
      const [state] = logs.flatMap(({ events }) =>
        events
          .filter(({ stream }) => categoryOfStream(stream) === decider.category)
          .slice(0, 1)
          .map((event) => decider.evolve(decider.initial, upcasting.lift(recordedOf(event)))),
      );
      const unknown = { ...recordedOf(NEED), type: 'SomethingOfNextYear', data: { strange: true }, revision: 1 };
      expect(decider.evolve(state, unknown)).toBe(state);
      const folded = foldOnto(decider, emptyFold(state), [unknown], upcasting);
      expect(folded.state).toBe(state);
      expect(folded.newer).toEqual({ type: 'SomethingOfNextYear', schema: 1 });
    },
  );

  const REASON = { reason: { code: 'budget' } };
  const newer = [
    ['a type of next year', { type: 'NeedSplit', schema: 1 }],
    ['a schema of next year', { type: 'NeedAmended', schema: (versions.NeedAmended ?? 0) + 1 }],
  ] as const;

  const storeWith = async ({ type, schema }: { readonly type: string; readonly schema: number }) => {
    const history = logs[0]!.events.filter(({ stream }) => stream === NEED.stream).slice(0, 1);
    const store = await storeOf(history);
    const [{ id }] = history as [LoggedEvent];
    const metadata = { ...NEED.metadata, commandId: id, schema };
    await store.append(NEED.stream, 0, [{ id: id.replace(/^../, '00'), type, data: {}, metadata }]);
    return store;
  };

  it.each(newer)('are not decided over: %s', async (_, event) => {
    const store = await storeWith(event);
    const transactor = new Transactor(store, new ManualClock('2026-01-05T09:00:00.000Z'), upcasting);
    const command = transactor.transact(needDecider, idOfStream(NEED.stream), (by) => ({ type: 'WithdrawNeed', by }), {
      commandId: 'c',
      correlationId: 'c',
      causationId: null,
      actor: SYSTEM_PROCESS,
    });
    await expect(command).rejects.toThrow(NewerEventError);
    expect(await store.head()).toBe(2n);
  });

  it.each(newer)('answer 503 over HTTP and write nothing: %s', async (_, event) => {
    const store = await storeWith(event);
    const app = await testApp({ store });
    try {
      const { party, role } = NEED.metadata.actor;
      const path = `/v1/needs/${idOfStream(NEED.stream)}`;
      const ifMatch = { 'if-match': '"1"' };
      for (const answer of [
        await app.get(path, { as: { party, role } }),
        await app.post(`${path}/withdraw`, REASON, { as: { party, role }, headers: ifMatch }),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([503, 'store-unavailable']);
        expect(answer.headers['retry-after']).toMatch(/^\d+$/);
      }
      expect(await store.head()).toBe(2n);
    } finally {
      await app.close();
    }
  });
});

describe('freezing', () => {
  const line: JsonSchema = {
    type: 'object',
    properties: { line: { type: 'number' }, kind: { type: 'string', enum: ['legal', 'training'] } },
    required: ['line'],
  };
  const shape: JsonSchema = {
    type: 'object',
    properties: {
      lines: { type: 'array', items: { $ref: '#/definitions/Line' } },
      note: { type: 'string', description: 'For people' },
      price: {
        anyOf: [
          { type: 'object', properties: { rate: { type: 'string' } }, required: ['rate'] },
          { type: 'object', properties: { sum: { type: 'string' } }, required: ['sum'] },
        ],
      },
    },
    required: ['lines'],
    definitions: { Line: line },
  };
  /** The shape with other values at some places; undefined takes a place away. */
  const changed = (edits: Readonly<Record<string, unknown>>): JsonSchema => {
    const copy = structuredClone(shape);
    for (const [place, value] of Object.entries(edits)) {
      const steps = place.split('/');
      const last = steps.pop()!;
      const holder = steps.reduce<Record<string, unknown>>(
        (inner, step) => inner[step] as Record<string, unknown>,
        copy,
      );
      holder[last] = value;
    }
    // Through JSON, which leaves out what is undefined.
    return throughJson(copy);
  };
  const KIND = 'definitions/Line/properties/kind';
  const [rate, sum] = (shape.properties as Record<string, { anyOf: readonly [JsonSchema, JsonSchema] }>).price!.anyOf;
  const total: JsonSchema = { type: 'object', properties: { total: {} } };

  it.each<readonly [what: string, edits: Readonly<Record<string, unknown>>, because: string]>([
    ['a field that is gone', { 'properties/note': undefined }, 'data.note: is gone'],
    ['a field deep inside that is gone', { [KIND]: undefined }, 'data.lines[].kind: is gone'],
    ['a new required field', { 'properties/to': {}, required: ['lines', 'to'] }, 'data.to: is new and required'],
    [
      'an optional field that becomes required',
      { required: ['lines', 'note'] },
      'data.note: was optional and is required now',
    ],
    ['a required field that becomes optional', { required: [] }, 'data.lines: was required and is optional now'],
    ['another type', { 'properties/note/type': 'number' }, 'data.note: type was "string" and is "number" now'],
    ['a code that is gone', { [`${KIND}/enum`]: ['legal'] }, 'data.lines[].kind: code "training" is gone'],
    [
      'a code list that takes any value',
      { [`${KIND}/enum`]: undefined },
      'data.lines[].kind: a code list and any value are different shapes',
    ],
    ['a list that becomes one', { 'properties/lines': line }, 'data.lines: type was "array" and is "object" now'],
    ['an alternative that is gone', { 'properties/price/anyOf': [rate] }, 'data.price: an alternative is gone'],
    [
      'a further alternative',
      { 'properties/price/anyOf': [rate, sum, { type: 'string' }] },
      'data.price: has a further alternative',
    ],
    ['a field renamed in one alternative', { 'properties/price/anyOf': [rate, total] }, 'data.price.sum: is gone'],
    [
      'members of another shape',
      { 'properties/lines/items': { type: 'string' } },
      'data.lines[]: type was "object" and is "string" now',
    ],
  ])('notices %s', (_, edits, because) => {
    expect(shapeChanges(shape, changed(edits)).breaking).toContain(because);
  });

  it('tells what is added from what is changed', () => {
    const grown = changed({
      'properties/reference': { type: 'string' },
      [`${KIND}/enum`]: ['legal', 'training', 'material'],
    });
    expect(shapeChanges(shape, grown)).toEqual({
      breaking: [],
      extending: ['data.lines[].kind: code "material" is new', 'data.reference: is new and optional'],
    });
  });

  it('takes words, and a definition by another name, for no change', () => {
    const reworded = changed({
      'properties/note/description': 'For everybody',
      definitions: { NeedLine: line },
      'properties/lines/items': { $ref: '#/definitions/NeedLine' },
      'properties/price/anyOf': [sum, rate],
    });
    expect(shapeChanges(shape, reworded)).toEqual({ breaking: [], extending: [] });
  });

  it('compares shapes that hold themselves', () => {
    const tree = (leaf: JsonSchema): JsonSchema => ({
      $ref: '#/definitions/Tree',
      definitions: { Tree: { type: 'object', properties: { left: { $ref: '#/definitions/Tree' }, leaf } } },
    });
    expect(shapeChanges(tree({ type: 'string' }), tree({ type: 'string' })).breaking).toEqual([]);
    expect(shapeChanges(tree({ type: 'string' }), tree({ type: 'number' })).breaking).toHaveLength(1);
  });

  const base: EventSchema = { type: 'Shaped', schema: 1, jsonSchema: shape };
  const metadata = { type: METADATA, schema: 1, jsonSchema: {}, samples: [] };
  const plan = (jsonSchema: JsonSchema, more: Partial<Parameters<typeof planFreezing>[0]> = {}) =>
    planFreezing({
      now: new Map([
        ['Shaped', jsonSchema],
        [METADATA, {}],
      ]),
      versions: { Shaped: 1 },
      upcasters: [],
      frozen: [{ ...base, samples: [] }, metadata],
      extend: false,
      ...more,
    });
  const without = changed({ 'properties/note': undefined });
  const grown = changed({ 'properties/reference': { type: 'string' } });

  it('refuses to change what was shipped, and says what to do instead', () => {
    expect(plan(without)).toEqual({
      write: [],
      extensions: [],
      refusals: [
        'Shaped: schema 1 was shipped and would change: data.note: is gone. Bump its schema to 2 and write an upcaster from 1.',
      ],
    });
    expect(plan(without, { extend: true }).refusals).toHaveLength(1);
  });

  it('adds optional fields only when told to', () => {
    expect(plan(grown).refusals.join()).toMatch(/^Shaped: schema 1 .*data\.reference: is new and optional.*--extend/);
    expect(plan(grown, { extend: true })).toEqual({
      write: [{ type: 'Shaped', schema: 1, jsonSchema: grown }],
      refusals: [],
      extensions: ['Shaped: data.reference: is new and optional'],
    });
  });

  it('freezes a new version beside the old one, once there is an upcaster', () => {
    expect(plan(without, { versions: { Shaped: 2 } }).refusals).toEqual([
      'Shaped: write an upcaster from schema 1 to 2.',
    ]);
    const upcast = [{ type: 'Shaped', from: 1 }];
    expect(plan(without, { versions: { Shaped: 2 }, upcasters: upcast })).toEqual({
      write: [{ type: 'Shaped', schema: 2, jsonSchema: without }],
      refusals: [],
      extensions: [],
    });
  });

  it('refuses what contracts, contexts and shipped events do not agree on', () => {
    expect(plan(shape, { versions: {} }).refusals).toEqual([
      "Shaped is in a contract, but in no context's schemas: name it there.",
      'Shaped was shipped and is known no more: an event once written is read for ever.',
    ]);
    expect(plan(shape, { versions: { Shaped: 1, Lost: 1 } }).refusals).toEqual([
      "Lost is in a context's schemas, but in no contract: describe its data there.",
    ]);
    expect(plan(shape, { frozen: [{ ...base, schema: 3, samples: [] }, metadata] }).refusals).toEqual([
      'Shaped was shipped in schema 3, but its context knows 1 only.',
    ]);
  });
});
