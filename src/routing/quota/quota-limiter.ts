import type { DescribeError } from '../../errors/describe-error.ts';
import { callSafely } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { checkOptions, describeKind, wrongInput } from '../../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import type { QuotaPressure } from '../limits/limit-pressure.ts';
import { LocalQuota } from '../limits/local-quota.ts';
import type { QuotaSource } from '../limits/quota-source.ts';
import type { QuotaStats } from '../limits/quota-stats.ts';
import type { QuotaAnswer, QuotaRefusal } from '../limits/rate-limit-snapshot.ts';
import { SharedQuota } from '../shared-quota/shared-quota.ts';
import { QUOTA_LIMITER_SPEC, type QuotaLimiterOptions } from './quota-limiter-options.ts';
import { QuotaGuard, QuotaRamp, TokenEstimate } from './quota-margins.ts';
import { QuotaPause, QuotaStop } from './quota-pause.ts';
import type { QuotaPermit } from './quota-permit.ts';

/** A request that a permit was given for. */
interface Taken {
  readonly estimatedTokens: number;
  readonly reservedTokens: number;
  readonly taking: object;
  isOpen: boolean;
}

/** The wait while a first request is in flight, whose end notifies all that wait; and the longest such wait. */
const FIRST = { waitMs: 250, maxWaitMs: 2_000 } as const;
const DEFAULTS = { processes: 1, rampFromTokensPerMinute: 1_000_000 } as const;

/**
 * Lets requests pass as fast as the limits of one quota allow, and no faster. A quota is the requests and tokens a
 * minute of one organisation or project and one family of models. The limiter follows the limits in the headers of
 * every answer. It pauses the whole quota while the API asks for it. All methods are synchronous; the caller does the
 * waiting.
 *
 * @example
 * ```ts
 * import { QuotaLimiter } from '@describe-it/sdk/routing';
 *
 * const quota = new QuotaLimiter({ name: 'gpt-4.1-mini', limits: { requestsPerMinute: 500 } });
 * if (quota.waitMs(1200) === 0) {
 *   const permit = quota.take(1200);
 *   // … send the request …
 *   permit.answered({ limits: { requests: { limit: 500, remaining: 499, resetMs: 120 } }, chargedTokens: 1310 });
 * }
 * ```
 */
export class QuotaLimiter {
  readonly name: string;
  readonly #clock: Clock;
  readonly #quota: QuotaSource;
  readonly #shares: boolean;
  readonly #ramp: QuotaRamp;
  readonly #pause: QuotaPause;
  readonly #stop: QuotaStop;
  readonly #guard = new QuotaGuard();
  readonly #estimate = new TokenEstimate();
  readonly #listeners = new Set<() => void>();
  #someoneWaits = false;
  #taken = 0;
  #firstAtMs = 0;
  #inFlight = 0;
  #answered = 0;
  #throttled = 0;
  #refunded = 0;

  /**
   * @param stop - Shared by the limiters of one account, whose quota is exhausted for all of its models at once.
   * @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option.
   */
  constructor(options: QuotaLimiterOptions, stop: QuotaStop = new QuotaStop()) {
    const own = checkOptions('QuotaLimiter', options, QUOTA_LIMITER_SPEC);
    this.#stop = stop;
    const { name, sharedName = name, limits = NO_OPTIONS, shared, clock, random } = own;
    const { requestsPerMinute, tokensPerMinute } = limits;
    const { processes = DEFAULTS.processes, rampFromTokensPerMinute = DEFAULTS.rampFromTokensPerMinute } = limits;
    const nowMs = clock.now();
    this.name = name;
    this.#clock = clock;
    this.#shares = shared !== undefined;
    this.#quota =
      shared === undefined
        ? new LocalQuota({ requestsPerMinute, tokensPerMinute, processes }, nowMs)
        : new SharedQuota({
            name: sharedName,
            limits,
            script: shared,
            clock,
            random,
            onCapacity: () => this.#notify(),
            onPause: (pauseMs) => this.#pause.until(clock.now() + pauseMs, clock.now()),
          });
    this.#ramp = new QuotaRamp(rampFromTokensPerMinute, nowMs);
    this.#ramp.follow(this.#quota.tokensPerMs, this.#quota.processes, nowMs);
    this.#pause = new QuotaPause(random);
  }

  /** Requests sent that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The account's quota is exhausted, so that nothing passes. Undefined otherwise, and when one request may probe. */
  get stopped(): DescribeError | undefined {
    return this.#stop.errorAt(this.#clock.now());
  }

  /**
   * Milliseconds until a request of so many tokens, as estimated, may pass: 0 when it may now, infinite when the quota
   * is exhausted. Takes nothing.
   */
  waitMs(tokens: number, nowMs = this.#clock.now()): number {
    let waitMs = Number.POSITIVE_INFINITY;
    if (this.#stop.errorAt(nowMs) === undefined) {
      const reserved = this.#estimate.reservedFor(tokens);
      waitMs =
        this.#shares && this.#isLearning(nowMs)
          ? FIRST.waitMs
          : Math.max(
              this.#pause.waitMs(nowMs),
              this.#quota.waitMs(reserved, this.#guard.ms, nowMs),
              this.#ramp.waitMs(reserved, nowMs),
            );
    }
    if (waitMs > 0) this.#someoneWaits = true;
    return waitMs;
  }

  /** Milliseconds that the API still asks to wait, where one request probes more often; otherwise 0. */
  get askedPauseMs(): number {
    return this.#pause.askedMs(this.#clock.now());
  }

  /** Whether a limit is known, given or heard. */
  get limitsKnown(): boolean {
    return this.#quota.limitsKnown;
  }

  /**
   * Milliseconds until this many requests of this many tokens in all may have passed, as far as is known. Takes
   * nothing.
   */
  drainMs(requests: number, tokens: number): number {
    const nowMs = this.#clock.now();
    if (this.#stop.errorAt(nowMs) !== undefined) return Number.POSITIVE_INFINITY;
    const reserved = this.#estimate.reservedFor(tokens);
    return Math.max(
      this.#pause.waitMs(nowMs),
      this.#quota.drainMs(requests, reserved, nowMs),
      this.#ramp.drainMs(reserved, nowMs),
    );
  }

  /** Takes one request of so many tokens; call it when `waitMs` is 0. */
  take(tokens: number, nowMs = this.#clock.now()): QuotaPermit {
    const reservedTokens = this.#estimate.reservedFor(tokens);
    if (this.#taken === 0) this.#firstAtMs = nowMs;
    this.#taken += 1;
    this.#inFlight += 1;
    this.#stop.sent();
    this.#pause.sent(nowMs);
    this.#ramp.take(reservedTokens, nowMs);
    const taking = this.#quota.take(reservedTokens, nowMs);
    const taken: Taken = { estimatedTokens: tokens, reservedTokens, taking, isOpen: true };
    return {
      answered: (answer, endMs) => this.#onAnswered(taken, answer, endMs),
      throttled: (refusal, endMs) => this.#onThrottled(taken, refusal, endMs),
      failed: (endMs) => this.#onFailed(taken, endMs),
      refund: (endMs) => this.#onRefunded(taken, endMs),
    };
  }

  /**
   * Calls `listener` once when a wait may have become shorter than `waitMs` said, or the quota is exhausted. The next
   * `waitMs` above 0 arms it again. Returns a function that removes the listener.
   * @throws `DESCRIBE_INPUT_INVALID` for a listener that is no function.
   */
  onCapacity(listener: () => void): () => void {
    if (typeof listener !== 'function') throw wrongInput('listener', 'a function', listener, describeKind);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Lets nothing pass because the account's quota is exhausted; 5 minutes later one request may probe it. */
  stop(error: DescribeError): void {
    this.#stop.stop(error, this.#clock.now());
    this.#notify();
  }

  /** How short its limits are. */
  get pressure(): QuotaPressure {
    return this.#quota.pressure(this.#clock.now());
  }

  /** A frozen snapshot. */
  getStats(): QuotaStats {
    const nowMs = this.#clock.now();
    const { ceilingPerMinute } = this.#ramp;
    const askedPauseMs = this.#pause.askedMs(nowMs);
    return deepFreeze({
      name: this.name,
      ...this.#quota.stats(nowMs),
      inFlight: this.#inFlight,
      taken: this.#taken,
      answered: this.#answered,
      throttled: this.#throttled,
      refunded: this.#refunded,
      estimateRatio: this.#estimate.ratio,
      pauseMs: this.#pause.tryInMs(nowMs),
      ...(askedPauseMs > 0 ? { askedPauseMs } : {}),
      ...(Number.isFinite(ceilingPerMinute) ? { rampTokensPerMinute: ceilingPerMinute } : {}),
      stopped: this.#stop.errorAt(nowMs) !== undefined,
    });
  }

  /** Gives back the units that it holds of a shared quota, and notifies no listener any more. */
  close(): void {
    this.#quota.close();
    this.#listeners.clear();
  }

  /** Where a quota is shared and no limit is known, each process sends one request to learn it, and waits a little. */
  #isLearning(nowMs: number): boolean {
    if (this.#taken === 0 || this.#inFlight < this.#taken) return false;
    return nowMs < this.#firstAtMs + FIRST.maxWaitMs && !this.#quota.limitsKnown;
  }

  /** False for a permit that has ended before. */
  #end(taken: Taken): boolean {
    if (!taken.isOpen) return false;
    taken.isOpen = false;
    this.#inFlight -= 1;
    return true;
  }

  #onAnswered(taken: Taken, answer: QuotaAnswer, nowMs = this.#clock.now()): void {
    if (!this.#end(taken)) return;
    this.#answered += 1;
    this.#guard.passed();
    const unpaused = this.#pause.passed();
    const resumed = this.#stop.passed() || unpaused;
    const isCounted = this.#estimate.learn(taken.estimatedTokens, answer.chargedTokens);
    const gained = this.#quota.answered(taken.taking, isCounted ? answer : { limits: answer.limits }, nowMs);
    this.#ramp.follow(this.#quota.tokensPerMs, this.#quota.processes, nowMs);
    if (gained || resumed || this.#shares) this.#notify();
  }

  #onThrottled(taken: Taken, refusal: QuotaRefusal, nowMs = this.#clock.now()): void {
    if (!this.#end(taken)) return;
    this.#throttled += 1;
    this.#stop.passed();
    this.#quota.paused(this.#pause.refused(refusal.retryAfterMs, nowMs), nowMs);
    this.#quota.refused(taken.taking, refusal, nowMs);
    this.#ramp.follow(this.#quota.tokensPerMs, this.#quota.processes, nowMs);
    if (refusal.slowDown === true) this.#ramp.slowDown(nowMs);
    else this.#guard.refused();
    // The limits may have been raised, and a call that waited for more may have to wait less.
    this.#notify();
  }

  #onFailed(taken: Taken, nowMs = this.#clock.now()): void {
    if (!this.#end(taken)) return;
    this.#stop.unknown(nowMs, { sent: true });
    this.#pause.unknown(nowMs, { sent: true });
    if (this.#shares) this.#notify();
  }

  #onRefunded(taken: Taken, nowMs = this.#clock.now()): void {
    if (!this.#end(taken)) return;
    this.#refunded += 1;
    this.#stop.unknown(nowMs, { sent: false });
    this.#pause.unknown(nowMs, { sent: false });
    this.#quota.refunded(taken.taking, nowMs);
    this.#ramp.refund(taken.reservedTokens, nowMs);
    this.#notify();
  }

  #notify(): void {
    if (!this.#someoneWaits) return;
    this.#someoneWaits = false;
    for (const listener of [...this.#listeners]) callSafely(listener, undefined);
  }
}
