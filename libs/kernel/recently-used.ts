import { LRUCache } from 'lru-cache';

/** What was used last, so many entries of it. Takes room as it fills: reserved at once, 50,000 places took every start 10 ms. */
export const recentlyUsed = <Key extends object | string, Value extends object | string>(
  entries: number,
): LRUCache<Key, Value> => new LRUCache({ maxSize: entries, sizeCalculation: () => 1 });
