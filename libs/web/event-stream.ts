/** Media type of a stream of events (HTML Living Standard, server-sent events). */
export const EVENT_STREAM = 'text/event-stream';

/** Where a client that lost its stream goes on, as it says itself. */
export const LAST_EVENT_ID = 'last-event-id';

/** One event of a stream; without `data` it only says where to go on from. JSON holds no line ends, so that it is one line. */
export const streamedEvent = (event: string, { id, data }: { readonly id?: string; readonly data?: object }): string =>
  [
    ...(data === undefined ? [] : [`event: ${event}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(data === undefined ? [] : [`data: ${JSON.stringify(data)}`]),
    '\n',
  ].join('\n');
