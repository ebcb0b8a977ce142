export interface AdaptiveConcurrencyOptions {
  /** Upper bound of the limit, at least 1. */
  readonly maxConcurrency: number;
  /** The limit before anything is known, from 1 to `maxConcurrency`. @defaultValue 10 */
  readonly initialConcurrency?: number | undefined;
}

/** One answer, as far as it shows how loaded the other side is. */
export interface ConcurrencySample {
  readonly latencyMs: number;
  /** Tokens that the answer has; where unknown, the usual number of those known. */
  readonly outputTokens: number | undefined;
  readonly startedAtMs: number;
  readonly nowMs: number;
  /** Calls in flight when the answer came, itself included. */
  readonly inFlight: number;
}

const INITIAL = 10;
/** Output tokens that take about as long as reading prompt and image before the first token. */
const TOKENS_OF_START = 50;
const USUAL_OUTPUT_TOKENS = 150;
/** No loaded model writes a token faster. A faster measurement is mostly delay of this process. */
const LEAST_MS_PER_TOKEN = 2;
/** Answers in a window: as many as are in flight, within these bounds. */
const MIN_WINDOW = 8;
const MAX_WINDOW = 50;
const SMOOTHING = 0.4;
/**
 * Ratio of latency to baseline. The limit grows below the first, is tested above the second, and stays between them.
 */
const CALM_RATIO = 1.5;
const LOADED_RATIO = 2;
const MAX_STAYS = 20;
const OVERLOAD_FACTOR = 0.8;
const TEST_FACTOR = 0.7;
/** A test helped when the gain in speed is at least half of the cut of the limit, both as ratios. */
const HELP_RATIO = Math.sqrt(TEST_FACTOR);

/**
 * A limit of calls in flight that grows while answers stay fast. It shrinks when the other side is overloaded, or
 * answers later than its baseline. It doubles in each round trip until the first sign of load, then grows by its square
 * root. Slow answers start a test: the limit shrinks by a ratio for as long as that makes answers faster. It then goes
 * back to the last size that did, and their latency is the new baseline. So the limit ends near the point from which on
 * more calls only wait for each other. Answers that are slow for another reason cost nothing.
 *
 * Latency is per output token, in the geometric mean of a window, since one long answer says nothing of load.
 * Sources: Jacobson, "Congestion Avoidance and Control" (1988): slow start, additive increase, multiplicative decrease
 * once a round trip; Netflix concurrency-limits, `Gradient2Limit`: the square root, the ratio to a long-term baseline.
 */
export class AdaptiveConcurrency {
  readonly #max: number;
  #limit: number;
  /** Below it the limit doubles. */
  #calmUpTo = Number.POSITIVE_INFINITY;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  /** Start of the calls that the last cut affects. */
  #settledAtMs = Number.NEGATIVE_INFINITY;
  #roundTripMs = 0;
  #usualTokens = USUAL_OUTPUT_TOKENS;
  #baseline: number | undefined;
  #smoothed: number | undefined;
  /** The size from which a test reduced the limit, and the latency there. */
  #tested: { readonly limit: number; readonly latency: number } | undefined;
  /** Whether the answers come from calls that began at the present size. */
  #isSteady = false;
  /** Whether the limit began at a size at which the first answers may be slow already: smaller sizes are unknown. */
  #isUntested: boolean;
  #refusedInARow = false;
  #stays = 0;
  #logSum = 0;
  #count = 0;
  #peakInFlight = 0;

  constructor({ maxConcurrency, initialConcurrency = INITIAL }: AdaptiveConcurrencyOptions) {
    this.#max = maxConcurrency;
    this.#limit = Math.min(maxConcurrency, initialConcurrency);
    this.#isUntested = this.#limit > INITIAL;
    if (this.#isUntested) this.#calmUpTo = this.#limit;
  }

  /** Calls that may be in flight now; at least 1. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  answered({ latencyMs, outputTokens, startedAtMs, nowMs, inFlight }: ConcurrencySample): void {
    if (outputTokens !== undefined) this.#usualTokens += (outputTokens - this.#usualTokens) * 0.05;
    // A call that began before a cut took effect shows the load before it.
    if (startedAtMs < this.#settledAtMs) return;
    this.#roundTripMs = latencyMs;
    this.#peakInFlight = Math.max(this.#peakInFlight, inFlight);
    const isUsed = inFlight * 2 > this.#limit;
    if (isUsed && this.#tested === undefined && this.#limit < this.#calmUpTo) this.#grow(1);
    const tokens = TOKENS_OF_START + (outputTokens ?? this.#usualTokens);
    this.#logSum += Math.log(Math.max(LEAST_MS_PER_TOKEN, latencyMs / tokens));
    this.#count += 1;
    if (this.#count >= Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, this.#limit))) this.#endWindow(nowMs);
  }

  /** The other side refused a call that began then, because it is overloaded. */
  overloaded(startedAtMs: number, nowMs: number): void {
    if (startedAtMs < this.#cutAtMs) return;
    if (!this.#refusedInARow) this.#calmUpTo = this.#limit * OVERLOAD_FACTOR;
    this.#refusedInARow = true;
    this.#tested = undefined;
    this.#cut(this.#limit * OVERLOAD_FACTOR, nowMs);
  }

  #endWindow(nowMs: number): void {
    const latency = Math.exp(this.#logSum / this.#count);
    const isUsed = this.#peakInFlight * 2 > this.#limit;
    this.#startWindow();
    this.#refusedInARow = false;
    if (this.#tested !== undefined) {
      this.#judge(this.#tested, latency, nowMs);
      return;
    }
    if (this.#isUntested && isUsed) {
      if (this.#isSteady) this.#test(latency, nowMs);
      else this.#steady(nowMs);
      this.#isUntested = this.#tested === undefined;
      return;
    }
    const before = this.#smoothed ?? latency;
    const smoothed = before + (latency - before) * SMOOTHING;
    this.#smoothed = smoothed;
    this.#baseline = Math.min(this.#baseline ?? smoothed, smoothed);
    const ratio = smoothed / this.#baseline;
    if (latency > this.#baseline * CALM_RATIO) this.#calmUpTo = Math.min(this.#calmUpTo, this.#limit);
    this.#stays = Math.max(0, this.#stays + (ratio > CALM_RATIO ? 1 : -1));
    if (ratio <= CALM_RATIO && isUsed && this.#limit >= this.#calmUpTo) this.#grow(Math.sqrt(this.#limit));
    if (ratio <= LOADED_RATIO && this.#stays < MAX_STAYS) return;
    if (this.#isSteady) this.#test(latency, nowMs);
    else this.#steady(nowMs);
  }

  /** A test compares latency at this size, not at the smaller sizes on the way to it. */
  #steady(nowMs: number): void {
    this.#isSteady = true;
    this.#settledAtMs = nowMs;
    this.#smoothed = undefined;
  }

  /** Shrinks to see whether that makes answers faster. */
  #test(latency: number, nowMs: number): void {
    this.#tested = { limit: this.#limit, latency };
    this.#cut(this.#limit * TEST_FACTOR, nowMs);
  }

  #judge(
    { limit, latency: before }: { readonly limit: number; readonly latency: number },
    latency: number,
    nowMs: number,
  ): void {
    if (latency < before * HELP_RATIO && this.#limit > 1) {
      this.#test(latency, nowMs);
      return;
    }
    this.#tested = undefined;
    this.#baseline = latency;
    this.#limit = limit;
    this.#calmUpTo = limit;
  }

  #cut(limit: number, nowMs: number): void {
    this.#limit = Math.max(1, limit);
    this.#cutAtMs = nowMs;
    this.#settledAtMs = nowMs + this.#roundTripMs;
    this.#smoothed = undefined;
    this.#stays = 0;
    this.#startWindow();
  }

  #grow(by: number): void {
    this.#limit = Math.min(this.#max, this.#limit + by);
    this.#isSteady = false;
  }

  #startWindow(): void {
    this.#logSum = 0;
    this.#count = 0;
    this.#peakInFlight = 0;
  }
}
