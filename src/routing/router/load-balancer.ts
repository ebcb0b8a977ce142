import type { Random } from '../../internal/backoff.ts';
import type { EndpointRoute } from './endpoint-route.ts';

/**
 * Chooses among endpoints that can all take a call now: of two at random the one that is expected to answer first, by
 * its peak latency times the calls that it would then have in flight, over its weight.
 * Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001); Finagle's peak EWMA.
 */
export class LoadBalancer<Target> {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** One of `ready`, which holds at least one. */
  choose(ready: readonly EndpointRoute<Target>[], nowMs: number): EndpointRoute<Target> | undefined {
    const { length } = ready;
    if (length < 2) return ready[0];
    const first = Math.floor(this.#random() * length);
    const second = (first + 1 + Math.floor(this.#random() * (length - 1))) % length;
    const one = ready[first];
    const other = ready[second];
    if (one === undefined || other === undefined) return one ?? other;
    // One that has answered nothing yet is taken to be as fast as the other.
    const oneMs = one.latencyMs(nowMs);
    const otherMs = other.latencyMs(nowMs);
    const oneCost = one.load(nowMs) * (oneMs ?? otherMs ?? 1);
    const otherCost = other.load(nowMs) * (otherMs ?? oneMs ?? 1);
    return otherCost < oneCost ? other : one;
  }
}
