import { Ajv, type ValidateFunction } from 'ajv';
import { EVENT_SCHEMAS } from '#audit/schemas';
import { commitmentDecider } from '#commitments/decider';
import { partyDecider } from '#directory/decider';
import type { DomainEvent, RecordedEvent, Upcaster } from '#kernel';
import { categoryOfStream, Upcasting } from '#kernel';
import { needDecider } from '#needs/decider';
import { offerDecider } from '#offers/decider';
import { canonicalForm, type Opening, TlogRefusal } from '#tlog';

/** What a kind of stream is replayed by: the rules' own `evolve`, without what decides. */
export interface PublishedRules {
  readonly category: string;
  readonly initial: unknown;
  readonly schemas: Readonly<Record<string, number>>;
  fold(state: unknown, event: RecordedEvent): unknown;
}

const published = <S, E extends DomainEvent>(decider: {
  readonly category: string;
  readonly initial: S;
  readonly schemas: Readonly<Record<string, number>>;
  evolve(state: S, event: RecordedEvent<E>): S;
}): PublishedRules => ({
  category: decider.category,
  initial: decider.initial,
  schemas: decider.schemas,
  fold: (state, event) => decider.evolve(state as S, event as RecordedEvent<E>),
});

/** The kinds of streams that evidence replays. */
export const RULES: readonly PublishedRules[] = [
  published(commitmentDecider),
  published(needDecider),
  published(offerDecider),
  published(partyDecider),
];

/** What lifts older events of these kinds: as yet none has a second version. */
export const UPCASTERS: readonly Upcaster[] = [];

const UPCASTING = new Upcasting(
  UPCASTERS,
  Object.fromEntries(RULES.map(({ category, schemas }) => [category, schemas])),
);

export const rulesOf = (category: string): PublishedRules | undefined =>
  RULES.find((rules) => rules.category === category);

/** The state of a stream after all of its events, oldest first. @throws {NewerEventError} where one is newer than this version knows */
export const replayOf = (rules: PublishedRules, openings: readonly Opening[]): unknown =>
  openings.reduce((state, opening) => rules.fold(state, UPCASTING.lift(eventOf(opening))), rules.initial);

/** An opening as the rules read it: salt and position are no matter to them. */
const eventOf = ({ stream, revision, eventId, type, data, metadata }: Opening): RecordedEvent => ({
  ...{ id: eventId, stream, revision, type, data, position: 0n },
  metadata: { ...(metadata as RecordedEvent['metadata']), salt: '' },
});

// The schemas are this program's own, and most validate a few events: unexamined and unoptimised they compile in a third of the time.
const AJV = new Ajv({ allErrors: false, strict: false, validateSchema: false, code: { optimize: false } });
const validators = new Map<string, ValidateFunction>();

/** The schema of an event's data as this version publishes it, in canonical form; undefined where it knows none. */
export const publishedSchema = (type: string, schema: number): string | undefined => {
  const found = schemaOf(type, schema);
  return found === undefined ? undefined : canonicalForm(found);
};

const schemaOf = (type: string, schema: number): object | undefined =>
  EVENT_SCHEMAS.find((each) => each.type === type && each.schema === schema)?.jsonSchema;

const METADATA = { type: 'metadata', schema: 1 };

/** @throws {TlogRefusal} where data or metadata of an event do not have the shape that this version publishes of its type */
export const requireShape = ({ type, schema, data, metadata, stream }: Opening, salt: string): void => {
  requireValid(METADATA.type, METADATA.schema, { ...metadata, salt }, 'the metadata');
  if (schemaOf(type, schema) === undefined) {
    const known = rulesOf(categoryOfStream(stream));
    if (known !== undefined && !(schema <= (known.schemas[type] ?? 0)))
      throw new TlogRefusal(
        `${type} in schema ${schema} is nothing that this version knows of ${known.category} streams`,
      );
    return;
  }
  requireValid(type, schema, data, 'the data');
};

const requireValid = (type: string, schema: number, value: object, what: string): void => {
  const key = `${type}.v${schema}`;
  const jsonSchema = schemaOf(type, schema);
  if (jsonSchema === undefined) throw new TlogRefusal(`this version publishes no schema ${key}`);
  const validate = validators.get(key) ?? AJV.compile(jsonSchema);
  validators.set(key, validate);
  if (validate(value)) return;
  const { instancePath = '', message = 'does not fit' } = validate.errors?.[0] ?? {};
  const at = instancePath === '' ? '' : ` ${instancePath}`;
  throw new TlogRefusal(`${what} is not of the schema ${key}:${at} ${message}`);
};
