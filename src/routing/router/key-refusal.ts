import type { DescribeError } from '../../errors/describe-error.ts';
import type { UpstreamError } from '../../errors/upstream-error.ts';
import { exponentialDelay } from '../../internal/backoff.ts';

/** Time until one call may find out whether the key is accepted again: 5 s, doubling to 5 minutes. */
const PROBES = { initialDelayMs: 5_000, maxDelayMs: 300_000 };

/**
 * Whether the API refuses the key of an endpoint (401), and when one call may find out whether it still does. A key
 * that was accepted before may have been refused by mistake: calls wait for the first probe. Any other fails them at
 * once.
 */
export class KeyRefusal {
  #failure: DescribeError | undefined;
  #refusedAtMs = Number.NEGATIVE_INFINITY;
  #probeAtMs = 0;
  #inARow = 0;
  #wasAccepted = false;

  /** Whether the key is in doubt, so that one call at a time may find out. */
  get isDoubted(): boolean {
    return this.#failure !== undefined;
  }

  /** The refusal, until the next probe. */
  failureAt(nowMs: number): DescribeError | undefined {
    return nowMs < this.#probeAtMs ? this.#failure : undefined;
  }

  /** Milliseconds until the next probe. */
  probeInMs(nowMs: number): number {
    return this.#failure === undefined ? 0 : Math.max(0, this.#probeAtMs - nowMs);
  }

  /** Whether calls wait for the next probe rather than fail. */
  get isAwaited(): boolean {
    return this.#wasAccepted && this.#inARow === 1;
  }

  /** A call that began then was refused. Those that were under way at a refusal are part of it. */
  refused(failure: DescribeError, startedAtMs: number, nowMs: number): void {
    if (this.#failure !== undefined && startedAtMs <= this.#refusedAtMs) return;
    // A pool that refused the call itself knows when it will let the next one pass.
    const { retryAfterMs } = failure as UpstreamError;
    this.#failure = failure;
    this.#refusedAtMs = nowMs;
    this.#inARow += 1;
    this.#probeAtMs = nowMs + (retryAfterMs ?? exponentialDelay(this.#inARow, PROBES));
  }

  /** A call that began then was answered. */
  accepted(startedAtMs: number): void {
    this.#wasAccepted = true;
    if (this.#failure === undefined || startedAtMs <= this.#refusedAtMs) return;
    this.#failure = undefined;
    this.#probeAtMs = 0;
    this.#inARow = 0;
  }
}
