import { recordedEvent } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import { LocalDelivery } from './local-delivery.js';

const event = recordedEvent('counter-1', 0, { type: 'Raised', data: { by: 1 } });

describe('local delivery', () => {
  it.each([0, -1, 1.5, Number.NaN])('refuses batches of %d events', (size) => {
    const delivery = new LocalDelivery(() => [], 0n);
    expect(() => delivery.subscribe(0n, async () => undefined, size)).toThrow(RangeError);
  });

  it('ends with an error where the log has fewer events than it says, rather than spin', async () => {
    const delivery = new LocalDelivery((after) => (after === 0n ? [event] : []), 2n);
    const seen: bigint[] = [];
    const subscription = delivery.subscribe(
      0n,
      async (batch) => void seen.push(...batch.map(({ position }) => position)),
    );
    await expect(subscription.done).rejects.toThrow('the log ends before its head 2');
    expect(seen).toEqual([1n]);
    await subscription.stop();
  });
});
