/** Further bounds of a `BoundedMap`. */
export interface BoundedMapOptions<Key, Value> {
  /** Called after an entry was evicted; not after `delete`, `clear` or a replacing `set`. */
  readonly onEvicted?: ((value: Value, key: Key) => void) | undefined;
  /** Most weight of all entries together. @defaultValue no bound */
  readonly maxWeight?: number | undefined;
}

/** An entry in a ring, from the least recently used to the most recently used; the ring's anchor holds no entry. */
interface Link<Key, Value> {
  readonly key: Key;
  value: Value;
  weight: number;
  older: Link<Key, Value>;
  newer: Link<Key, Value>;
}

/**
 * A map that never holds more than `maxEntries`: an insertion evicts the least recently used entry. An entry is used by
 * `get`, `set` and `getOrCreate`, not by `peek` or iteration.
 */
export class BoundedMap<Key, Value> {
  readonly #maxEntries: number;
  readonly #maxWeight: number;
  readonly #onEvicted: ((value: Value, key: Key) => void) | undefined;
  readonly #links = new Map<Key, Link<Key, Value>>();
  readonly #anchor: Link<Key, Value>;
  #weight = 0;

  constructor(
    maxEntries: number,
    { onEvicted, maxWeight = Number.POSITIVE_INFINITY }: BoundedMapOptions<Key, Value> = {},
  ) {
    this.#maxEntries = maxEntries;
    this.#maxWeight = maxWeight;
    this.#onEvicted = onEvicted;
    const anchor = { key: undefined as Key, value: undefined as Value, weight: 0 } as Link<Key, Value>;
    anchor.older = anchor;
    anchor.newer = anchor;
    this.#anchor = anchor;
  }

  get size(): number {
    return this.#links.size;
  }

  /** The weight of all entries together. */
  get weight(): number {
    return this.#weight;
  }

  get(key: Key): Value | undefined {
    const link = this.#links.get(key);
    if (link === undefined) return undefined;
    if (link !== this.#anchor.older) this.#use(link);
    return link.value;
  }

  /** The value of a key, without using it. */
  peek(key: Key): Value | undefined {
    return this.#links.get(key)?.value;
  }

  /**
   * Stores a value as the most recently used one. A value above `maxWeight` is not stored, and its predecessor is
   * deleted.
   */
  set(key: Key, value: Value, weight = 0): void {
    const known = this.#links.get(key);
    if (known !== undefined && weight <= this.#maxWeight) {
      this.#weight += weight - known.weight;
      known.value = value;
      known.weight = weight;
      this.#use(known);
    } else {
      this.delete(key);
      if (weight > this.#maxWeight) return;
      if (this.#links.size >= this.#maxEntries) this.evict();
      const link = { key, value, weight } as Link<Key, Value>;
      this.#links.set(key, link);
      this.#insert(link);
      this.#weight += weight;
    }
    while (this.#weight > this.#maxWeight) this.evict();
  }

  /** The value of a key, made by `create` where there is none. */
  getOrCreate(key: Key, create: () => Value): Value {
    const known = this.get(key);
    if (known !== undefined) return known;
    const made = create();
    this.set(key, made);
    return made;
  }

  delete(key: Key): boolean {
    const link = this.#links.get(key);
    if (link === undefined) return false;
    this.#links.delete(key);
    this.#remove(link);
    this.#weight -= link.weight;
    return true;
  }

  clear(): void {
    this.#links.clear();
    this.#anchor.older = this.#anchor;
    this.#anchor.newer = this.#anchor;
    this.#weight = 0;
  }

  /** Evicts the least recently used entry that `mayEvict` accepts. False when there is none. */
  evict(mayEvict?: (value: Value, key: Key) => boolean): boolean {
    for (let link = this.#anchor.newer; link !== this.#anchor; link = link.newer) {
      if (mayEvict !== undefined && !mayEvict(link.value, link.key)) continue;
      this.delete(link.key);
      this.#onEvicted?.(link.value, link.key);
      return true;
    }
    return false;
  }

  /** From the least recently used to the most recently used. An entry may be deleted during the iteration. */
  *[Symbol.iterator](): IterableIterator<[Key, Value]> {
    for (let link = this.#anchor.newer; link !== this.#anchor; link = link.newer) yield [link.key, link.value];
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this) yield value;
  }

  #use(link: Link<Key, Value>): void {
    this.#remove(link);
    this.#insert(link);
  }

  #insert(link: Link<Key, Value>): void {
    const anchor = this.#anchor;
    const newest = anchor.older;
    link.older = newest;
    link.newer = anchor;
    newest.newer = link;
    anchor.older = link;
  }

  /** Keeps the removed link's own ends, so that an iteration that stands on it can go on. */
  #remove({ older, newer }: Link<Key, Value>): void {
    older.newer = newer;
    newer.older = older;
  }
}
