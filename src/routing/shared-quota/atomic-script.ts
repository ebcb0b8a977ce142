/** A store that several processes share and that runs a script as a whole: Redis, through the cache. */
export interface AtomicScript {
  /** Runs a Lua script on keys of one slot. Rejects, within a bounded time, when the store is away. */
  run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<readonly (string | number)[]>;
}
