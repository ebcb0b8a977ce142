/** A rate that changes evenly over a time, in calls a second. */
export interface RateRamp {
  readonly from: number;
  readonly to: number;
  readonly durationMs: number;
}

/** How many calls are due in all. */
export const arrivalCount = ({ from, to, durationMs }: RateRamp): number =>
  Math.round(((from + to) / 2 / 1000) * durationMs);

/**
 * When the `index`-th call is due, in milliseconds from the start. The calls due after `t` ms are the integral of the
 * rate, `from·t + (to − from)·t² / (2·durationMs)`; this solves it for `t`.
 */
export function arrivalAtMs({ from, to, durationMs }: RateRamp, index: number): number {
  const start = from / 1000;
  const growth = (to - from) / 1000 / durationMs;
  if (growth === 0 || index === 0) return index / start;
  return (Math.sqrt(Math.max(0, start * start + 2 * growth * index)) - start) / growth;
}
