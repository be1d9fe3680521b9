import type { RecordedEvent } from '#kernel';

/** How far the relay's wake-ups have come. */
export const WAKE_UPS = '_relay';
/** How far the relay's messages to partners have come. */
export const PARTNERS = '_relay-partners';
export const LEASE = '_lease-relay';

/** The position that a checkpoint stream names last; 0n where it names none. */
export const checkpointOf = (event: RecordedEvent | undefined): bigint =>
  event === undefined ? 0n : BigInt((event.data as { readonly position: string }).position);
