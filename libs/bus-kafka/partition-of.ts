const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** 32-bit murmur2 of UTF-8 text, as Kafka's own clients compute it. */
const murmur2 = (text: string): number => {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  const whole = length & ~3;
  let h = SEED ^ length;
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(bytes.readInt32LE(at), M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  for (let at = length - 1; at >= whole; at -= 1) h ^= (bytes[at] ?? 0) << (8 * (at - whole));
  if (whole < length) h = Math.imul(h, M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
};

/** The partition, of `count`, in which every message with this key stands: the one that Kafka's Java clients choose too. */
export const partitionOf = (key: string, count: number): number => (murmur2(key) & 0x7fffffff) % count;
