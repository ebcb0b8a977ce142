import { drawAt, normalFrom } from './random.ts';

/** How long an answer takes, in milliseconds. */
export type Latency =
  | { readonly distribution: 'fixed'; readonly ms: number }
  | { readonly distribution: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | {
      readonly distribution: 'log-normal';
      readonly medianMs: number;
      /** Standard deviation of the logarithm: 0.5 puts the 95th percentile at 2.3 times the median. */
      readonly sigma: number;
      /** Longest one. @defaultValue 60000 */
      readonly maxMs?: number;
    };

/** The `index`-th latency of a seed. */
export function drawLatencyMs(latency: Latency, seed: number, index: number): number {
  if (latency.distribution === 'fixed') return latency.ms;
  const first = drawAt(seed, index, 1);
  if (latency.distribution === 'uniform') return latency.minMs + first * (latency.maxMs - latency.minMs);
  const { medianMs, sigma, maxMs = 60_000 } = latency;
  return Math.min(maxMs, medianMs * Math.exp(sigma * normalFrom(first, drawAt(seed, index, 2))));
}
