/** Counts since the cache was made. */
export interface CacheCounters {
  memoryHits: number;
  redisHits: number;
  staleHits: number;
  sharedHits: number;
  /** Reads that were answered by a remembered failure. */
  negativeHits: number;
  misses: number;
  writes: number;
  /** Writes that Redis did not take: it was away or full, or another process was first. */
  droppedWrites: number;
  removals: number;
  invalidatedTags: number;
  factoryCalls: number;
  factoryFailures: number;
  /** Texts in Redis that this package did not write, or that were too large. */
  rejectedEntries: number;
  /** Values that could not be encoded or were too large. */
  unstorableValues: number;
}

export const newCounters = (): CacheCounters => ({
  memoryHits: 0,
  redisHits: 0,
  staleHits: 0,
  sharedHits: 0,
  negativeHits: 0,
  misses: 0,
  writes: 0,
  droppedWrites: 0,
  removals: 0,
  invalidatedTags: 0,
  factoryCalls: 0,
  factoryFailures: 0,
  rejectedEntries: 0,
  unstorableValues: 0,
});
