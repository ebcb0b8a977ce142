export const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/**
 * Milliseconds of the rate that are held back: requests arrive bunched and in another order, and others use the bucket.
 */
const HEADROOM_MS = 550;
/** Bound of the part held back, as a share of what is left of the bucket after a request. */
const HEADROOM_RATIO = 0.55;
/** Share of the bucket by which waiting for a full bucket may overshoot. */
const MAX_GUARD_RATIO = 0.06;
/**
 * The least refill that is assumed, as a share of the rate, however much others take: only a request shows what is
 * left.
 */
const MIN_REFILL_RATIO = 0.1;

/**
 * A token bucket that refills continuously, as the API's do. A request larger than the bucket fits when the bucket is
 * full, and leaves it in debt. Where the bucket is large enough, a part is held back, which does not lower the rate.
 */
export class QuotaBucket {
  #perMs: number;
  #capacity: number;
  #level: number;
  #readAtMs: number;
  #foreignPerMs = 0;

  /**
   * By default the bucket is full. It then holds one second of its rate, since the API may enforce a minute's limit by
   * the second.
   */
  constructor(perMs: number, nowMs: number, level = Number.POSITIVE_INFINITY, capacity = secondOf(perMs)) {
    this.#perMs = perMs;
    this.#capacity = capacity;
    this.#level = Math.min(level, capacity * (1 + MAX_GUARD_RATIO));
    this.#readAtMs = nowMs;
  }

  get perMs(): number {
    return this.#perMs;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Units that others take, a millisecond. */
  get foreignPerMs(): number {
    return this.#foreignPerMs;
  }

  set foreignPerMs(perMs: number) {
    this.#foreignPerMs = Math.min(Math.max(0, perMs), this.#perMs);
  }

  levelAt(nowMs: number): number {
    this.#refill(nowMs);
    return Math.min(this.#level, this.#capacity);
  }

  /** Milliseconds until `cost` fits; 0 when it does now. Waits `guardMs` longer where the bucket has to be full. */
  waitMs(cost: number, guardMs: number, nowMs: number): number {
    const guard = this.#perMs * guardMs;
    const guardUnits = Math.min(guard, this.#capacity * MAX_GUARD_RATIO);
    const headroom = Math.min(this.#perMs * HEADROOM_MS, Math.max(0, (this.#capacity - cost) * HEADROOM_RATIO));
    return this.reachesInMs(Math.min(cost + headroom + guard, this.#capacity) + guardUnits, nowMs);
  }

  /** Milliseconds until it holds so many units, with nothing held back. */
  reachesInMs(units: number, nowMs: number): number {
    this.#refill(nowMs);
    const missing = units - this.#level;
    return missing <= 1e-9 ? 0 : missing / this.#refillPerMs;
  }

  /** Milliseconds until the level now plus the refill adds up to this many units. */
  drainMs(units: number, nowMs: number): number {
    return Math.max(0, units - this.levelAt(nowMs)) / this.#refillPerMs;
  }

  /** Takes `cost`, and goes into debt where it does not fit. Returns the level that is left. */
  take(cost: number, nowMs: number): number {
    this.#level = this.levelAt(nowMs) - cost;
    return this.#level;
  }

  /** Changes the level by `delta` within the bounds of the bucket. Returns the change that was possible. */
  move(delta: number, nowMs: number): number {
    const before = this.levelAt(nowMs);
    this.#level = Math.min(before + delta, this.#capacity);
    return this.#level - before;
  }

  /** Sets another rate from now on; the capacity changes in proportion. */
  setRate(perMs: number, nowMs: number): void {
    if (perMs === this.#perMs) return;
    this.#refill(nowMs);
    this.#capacity = Math.max(1, (this.#capacity * perMs) / this.#perMs);
    this.#perMs = perMs;
    this.#level = Math.min(this.#level, this.#capacity);
    this.foreignPerMs = Math.min(this.#foreignPerMs, perMs);
  }

  setCapacity(capacity: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#capacity = Math.max(1, capacity);
    this.#level = Math.min(this.#level, this.#capacity);
  }

  get #refillPerMs(): number {
    return Math.max(this.#perMs * MIN_REFILL_RATIO, this.#perMs - this.#foreignPerMs);
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#readAtMs);
    this.#readAtMs = Math.max(nowMs, this.#readAtMs);
    const highest = this.#capacity * (1 + MAX_GUARD_RATIO);
    this.#level = Math.min(highest, this.#level + elapsedMs * this.#refillPerMs);
  }
}

/** A second's worth, and at least one. */
export const secondOf = (perMs: number): number => Math.max(1, perMs * SECOND_MS);
