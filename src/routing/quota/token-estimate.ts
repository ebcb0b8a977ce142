/** Share of what is known that a new answer replaces. */
const WEIGHT = 0.05;
/** Answers before anything is believed. */
const MIN_ANSWERS = 5;
const MIN_RATIO = 0.25;
const MAX_RATIO = 4;
/** Errors below this are not worth a correction. */
const DEADBAND_RATIO = 0.01;

/** Learns by how much the charged tokens differ from the estimated ones, from the answers of one model. */
export class TokenEstimate {
  #estimated = 0;
  #charged = 0;
  #answers = 0;

  /** Charged tokens per estimated one; 1 while nothing is known. */
  get ratio(): number {
    if (this.#answers < MIN_ANSWERS || this.#estimated <= 0) return 1;
    const ratio = this.#charged / this.#estimated;
    if (Math.abs(ratio - 1) < DEADBAND_RATIO) return 1;
    return Math.min(MAX_RATIO, Math.max(MIN_RATIO, ratio));
  }

  /** Takes in one answer. */
  learn(estimated: number, charged: number): void {
    if (!(estimated > 0) || !(charged >= 0) || !Number.isFinite(charged)) return;
    this.#answers += 1;
    this.#estimated += WEIGHT * (estimated - this.#estimated);
    this.#charged += WEIGHT * (charged - this.#charged);
  }
}
