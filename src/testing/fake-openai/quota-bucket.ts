import type { Clock } from '../../internal/clock.ts';

/** A bucket that refills continuously: `limit` units a window, at most `capacity` at once. */
export class QuotaBucket {
  readonly limit: number;
  readonly #capacity: number;
  readonly #perMs: number;
  readonly #clock: Clock;
  #level: number;
  #readAtMs: number;

  constructor(limit: number, windowMs: number, capacity: number, clock: Clock) {
    this.limit = limit;
    this.#capacity = Math.max(1, capacity);
    this.#perMs = limit / windowMs;
    this.#clock = clock;
    this.#level = this.#capacity;
    this.#readAtMs = clock.now();
  }

  /** Units that may be taken now; negative while a larger request is being paid off. */
  get level(): number {
    const nowMs = this.#clock.now();
    this.#level = Math.min(this.#capacity, this.#level + (nowMs - this.#readAtMs) * this.#perMs);
    this.#readAtMs = nowMs;
    return this.#level;
  }

  /** Milliseconds until `cost` fits, 0 when it fits now. A cost above the capacity fits when the bucket is full. */
  waitMs(cost: number): number {
    const missing = Math.min(cost, this.#capacity) - this.level;
    return missing <= 1e-9 ? 0 : missing / this.#perMs;
  }

  take(cost: number): void {
    this.#level = this.level - cost;
  }

  /** Takes up to `cost`, without going into debt. */
  drain(cost: number): void {
    this.#level = Math.min(this.level, Math.max(0, this.level - cost));
  }

  /** Milliseconds until it is full again. */
  get resetMs(): number {
    return (this.#capacity - this.level) / this.#perMs;
  }
}
