/** A map that forgets its least recently used entry when it grows past its bound. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #maxEntries: number;
  readonly #onEvict: (value: Value) => void;
  /** The key used last: it need not move to the end of the map again. */
  #newest: Key | undefined;

  constructor(maxEntries: number, onEvict: (value: Value) => void) {
    this.#maxEntries = maxEntries;
    this.#onEvict = onEvict;
  }

  /** The entry of that key, made by `create` when there is none. */
  getOrCreate(key: Key, create: () => Value): Value {
    const existing = this.#entries.get(key);
    if (existing !== undefined && this.#newest === key) return existing;
    const value = existing ?? create();
    this.#newest = key;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (existing === undefined) this.#evictOverflow();
    return value;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<[Key, Value]> {
    return this.#entries.entries();
  }

  values(): IterableIterator<Value> {
    return this.#entries.values();
  }

  #evictOverflow(): void {
    if (this.#entries.size <= this.#maxEntries) return;
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key);
      this.#onEvict(value);
      return;
    }
  }
}
