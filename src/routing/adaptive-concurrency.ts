export interface AdaptiveConcurrencyOptions {
  /** Upper bound of the limit, at least 1. */
  readonly maxConcurrency: number;
  /** Where it starts, within the bound. @defaultValue 10 */
  readonly initialConcurrency?: number | undefined;
}

/** One answer, as far as it tells how loaded the other side is. */
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
/** Output tokens whose time is about that of reading the prompt and the image, before the first one is written. */
const TOKENS_OF_START = 50;
const USUAL_OUTPUT_TOKENS = 150;
const MIN_WINDOW = 4;
const MAX_WINDOW = 50;
/** Latency above the baseline, as a ratio: grow below the first, shrink above the second, stay between. */
const CALM_RATIO = 1.5;
const LOADED_RATIO = 2;
const OVERLOAD_FACTOR = 0.7;
const MIN_FACTOR = 0.5;
const SMOOTHING = 0.3;
/** Windows between the two ratios after which a smaller limit tests whether the latency is of our making. */
const MAX_STAYS = 20;
/** Share of the latency before a cut that must be left for the cut to have helped nothing. */
const NO_HELP_RATIO = 0.92;

/**
 * A limit of calls in flight that grows while answers stay as fast as they were and shrinks when the other side says
 * that it is overloaded, or answers later than its baseline. It doubles in each round trip until the first sign of
 * load, then grows by its square root; it shrinks by a ratio, once in each round trip. A cut that makes answers no
 * faster shows that their time is not of our making: what they take is then the new baseline.
 *
 * Latency is per output token, in the geometric mean of a window, since one long answer says nothing of load.
 * Sources: Jacobson, "Congestion Avoidance and Control" (1988), for slow start and additive increase, multiplicative
 * decrease; Netflix concurrency-limits, `Gradient2Limit`, for the square root and the ratio to a long-term baseline.
 */
export class AdaptiveConcurrency {
  readonly #max: number;
  #limit: number;
  /** Below it the limit doubles. */
  #calmUpTo = Number.POSITIVE_INFINITY;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  /** When calls that feel the last cut begin. */
  #settledAtMs = Number.NEGATIVE_INFINITY;
  #roundTripMs = 0;
  #usualTokens = USUAL_OUTPUT_TOKENS;
  #baseline: number | undefined;
  #smoothed: number | undefined;
  /** What answers took when the limit was cut for it; the next window tells whether it helped. */
  #beforeCut: number | undefined;
  #logSum = 0;
  #count = 0;
  #peakInFlight = 0;
  #stays = 0;

  constructor({ maxConcurrency, initialConcurrency = INITIAL }: AdaptiveConcurrencyOptions) {
    this.#max = maxConcurrency;
    this.#limit = Math.min(maxConcurrency, initialConcurrency);
  }

  /** Calls that may be in flight now; at least 1. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  answered({ latencyMs, outputTokens, startedAtMs, nowMs, inFlight }: ConcurrencySample): void {
    if (outputTokens !== undefined) this.#usualTokens += (outputTokens - this.#usualTokens) * 0.05;
    // What began before a cut, or while its effect was still to come, tells of the load before it.
    if (startedAtMs < this.#settledAtMs) return;
    this.#roundTripMs = latencyMs;
    this.#peakInFlight = Math.max(this.#peakInFlight, inFlight);
    if (this.#limit < this.#calmUpTo && inFlight * 2 > this.#limit) this.#grow(1);
    this.#logSum += Math.log(
      Math.max(0.01, latencyMs) / ((outputTokens ?? this.#usualTokens) + TOKENS_OF_START),
    );
    this.#count += 1;
    if (this.#count >= Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, this.#limit))) this.#endWindow(nowMs);
  }

  /** The other side said that it is overloaded, to a call that began then. */
  overloaded(startedAtMs: number, nowMs: number): void {
    if (startedAtMs < this.#cutAtMs) return;
    this.#calmUpTo = Math.max(1, this.#limit * OVERLOAD_FACTOR);
    this.#beforeCut = undefined;
    this.#cut(OVERLOAD_FACTOR, nowMs);
  }

  #endWindow(nowMs: number): void {
    const latency = Math.exp(this.#logSum / this.#count);
    const used = this.#peakInFlight * 2 > this.#limit;
    this.#startWindow();
    this.#judgeCut(latency);
    this.#smoothed =
      this.#smoothed === undefined ? latency : this.#smoothed + (latency - this.#smoothed) * SMOOTHING;
    this.#baseline = Math.min(this.#baseline ?? latency, this.#smoothed);
    const ratio = this.#smoothed / this.#baseline;
    if (ratio > LOADED_RATIO) {
      this.#test(Math.max(MIN_FACTOR, CALM_RATIO / ratio), nowMs);
    } else if (ratio > CALM_RATIO) {
      this.#calmUpTo = Math.min(this.#calmUpTo, this.#limit);
      this.#stays += 1;
      if (this.#stays >= MAX_STAYS) this.#test(OVERLOAD_FACTOR, nowMs);
    } else if (used && this.#limit >= this.#calmUpTo) {
      this.#stays = 0;
      this.#grow(Math.sqrt(this.#limit));
    }
  }

  /** Answers as slow as before the cut are slow for a reason of their own. */
  #judgeCut(latency: number): void {
    if (this.#beforeCut !== undefined && latency > this.#beforeCut * NO_HELP_RATIO) this.#baseline = latency;
    this.#beforeCut = undefined;
  }

  /** Cuts for slow answers, to see whether that helps. */
  #test(factor: number, nowMs: number): void {
    this.#calmUpTo = Math.max(1, this.#limit * factor);
    this.#beforeCut = this.#smoothed;
    this.#cut(factor, nowMs);
  }

  #cut(factor: number, nowMs: number): void {
    this.#limit = Math.max(1, this.#limit * factor);
    this.#cutAtMs = nowMs;
    this.#settledAtMs = nowMs + this.#roundTripMs;
    this.#smoothed = undefined;
    this.#stays = 0;
    this.#startWindow();
  }

  #grow(by: number): void {
    this.#limit = Math.min(this.#max, this.#limit + by);
  }

  #startWindow(): void {
    this.#logSum = 0;
    this.#count = 0;
    this.#peakInFlight = 0;
  }
}
