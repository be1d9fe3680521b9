import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { Faults } from './faults.js';
import { Filter } from './filter.js';
import type { Log, LogRecord } from './log.js';
import { accessDenied, eventMessage, nameOf, streamDeleted, streamNotFound, unavailable, unknown } from './messages.js';
import type { Outgoing } from './outlet.js';
import { madeEvent, Outlet } from './outlet.js';
import type { SubscriptionSource } from './subscription.js';
import { Subscription } from './subscription.js';

const { BACKWARDS } = streamsPb.ReadReq.Options.ReadDirection;

/** Reads and subscriptions of the stand-in: both are one call of the protocol. */
export class Reads {
  private readonly subscriptions = new Set<Subscription>();

  constructor(
    private readonly log: Log,
    private readonly faults: Faults,
    private readonly dropConnections: () => void,
  ) {}

  readonly read = (call: ServerWritableStream<ReadReq, ReadResp>): void => {
    const options = call.request.getOptions();
    const outlet = new Outlet(call, this.faults.counts);
    if (options === undefined) {
      outlet.fail(unknown('Exception was thrown by handler.'));
      return;
    }
    const stream = options.hasStream() ? nameOf(options.getStream()?.getStreamIdentifier()) : '';
    const fault = this.faults.meet(options.hasSubscription() ? 'subscribe' : 'read', stream);
    if (fault?.act === 'refuse' || fault?.act === 'deny') {
      outlet.fail(fault.act === 'deny' ? accessDenied() : unavailable('the stand-in refuses'));
      return;
    }
    if (fault?.act === 'drop-connection') {
      this.dropConnections();
      return;
    }
    if (fault?.act === 'swallow-answer') return;
    const waiting = this.faults.before(fault) ?? this.faults.after(fault);
    if (waiting === undefined) this.begin(options, outlet);
    else void waiting.then(() => !outlet.closed && this.begin(options, outlet));
  };

  /** Every subscription that runs now goes on without a word. */
  muteSubscriptions(): void {
    for (const subscription of this.subscriptions) subscription.mute();
  }

  /** Ends every subscription as too slow. */
  cutSubscriptions(): void {
    for (const subscription of this.subscriptions) subscription.cut();
  }

  private begin(options: ReadReq.Options, outlet: Outlet): void {
    let filter: Filter | undefined;
    try {
      filter = options.hasFilter() ? Filter.of(options.getFilter()!) : undefined;
    } catch {
      outlet.fail(unknown('Exception was thrown by handler.'));
      return;
    }
    if (options.hasSubscription()) this.subscribe(options, outlet, filter);
    else if (options.hasStream()) void this.readStream(options, outlet);
    else void this.readAll(options, outlet, filter);
  }

  private async readStream(options: ReadReq.Options, outlet: Outlet): Promise<void> {
    const from = options.getStream()!;
    const stream = nameOf(from.getStreamIdentifier());
    const count = Number(options.getCount());
    const backwards = options.getReadDirection() === BACKWARDS;
    if (count === 0 || (from.hasEnd() && !backwards)) {
      outlet.fail(unknown('Unexpected ReadStreamResult: Error'));
      return;
    }
    const view = this.log.view(stream);
    if (view.kind === 'tombstoned') {
      outlet.fail(streamDeleted(stream));
      return;
    }
    if (view.kind === 'missing') {
      outlet.write(streamNotFound(stream));
      outlet.end();
      return;
    }
    const start = from.hasEnd() ? Infinity : from.hasStart() ? 0 : Number(from.getRevision());
    const { records } = view;
    const wanted = backwards
      ? records.filter(({ revision }) => revision <= start).reverse()
      : records.slice(Math.max(0, start - (records[0]?.revision ?? 0)));
    await this.send(wanted.slice(0, count), outlet, options.getResolveLinks());
  }

  private async readAll(options: ReadReq.Options, outlet: Outlet, filter: Filter | undefined): Promise<void> {
    const from = options.getAll()!;
    const count = Number(options.getCount());
    // As the server does: it never ends.
    if (count === 0) return;
    const position = from.hasStart() ? 0 : from.hasEnd() ? Infinity : Number(from.getPosition()?.getCommitPosition());
    if (position !== Infinity && !this.log.isBoundary(position)) {
      outlet.fail(unknown('Unexpected ReadAllResult: Error'));
      return;
    }
    const { all } = this.log;
    const index = this.log.indexFrom(position);
    // What comes in while this is read is not part of it.
    const end = all.length;
    let sent = 0;
    const backwards = options.getReadDirection() === BACKWARDS;
    for (let at = backwards ? index - 1 : index; at >= 0 && at < end && sent < count; at += backwards ? -1 : 1) {
      const record = all[at]!;
      if (filter?.matches(record) === false) continue;
      sent += 1;
      outlet.write(this.told(record, options.getResolveLinks()));
      if (outlet.full) await outlet.drained();
      if (outlet.closed) return;
    }
    await this.faults.frozen;
    outlet.end();
  }

  private async send(records: readonly LogRecord[], outlet: Outlet, resolveLinks: boolean): Promise<void> {
    for (const record of records) {
      outlet.write(this.told(record, resolveLinks));
      if (outlet.full) await outlet.drained();
      if (outlet.closed) return;
    }
    outlet.end();
  }

  private subscribe(options: ReadReq.Options, outlet: Outlet, filter: Filter | undefined): void {
    const source = options.hasStream() ? this.ofStream(options, outlet) : this.ofAll(options, outlet);
    if (source === undefined) return;
    const subscription = new Subscription(this.log, outlet, source, filter);
    this.subscriptions.add(subscription);
    outlet.onClose(() => this.subscriptions.delete(subscription));
    void subscription.run();
  }

  private ofStream(options: ReadReq.Options, outlet: Outlet): SubscriptionSource | undefined {
    const from = options.getStream()!;
    const stream = nameOf(from.getStreamIdentifier());
    const first = this.log.view(stream);
    if (first.kind === 'tombstoned') {
      outlet.fail(streamDeleted(stream));
      return undefined;
    }
    const newest = first.kind === 'there' ? (first.records.at(-1)?.revision ?? -1) : -1;
    const start = from.hasEnd() ? newest : from.hasStart() ? -1 : Number(from.getRevision());
    let after = start;
    return {
      stream,
      past: () => {
        const view = this.log.view(stream);
        const records = view.kind === 'there' ? view.records.filter(({ revision }) => revision > after) : [];
        after = records.at(-1)?.revision ?? after;
        return records;
      },
      concerns: (record) => record.stream === stream && record.revision > start,
      told: (record) => this.told(record, options.getResolveLinks()),
    };
  }

  private ofAll(options: ReadReq.Options, outlet: Outlet): SubscriptionSource | undefined {
    const from = options.getAll()!;
    const position = from.hasStart() ? -1 : from.hasEnd() ? Infinity : Number(from.getPosition()?.getCommitPosition());
    if (position > 0 && position !== Infinity && !this.log.isBoundary(position)) {
      outlet.fail(unknown('Unexpected ReadAllResult: Error'));
      return undefined;
    }
    const { all } = this.log;
    let next = position === 0 ? 0 : this.log.indexFrom(position + 1);
    return {
      stream: undefined,
      past: () => {
        const records = all.slice(next, next + 1_000);
        next += records.length;
        return records;
      },
      concerns: () => true,
      told: (record) => this.told(record, options.getResolveLinks()),
    };
  }

  private told(record: LogRecord, resolveLinks: boolean): Outgoing {
    if (!resolveLinks || record.type !== '$>') return madeEvent(record);
    const text = record.data.toString();
    const at = text.indexOf('@');
    const view = this.log.view(text.slice(at + 1));
    const revision = Number(text.slice(0, at));
    if (at <= 0 || Number.isNaN(revision)) return madeEvent(record);
    const target = view.kind === 'there' ? view.records.find((other) => other.revision === revision) : undefined;
    return eventMessage(record, { target });
  }
}
