import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { Counts } from './faults.js';
import type { LogRecord } from './log.js';
import type { Failure } from './messages.js';
import { eventMessage } from './messages.js';

/** A message, or the bytes of one that was made before: a record is put into a message once, however often it is read. */
export type Outgoing = ReadResp | Buffer;

const made = new WeakMap<LogRecord, Buffer>();

/** The message of an event that is no resolved link. */
export const madeEvent = (record: LogRecord): Buffer => {
  const known = made.get(record);
  if (known !== undefined) return known;
  const bytes = Buffer.from(eventMessage(record).serializeBinary());
  made.set(record, bytes);
  return bytes;
};

/** How responses of a read become bytes. */
export const bytesOf = (message: Outgoing): Buffer =>
  Buffer.isBuffer(message) ? message : Buffer.from(message.serializeBinary());

/** A server-streaming call to write to. */
export class Outlet {
  private readonly call: ServerWritableStream<ReadReq, Outgoing>;
  private readonly ends: (() => void)[] = [];
  private over = false;

  constructor(
    call: ServerWritableStream<ReadReq, ReadResp>,
    private readonly counts: Counts,
  ) {
    this.call = call;
    this.call.on('cancelled', () => {
      this.close();
    });
  }

  /** True once the client has cancelled, or the call was ended from here. */
  get closed(): boolean {
    return this.over;
  }

  /** True while the client does not keep up. */
  get full(): boolean {
    return this.call.writableNeedDrain;
  }

  /** Called once when the call is over, whichever side ended it. */
  onClose(listener: () => void): void {
    if (this.over) listener();
    else this.ends.push(listener);
  }

  write(message: Outgoing): void {
    if (this.over) return;
    if (Buffer.isBuffer(message) || message.hasEvent()) this.counts.sent += 1;
    this.call.write(message);
  }

  /** Resolves once the client keeps up again, or the call is over. */
  drained(): Promise<void> {
    if (this.over || !this.full) return Promise.resolve();
    return new Promise((resolve) => {
      this.call.once('drain', resolve);
      this.onClose(resolve);
    });
  }

  end(): void {
    if (this.over) return;
    this.close();
    this.call.end();
  }

  fail(failure: Failure): void {
    if (this.over) return;
    this.close();
    this.call.emit('error', failure);
  }

  private close(): void {
    this.over = true;
    for (const listener of this.ends.splice(0)) listener();
  }
}
