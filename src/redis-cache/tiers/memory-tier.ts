import { LRUCache } from 'lru-cache';
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

export interface MemoryTierOptions {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** The tier in this process: least recently used goes first, bounded by entries and by estimated bytes. */
export class MemoryTier {
  readonly #records: LRUCache<string, MemoryRecord>;
  #evictions = 0;

  constructor({ maxBytes, maxEntries }: MemoryTierOptions) {
    this.#records = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      maxEntrySize: maxBytes,
      dispose: (_record, _key, reason) => {
        if (reason === 'evict') this.#evictions += 1;
      },
    });
  }

  get(key: string): MemoryRecord | undefined {
    return this.#records.get(key);
  }

  set(key: string, record: MemoryRecord): void {
    this.#records.set(key, record, { size: record.entry.bytes + key.length * 2 });
  }

  delete(key: string): boolean {
    return this.#records.delete(key);
  }

  clear(): void {
    this.#records.clear();
  }

  /** Removes every entry that `matches`; walks them all. */
  purge(matches: (entry: CacheEntry) => boolean): void {
    for (const [key, record] of this.#records.entries()) if (matches(record.entry)) this.#records.delete(key);
  }

  get entries(): number {
    return this.#records.size;
  }

  get bytes(): number {
    return this.#records.calculatedSize;
  }

  get evictions(): number {
    return this.#evictions;
  }
}
