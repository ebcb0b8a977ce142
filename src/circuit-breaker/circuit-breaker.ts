import { ClosedError } from '../errors/closed-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { Listener, Unsubscribe } from '../internal/emitter.ts';
import { CallContext, type CircuitBreakerAction, invoke } from './circuit/call-context.ts';
import { Circuit, type HalfOpenPhase, type Phase, remainingMs } from './circuit/circuit.ts';
import type { CircuitBreakerEvents, CircuitBreakerState } from './circuit/circuit-breaker-events.ts';
import type { HalfOpenTrial, TrialWait, WaitEnd } from './circuit/half-open-trial.ts';
import { openRejection } from './circuit/open-rejection.ts';
import { QueuedEmitter } from './circuit/queued-emitter.ts';
import {
  actionIssues,
  type CircuitBreakerFallback,
  type CircuitBreakerOptions,
  checkBreakerOptions,
  type ResolvedOptions,
  resolveOptions,
} from './circuit-breaker-options.ts';
import { CallCounters, type CircuitBreakerStats, snapshot } from './circuit-breaker-stats.ts';
import { signalsOf } from './verdict/neutral-error.ts';
import { type Verdict, verdictOnError, verdictOnResult } from './verdict/verdict.ts';

/** `retryAfterMs` of a call that a half-open breaker rejects: the probes end soon, but when is unknown. */
const PROBING_RETRY_AFTER_MS = 1_000;

/** Start of a call that is not timed. This number makes no call slow. */
const UNMEASURED = Number.MAX_VALUE;

/**
 * Stops calling an action that keeps failing, and probes when it works again. A call ends as its action does, or by the
 * breaker's timeout, or rejects with `DESCRIBE_CIRCUIT_OPEN`. An error of a listener or callback never changes that.
 *
 * @example
 * ```ts
 * import { CircuitBreaker } from '@describe-it/sdk/circuit-breaker';
 *
 * const breaker = new CircuitBreaker(
 *   'prices',
 *   async function (article: string) {
 *     const response = await fetch(`https://prices.example/${article}`, { signal: this.signal });
 *     if (!response.ok) throw new Error(`prices answered ${response.status}`);
 *     return response.text();
 *   },
 *   { timeoutMs: 5_000 },
 * );
 * breaker.on('opened', ({ retryAfterMs }) => console.warn(`no prices for ${retryAfterMs} ms`));
 * const price = await breaker.fire('cat-food');
 * ```
 */
export class CircuitBreaker<Args extends unknown[] = unknown[], Result = unknown> implements Disposable {
  readonly name: string;
  readonly #action: CircuitBreakerAction<Args, Result>;
  readonly #fallback: CircuitBreakerFallback<Args, Result> | undefined;
  readonly #options: ResolvedOptions;
  readonly #circuit: Circuit;
  readonly #counters = new CallCounters();
  /** Whether calls are timed: a slow-call rule is on, or a listener gets durations. */
  #measures: boolean;
  /** Whether a listener wants the end of calls. */
  #reportsEnds = false;
  readonly #judgesResults: boolean;
  readonly #slowCallDurationMs: number;
  #running = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(
    name: string,
    action: CircuitBreakerAction<Args, Result>,
    given: CircuitBreakerOptions<NoInfer<Args>, NoInfer<Result>> = {},
  ) {
    const options = checkBreakerOptions(given, actionIssues(name, action));
    this.name = name;
    this.#action = action;
    this.#fallback = options.fallback;
    this.#options = resolveOptions(options);
    this.#circuit = new Circuit(name, this.#options);
    this.#slowCallDurationMs = options.slowCallDurationMs ?? Number.POSITIVE_INFINITY;
    this.#measures = options.slowCallDurationMs !== undefined;
    this.#judgesResults = options.isFailureResult !== undefined || options.isNeutralResult !== undefined;
  }

  /** Calls that run now. */
  get running(): number {
    return this.#running;
  }

  /** The state that the next call meets. */
  get state(): CircuitBreakerState {
    return this.#circuit.catchUp().state;
  }

  /**
   * Runs the action with `args`, unless the breaker is open.
   * @throws `DESCRIBE_CIRCUIT_OPEN` when the call was not made, with `retryAfterMs`. Its `cause` is the failure that
   * opened the breaker.
   * @throws `DESCRIBE_TIMEOUT` when `timeoutMs`, or `halfOpenTimeoutMs` for a probe, has passed.
   * @throws `DESCRIBE_CLOSED` after `shutdown()`.
   */
  fire(...args: Args): Promise<Result> {
    const { phase } = this.#circuit;
    if (phase.state !== 'CLOSED' || this.#options.timeoutMs !== undefined) return this.#fireGuarded(args);
    const startedAtMs = this.#measures ? this.#options.clock.now() : UNMEASURED;
    return this.#invoke(new CallContext(), args).then(
      (result) => this.#endWithResult(phase, startedAtMs, result),
      (error: unknown) => this.#endWithError(phase, startedAtMs, args, error, false),
    );
  }

  /** Opens for the length of a break, then lets probes through. Ends an isolation. Has no effect while open. */
  open(): void {
    this.#circuit.open();
  }

  /** Rejects every call until `close()` or `open()`. */
  isolate(): void {
    this.#circuit.isolate();
  }

  /** Closes the circuit from any state and forgets all evidence. The outcome of calls that run now is ignored. */
  close(): void {
    this.#circuit.close();
  }

  /**
   * Ends the breaker and its break. Later calls reject with `DESCRIBE_CLOSED`; running ones end as their action does or
   * by their timeout. Idempotent.
   */
  shutdown(): void {
    this.#circuit.shutdown();
  }

  [Symbol.dispose](): void {
    this.shutdown();
  }

  /** Calls `listener` on every later event of that name; errors that it throws are ignored. */
  on<Name extends keyof CircuitBreakerEvents>(name: Name, listener: Listener<CircuitBreakerEvents[Name]>): Unsubscribe {
    this.#circuit.events ??= new QueuedEmitter();
    if (name === 'succeeded' || name === 'failed' || name === 'ignored') {
      this.#measures = true;
      this.#reportsEnds = true;
    }
    return this.#circuit.events.on(name, listener);
  }

  /** A frozen snapshot. */
  getStats(): CircuitBreakerStats {
    this.#circuit.catchUp();
    return snapshot(this.name, this.#circuit, this.#counters, this.#running, this.#options.clock.now());
  }

  /** @param sinceMs - When the call began to wait, where it has waited. */
  #fireGuarded(args: Args, sinceMs?: number): Promise<Result> {
    if (this.#circuit.shutDown) return Promise.reject(new ClosedError(`circuit breaker ${this.name}`));
    const phase = this.#circuit.catchUp();
    const { timeoutMs, clock } = this.#options;
    switch (phase.state) {
      case 'CLOSED':
        return timeoutMs === undefined ? this.fire(...args) : this.#fireTimed(phase, args, timeoutMs, sinceMs);
      case 'HALF_OPEN':
        return phase.trial.admit() ? this.#probe(phase, args, sinceMs) : this.#waitForTrial(phase, args, sinceMs);
      case 'OPEN':
        return this.#reject(args, remainingMs(phase, clock.now()), phase.cause);
      case 'ISOLATED':
        return this.#reject(args, undefined, phase.cause);
    }
  }

  #probe(phase: Phase, args: Args, sinceMs?: number): Promise<Result> {
    const { timeoutMs, halfOpenTimeoutMs } = this.#options;
    return this.#fireTimed(phase, args, Math.min(halfOpenTimeoutMs, timeoutMs ?? halfOpenTimeoutMs), sinceMs);
  }

  async #waitForTrial(phase: HalfOpenPhase, args: Args, since?: number): Promise<Result> {
    const { halfOpenMaxWaitMs, halfOpenMaxWaiting, timeoutMs = halfOpenMaxWaitMs, clock } = this.#options;
    const nowMs = clock.now();
    const sinceMs = since ?? nowMs;
    const maxWaitMs = sinceMs + Math.min(halfOpenMaxWaitMs, timeoutMs) - nowMs;
    const mayWait = maxWaitMs > 0 && phase.trial.waiting < halfOpenMaxWaiting;
    const end = mayWait ? await this.#waitIn(phase.trial, { maxWaitMs, signals: signalsOf(args), clock }) : 'late';
    if (end === 'late') return this.#reject(args, PROBING_RETRY_AFTER_MS, phase.cause);
    return end === 'slot' ? this.#probe(phase, args, sinceMs) : this.#fireGuarded(args, sinceMs);
  }

  async #waitIn(trial: HalfOpenTrial, wait: TrialWait): Promise<WaitEnd> {
    try {
      return await trial.wait(wait);
    } catch (error) {
      this.#counters.ignored += 1;
      this.#circuit.events?.emit('ignored', { name: this.name, error });
      throw error;
    }
  }

  #fireTimed(phase: Phase, args: Args, timeoutMs: number, sinceMs?: number): Promise<Result> {
    const { clock } = this.#options;
    const leftMs = sinceMs === undefined ? timeoutMs : Math.max(1, sinceMs + timeoutMs - clock.now());
    const startedAtMs = this.#measures ? clock.now() : UNMEASURED;
    return new Promise<Result>((resolve) => {
      const call = new CallContext();
      let ended = false;
      const timer = clock.setTimeout(() => {
        ended = true;
        const error = new TimeoutError(`a call of circuit breaker ${this.name}`, timeoutMs);
        resolve(this.#endWithError(phase, startedAtMs, args, error, true));
        call.abort(error);
      }, leftMs);
      const end = (settle: () => Result | Promise<Result>) => {
        if (ended) return;
        clock.clearTimeout(timer);
        resolve(settle());
      };
      this.#invoke(call, args).then(
        (result) => end(() => this.#endWithResult(phase, startedAtMs, result)),
        (error: unknown) => end(() => this.#endWithError(phase, startedAtMs, args, error, false)),
      );
    });
  }

  #invoke(call: CallContext, args: Args): Promise<Result> {
    this.#running += 1;
    return invoke(this.#action, call, args);
  }

  #endWithResult(phase: Phase, startedAtMs: number, result: Result): Result {
    const nowMs = this.#options.clock.now();
    const verdict = this.#judgesResults ? verdictOnResult(result, this.#options) : 'success';
    if (
      verdict === 'success' &&
      !this.#reportsEnds &&
      phase.state === 'CLOSED' &&
      phase === this.#circuit.phase &&
      nowMs - startedAtMs < this.#slowCallDurationMs
    ) {
      // Nearly every call ends here: a fast success without a listener.
      this.#running -= 1;
      this.#counters.succeeded += 1;
      phase.evidence.record(nowMs, false, false);
      return result;
    }
    this.#end(phase, startedAtMs, nowMs, verdict, undefined, false, result);
    return result;
  }

  #endWithError(phase: Phase, startedAtMs: number, args: Args, error: unknown, timedOut: boolean): Promise<Result> {
    const verdict = timedOut ? 'failure' : verdictOnError(error, args, this.#options);
    this.#end(phase, startedAtMs, this.#options.clock.now(), verdict, error, timedOut);
    return verdict === 'failure' ? this.#answerFor(error, args) : Promise.reject(error);
  }

  #end(
    phase: Phase,
    startedAtMs: number,
    nowMs: number,
    verdict: Verdict,
    error: unknown,
    timedOut: boolean,
    result?: Result,
  ): void {
    const durationMs = startedAtMs === UNMEASURED ? undefined : Math.max(0, nowMs - startedAtMs);
    const slow = verdict !== 'neutral' && (durationMs ?? 0) >= this.#slowCallDurationMs;
    const counters = this.#counters;
    this.#running -= 1;
    if (verdict === 'success') counters.succeeded += 1;
    else if (verdict === 'failure') counters.failed += 1;
    else counters.ignored += 1;
    if (slow) counters.slow += 1;
    if (timedOut) counters.timedOut += 1;
    if (!this.#circuit.conclude(phase, verdict, slow, nowMs, error, result)) counters.late += 1;
    const { events } = this.#circuit;
    if (events === undefined) return;
    const { name } = this;
    if (verdict === 'success') events.emit('succeeded', { name, durationMs, slow });
    else if (verdict === 'failure') events.emit('failed', { name, durationMs, error, timedOut });
    else events.emit('ignored', { name, durationMs, error });
  }

  #reject(args: Args, retryAfterMs: number | undefined, cause: unknown): Promise<Result> {
    const error = openRejection(this.name, retryAfterMs, cause);
    this.#counters.rejected += 1;
    this.#circuit.events?.emit('rejected', { name: this.name, error });
    return this.#answerFor(error, args);
  }

  #answerFor(error: unknown, args: Args): Promise<Result> {
    return this.#fallback === undefined ? Promise.reject(error) : this.#fallBack(this.#fallback, error, args);
  }

  /** The fallback's answer, or the error when it fails. */
  async #fallBack(fallback: CircuitBreakerFallback<Args, Result>, error: unknown, args: Args): Promise<Result> {
    let answer: Result;
    try {
      answer = await fallback(error, ...args);
    } catch {
      throw error;
    }
    this.#counters.fellBack += 1;
    this.#circuit.events?.emit('fellBack', { name: this.name, error });
    return answer;
  }
}
