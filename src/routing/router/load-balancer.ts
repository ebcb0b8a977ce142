import type { Random } from '../../internal/backoff.ts';

/** The measures that a choice between endpoints goes by. */
export interface Candidate {
  /** Undefined before its first outcome. */
  latencyMs(nowMs: number): number | undefined;
  /** (Calls in flight + 1) ÷ weight. */
  load(nowMs: number): number;
}

/**
 * Chooses one of two random candidates, of at least two: the one with the lower product of peak latency and load.
 * Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001); Finagle's peak EWMA.
 */
export function chooseOfTwo<Each extends Candidate>(
  ready: readonly Each[],
  nowMs: number,
  random: Random,
): Each | undefined {
  const { length } = ready;
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
