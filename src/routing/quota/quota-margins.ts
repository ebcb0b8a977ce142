/** Weight of a new answer in the learned ratio. */
const WEIGHT = 0.05;
/** Answers before the ratio is used. */
const MIN_ANSWERS = 5;
const MIN_RATIO = 0.25;
const MAX_RATIO = 4;
/** Errors below this are not worth a correction. */
const DEADBAND_RATIO = 0.01;

/** Learns by how much the charged tokens differ from the estimated ones, from the answers of one model. */
export class TokenEstimate {
  /** Charged tokens per estimated one; 1 while nothing is known. */
  ratio = 1;
  #estimated = 0;
  #charged = 0;
  #answers = 0;

  learn(estimated: number, charged: number): void {
    if (!(estimated > 0) || !(charged >= 0) || !Number.isFinite(charged)) return;
    this.#answers += 1;
    this.#estimated += WEIGHT * (estimated - this.#estimated);
    this.#charged += WEIGHT * (charged - this.#charged);
    if (this.#answers < MIN_ANSWERS) return;
    const ratio = this.#charged / this.#estimated;
    this.ratio = Math.abs(ratio - 1) < DEADBAND_RATIO ? 1 : Math.min(MAX_RATIO, Math.max(MIN_RATIO, ratio));
  }
}

/** Share of requests that may be refused. */
const TARGET_RATIO = 0.005;
const STEP_MS = 10;
const MAX_GUARD_MS = 250;

/**
 * The extra time that a request waits where the API's bucket has to be full, because its way there takes a varying
 * time. The time grows at a refusal and shrinks a little at every pass. It settles where one request in 200 is refused.
 * Source: Robbins and Monro, "A Stochastic Approximation Method" (1951).
 */
export class QuotaGuard {
  ms = STEP_MS;

  passed(): void {
    this.ms = Math.max(0, this.ms - STEP_MS * TARGET_RATIO);
  }

  refused(): void {
    this.ms = Math.min(MAX_GUARD_MS, this.ms + STEP_MS);
  }
}
