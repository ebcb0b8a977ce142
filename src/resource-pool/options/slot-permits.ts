/** A pool, as the permits that it shares with others see it. */
export interface PermitUser {
  /** Resources that it would make at once, had it the permits. */
  readonly wanted: number;
  /** The idle resources, and when each came back, in the clock's milliseconds. The first is idle for longest. */
  readonly idle: readonly { readonly idleSinceMs: number }[];
  /** Makes the resources that are needed, with a permit each; none if all acquires were served meanwhile. */
  pump(): void;
  /** Destroys the resource that is idle for longest. */
  closeIdle(): void;
}

/** The permits of one pool. */
export interface PermitShare {
  /** Takes a permit for one more resource. False when there is none; then `pump` is called once there may be one. */
  take(): boolean;
  /** Gives a permit back: its resource is destroyed, or was never made. */
  give(): void;
  /**
   * Whether a resource that has become free may stay. Otherwise the pool destroys it, for another pool to make one.
   *
   * @param isWanted - Whether an acquire of this pool waits for it.
   */
  keeps(isWanted: boolean): boolean;
}

/** Permits that several pools share, one for each resource that exists, is being made or is being destroyed. */
export interface SlotPermits {
  /** Gives a pool its share; called once, by its constructor. */
  join(pool: PermitUser): PermitShare;
}
