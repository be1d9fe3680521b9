/** The apps that answer routes of the interface, one per context or family of contexts. */
export type ServiceName = 'needs' | 'offers' | 'commitments' | 'matching' | 'audit';

/**
 * Which app answers what (DESIGN): the gateway routes by it, the apps serve by it. A path holds for itself and all that is under it, but
 * for what a longer path says; `:id` stands for one part.
 */
export const ROUTE_TABLE: Readonly<Record<ServiceName, readonly string[]>> = {
  needs: ['/v1/parties', '/v1/designations', '/v1/mandates', '/v1/needs', '/v1/reported', '/v1/documents'],
  offers: ['/v1/offers'],
  commitments: [
    '/v1/commitments',
    '/v1/suggestions/:id/propose',
    '/v1/funds',
    '/v1/contributions',
    '/v1/calls',
    '/v1/totals',
    '/v1/rates',
    '/v1/statements',
    '/v1/advances',
  ],
  matching: [
    '/v1/needs/:id/matches',
    '/v1/offers/:id/matches',
    '/v1/matches',
    '/v1/rulesets',
    '/v1/desk',
    '/v1/gaps',
    '/v1/unused',
    '/v1/allocations',
    '/v1/suggestions',
    '/v1/duplicates',
    '/v1/what-if',
  ],
  audit: [
    '/v1/parties/:id/history',
    '/v1/needs/:id/history',
    '/v1/needs/:id/replay',
    '/v1/needs/:id/reads',
    '/v1/reported/:id/history',
    '/v1/offers/:id/history',
    '/v1/offers/:id/replay',
    '/v1/needs/:id/evidence',
    '/v1/offers/:id/evidence',
    '/v1/commitments/:id/history',
    '/v1/commitments/:id/evidence',
    '/v1/offers/:id/reads',
    '/v1/commitments/:id/reads',
    '/v1/commitments/:id/replay',
    '/v1/funds/:id/history',
    '/v1/contributions/:id/history',
    '/v1/calls/:id/history',
    '/v1/rates/:id/history',
    '/v1/rulesets/:id/history',
    '/v1/duplicates/:id/history',
    '/v1/subjects',
    '/v1/audit',
    '/v1/findings',
    '/v1/samples',
    '/v1/confirmation-requests',
    '/v1/schemas',
    '/log',
  ],
};

export const SERVICES = Object.keys(ROUTE_TABLE) as readonly ServiceName[];

/** Paths that every app answers for itself. */
const OF_EVERY_APP = /^\/(healthz|readyz|metrics|openapi\.json|docs|problems|v1\/admin)(\/|$)/;

/** True for a path that every app answers of itself, such as `/readyz`. */
export const isOfEveryApp = (path: string): boolean => OF_EVERY_APP.test(path);

/** The app that the table names for a path as routes are declared (`/v1/needs/:id`); undefined where it names none. */
export const serviceOf = <Name extends string>(
  table: Readonly<Record<Name, readonly string[]>>,
  path: string,
): Name | undefined => {
  const parts = path.split('/');
  let best: { readonly service: Name; readonly length: number } | undefined;
  for (const [service, patterns] of Object.entries(table) as [Name, readonly string[]][]) {
    for (const pattern of patterns) {
      const wanted = pattern.split('/');
      const holds = wanted.length <= parts.length && wanted.every((part, at) => part === parts[at] || isAny(part));
      if (holds && wanted.length > (best?.length ?? 0)) best = { service, length: wanted.length };
    }
  }
  return best?.service;
};

const isAny = (part: string): boolean => part.startsWith(':');
