import type { CacheEntry } from '../entries/cache-entry.ts';

/** An entry in memory, with what this process last verified about it. */
export interface MemoryRecord {
  readonly entry: CacheEntry;
  /** End of its stay in memory: the memory tier's own time to live. */
  keptUntilMs: number;
  /** When Redis was last asked and said that this write is the current one. */
  verifiedAtMs: number;
  /** Fresh, verified and its tags unchanged until then, as long as the tags' epoch is `validEpoch`. */
  validUntilMs: number;
  validEpoch: number;
}
