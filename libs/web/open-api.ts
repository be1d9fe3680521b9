import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { MEASURES, QUALIFIERS } from '#vocabulary';
import { ApiDocument } from './api-document.js';
import type { ProblemInfo } from './problem.js';
import { problemInfo } from './problem.js';
import { PROBLEM_MEDIA_TYPE } from './problem-document.js';
import type { RouteActionOptions } from './route-action.js';
import { declaredRoutes, operationIdOf } from './serving.js';

type Schema = Readonly<Record<string, unknown>>;

interface Operation {
  operationId?: string;
  parameters?: unknown[];
  requestBody?: { content?: Record<string, { schema?: Schema; example?: unknown }> };
  responses?: Record<string, unknown>;
  [key: string]: unknown;
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    schemas: Record<string, Schema>;
    responses?: Record<string, object>;
    parameters?: Record<string, object>;
    examples?: Record<string, object>;
  };
}

const QUANTITY: Schema = {
  type: 'object',
  description: 'An exact amount: decimal strings, never JSON numbers.',
  required: ['measure'],
  properties: {
    measure: { type: 'string', enum: MEASURES },
    amount: { type: 'string', description: 'Absent where undetermined; "unlimited" for some access' },
    currency: { type: 'string', description: 'ISO 4217, of money' },
    unit: { type: 'string', description: 'Of items' },
    why: { type: 'string', enum: ['to-be-assessed', 'not-stated'], description: 'Of undetermined' },
    qualifier: { type: 'string', enum: QUALIFIERS },
  },
  example: { measure: 'money', currency: 'USD', amount: '180000.00' },
};

const PERIOD: Schema = {
  type: 'object',
  description: 'Inclusive UTC days.',
  required: ['from', 'to'],
  properties: { from: { type: 'string', format: 'date' }, to: { type: 'string', format: 'date' } },
  example: { from: '2027-01-01', to: '2027-12-31' },
};

const PROBLEM: Schema = {
  type: 'object',
  description: 'RFC 9457, with code, correlationId and errors.',
  required: ['type', 'title', 'status', 'detail', 'code', 'correlationId'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    correlationId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

interface Header {
  readonly name: string;
  readonly required: boolean;
}

const header = (
  name: string,
  description: string,
  example: string,
  required = false,
): Header & Readonly<Record<string, unknown>> => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
  example,
});

const CORRELATION = header(
  'X-Correlation-Id',
  'Taken if it is 1 to 128 visible ASCII characters, else created; returned.',
  'visit-42',
);
const WAIT = header(
  'Prefer',
  'How long to wait: for the token on reads, for the outcome on proposals and acceptances; at most 30 s.',
  'wait=5',
);
const CONSISTENCY = header(
  'Consistency-Token',
  'Of an earlier write, as it was answered: the answer shows at least that write.',
  'MDFh….BvTj',
);
const PURPOSE = header(
  'Purpose-Of-Use',
  'What you read for, up to 200 visible ASCII characters: kept beside the log of reads of restricted records. Name no person.',
  'Audit plan 2026, item 4',
);
const READ_HEADERS = [CONSISTENCY, WAIT, PURPOSE, CORRELATION];
const WRITE_HEADERS = [
  header(
    'Idempotency-Key',
    'A repeat with the same key and body writes nothing and answers the same. One that nobody can guess, such as a random UUID: ids are derived from it.',
    '0f8fad5b-d9cb-469f-a165-70867728950e',
  ),
  header(
    'Effective-At',
    'When it happened, as you claim: a time, or YYYY, YYYY-MM, YYYY-MM-DD; not in the future.',
    '2026-11-20',
  ),
  WAIT,
  CORRELATION,
];

/** Names of responses in the document, by the status and the codes they tell. */
type SharedRefusals = Map<string, string>;

/** What each route does, by method and path: `POST /v1/needs`. */
type RouteSummaries = Readonly<Record<string, string>>;

/** Publishes the document of the routes, their summaries and the problem table: a service starts without building it. */
export const publishDocument = (app: INestApplication, summaries: RouteSummaries): void => {
  app.get(ApiDocument, { strict: false }).builtBy(() => buildDocument(app, summaries));
};

const buildDocument = (app: INestApplication, summaries: RouteSummaries): object => {
  const builder = new DocumentBuilder()
    .setTitle('Pledgebook')
    .setDescription(
      'Needs, offers and commitments of assistance in small-arms control, on one log that auditors can replay.',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth();
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: operationIdOf,
  }) as unknown as Document;
  Object.assign(document.components.schemas, { Quantity: QUANTITY, Period: PERIOD, Problem: PROBLEM });
  const actions = new Map(declaredRoutes(app).map(({ operationId, action }) => [operationId, action]));
  const shared: SharedRefusals = new Map();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const action = actions.get(operation.operationId ?? '');
      if (action === undefined) continue;
      describe(document, shared, path, method, operation, action);
      operation.summary = summaries[`${method.toUpperCase()} ${path}`] ?? action.action;
    }
  }
  return document;
};

const describe = (
  document: Document,
  shared: SharedRefusals,
  path: string,
  method: string,
  operation: Operation,
  action: RouteActionOptions,
): void => {
  const isPost = method === 'post';
  const writes = isPost && action.asks !== true;
  const creates = writes && !path.includes('{');
  const success = String(action.status ?? (creates ? 201 : 200));
  const says = action.says === undefined ? '' : `${action.says}\n\n`;
  operation.description = `${says}${whoMay(action)}\n\nAction \`${action.action}\`.`;
  operation.security = action.anonymous === true ? [{}, { bearer: [] }] : [{ bearer: [] }];
  operation.parameters = [
    ...(operation.parameters ?? []).map(named),
    ...headersOf(path, isPost, action).map((each) => sharedParameter(document, each)),
  ];
  const body = operation.requestBody?.content?.['application/json'];
  if (body?.schema !== undefined) body.example ??= exampleOf(document, body.schema);
  operation.responses = {
    [success]:
      action.status === 204 || method === 'head'
        ? { description: 'As asked; no body.' }
        : answerOf(path, writes, creates, action),
    ...(action.alsoStatus === undefined
      ? {}
      : { [String(action.alsoStatus)]: answerOf(path, writes, creates, action, 'It stood there already.') }),
    ...(isOfContexts(path) ? refusalsOf(document, shared, method, action) : {}),
  };
};

/** What is left of an address is `{path}` in the document, and so is its parameter. */
const named = (parameter: unknown): unknown =>
  (parameter as { readonly name?: string }).name === '*' ? { ...(parameter as object), name: 'path' } : parameter;

/** What contexts answer is refused and waited for alike; the rest is of the service itself. */
const isOfContexts = (path: string): boolean => path.startsWith('/v1/') || path.startsWith('/log/');

const whoMay = ({ anonymous, roles, power, readers }: RouteActionOptions): string => {
  if (readers !== undefined) return readers;
  if (roles === undefined)
    return anonymous === true ? 'Anyone; what is shown depends on who asks.' : 'Anyone with a token.';
  return `${roles.join(', ')}${power === undefined ? '' : `, with the power "${power}"`}.`;
};

const headersOf = (path: string, isPost: boolean, { ifMatch, asks }: RouteActionOptions): readonly Header[] => {
  if (!isOfContexts(path)) return [CORRELATION];
  if (!isPost) return READ_HEADERS;
  const match =
    ifMatch === undefined
      ? []
      : [header('If-Match', 'The revision you read: the ETag of the record.', '"3"', ifMatch === 'required')];
  return [...match, ...(asks === true ? [CONSISTENCY] : []), ...WRITE_HEADERS];
};

const textHeader = (description: string): object => ({ description, schema: { type: 'string' } });

const answerOf = (
  path: string,
  writes: boolean,
  creates: boolean,
  { produces, example, asks }: RouteActionOptions,
  description = creates ? 'Created.' : 'As asked.',
): object => ({
  description,
  headers: {
    'X-Correlation-Id': textHeader('Names this request in every event and log line.'),
    ...(writes || path.endsWith('{id}') ? { ETag: textHeader("The record's revision, quoted.") } : {}),
    ...(writes ? { 'Consistency-Token': textHeader('Send it with a read to see at least this write.') } : {}),
    ...(creates ? { Location: textHeader('The new record.') } : {}),
    ...(!writes && asks !== true && !path.includes('{') && path.startsWith('/v1/')
      ? { Link: textHeader('The next page, rel="next".') }
      : {}),
  },
  content: {
    ...(produces === undefined || path.startsWith('/v1/')
      ? { 'application/json': { schema: { type: 'object' }, ...(example === undefined ? {} : { example }) } }
      : {}),
    ...Object.fromEntries((produces ?? []).map((type) => [type, { schema: { type: 'string' } }])),
  },
});

/** The codes a route may answer, by status: what the pipeline can say anywhere, and its own refusals. */
const refusalCodes = (
  method: string,
  { problems = {}, ifMatch, asks = false }: RouteActionOptions,
): ReadonlyMap<number, readonly string[]> => {
  const isPost = method === 'post';
  const writes = isPost || method === 'patch';
  const codes = [
    'invalid-request',
    'unauthenticated',
    'forbidden',
    ...(writes ? ['party-not-registered'] : []),
    'not-found',
    ...(ifMatch === undefined ? [] : ['stale-revision']),
    ...(writes ? ['payload-too-large', 'unsupported-media-type'] : []),
    ...(isPost && !asks ? ['idempotency-key-reused'] : []),
    ...(ifMatch === 'required' ? ['if-match-required'] : []),
    'too-many-requests',
    'internal-error',
    ...(writes && !asks ? ['log-rolled-back'] : ['projection-behind']),
    'store-unavailable',
    'identity-provider-unavailable',
    'shutting-down',
    ...Object.keys(problems),
  ];
  const byStatus = new Map<number, string[]>();
  for (const code of new Set(codes)) {
    const { status } = problemInfo(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
};

/** Every route repeats the same few headers: each stands once in the document. */
const sharedParameter = (document: Document, parameter: Header): object => {
  const name = parameter.required ? `${parameter.name}-required` : parameter.name;
  document.components.parameters ??= {};
  document.components.parameters[name] ??= parameter;
  return { $ref: `#/components/parameters/${name}` };
};

/** Routes that refuse alike share one response: the document is read over slow lines too. */
const sharedRefusal = (
  document: Document,
  shared: SharedRefusals,
  status: number,
  codes: readonly string[],
): object => {
  const alike = `${status} ${codes.join(' ')}`;
  let name = shared.get(alike);
  if (name === undefined) {
    name = `Problem${status}-${[...shared.keys()].filter((each) => each.startsWith(`${status} `)).length + 1}`;
    shared.set(alike, name);
    document.components.responses ??= {};
    document.components.responses[name] = refusal(document, status, codes);
  }
  return { $ref: `#/components/responses/${name}` };
};

const sharedExample = (document: Document, code: string): object => {
  document.components.examples ??= {};
  document.components.examples[code] ??= { value: exampleProblem(code, problemInfo(code)) };
  return { $ref: `#/components/examples/${code}` };
};

const refusal = (document: Document, status: number, codes: readonly string[]): object => ({
  description: codes.map((code) => `\`${code}\`: ${problemInfo(code).title}.`).join(' '),
  headers: {
    'X-Correlation-Id': textHeader('Names this request in every event and log line.'),
    ...(status === 401 ? { 'WWW-Authenticate': textHeader('Bearer') } : {}),
    ...(status === 429 || status === 503 ? { 'Retry-After': textHeader('Seconds to wait.') } : {}),
  },
  content: {
    [PROBLEM_MEDIA_TYPE]: {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          { type: 'object', properties: { code: { type: 'string', enum: codes } } },
        ],
      },
      examples: Object.fromEntries(codes.map((code) => [code, sharedExample(document, code)])),
    },
  },
});

const refusalsOf = (
  document: Document,
  shared: SharedRefusals,
  method: string,
  action: RouteActionOptions,
): Record<string, object> =>
  Object.fromEntries(
    [...refusalCodes(method, action)].map(([status, codes]) => [
      String(status),
      sharedRefusal(document, shared, status, codes),
    ]),
  );

const exampleProblem = (code: string, { status, title }: ProblemInfo): object => ({
  type: `/problems/${code}`,
  title,
  status,
  detail: `${title}.`,
  code,
  correlationId: '01a205aa-c50f-75d8-9c63-3ccf820f1da6',
  ...(status === 400 ? { errors: [{ field: 'title', message: 'is required' }] } : {}),
});

/** An instance of a schema, made of the examples its fields carry and of their rules where they carry none. */
const exampleOf = (document: Document, schema: Schema, depth = 0): unknown => {
  if ('example' in schema) return schema.example;
  const {
    $ref,
    allOf,
    oneOf,
    anyOf,
    enum: codes,
    type,
    items,
    properties,
    required,
    minimum,
  } = schema as {
    readonly $ref?: string;
    readonly allOf?: readonly Schema[];
    readonly oneOf?: readonly Schema[];
    readonly anyOf?: readonly Schema[];
    readonly enum?: readonly unknown[];
    readonly type?: string;
    readonly items?: Schema;
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
    readonly minimum?: number;
  };
  if ($ref !== undefined)
    return exampleOf(document, document.components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)] ?? {}, depth + 1);
  const inner = allOf?.[0] ?? oneOf?.[0] ?? anyOf?.[0];
  if (inner !== undefined) return exampleOf(document, inner, depth + 1);
  if (codes !== undefined) return codes[0];
  if (depth > 8) return {};
  switch (type) {
    case 'array':
      return items === undefined ? [] : [exampleOf(document, items, depth + 1)];
    case 'object':
      // What is optional is shown where its declaration gives an example: together such fields make a request that holds.
      return Object.fromEntries(
        Object.entries(properties ?? {})
          .filter(([name, field]) => required?.includes(name) === true || 'example' in field)
          .map(([name, field]) => [name, exampleOf(document, field, depth + 1)]),
      );
    case 'integer':
      return minimum ?? 0;
    case 'boolean':
      return false;
    default:
      return exampleText(schema);
  }
};

const exampleText = ({ format, pattern }: Schema): string => {
  if (format === 'date') return '2026-11-20';
  if (format === 'date-time') return '2026-11-22T10:00:00Z';
  if (format === 'uri') return 'https://example.org/document.pdf';
  if (pattern === '^[0-9a-f]{64}$') return '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
  if (typeof pattern === 'string' && pattern.includes('[0-9]+')) return '1';
  return 'text';
};
