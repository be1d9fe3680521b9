import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#kernel';
import { canonicalJson, EventStore } from '#kernel';
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

/** Cursors that work for the caller and the filter they were made for, and for nothing else. */
@Injectable()
export class Cursors {
  constructor(private readonly seals: Seals) {}

  /** @param filter every parameter that shapes the list; `limit` and `cursor` are left out of it here */
  encode(ctx: RequestContext, filter: object, values: readonly CursorValue[]): string {
    return this.seals.seal(this.purpose(ctx, filter), JSON.stringify(values));
  }

  /** @throws {Problem} 400 naming `cursor` */
  decode(ctx: RequestContext, filter: object, cursor: string): readonly CursorValue[] {
    const payload = this.seals.open(this.purpose(ctx, filter), cursor);
    if (payload === undefined) {
      throw invalid([
        { field: 'cursor', message: 'is not a cursor of this list for this caller: start from the first page' },
      ]);
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

  private purpose({ caller, path }: RequestContext, filter: object): string {
    const shaping = Object.entries(filter).filter(
      ([name, value]) => name !== 'limit' && name !== 'cursor' && value !== undefined,
    );
    const viewer = [caller.party, [...caller.roles].sort(), [...caller.powers].sort()];
    return `cursor ${canonicalJson([path, viewer, Object.fromEntries(shaping)])}`;
  }
}

/** Opaque names of a place in this log. */
@Injectable()
export class ConsistencyTokens {
  constructor(
    private readonly seals: Seals,
    private readonly store: EventStore,
  ) {}

  encode(position: bigint): string {
    return this.seals.seal('consistency', `${this.store.storeId}:${position}`);
  }

  /** Undefined where the token is not one of ours, or of another log. */
  decode(token: string): { readonly storeId: string; readonly position: bigint } | undefined {
    const payload = this.seals.open('consistency', token) ?? '';
    const at = payload.lastIndexOf(':');
    if (payload.slice(0, at) !== this.store.storeId) return undefined;
    return { storeId: this.store.storeId, position: BigInt(payload.slice(at + 1)) };
  }
}
