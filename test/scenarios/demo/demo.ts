import type { TokenFor } from './client.js';
import { Client, UnexpectedAnswerError } from './client.js';
import { playPortVila } from './port-vila.js';
import type { Story } from './port-vila.js';
import type { Say } from './printing.js';
import { loadPublishedCases } from './published-cases.js';
import type { LoadedCases } from './published-cases.js';

export interface DemoOptions {
  readonly baseUrl: string;
  readonly tokenFor: TokenFor;
  /** Folder of the three case files. */
  readonly cases: string;
  readonly say: Say;
  /** Where the evidence of the Port Vila commitment is written to. */
  readonly evidence: string;
}

export interface DemoResult {
  readonly loaded: LoadedCases;
  readonly story: Story;
}

/**
 * The whole demo against a running, empty service.
 * @throws {UnexpectedAnswerError} where the service answers anything else than it must
 */
export const runDemo = async ({ baseUrl, tokenFor, cases, say, evidence }: DemoOptions): Promise<DemoResult> => {
  const client = new Client(baseUrl, tokenFor);
  const coordinator = { party: 'agency:secretariat', role: 'coordinator' } as const;
  if ((await client.all('/v1/reported', coordinator)).length > 0) {
    throw new UnexpectedAnswerError('this service holds reported records already: the demo wants a fresh one');
  }
  const loaded = await loadPublishedCases(client, cases, say);
  const story = await playPortVila(client, say, evidence);
  return { loaded, story };
};
