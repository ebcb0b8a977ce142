import type { DescribeError } from '../../errors/describe-error.ts';
import { exponentialDelay, type Random } from '../../internal/backoff.ts';
import { isCount } from '../limits/rate-limit-snapshot.ts';

/** Where a refusal names no time, or its time did not help, each refusal in a row waits longer than the one before. */
const GROWING = { initialDelayMs: 250, maxDelayMs: 30_000 };
/** Number of refusals in a row for which the named time is used. */
const BELIEVED = 3;
/** No limit counts by more than a day. A longer time is a mistake, such as a date in 2099. */
const MAX_PAUSE_MS = 86_400_000;
/** A longer pause may be a mistake too, so one request probes in each period of this length. */
const PROBE_MS = 300_000;
/** Share added at random, so that processes do not come back at the same moment. */
const JITTER_RATIO = 0.05;
const MAX_JITTER_MS = 500;

/**
 * The end of a pause that refusals asked for. A later refusal may postpone the end and never advances it. During a
 * pause of more than 5 minutes, one request passes every 5 minutes. Its answer ends the pause.
 */
export class QuotaPause {
  readonly #random: Random;
  /** The time before which nothing passes. */
  #untilMs = Number.NEGATIVE_INFINITY;
  /** The time until which the API asked to wait. */
  #askedUntilMs = Number.NEGATIVE_INFINITY;
  #probing = false;
  #inARow = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Infinite while a request probes. */
  waitMs(nowMs: number): number {
    return this.#probing ? Number.POSITIVE_INFINITY : Math.max(0, this.#untilMs - nowMs);
  }

  /** Milliseconds until a request may pass, or probe. */
  tryInMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs);
  }

  /** Milliseconds that the API still asks to wait, where that is longer than the pause; otherwise 0. */
  askedMs(nowMs: number): number {
    return this.#askedUntilMs > Math.max(nowMs, this.#untilMs) ? this.#askedUntilMs - nowMs : 0;
  }

  /** Follows a refusal. Returns the milliseconds for which nothing passes because of it. */
  refused(retryAfterMs: number | undefined, nowMs: number): number {
    // Requests that were in flight when a pause began are part of the refusal that began it.
    const isNews = this.tryInMs(nowMs) === 0;
    this.#probing = false;
    if (isNews) this.#inARow += 1;
    const namedMs = isCount(retryAfterMs) ? Math.min(retryAfterMs, MAX_PAUSE_MS) : 0;
    if (namedMs === 0 && !isNews) return 0;
    const growing = namedMs === 0 ? this.#inARow : this.#inARow - BELIEVED;
    const pauseMs = Math.max(namedMs, growing > 0 ? exponentialDelay(growing, GROWING) : 0);
    const jitterMs = Math.min(MAX_JITTER_MS, pauseMs * JITTER_RATIO) * this.#random();
    this.until(nowMs + pauseMs + jitterMs, nowMs);
    return Math.min(pauseMs, PROBE_MS);
  }

  until(untilMs: number, nowMs: number): void {
    this.#askedUntilMs = Math.max(this.#askedUntilMs, untilMs);
    this.#untilMs = Math.max(this.#untilMs, Math.min(untilMs, nowMs + PROBE_MS));
  }

  /** A request is sent; during a longer pause it is the probe. */
  sent(nowMs: number): void {
    if (this.#askedUntilMs > nowMs) this.#probing = true;
  }

  /** The probe ended without a result: another may follow at once when nothing was sent, else after a while. */
  unknown(nowMs: number, { sent }: { readonly sent: boolean }): void {
    if (!this.#probing) return;
    this.#probing = false;
    if (sent) this.until(Math.min(this.#askedUntilMs, nowMs + PROBE_MS), nowMs);
  }

  /** A request passed: the next wait is a short one again. Returns whether that ended a pause. */
  passed(): boolean {
    this.#inARow = 0;
    if (!this.#probing) return false;
    this.#probing = false;
    this.#askedUntilMs = Number.NEGATIVE_INFINITY;
    return true;
  }
}

/** Time until one request may probe whether the account has quota again. It doubles at each failed probe. */
const FIRST_STOP_MS = 300_000;
const MAX_STOP_MS = 3_600_000;

/**
 * Whether a quota is exhausted. One request may try again 5 minutes later, then after twice the time, up to an hour.
 */
export class QuotaStop {
  #error: DescribeError | undefined;
  #probeAtMs = 0;
  #probeMs = FIRST_STOP_MS;
  #probing = false;

  /** The error of an exhausted quota; undefined when it isn't, or when a request may probe. */
  errorAt(nowMs: number): DescribeError | undefined {
    return this.#error !== undefined && (this.#probing || nowMs < this.#probeAtMs) ? this.#error : undefined;
  }

  stop(error: DescribeError, nowMs: number): void {
    // Refusals of requests that were in flight already say nothing new.
    if (this.#error !== undefined && !this.#probing && nowMs < this.#probeAtMs) return;
    this.#probeMs = this.#error === undefined ? FIRST_STOP_MS : Math.min(MAX_STOP_MS, this.#probeMs * 2);
    this.#error = error;
    this.#probing = false;
    this.#probeAtMs = nowMs + this.#probeMs;
  }

  /** A request is sent; the first one after a stop is the probe. */
  sent(): void {
    if (this.#error !== undefined) this.#probing = true;
  }

  /** The probe ended without a result: another may follow after a while, or at once when nothing was sent. */
  unknown(nowMs: number, { sent }: { readonly sent: boolean }): void {
    if (!this.#probing) return;
    this.#probing = false;
    if (sent) this.#probeMs = Math.min(MAX_STOP_MS, this.#probeMs * 2);
    this.#probeAtMs = sent ? nowMs + this.#probeMs : nowMs;
  }

  /** The API took a request, so the account has quota. Returns whether that ended a stop. */
  passed(): boolean {
    if (this.#error === undefined || !this.#probing) return false;
    this.#error = undefined;
    this.#probing = false;
    return true;
  }
}
