import type { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import type { TripRule } from '../window/evidence.ts';

/**
 * `CLOSED` lets calls through, `OPEN` none for a while, `HALF_OPEN` a few probes, `ISOLATED` none until `close()` or
 * `open()`.
 */
export type CircuitBreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN' | 'ISOLATED';

/** Why a breaker opened: the broken rule, failed probes, or `open()`. */
export type OpenReason = TripRule | 'probe-failed' | 'manual';

interface NamedEvent {
  /** Name of the breaker. */
  readonly name: string;
}

interface EndedCallEvent extends NamedEvent {
  /** Milliseconds that the call took; absent when nobody listened and no slow-call rule was on at its start. */
  readonly durationMs?: number | undefined;
}

/** Events of a breaker. State events are emitted after the state has settled, in the order of the changes. */
export interface CircuitBreakerEvents {
  readonly stateChanged: NamedEvent & {
    readonly from: CircuitBreakerState;
    readonly to: CircuitBreakerState;
  };
  /**
   * It opened for `retryAfterMs` milliseconds; `cause` is the error that opened it, absent for `open()`, slow calls and
   * failed results.
   */
  readonly opened: NamedEvent & {
    readonly reason: OpenReason;
    readonly retryAfterMs: number;
    readonly cause?: unknown;
  };
  readonly halfOpened: NamedEvent;
  readonly closed: NamedEvent;
  readonly isolated: NamedEvent;
  readonly succeeded: EndedCallEvent & { readonly slow: boolean };
  /**
   * A call failed; `error` is absent when its result was the failure. A handler's answer of 500 or more is an error
   * with its `status`.
   */
  readonly failed: EndedCallEvent & { readonly error?: unknown; readonly timedOut: boolean };
  /**
   * A call ended without evidence about the other side: an abort, a neutral result (then `error` is absent), or an
   * error for which `isFailure` was false.
   */
  readonly ignored: EndedCallEvent & { readonly error?: unknown };
  /** A call was not made: the breaker is open, isolated, or waits for its probes. */
  readonly rejected: NamedEvent & { readonly error: CircuitOpenError };
  /** The fallback answered for `error`. */
  readonly fellBack: NamedEvent & { readonly error: unknown };
}
