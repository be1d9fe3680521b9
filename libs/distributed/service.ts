import type { Host, HostOptions, Opened } from '#hosting';
import { host } from '#hosting';
import { ROUTE_SUMMARIES, shareOf } from '#services';

export interface ServiceOptions extends Omit<HostOptions, 'share' | 'rate' | 'summaries'> {
  /** A service of the table. */
  readonly service: string;
  /** Which service answers which paths. */
  readonly table: Readonly<Record<string, readonly string[]>>;
}

/**
 * One service of many behind a gateway: its routes, the work of its contexts, and the read models that they ask for. The gateway limits
 * requests: a caller has one limit, however many services answer it.
 */
export const createService = (options: ServiceOptions, opened: Opened): Promise<Host> => {
  const { service, table, contexts } = options;
  return host(
    { ...options, share: shareOf(service, table, contexts), rate: 'off', summaries: ROUTE_SUMMARIES },
    opened,
  );
};
