import type { IncomingHttpHeaders } from 'node:http';
import { isFuture, readMoment } from '#vocabulary';
import { LAST_EVENT_ID } from './event-stream.js';
import type { FieldError } from './problem.js';
import type { RequestContext } from './request-context.js';
import type { ConsistencyTokens } from './signing.js';

const MAX_WAIT_S = 30;
const PURPOSE = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;
const KEY = /^[\x21-\x7e]{1,255}$/;
const ONE_STRONG_REVISION = /^"(0|[1-9][0-9]*)"$/;

type FromHeaders = Pick<
  RequestContext,
  | 'idempotencyKey'
  | 'ifMatch'
  | 'effectiveAt'
  | 'waitSeconds'
  | 'consistencyToken'
  | 'accept'
  | 'lastEventId'
  | 'purpose'
>;

/** Reads the headers that API.md gives a meaning; what is wrong with them is added to `errors`. */
export const readHeaders = (
  headers: IncomingHttpHeaders,
  isPost: boolean,
  now: Date,
  tokens: ConsistencyTokens,
  errors: FieldError[],
): FromHeaders => ({
  ...(isPost ? readPostHeaders(headers, now, errors) : {}),
  ...waitOf(headers.prefer),
  ...tokenOf(headers['consistency-token'], tokens, errors),
  ...(headers.accept === undefined ? {} : { accept: headers.accept }),
  ...lastEventIdOf(headers[LAST_EVENT_ID]),
  ...purposeOf(headers['purpose-of-use'], errors),
});

const readPostHeaders = (headers: IncomingHttpHeaders, now: Date, errors: FieldError[]): Partial<FromHeaders> => {
  const { 'idempotency-key': key, 'if-match': match, 'effective-at': effectiveAt } = headers;
  const read: { -readonly [Name in keyof FromHeaders]: FromHeaders[Name] } = {};
  if (key !== undefined) {
    if (typeof key === 'string' && KEY.test(key)) read.idempotencyKey = key;
    else errors.push({ field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' });
  }
  if (match !== undefined) {
    const revision = ONE_STRONG_REVISION.exec(match)?.[1];
    if (revision === undefined)
      errors.push({ field: 'If-Match', message: 'must be one strong quoted revision such as "3"' });
    // Beyond safe integers it loses its last digits and stays what it is: later than every revision.
    else read.ifMatch = Number(revision);
  }
  if (effectiveAt !== undefined) {
    const moment = readMoment(effectiveAt);
    if (moment === undefined) {
      errors.push({
        field: 'Effective-At',
        message: 'must be an existing moment: YYYY, YYYY-MM, YYYY-MM-DD or a full time such as 2026-11-22T10:00:00Z',
      });
    } else if (isFuture(moment.text, now)) {
      errors.push({ field: 'Effective-At', message: 'must not be in the future' });
    } else read.effectiveAt = moment.text;
  }
  return read;
};

// RFC 7240: a preference that is not understood is ignored.
const waitOf = (prefer: string | string[] | undefined): Partial<FromHeaders> => {
  const text = Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '');
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?=$|[,;])/i.exec(text)?.[1];
  return seconds === undefined ? {} : { waitSeconds: Math.min(Number(seconds), MAX_WAIT_S) };
};

const lastEventIdOf = (id: string | string[] | undefined): Partial<FromHeaders> =>
  typeof id === 'string' && id !== '' ? { lastEventId: id } : {};

const purposeOf = (purpose: string | string[] | undefined, errors: FieldError[]): Partial<FromHeaders> => {
  if (purpose === undefined) return {};
  if (typeof purpose === 'string' && PURPOSE.test(purpose)) return { purpose };
  errors.push({
    field: 'Purpose-Of-Use',
    message: 'must be 1 to 200 visible ASCII characters and spaces, and name no person',
  });
  return {};
};

const tokenOf = (
  token: string | string[] | undefined,
  tokens: ConsistencyTokens,
  errors: FieldError[],
): Partial<FromHeaders> => {
  if (token === undefined) return {};
  const read = typeof token === 'string' ? tokens.decode(token) : undefined;
  if (read !== undefined) return { consistencyToken: read };
  errors.push({
    field: 'Consistency-Token',
    message: 'is not a token of this log: send one exactly as a write answered it',
  });
  return {};
};
