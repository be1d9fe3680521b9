import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientCalls } from './client-calls.js';
import { positionOf, storedStreamOf } from './recorded.js';
import { backwardsRequest } from './requests.js';
import type { StreamNames } from './stream-names.js';

const FIRST_PAGE = 32;
const LARGEST_PAGE = 2_048;

/**
 * Where the newest domain event lies. The server knows only the end of everything, technical streams and other logs included: so the log
 * is read backwards, each time no further than what is known from the time before.
 */
export class LogHead {
  /** The newest domain event, as far as up to `known`. */
  private head = 0n;
  private known = 0n;

  constructor(
    private readonly calls: ClientCalls,
    private readonly names: StreamNames,
    private readonly idleMs: number,
  ) {}

  /** A domain event lies here: nobody needs to look further back for one. */
  seen(position: bigint): void {
    if (position <= this.known) return;
    this.head = position;
    this.known = position;
  }

  /** @throws {CallFailure} */
  async find(): Promise<bigint> {
    let newest: bigint | undefined;
    let before: bigint | undefined;
    for (let page = FIRST_PAGE; ; page = Math.min(page * 4, LARGEST_PAGE)) {
      let count = 0;
      let found: bigint | undefined;
      const take = (message: ReadResp): 'more' | 'enough' => {
        const resolved = message.getEvent();
        const event = resolved?.getEvent() ?? resolved?.getLink();
        if (event === undefined) return 'more';
        count += 1;
        before = positionOf(event);
        newest ??= before;
        if (before <= this.known) found = this.head;
        else if (this.names.ownDomain(storedStreamOf(event)) !== undefined) found = before;
        return found === undefined ? 'more' : 'enough';
      };
      await this.calls.read(backwardsRequest(before, page), take, this.idleMs);
      if (found === undefined && count === page) continue;
      return this.learnt(found ?? this.head, newest ?? 0n);
    }
  }

  private learnt(head: bigint, known: bigint): bigint {
    // Another look may have seen more meanwhile.
    if (known > this.known) {
      this.head = head;
      this.known = known;
    }
    return head > this.head ? head : this.head;
  }
}
