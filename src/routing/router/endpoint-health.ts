/** How long a latency counts, as the time in which its weight falls to 1/e. */
const LATENCY_DECAY_MS = 10_000;

/** A failure counts as at least this latency, so that an endpoint that fails fast does not look fast. */
const MIN_FAILURE_MS = 1_000;
const MAX_FAILURE_MS = 60_000;

/**
 * A moving average of latency that jumps to each peak at once and forgets it by time. It is cautious with an endpoint
 * that turned slow, forgiving with one that has been left alone.
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
      const kept = Math.exp((this.#updatedAtMs - nowMs) / LATENCY_DECAY_MS);
      this.#valueMs = before * kept + latencyMs * (1 - kept);
    }
    this.#updatedAtMs = nowMs;
  }

  /** A failure counts as a peak of twice what is known. */
  failed(elapsedMs: number, nowMs: number): void {
    const known = this.#valueMs ?? 0;
    this.observe(Math.max(elapsedMs, Math.min(MAX_FAILURE_MS, Math.max(MIN_FAILURE_MS, known * 2))), nowMs);
  }

  /** Undefined before the first outcome. The latency of an idle endpoint fades, so that it is tried again. */
  valueMs(nowMs: number, idle: boolean): number | undefined {
    if (this.#valueMs === undefined || !idle) return this.#valueMs;
    return this.#valueMs * Math.exp((this.#updatedAtMs - nowMs) / LATENCY_DECAY_MS);
  }
}

const CONSECUTIVE_OUTAGES = 5;
const BASE_EJECTION_MS = 10_000;
const MAX_EJECTION_MS = 300_000;
/** How long an endpoint takes to get back its whole share. */
const SLOW_START_MS = 30_000;
const MIN_SHARE = 0.1;
/** Time in which the weight of an outcome falls to 1/e. */
const DECAY_MS = 30_000;
/** Least weight of outcomes for a ratio that is more than chance. */
const MIN_OUTCOMES = 20;
/** Ejected below this share of the success ratio of the others. */
const FAR_BELOW_RATIO = 0.6;

/**
 * Takes an endpoint out of rotation after consecutive outages, or when it succeeds far less often than the others. The
 * time grows with each ejection and shrinks with good behaviour. It returns gradually, and a failure before its
 * first success takes it out again.
 * Source: Envoy, "Outlier detection" and "Slow start mode".
 */
export class OutlierEjection {
  #consecutive = 0;
  #successes = 0;
  #outcomes = 0;
  #decayedAtMs = 0;
  #ejectedUntilMs = Number.NEGATIVE_INFINITY;
  #times = 0;
  #onProbation = false;

  /** Milliseconds until it returns; 0 while in rotation. */
  returnInMs(nowMs: number): number {
    return Math.max(0, this.#ejectedUntilMs - nowMs);
  }

  /** The part of its share that it gets, from 0.1 to 1. */
  share(nowMs: number): number {
    if (this.#times === 0) return 1;
    return Math.min(1, Math.max(MIN_SHARE, (nowMs - this.#ejectedUntilMs) / SLOW_START_MS));
  }

  /** Successes among the recent outcomes; undefined while too few to tell. */
  successRatio(nowMs: number): number | undefined {
    this.#decay(nowMs);
    return this.#outcomes < MIN_OUTCOMES ? undefined : this.#successes / this.#outcomes;
  }

  succeeded(startedAtMs: number, nowMs: number): void {
    this.#decay(nowMs);
    this.#successes += 1;
    this.#outcomes += 1;
    this.#consecutive = 0;
    if (startedAtMs >= this.#ejectedUntilMs) this.#onProbation = false;
  }

  /**
   * Counts an outage, and ejects the endpoint where that is due and `mayEject`. An outage of a call that began before
   * the last ejection ended does not eject. Returns whether it ejected.
   */
  failed(startedAtMs: number, nowMs: number, othersRatio: number | undefined, mayEject: boolean): boolean {
    this.#decay(nowMs);
    this.#outcomes += 1;
    if (startedAtMs < this.#ejectedUntilMs) return false;
    this.#consecutive += 1;
    const ratio = this.successRatio(nowMs);
    const outlier =
      this.#consecutive >= (this.#onProbation ? 1 : CONSECUTIVE_OUTAGES) ||
      (ratio !== undefined && othersRatio !== undefined && ratio < othersRatio * FAR_BELOW_RATIO);
    if (!outlier || !mayEject) return false;
    this.#eject(nowMs);
    return true;
  }

  #eject(nowMs: number): void {
    const goodMs = nowMs - this.#ejectedUntilMs;
    const forgiven = this.#times === 0 ? 0 : Math.floor(goodMs / BASE_EJECTION_MS);
    this.#times = Math.max(0, this.#times - forgiven) + 1;
    this.#ejectedUntilMs = nowMs + Math.min(MAX_EJECTION_MS, BASE_EJECTION_MS * this.#times);
    this.#onProbation = true;
    this.#consecutive = 0;
    this.#successes = 0;
    this.#outcomes = 0;
  }

  #decay(nowMs: number): void {
    const kept = Math.exp((this.#decayedAtMs - nowMs) / DECAY_MS);
    this.#decayedAtMs = nowMs;
    this.#successes *= kept;
    this.#outcomes *= kept;
  }
}
