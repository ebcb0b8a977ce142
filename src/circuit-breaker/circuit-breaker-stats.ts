import { deepFreeze } from '../internal/deep-freeze.ts';
import { type Circuit, remainingMs } from './circuit/circuit.ts';
import type { CircuitBreakerState } from './circuit/circuit-breaker-events.ts';

/** A frozen, JSON-safe snapshot of a breaker. */
export interface CircuitBreakerStats {
  readonly name: string;
  readonly state: CircuitBreakerState;
  /** The outcomes that the rules use. Empty unless the breaker is closed. */
  readonly window: {
    readonly calls: number;
    readonly failures: number;
    readonly slowCalls: number;
    readonly failureRatio: number;
    readonly slowCallRatio: number;
    readonly consecutiveFailures: number;
  };
  /** Probes of a half-open breaker. Zeros in every other state. */
  readonly probes: {
    readonly running: number;
    readonly succeeded: number;
    readonly failed: number;
    /** Calls that wait for their outcome (`halfOpenMaxWaitMs`). */
    readonly waiting: number;
  };
  /** Counts since the breaker was made. */
  readonly totals: CallTotals;
  /** Calls that run now. */
  readonly running: number;
  /**
   * Breaks since the breaker was last closed, without those by `open()`. The length of the next one depends on it where
   * `maxResetTimeoutMs` is given.
   */
  readonly consecutiveBreaks: number;
  /** Milliseconds for which it has been open; absent in other states. */
  readonly openForMs?: number;
  /** Milliseconds until probes are let through; absent in other states than open. */
  readonly retryAfterMs?: number;
  /**
   * Kind of the latest failure by an error since the breaker was last closed. Its message is left out, for it may hold
   * a payload.
   */
  readonly lastFailure?: { readonly name: string; readonly code?: string };
}

/** Counts since a breaker was made. */
export interface CallTotals {
  /** Calls that succeeded, slow ones included. */
  readonly succeeded: number;
  readonly failed: number;
  /** Calls that ended without a verdict: aborts, and errors for which `isFailure` was false. */
  readonly ignored: number;
  /** Succeeded and failed calls that were slower than `slowCallDurationMs`. */
  readonly slow: number;
  /** Failed calls that `timeoutMs` or `halfOpenTimeoutMs` ended. */
  readonly timedOut: number;
  /** Calls that ended after the state in which they began. They had no effect. */
  readonly late: number;
  /** Calls that the breaker did not let through. */
  readonly rejected: number;
  /** Calls that the fallback answered. */
  readonly fellBack: number;
  /** Times the breaker opened. */
  readonly opened: number;
}

/** The counts of a breaker but one: its circuit counts how often it opened. */
export class CallCounters {
  succeeded = 0;
  failed = 0;
  ignored = 0;
  slow = 0;
  timedOut = 0;
  late = 0;
  rejected = 0;
  fellBack = 0;
}

const NO_EVIDENCE = { calls: 0, failures: 0, slowCalls: 0, consecutiveFailures: 0 };

export function snapshot(
  name: string,
  circuit: Circuit,
  counters: CallCounters,
  running: number,
  nowMs: number,
): CircuitBreakerStats {
  const { phase, lastFailure } = circuit;
  const seen = phase.state === 'CLOSED' ? phase.evidence.summary(nowMs) : NO_EVIDENCE;
  const trial = phase.state === 'HALF_OPEN' ? phase.trial : undefined;
  return deepFreeze({
    name,
    state: phase.state,
    window: {
      ...seen,
      failureRatio: seen.calls === 0 ? 0 : seen.failures / seen.calls,
      slowCallRatio: seen.calls === 0 ? 0 : seen.slowCalls / seen.calls,
    },
    probes: {
      running: trial?.running ?? 0,
      succeeded: trial?.succeeded ?? 0,
      failed: trial?.failed ?? 0,
      waiting: trial?.waiting ?? 0,
    },
    totals: { ...counters, opened: circuit.opened },
    running,
    consecutiveBreaks: circuit.consecutiveBreaks,
    ...(phase.state === 'OPEN'
      ? { openForMs: Math.max(0, nowMs - phase.sinceMs), retryAfterMs: remainingMs(phase, nowMs) }
      : {}),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  });
}
