/** Problems that any route may answer; contexts add their refusals with `registerProblems`. */
export const WEB_PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'The token is missing or not valid' },
  forbidden: { status: 403, title: 'Not yours to do' },
  'party-not-registered': { status: 403, title: 'The party is not registered' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'The address has no such method' },
  'stale-revision': { status: 412, title: 'The record has changed' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is of a media type that is not read here' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  'if-match-required': { status: 428, title: 'If-Match is required' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'header-fields-too-large': { status: 431, title: 'The header fields are too large' },
  'internal-error': { status: 500, title: 'Something broke on our side' },
  'projection-behind': { status: 503, title: 'The view is not there yet' },
  'store-unavailable': { status: 503, title: 'The log or the key store cannot be written or read' },
  'log-rolled-back': { status: 503, title: 'The log is not what was signed: nothing is written' },
  'identity-provider-unavailable': { status: 503, title: 'Tokens cannot be checked now' },
  'shutting-down': { status: 503, title: 'The server is stopping' },
} as const;

export type WebProblemCode = keyof typeof WEB_PROBLEMS;
