import { exponentialDelay, type Random } from '../../internal/backoff.ts';
import { isCount } from './quota-permit.ts';

/** Where a refusal names no time, or one that does not help, the waits grow from one refusal to the next. */
const GROWING = { initialDelayMs: 250, maxDelayMs: 30_000 };
/** Refusals in a row that the time named may be believed in. */
const BELIEVED = 3;
/** No limit is of more than a day; what names more is a mistake, such as a date in 2099. */
const MAX_PAUSE_MS = 86_400_000;
/** A longer pause may be a mistake too: so often one request finds out whether it still holds. */
const PROBE_MS = 300_000;
/** What is added by chance, so that processes don't come back at the same moment. */
const JITTER_RATIO = 0.05;
const MAX_JITTER_MS = 500;

/**
 * The end of a pause that refusals asked for. A later refusal may put it off and never brings it forward. A pause of
 * more than 5 minutes lets one request pass every 5 minutes: when that is answered, the pause is over.
 */
export class QuotaPause {
  readonly #random: Random;
  /** Until when nobody passes. */
  #untilMs = Number.NEGATIVE_INFINITY;
  /** Until when the API asked to wait. */
  #askedUntilMs = Number.NEGATIVE_INFINITY;
  #probing = false;
  #inARow = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Infinite while one request finds out: its end tells. */
  waitMs(nowMs: number): number {
    return this.#probing ? Number.POSITIVE_INFINITY : this.tryInMs(nowMs);
  }

  /** Milliseconds until a request may pass, or find out. */
  tryInMs(nowMs: number): number {
    return this.#untilMs > nowMs ? this.#untilMs - nowMs : 0;
  }

  /** Milliseconds that the API still asks to wait, where that is longer than the pause; otherwise 0. */
  askedMs(nowMs: number): number {
    return this.#askedUntilMs > Math.max(nowMs, this.#untilMs) ? this.#askedUntilMs - nowMs : 0;
  }

  /** Takes a refusal in and returns for how long nobody passes because of it. */
  refused(retryAfterMs: number | undefined, nowMs: number): number {
    // Those that were under way when a pause began are part of the refusal that began it.
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

  /** A request is sent; during a longer pause it is the one that finds out. */
  sent(nowMs: number): void {
    if (this.#askedUntilMs > nowMs) this.#probing = true;
  }

  /** The one that was to find out didn't: another may at once when nothing was sent, else after a while. */
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
