import { recentlyUsed } from '#kernel';

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** A token bucket per caller: `perSecond` requests a second, as many in one burst. */
export class RateLimit {
  private readonly buckets = recentlyUsed<string, Bucket>(50_000);

  /** @param now milliseconds that never go back */
  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes one request from the caller's bucket: 0 where it passes, else the seconds to wait. */
  take(caller: string): number {
    const now = this.now();
    const bucket = this.buckets.get(caller) ?? { tokens: this.perSecond, filledAtMs: now };
    bucket.tokens = Math.min(this.perSecond, bucket.tokens + ((now - bucket.filledAtMs) / 1000) * this.perSecond);
    bucket.filledAtMs = now;
    this.buckets.set(caller, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.perSecond));
    bucket.tokens -= 1;
    return 0;
  }
}
