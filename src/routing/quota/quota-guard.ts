/** Refusals aimed at: one request in so many. */
const TARGET_RATIO = 0.005;
const STEP_MS = 10;
const MAX_GUARD_MS = 250;

/**
 * The time that a request is kept back where the API's bucket has to be full, because the way there takes now more, now
 * less. It moves up at a refusal and down a little at every pass, and so ends where one request in 200 is refused
 * (stochastic approximation of a quantile; Robbins and Monro, 1951).
 */
export class QuotaGuard {
  #guardMs = STEP_MS;

  get ms(): number {
    return this.#guardMs;
  }

  passed(): void {
    this.#guardMs = Math.max(0, this.#guardMs - STEP_MS * TARGET_RATIO);
  }

  refused(): void {
    this.#guardMs = Math.min(MAX_GUARD_MS, this.#guardMs + STEP_MS);
  }
}
