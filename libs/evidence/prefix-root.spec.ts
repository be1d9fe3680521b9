import { describe, expect, it } from '@jest/globals';
import { leafHash } from '#tlog';
import { EvidenceLog, frozenEvents, leavesOf } from './bundle.fixture.js';
import { prefixRoot } from './prefix-root.js';

describe('the root of a log at an earlier size', () => {
  it('follows from the proof of the event at its end, and from that of the one behind it', () => {
    const log = new EvidenceLog(leavesOf(frozenEvents().slice(0, 70)));
    for (let size = 1; size <= 70; size += 1)
      for (let index = 0; index < size; index += 1) {
        const proof = log.inclusion(index, size);
        expect(prefixRoot(proof, index, size, leafHash(log.entries[index]!))).toEqual(log.rootAt(index + 1));
        if (index > 0) expect(prefixRoot(proof, index, size, undefined)).toEqual(log.rootAt(index));
        else expect(prefixRoot(proof, index, size, undefined)).toBeUndefined();
      }
  });
});
