import { Injectable } from '@nestjs/common';
import { ProjectionRunner } from '#kernel';
import { Problem } from './problem.js';
import type { RequestContext } from './request-context.js';

/** Enough for a projection of the same process to see a write just acknowledged. */
const GRACE_MS = 100;

/** Lets a query pass once its projections have seen the write its `Consistency-Token` names. */
@Injectable()
export class ReadGate {
  constructor(private readonly runner: ProjectionRunner) {}

  /**
   * Waits up to `Prefer: wait` seconds (a moment without it) for `projections`, which the answer is read from, and for all that follow
   * the log: figures of other streams and what the caller sees come from them. One that is parked or being built anew holds up nobody
   * but those who name it.
   * @throws {Problem} 503 `projection-behind`
   */
  async ready(ctx: RequestContext, ...projections: readonly string[]): Promise<void> {
    if (ctx.consistencyToken === undefined) return;
    const waitMs = ctx.waitSeconds === undefined ? GRACE_MS : ctx.waitSeconds * 1000;
    const names = [...projections, ...this.runner.following()];
    if (await this.runner.waitFor(ctx.consistencyToken.position, waitMs, names)) return;
    throw Problem.of('projection-behind', 'The view does not show that write yet: try again, or send Prefer: wait=5.', {
      headers: { 'retry-after': '1' },
    });
  }
}
