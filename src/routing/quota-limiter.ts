import type { DescribeError } from '../errors/describe-error.ts';
import { type Clock, systemClock } from '../internal/clock.ts';
import { deepFreeze } from '../internal/deep-freeze.ts';
import { callSafely } from '../internal/emitter.ts';
import { QuotaDimension, type QuotaDimensionStats } from './quota-dimension.ts';
import { QuotaGuard } from './quota-guard.ts';
import { checkQuotaLimiterOptions, type QuotaLimiterOptions } from './quota-limiter-options.ts';
import { QuotaPause } from './quota-pause.ts';
import {
  type QuotaAnswer,
  type QuotaEnds,
  type QuotaPermit,
  type QuotaRefusal,
  type QuotaTaking,
  TakenPermit,
} from './quota-permit.ts';
import { QuotaRamp } from './quota-ramp.ts';
import { QuotaStop } from './quota-stop.ts';
import type { RateLimitSnapshot } from './rate-limit-snapshot.ts';
import { TokenEstimate } from './token-estimate.ts';

export interface QuotaStats {
  readonly name: string;
  readonly requests: QuotaDimensionStats;
  readonly tokens: QuotaDimensionStats;
  /** Requests sent that have no answer yet. */
  readonly inFlight: number;
  readonly taken: number;
  readonly answered: number;
  /** Refusals for going too fast. */
  readonly throttled: number;
  /** Given back unsent. */
  readonly refunded: number;
  /** Charged tokens per estimated one, as learned. */
  readonly estimateRatio: number;
  /** Milliseconds that the pause of a refusal still lasts. */
  readonly pauseMs: number;
  /** Tokens a minute of the ramp's ceiling; absent when there is none. */
  readonly rampTokensPerMinute?: number;
  /** Whether the account's quota is exhausted. */
  readonly stopped: boolean;
}

const DEFAULTS = { processes: 1, rampFromTokensPerMinute: 1_000_000 } as const;

/**
 * Lets requests pass as fast as the limits of one quota allow, and no faster: requests and tokens a minute of one
 * organisation or project and one family of models. It is told of every answer, follows the limits in its headers, and
 * keeps the whole quota waiting while the API asks to. All of it is synchronous; the waiting itself is the caller's.
 *
 * @example
 * ```ts
 * import { QuotaLimiter } from '@describe-it/sdk';
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
  readonly #requests: QuotaDimension;
  readonly #tokens: QuotaDimension;
  readonly #ramp: QuotaRamp;
  readonly #pause: QuotaPause;
  readonly #stop = new QuotaStop();
  readonly #guard = new QuotaGuard();
  readonly #estimate = new TokenEstimate();
  readonly #listeners = new Set<() => void>();
  readonly #ends: QuotaEnds;
  #someoneWaits = false;
  #sequence = 0;
  #inFlight = 0;
  #answered = 0;
  #throttled = 0;
  #refunded = 0;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(options: QuotaLimiterOptions) {
    checkQuotaLimiterOptions(options);
    const { name, limits = {}, clock = systemClock, random = Math.random } = options;
    const { requestsPerMinute, tokensPerMinute } = limits;
    const { processes = DEFAULTS.processes, rampFromTokensPerMinute = DEFAULTS.rampFromTokensPerMinute } =
      limits;
    const nowMs = clock.now();
    this.name = name;
    this.#clock = clock;
    this.#requests = new QuotaDimension({ limit: requestsPerMinute, processes }, nowMs);
    this.#tokens = new QuotaDimension({ limit: tokensPerMinute, processes }, nowMs);
    this.#ramp = new QuotaRamp(rampFromTokensPerMinute, nowMs);
    this.#ramp.follow(this.#tokens.perMs, nowMs);
    this.#pause = new QuotaPause(random);
    this.#ends = {
      answered: (taking, answer) => this.#onAnswered(taking, answer),
      throttled: (taking, refusal) => this.#onThrottled(taking, refusal),
      failed: () => this.#onFailed(),
      refunded: (taking) => this.#onRefunded(taking),
    };
  }

  /** Requests sent that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Why nobody passes: the account's quota is exhausted. Undefined otherwise, and when one request may find out again. */
  get stopped(): DescribeError | undefined {
    return this.#stop.errorAt(this.#clock.now());
  }

  /**
   * Milliseconds until a request of so many tokens, as estimated, may pass: 0 when it may now, infinite when the quota is
   * exhausted. Takes nothing.
   */
  waitMs(tokens: number): number {
    const nowMs = this.#clock.now();
    const waitMs =
      this.#stop.errorAt(nowMs) === undefined ? this.#roomInMs(tokens, nowMs) : Number.POSITIVE_INFINITY;
    if (waitMs > 0) this.#someoneWaits = true;
    return waitMs;
  }

  /** Whether a limit is known, given or heard. */
  get limitsKnown(): boolean {
    return this.#requests.perMs !== undefined || this.#tokens.perMs !== undefined;
  }

  /** Milliseconds until so many requests of so many tokens in all may have passed, as far as is known now. Takes nothing. */
  drainMs(requests: number, tokens: number): number {
    const nowMs = this.#clock.now();
    if (this.#stop.errorAt(nowMs) !== undefined) return Number.POSITIVE_INFINITY;
    const reserved = this.#reserve(tokens);
    return Math.max(
      this.#pause.waitMs(nowMs),
      this.#requests.drainMs(requests, nowMs),
      this.#tokens.drainMs(reserved, nowMs),
      this.#ramp.drainMs(reserved, nowMs),
    );
  }

  /** Takes one request of so many tokens; call it when `waitMs` is 0. */
  take(tokens: number): QuotaPermit {
    const nowMs = this.#clock.now();
    const reservedTokens = this.#reserve(tokens);
    const sequence = this.#sequence;
    this.#sequence += 1;
    this.#inFlight += 1;
    this.#stop.sent();
    this.#ramp.take(reservedTokens, nowMs);
    const taking: QuotaTaking = {
      estimatedTokens: tokens,
      reservedTokens,
      requests: this.#requests.take(1, sequence, nowMs),
      tokens: this.#tokens.take(reservedTokens, sequence, nowMs),
    };
    return new TakenPermit(taking, this.#ends);
  }

  /**
   * Calls `listener` when a wait may have become shorter than `waitMs` said, or the quota is found exhausted; once until
   * `waitMs` tells of a wait again.
   * Returns a function that ends it.
   */
  onRoom(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Lets nobody pass because the account's quota is exhausted; 5 minutes later one request may find out whether it still is. */
  stop(error: DescribeError): void {
    this.#stop.stop(error, this.#clock.now());
    this.#tellRoom();
  }

  /** A frozen snapshot. */
  getStats(): QuotaStats {
    const nowMs = this.#clock.now();
    const { ceilingPerMinute } = this.#ramp;
    return deepFreeze({
      name: this.name,
      requests: this.#requests.getStats(nowMs),
      tokens: this.#tokens.getStats(nowMs),
      inFlight: this.#inFlight,
      taken: this.#sequence,
      answered: this.#answered,
      throttled: this.#throttled,
      refunded: this.#refunded,
      estimateRatio: this.#estimate.ratio,
      pauseMs: this.#pause.waitMs(nowMs),
      ...(Number.isFinite(ceilingPerMinute) ? { rampTokensPerMinute: ceilingPerMinute } : {}),
      stopped: this.#stop.errorAt(nowMs) !== undefined,
    });
  }

  /** Tells nobody anything any more. */
  close(): void {
    this.#listeners.clear();
  }

  #roomInMs(tokens: number, nowMs: number): number {
    const reserved = this.#reserve(tokens);
    const guardMs = this.#guard.ms;
    return Math.max(
      this.#pause.waitMs(nowMs),
      this.#requests.waitMs(1, guardMs, nowMs),
      this.#tokens.waitMs(reserved, guardMs, nowMs),
      this.#ramp.waitMs(reserved, nowMs),
    );
  }

  #reserve(tokens: number): number {
    return tokens > 0 ? tokens * this.#estimate.ratio : 0;
  }

  #onAnswered(taking: QuotaTaking, { limits, chargedTokens }: QuotaAnswer): void {
    const nowMs = this.#clock.now();
    this.#inFlight -= 1;
    this.#answered += 1;
    this.#guard.passed();
    this.#pause.passed();
    let moreRoom = this.#stop.passed();
    if (chargedTokens !== undefined && chargedTokens >= 0) {
      this.#estimate.learn(taking.estimatedTokens, chargedTokens);
      this.#tokens.settle(taking.tokens, chargedTokens, limits?.tokens?.remaining !== undefined, nowMs);
      moreRoom = chargedTokens < taking.reservedTokens || moreRoom;
    }
    if (this.#follow(taking, limits, nowMs) || moreRoom) this.#tellRoom();
  }

  #onThrottled(taking: QuotaTaking, { limits, retryAfterMs, slowDown = false }: QuotaRefusal): void {
    const nowMs = this.#clock.now();
    this.#inFlight -= 1;
    this.#throttled += 1;
    this.#stop.passed();
    this.#pause.refused(retryAfterMs, nowMs);
    if (limits?.requests?.remaining !== undefined) this.#requests.refuse(taking.requests, nowMs);
    if (limits?.tokens?.remaining !== undefined) this.#tokens.refuse(taking.tokens, nowMs);
    this.#follow(taking, limits, nowMs);
    if (slowDown) this.#ramp.slowDown(nowMs);
    else this.#guard.refused();
    // The limits may have been raised, and what waited for more may be told of less.
    this.#tellRoom();
  }

  #onFailed(): void {
    this.#inFlight -= 1;
    this.#stop.unknown(this.#clock.now(), { sent: true });
  }

  #onRefunded({ requests, tokens, reservedTokens }: QuotaTaking): void {
    const nowMs = this.#clock.now();
    this.#inFlight -= 1;
    this.#refunded += 1;
    this.#stop.unknown(nowMs, { sent: false });
    this.#requests.refund(requests, nowMs);
    this.#tokens.refund(tokens, nowMs);
    this.#ramp.refund(reservedTokens);
    this.#tellRoom();
  }

  /** Returns whether more is allowed than before. */
  #follow(taking: QuotaTaking, limits: RateLimitSnapshot | undefined, nowMs: number): boolean {
    if (limits === undefined) return false;
    let moreRoom = false;
    if (limits.requests !== undefined) {
      moreRoom = this.#requests.observe(taking.requests, limits.requests, nowMs);
    }
    if (limits.tokens !== undefined) {
      moreRoom = this.#tokens.observe(taking.tokens, limits.tokens, nowMs) || moreRoom;
      this.#ramp.follow(this.#tokens.perMs, nowMs);
    }
    return moreRoom;
  }

  #tellRoom(): void {
    if (!this.#someoneWaits) return;
    this.#someoneWaits = false;
    for (const listener of [...this.#listeners]) callSafely(listener, undefined);
  }
}
