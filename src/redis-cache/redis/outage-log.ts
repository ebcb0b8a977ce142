import { EVERY_ENTRY } from './redis-names.ts';

/** A part of the log to replay, with sequence numbers; pass it to `settle` once Redis has it. */
export interface PendingRemovals {
  readonly keys: ReadonlyMap<string, number>;
  readonly tags: ReadonlyMap<string, number>;
}

const BATCH = 500;

/**
 * Removals that Redis has not confirmed. While a key or tag is listed here, Redis is not trusted about it. Above
 * `limit`, all of them become one invalidation of every entry.
 */
export class OutageLog {
  /** How often the list grew too long, so that one `clear()` replaced it. */
  overflows = 0;
  readonly #keys = new Map<string, number>();
  readonly #tags = new Map<string, number>();
  /** Keys whose last write Redis could not take, so that its entries are older. Forgotten above the limit. */
  readonly #overwritten = new Map<string, number>();
  readonly #limit: number;
  #sequence = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#keys.size + this.#tags.size + this.#overwritten.size;
  }

  addKeys(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#overwritten.delete(key);
      this.#keys.set(key, this.#next());
    }
    this.#bound();
  }

  addTags(tags: Iterable<string>): void {
    for (const tag of tags) this.#tags.set(tag, this.#next());
    this.#bound();
  }

  addOverwritten(keys: Iterable<string>): void {
    for (const key of keys) if (this.#overwritten.size < this.#limit) this.#overwritten.set(key, this.#next());
  }

  /** Whether Redis must not be trusted about this key. */
  distrusts(key: string): boolean {
    if (this.size === 0) return false;
    return this.#keys.has(key) || this.#overwritten.has(key) || this.#tags.has(EVERY_ENTRY);
  }

  /** Whether Redis must not be trusted about this tag. */
  distrustsTag(tag: string): boolean {
    return this.#tags.has(tag);
  }

  /** Whether any tag of an entry is distrusted. */
  distrustsStamps(stamps: Readonly<Record<string, string>>): boolean {
    if (this.#tags.size === 0) return false;
    return Object.keys(stamps).some((tag) => this.#tags.has(tag));
  }

  next(): PendingRemovals {
    const keys = this.#keys.size > 0 ? this.#keys : this.#overwritten;
    return { keys: firstOf(keys), tags: firstOf(this.#tags) };
  }

  /** Removes the replayed part, except names that were added again since. */
  settle({ keys, tags }: PendingRemovals): void {
    for (const [key, sequence] of keys) {
      if (this.#keys.get(key) === sequence) this.#keys.delete(key);
      if (this.#overwritten.get(key) === sequence) this.#overwritten.delete(key);
    }
    for (const [tag, sequence] of tags) if (this.#tags.get(tag) === sequence) this.#tags.delete(tag);
  }

  #next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #bound(): void {
    if (this.#keys.size + this.#tags.size <= this.#limit) return;
    this.#keys.clear();
    this.#overwritten.clear();
    this.#tags.clear();
    this.#tags.set(EVERY_ENTRY, this.#next());
    this.overflows += 1;
  }
}

function firstOf(pending: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const [name, sequence] of pending) {
    if (first.size === BATCH) break;
    first.set(name, sequence);
  }
  return first;
}
