import { TimeoutError } from '../../errors/timeout-error.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import type { AdmissionTicket } from './admission.ts';

/** Retries that were made. */
export interface RetryTally {
  made: number;
}

/** The bounds of one call: its own signal and the time it must end at. */
export interface CallBounds {
  readonly signal: AbortSignal;
  readonly deadlineAtMs: number;
  /** Retries that its request has had, in whatever form of its image: all forms share one cap. */
  readonly retries?: RetryTally | undefined;
  /** Its admission, with the capacity that its image takes. */
  readonly ticket?: AdmissionTicket | undefined;
}

/** Whose end ends the call. */
export interface CallOwner {
  readonly ended: AbortSignal;
  /** Calls `abort` at that end, until the function returned is called. */
  onEnd(abort: (reason: unknown) => void): () => void;
}

/**
 * Runs a call under one deadline. Its signal aborts with the caller's reason, with the reason of the client's own end,
 * or with `DESCRIBE_TIMEOUT`; every listener and timer is gone when it has settled.
 */
export async function settleWithin<Value>(
  timeoutMs: number,
  parents: readonly (AbortSignal | undefined)[],
  owner: CallOwner,
  clock: Clock,
  run: (bounds: CallBounds) => Promise<Value>,
): Promise<Value> {
  const child = childController(...parents);
  const leave = owner.onEnd(child.abort);
  const deadlineAtMs = clock.now() + timeoutMs;
  const timer = clock.setTimeout(() => {
    child.abort(new TimeoutError('the call', timeoutMs));
  }, timeoutMs);
  try {
    owner.ended.throwIfAborted();
    child.signal.throwIfAborted();
    return await run({ signal: child.signal, deadlineAtMs });
  } finally {
    clock.clearTimeout(timer);
    leave();
    child.detach();
  }
}
