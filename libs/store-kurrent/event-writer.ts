import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendReceipt, ExpectedRevision, SerialisedEvent } from '#kernel';
import { InvalidAppendError, NO_STREAM, pause, StoreUnavailableError, WrongRevisionError } from '#kernel';
import type { FailureKind } from './failures.js';
import { CallFailure, unavailable } from './failures.js';
import type { KurrentConnection } from './kurrent-connection.js';
import { idOf, positionOf } from './recorded.js';
import { newestRequest, streamRequest } from './requests.js';

interface Append {
  readonly stream: string;
  /** The stream's name on the server. */
  readonly stored: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly SerialisedEvent[];
}

/** What stands in the stream behind the expected revision. */
type Standing =
  | { readonly kind: 'ours'; readonly position: bigint }
  | { readonly kind: 'another'; readonly newest: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unreadable' };

/**
 * How long the stream must be seen without the events before they are sent again, in milliseconds: identical appends that race in the
 * server time out. A call without an answer may still run as long as the server itself waits, which is two seconds.
 */
const QUIET_MS: Partial<Record<FailureKind, number>> = { mute: 2_500, 'timed-out': 500, broken: 250, unsent: 0 };
const FIRST_LOOK_MS = 25;
const LOOK_EVERY_MS = 500;

/** Appends whose end is known: what a call leaves open is found out by reading the stream. */
export class EventWriter {
  /** @param settleMs how long to try to find out what became of an append; then a repeat with the same ids has to */
  constructor(
    private readonly connection: KurrentConnection,
    private readonly settleMs: number,
    private readonly closing: AbortSignal,
  ) {}

  /** @throws {WrongRevisionError} @throws {InvalidAppendError} @throws {StoreUnavailableError} */
  async append(
    stream: string,
    stored: string,
    expected: ExpectedRevision,
    events: readonly SerialisedEvent[],
  ): Promise<AppendReceipt> {
    const append: Append = { stream, stored, expected, events };
    let end = Infinity;
    for (;;) {
      const answer = await this.connection.appends.append(stored, expected, events);
      switch (answer.kind) {
        case 'written':
          return { revision: answer.revision, position: answer.position };
        case 'wrong-version':
          throw new WrongRevisionError(stream, expected, answer.actual);
        case 'too-large':
          throw new InvalidAppendError(`an append to ${stream} is larger than the server's limit of ${answer.limit}`);
        case 'failed':
          break;
      }
      const { failure } = answer;
      const neverSent = failure.kind === 'unsent' && end === Infinity;
      if (neverSent || QUIET_MS[failure.kind] === undefined)
        throw unavailable(`an append to ${stream} failed`, failure);
      end = Math.min(end, performance.now() + this.settleMs);
      const receipt = await this.settled(append, failure, end);
      if (receipt !== undefined) return receipt;
    }
  }

  /** The receipt of an append whose answer is missing; undefined where it may be sent again. */
  private async settled(append: Append, failure: CallFailure, end: number): Promise<AppendReceipt | undefined> {
    const quiet = performance.now() + (QUIET_MS[failure.kind] ?? 0);
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, LOOK_EVERY_MS)) {
      const found = await this.look(append);
      if (found.kind === 'ours') {
        return { revision: append.expected + append.events.length, position: found.position };
      }
      if (found.kind === 'another') throw new WrongRevisionError(append.stream, append.expected, found.newest);
      const now = performance.now();
      if (found.kind === 'nothing' && now >= quiet) return undefined;
      if (now >= end || this.closing.aborted) {
        throw new StoreUnavailableError(
          `it is unknown whether an append to ${append.stream} was stored: a repeat with the same ids is safe`,
          { cause: failure },
        );
      }
      await pause(wait, this.closing);
    }
  }

  private async look({ stream, stored, expected, events }: Append): Promise<Standing> {
    const { calls, patience } = this.connection;
    const found: ReadResp.ReadEvent.RecordedEvent[] = [];
    const take = (message: ReadResp): 'more' => {
      const event = message.getEvent()?.getEvent();
      if (event !== undefined) found.push(event);
      return 'more';
    };
    try {
      await calls.read(streamRequest(stored, expected + 1, events.length), take, patience.readMs);
      const last = found.at(-1);
      if (last === undefined) return { kind: 'nothing' };
      const ids = found.map(idOf);
      if (events.every(({ id }, index) => ids[index] === id)) return { kind: 'ours', position: positionOf(last) };
      found.length = 0;
      await calls.read(newestRequest(stored), take, patience.readMs);
      return { kind: 'another', newest: Number(found[0]?.getStreamRevision() ?? NO_STREAM) };
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      if (QUIET_MS[error.kind] === undefined) throw unavailable(`the stream ${stream} cannot be read`, error);
      return { kind: 'unreadable' };
    }
  }
}
