import type { DescribeError } from '../../errors/describe-error.ts';

/** Time until one request may find out whether the account has been topped up; it doubles each time that it hasn't. */
const FIRST_PROBE_MS = 300_000;
const MAX_PROBE_MS = 3_600_000;

/**
 * Whether a quota is exhausted. One request may try again 5 minutes later, then after twice the time, up to an hour.
 */
export class QuotaStop {
  #error: DescribeError | undefined;
  #probeAtMs = 0;
  #probeMs = FIRST_PROBE_MS;
  #probing = false;

  /** The error of an exhausted quota; undefined when it isn't, or when a request may find out. */
  errorAt(nowMs: number): DescribeError | undefined {
    return this.#error !== undefined && (this.#probing || nowMs < this.#probeAtMs) ? this.#error : undefined;
  }

  stop(error: DescribeError, nowMs: number): void {
    // Those that were under way tell nothing new.
    if (this.#error !== undefined && !this.#probing && nowMs < this.#probeAtMs) return;
    this.#probeMs = this.#error === undefined ? FIRST_PROBE_MS : Math.min(MAX_PROBE_MS, this.#probeMs * 2);
    this.#error = error;
    this.#probing = false;
    this.#probeAtMs = nowMs + this.#probeMs;
  }

  /** A request is sent; the first one after a stop is the one that finds out. */
  sent(): void {
    if (this.#error !== undefined) this.#probing = true;
  }

  /** The one that was to find out didn't: another may after a while, or at once when nothing was sent. */
  unknown(nowMs: number, { sent }: { readonly sent: boolean }): void {
    if (!this.#probing) return;
    this.#probing = false;
    if (sent) this.#probeMs = Math.min(MAX_PROBE_MS, this.#probeMs * 2);
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
