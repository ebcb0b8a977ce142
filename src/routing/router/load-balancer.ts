import type { Random } from '../../internal/backoff.ts';

/** How long a latency counts, as the time in which its weight falls to 1/e. */
const DECAY_MS = 10_000;

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

  /** Undefined before the first outcome. The latency of an idle endpoint fades, so that it is tried again. */
  valueMs(nowMs: number, idle: boolean): number | undefined {
    if (this.#valueMs === undefined || !idle) return this.#valueMs;
    return this.#valueMs * Math.exp((this.#updatedAtMs - nowMs) / DECAY_MS);
  }
}

/** The measures that a choice between endpoints goes by. */
export interface Candidate {
  /** Undefined before its first outcome. */
  latencyMs(nowMs: number): number | undefined;
  /** Calls in flight once it has one more, over its weight. */
  load(nowMs: number): number;
}

/**
 * Chooses one of two random candidates: the one with the lower product of peak latency and load. Source: Mitzenmacher,
 * "The Power of Two Choices in Randomized Load Balancing" (2001); Finagle's peak EWMA.
 */
export function chooseOfTwo<Each extends Candidate>(
  ready: readonly Each[],
  nowMs: number,
  random: Random,
): Each | undefined {
  const { length } = ready;
  if (length < 2) return ready[0];
  const first = Math.floor(random() * length);
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length;
  const one = ready[first];
  const other = ready[second];
  if (one === undefined || other === undefined) return one ?? other;
  // An endpoint without any answer yet is taken to be as fast as the other.
  const oneMs = one.latencyMs(nowMs);
  const otherMs = other.latencyMs(nowMs);
  const oneCost = one.load(nowMs) * (oneMs ?? otherMs ?? 1);
  const otherCost = other.load(nowMs) * (otherMs ?? oneMs ?? 1);
  return otherCost < oneCost ? other : one;
}
