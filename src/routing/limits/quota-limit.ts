import { type LimitPressure, LOW_RATIO } from './limit-pressure.ts';
import { MINUTE_MS, type QuotaBucket } from './quota-bucket.ts';
import type { QuotaReading } from './rate-limit-snapshot.ts';

/** An older reading says nothing about the pressure: others may have used the limit since, or have stopped. */
const HEARD_MS = 600_000;

export interface QuotaDimensionStats {
  /** Units a minute that the API's headers name; absent before one did. */
  readonly limit?: number;
  /** Units a minute that this process allows itself at most; absent when nothing bounds it. */
  readonly allowed?: number;
  /** Level of the API's bucket now, as far as is known; negative while debt is paid off. */
  readonly level?: number;
  /** Level of the API's bucket when full, as learned. */
  readonly capacity?: number;
  /** Units a minute that others seem to take. */
  readonly foreignPerMinute: number;
  /** Units by which headers corrected the model, up and down; absent where the model is shared. */
  readonly raised?: number;
  readonly lowered?: number;
}

/**
 * The model of one limit of the API, of requests or of tokens: a bucket that follows the headers. Its subclasses keep
 * it in this process, or in a store that several processes share.
 */
export abstract class QuotaLimit {
  /** The API's bucket, as far as is known. */
  protected model: QuotaBucket | undefined;
  /** Units a millisecond that the headers named last. */
  protected heardPerMs: number | undefined;
  /** The limit that the headers named last, of a minute or of a day. */
  #heardLimit = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #throttledAtMs = Number.NEGATIVE_INFINITY;

  /** Units a millisecond that this process may take at most; undefined when nothing bounds it. */
  protected abstract get allowedPerMs(): number | undefined;

  /** Counts a refusal of a request. */
  throttled(nowMs: number): void {
    this.#throttledAtMs = nowMs;
  }

  pressure(nowMs: number): LimitPressure {
    const { model, allowedPerMs } = this;
    const told = model !== undefined && nowMs - this.#heardAtMs < HEARD_MS;
    const level = model?.levelAt(nowMs) ?? 0;
    return {
      perMinute: allowedPerMs === undefined ? undefined : allowedPerMs * MINUTE_MS,
      usedRatio: told ? Math.min(1, (model.capacity - level) / this.#heardLimit) : 0,
      isLow: !told || level < this.#heardLimit * LOW_RATIO,
      isThrottled: nowMs - this.#throttledAtMs < MINUTE_MS,
    };
  }

  getStats(nowMs: number): QuotaDimensionStats {
    const { model, allowedPerMs, heardPerMs } = this;
    return {
      ...(heardPerMs === undefined ? {} : { limit: heardPerMs * MINUTE_MS }),
      ...(allowedPerMs === undefined ? {} : { allowed: allowedPerMs * MINUTE_MS }),
      ...(model === undefined ? {} : { level: model.levelAt(nowMs), capacity: model.capacity }),
      foreignPerMinute: (model?.foreignPerMs ?? 0) * MINUTE_MS,
    };
  }

  protected hear({ limit, perMs }: QuotaReading, nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#heardLimit = limit;
    this.heardPerMs = perMs;
  }
}
