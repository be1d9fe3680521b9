import { Injectable } from '@nestjs/common';
import { ProjectionRunner } from '#kernel';
import { Problem } from './problem.js';
import type { RequestContext } from './request-context.js';
import { Cursors } from './signing.js';

/** Enough for a projection of the same process to see a write just acknowledged. */
const GRACE_MS = 100;
/** Who follows `next` has not asked to wait: it was another instance that was further. */
const PAGING_GRACE_MS = 2_000;

/** Lets a query pass once its projections have seen the write its `Consistency-Token` names, and what the page before had seen. */
@Injectable()
export class ReadGate {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly cursors: Cursors,
  ) {}

  /**
   * Waits up to `Prefer: wait` seconds (a moment without it) for `projections`, which the answer is read from, and for all that follow
   * the log: figures of other streams and what the caller sees come from them. One that is parked or being built anew holds up nobody
   * but those who name it.
   * @throws {Problem} 503 `projection-behind` @throws {NewerEventError} where one of them stands at an event of a newer version
   */
  async ready(ctx: RequestContext, ...projections: readonly string[]): Promise<void> {
    const newer = this.runner.stoppedAtNewer(projections);
    if (newer !== undefined) throw newer;
    this.cursors.reads(ctx, projections);
    const place = this.cursors.placeOf(ctx);
    const written = ctx.consistencyToken?.position;
    const position = place === undefined || (written !== undefined && written > place) ? written : place;
    if (position === undefined) return;
    const graceMs = place === undefined ? GRACE_MS : PAGING_GRACE_MS;
    const waitMs = ctx.waitSeconds === undefined ? graceMs : ctx.waitSeconds * 1000;
    if (await this.runner.waitFor(position, waitMs, [...projections, ...this.runner.following()])) return;
    throw Problem.of('projection-behind', 'The view does not show that write yet: try again, or send Prefer: wait=5.', {
      headers: { 'retry-after': '1' },
    });
  }
}
