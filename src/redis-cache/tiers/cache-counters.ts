/** Counts since the cache was made. */
export class CacheCounters {
  memoryHits = 0;
  redisHits = 0;
  staleHits = 0;
  sharedHits = 0;
  /** Reads that were answered by a remembered failure. */
  negativeHits = 0;
  misses = 0;
  writes = 0;
  /** Writes that Redis did not take: it was away or full, or another process was first. */
  droppedWrites = 0;
  removals = 0;
  invalidatedTags = 0;
  factoryCalls = 0;
  factoryFailures = 0;
  /** Refreshes that began ahead of the expiry of an entry. */
  aheadRefreshes = 0;
  /** Texts in Redis that this package did not write, or that were too large. */
  rejectedEntries = 0;
  /** Values that could not be encoded or were too large. */
  unstorableValues = 0;
}
