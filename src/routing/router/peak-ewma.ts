/** How long a latency counts, as the time in which its weight falls to 1/e. */
const DECAY_MS = 10_000;

/** What a failure is taken for at least, so that an endpoint that fails fast does not look fast. */
const MIN_FAILURE_MS = 1_000;
const MAX_FAILURE_MS = 60_000;

/**
 * A moving average of latency that jumps to each peak at once and forgets it by time: cautious with an endpoint that
 * turned slow, forgiving with one that has been left alone.
 * Source: Finagle, `PeakEwma` load balancer (twitter/finagle, "Aperture and P2C", peak EWMA).
 */
export class PeakEwma {
  #valueMs: number | undefined;
  #updatedAtMs = 0;

  observe(latencyMs: number, nowMs: number): void {
    const before = this.#valueMs;
    if (before === undefined || latencyMs > before) {
      this.#valueMs = latencyMs;
    } else {
      const kept = Math.exp((this.#updatedAtMs - nowMs) / DECAY_MS);
      this.#valueMs = before * kept + latencyMs * (1 - kept);
    }
    this.#updatedAtMs = nowMs;
  }

  /** A failure counts as a peak of twice what is known. */
  failed(elapsedMs: number, nowMs: number): void {
    const known = this.#valueMs ?? 0;
    this.observe(Math.max(elapsedMs, Math.min(MAX_FAILURE_MS, Math.max(MIN_FAILURE_MS, known * 2))), nowMs);
  }

  /** Undefined before the first outcome. An idle endpoint's latency fades, so that it is tried again. */
  valueMs(nowMs: number, idle: boolean): number | undefined {
    if (this.#valueMs === undefined || !idle) return this.#valueMs;
    return this.#valueMs * Math.exp((this.#updatedAtMs - nowMs) / DECAY_MS);
  }
}
