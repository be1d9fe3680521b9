import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#kernel';
import { canonicalJson, LogLineage, ProjectionRunner } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { KeyRing } from './key-ring.js';
import { invalid } from './problem.js';
import type { RequestContext } from './request-context.js';

const MAC_BYTES = 16;

/** Signs and recognises the opaque texts that clients carry for us. */
export class Seals {
  /** @param ring of hexadecimal keys, at least 32 random bytes each, kept with the data */
  constructor(
    private readonly ring: KeyRing,
    private readonly clock: Clock,
  ) {}

  seal(purpose: string, payload: string): string {
    return `${Buffer.from(payload).toString('base64url')}.${macOf(this.ring.current, purpose, payload).toString('base64url')}`;
  }

  /** The payload, or undefined where the text is not ours or was sealed for another purpose. */
  open(purpose: string, sealed: string): string | undefined {
    const match = /^([A-Za-z0-9_-]{1,8000})\.([A-Za-z0-9_-]{22})$/.exec(sealed);
    if (match === null) return undefined;
    const [, body = '', mac = ''] = match;
    const payload = Buffer.from(body, 'base64url').toString();
    const given = Buffer.from(mac, 'base64url');
    // Several texts decode to the same bytes: only the one we wrote is ours.
    const written = Buffer.from(payload).toString('base64url') === body && given.toString('base64url') === mac;
    if (!written || given.length !== MAC_BYTES) return undefined;
    const keys = [this.ring.current, ...this.ring.older(this.clock.now())];
    return keys.some((key) => timingSafeEqual(given, macOf(key, purpose, payload))) ? payload : undefined;
  }
}

const macOf = (key: string, purpose: string, payload: string): Buffer =>
  createHmac('sha256', Buffer.from(key, 'hex'))
    .update(purpose)
    .update('\n')
    .update(payload)
    .digest()
    .subarray(0, MAC_BYTES);

/** What a cursor may carry: the keyset of the last item shown. */
export type CursorValue = string | number;

/** A cursor is `<position>.<sealed values>`; one of before positions were carried has none. */
const PLACED = /^([0-9]{1,19})\.(.+)$/s;

/**
 * Cursors that work for the caller and the filter they were made for, and for nothing else. Each carries the position of the log that its
 * page was read at, so that the next page, which another instance may answer, is read from there on at least.
 */
@Injectable()
export class Cursors {
  private readonly readFrom = new WeakMap<RequestContext, readonly string[]>();

  constructor(
    private readonly seals: Seals,
    private readonly runner: ProjectionRunner,
  ) {}

  /** Notes which read models the page of this request is read from. */
  reads(ctx: RequestContext, projections: readonly string[]): void {
    this.readFrom.set(ctx, [...(this.readFrom.get(ctx) ?? []), ...projections]);
  }

  /** The position that the request's cursor says it was made at; not proved before it is decoded. Undefined without one. */
  placeOf({ query: { cursor, after } }: RequestContext): bigint | undefined {
    const place = PLACED.exec(cursor ?? after ?? '')?.[1];
    return place === undefined ? undefined : BigInt(place);
  }

  /** @param filter every parameter that shapes the list; `limit` and `cursor` are left out of it here */
  encode(ctx: RequestContext, filter: object, values: readonly CursorValue[]): string {
    const place = this.placeNow(ctx);
    const sealed = this.seals.seal(this.purpose(ctx, filter, place), JSON.stringify(values));
    return place === undefined ? sealed : `${place}.${sealed}`;
  }

  /** @param field the parameter that it came in, and that a refusal names @throws {Problem} 400 */
  decode(
    ctx: RequestContext,
    filter: object,
    cursor: string,
    field: 'cursor' | 'after' = 'cursor',
  ): readonly CursorValue[] {
    const placed = PLACED.exec(cursor);
    const payload = this.seals.open(this.purpose(ctx, filter, placed?.[1]), placed?.[2] ?? cursor);
    if (payload === undefined) {
      throw invalid([{ field, message: 'is not a cursor of this list for this caller: start from the first page' }]);
    }
    return JSON.parse(payload) as readonly CursorValue[];
  }

  /**
   * A page of rows that were read one beyond it, and the cursor of what follows; null where nothing does.
   * @param keyset what a row is found by again, which `decode` gives back
   */
  page<R>(
    ctx: RequestContext,
    filter: object,
    rows: readonly R[],
    limit: number,
    keyset: (row: R) => readonly CursorValue[],
  ): { readonly page: readonly R[]; readonly next: string | null } {
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined ? this.encode(ctx, filter, keyset(last)) : null;
    return { page, next };
  }

  /** How far the read models behind this request's page have come; undefined where it is read from none. */
  private placeNow(ctx: RequestContext): string | undefined {
    const names = this.readFrom.get(ctx);
    if (names === undefined) return undefined;
    const positions = this.runner.statuses().flatMap(({ name, position }) => (names.includes(name) ? [position] : []));
    return String(positions.reduce((most, position) => (position > most ? position : most), 0n));
  }

  private purpose({ caller, path }: RequestContext, filter: object, place: string | undefined): string {
    const shaping = Object.entries(filter).filter(
      ([name, value]) => name !== 'limit' && name !== 'cursor' && value !== undefined,
    );
    const viewer = [caller.party, [...caller.roles].sort(), [...caller.powers].sort()];
    return `cursor ${canonicalJson([path, viewer, Object.fromEntries(shaping), ...(place === undefined ? [] : [place])])}`;
  }
}

/** Opaque names of a place in this log. */
@Injectable()
export class ConsistencyTokens {
  constructor(
    private readonly seals: Seals,
    private readonly lineage: LogLineage,
  ) {}

  encode(position: bigint): string {
    return this.seals.seal('consistency', `${this.lineage.id}:${position}`);
  }

  /** Undefined where the token is not one of ours, of another log, or from before a fork of this one: it may name what was lost. */
  decode(token: string): { readonly position: bigint } | undefined {
    const payload = this.seals.open('consistency', token) ?? '';
    const at = payload.lastIndexOf(':');
    if (payload.slice(0, at) !== this.lineage.id) return undefined;
    return { position: BigInt(payload.slice(at + 1)) };
  }
}
