import { firstInstant, lastInstant } from '#vocabulary';
import { WEB_PROBLEMS } from './web.problems.js';

/** What is known about a problem code wherever it occurs. */
export interface ProblemInfo {
  readonly status: number;
  readonly title: string;
}

/** One thing wrong with a request: where (`lines[0].quantity.amount`, a header's or parameter's name, '' for the body itself) and how to put it right. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

const registry = new Map<string, ProblemInfo>(Object.entries<ProblemInfo>(WEB_PROBLEMS));

/**
 * Adds a context's table of refusals to the one table that answers, documents and serves problems.
 * @throws where a code is known already with another status: one code has one meaning everywhere
 */
export const registerProblems = <Table extends Readonly<Record<string, ProblemInfo>>>(table: Table): Table => {
  for (const [code, info] of Object.entries(table)) {
    const known = registry.get(code);
    if (known !== undefined && known.status !== info.status) {
      throw new Error(`problem ${code} is registered with status ${known.status} and ${info.status}`);
    }
    registry.set(code, known ?? info);
  }
  return table;
};

/** Every code known, with its status and title. */
export const knownProblems = (): ReadonlyMap<string, ProblemInfo> => registry;

/** Status and title of a code; a refusal by a rule nobody described is still a 409. */
export const problemInfo = (code: string): ProblemInfo => registry.get(code) ?? { status: 409, title: titleFrom(code) };

const titleFrom = (code: string): string => {
  const words = code.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Ends a request with a problem document (RFC 9457). `code` is a key of the problem table. It has no stack: it is an answer, not a fault. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    { errors, headers = {} }: ProblemExtras = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail);
    Error.stackTraceLimit = stackTraceLimit;
    this.errors = errors;
    this.headers = headers;
  }

  /** A problem with the status its code has in the table. */
  static of(code: string, detail: string, extras: ProblemExtras = {}): Problem {
    return new Problem(problemInfo(code).status, code, detail, extras);
  }
}

/** 404: absent, an impossible id, or hidden from this caller: alike. */
export const notFound = (): Problem => Problem.of('not-found', 'There is no such record, or you may not see it.');

/** 403: visible, but not this caller's to do. */
export const forbidden = (detail: string): Problem => Problem.of('forbidden', detail);

/** 400: everything that body, query and headers alone show to be wrong. */
export const invalid = (errors: readonly FieldError[]): Problem =>
  Problem.of('invalid-request', summaryOf(errors), { errors });

/**
 * Dates or times of which each may be known to the month, say: a period that begins after its last instant runs backwards.
 * @param field the period's end, as faults name it @throws {Problem} 400
 */
export const requireForward = (
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  field = 'to',
): void => {
  if (from !== undefined && to !== undefined && firstInstant(from) > lastInstant(to))
    throw invalid([{ field, message: `must not be before from (${from})` }]);
};

const summaryOf = (errors: readonly FieldError[]): string => {
  const [first, ...others] = errors;
  if (first === undefined) return 'The request is not valid.';
  const sentence = first.field === '' ? `The request ${first.message}` : `${first.field}: ${first.message}`;
  return others.length === 0 ? sentence : `${sentence} (and ${others.length} more in errors)`;
};
