import type { QuotaPressure } from './limit-pressure.ts';
import { QuotaDimension, type QuotaMark } from './quota-dimension.ts';
import { isCount, type QuotaAnswer, type QuotaRefusal } from './quota-permit.ts';
import type { QuotaSource, QuotaSourceStats, QuotaTaking } from './quota-source.ts';
import type { RateLimitSnapshot } from './rate-limit-snapshot.ts';

export interface LocalQuotaOptions {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Processes that share the limits. */
  readonly processes: number;
}

/** The buckets of this process alone: of the whole quota, or of its share. */
export class LocalQuota implements QuotaSource {
  readonly #requests: QuotaDimension;
  readonly #tokens: QuotaDimension;
  readonly processes: number;
  #sequence = 0;

  constructor(options: LocalQuotaOptions, nowMs: number) {
    const { requestsPerMinute, tokensPerMinute, processes } = options;
    this.processes = processes;
    this.#requests = new QuotaDimension({ limit: requestsPerMinute, processes }, nowMs);
    this.#tokens = new QuotaDimension({ limit: tokensPerMinute, processes }, nowMs);
  }

  get limitsKnown(): boolean {
    return this.#requests.perMs !== undefined || this.#tokens.perMs !== undefined;
  }

  get tokensPerMs(): number | undefined {
    return this.#tokens.perMs;
  }

  waitMs(tokens: number, guardMs: number, nowMs: number): number {
    return Math.max(this.#requests.waitMs(1, guardMs, nowMs), this.#tokens.waitMs(tokens, guardMs, nowMs));
  }

  drainMs(requests: number, tokens: number, nowMs: number): number {
    return Math.max(this.#requests.drainMs(requests, nowMs), this.#tokens.drainMs(tokens, nowMs));
  }

  take(tokens: number, nowMs: number): QuotaTaking {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return new LocalTaking(this, this.#requests.take(1, sequence, nowMs), this.#tokens.take(tokens, sequence, nowMs));
  }

  answered(requests: QuotaMark, tokens: QuotaMark, answer: QuotaAnswer, nowMs: number): boolean {
    const { limits, chargedTokens } = answer;
    let moreRoom = false;
    if (isCount(chargedTokens)) {
      this.#tokens.settle(tokens, chargedTokens, limits?.tokens?.remaining !== undefined, nowMs);
      moreRoom = chargedTokens < tokens.units;
    }
    return this.#follow(requests, tokens, limits, nowMs) || moreRoom;
  }

  refused(requests: QuotaMark, tokens: QuotaMark, { limits, slowDown }: QuotaRefusal, nowMs: number): boolean {
    if (limits?.requests?.remaining !== undefined) this.#requests.refuse(requests, nowMs);
    if (limits?.tokens?.remaining !== undefined) this.#tokens.refuse(tokens, nowMs);
    // Where requests are left, something else refused.
    const { remaining = 0 } = limits?.requests ?? {};
    if (remaining === 0) this.#requests.throttled(nowMs);
    if (remaining > 0 || limits?.requests?.remaining === undefined) this.#tokens.throttled(nowMs);
    // Room in every bucket that the headers tell of: one that they don't tell of was empty, such as that of a second.
    const readings = [limits?.requests, limits?.tokens];
    const units = [requests.units, tokens.units];
    const hasRoom = readings.some((reading) => reading?.remaining !== undefined);
    if (
      slowDown !== true &&
      hasRoom &&
      readings.every((reading, index) => (reading?.remaining ?? Number.POSITIVE_INFINITY) >= (units[index] ?? 0))
    ) {
      this.#requests.quantise(nowMs);
      this.#tokens.quantise(nowMs);
    }
    return this.#follow(requests, tokens, limits, nowMs);
  }

  refunded(requests: QuotaMark, tokens: QuotaMark, nowMs: number): boolean {
    this.#requests.refund(requests, nowMs);
    this.#tokens.refund(tokens, nowMs);
    return true;
  }

  paused(): void {}

  /** Begins with empty buckets: what others have just taken is not known. */
  drain(nowMs: number): void {
    this.#requests.drain(nowMs);
    this.#tokens.drain(nowMs);
  }

  pressure(nowMs: number): QuotaPressure {
    return { requests: this.#requests.pressure(nowMs), tokens: this.#tokens.pressure(nowMs) };
  }

  stats(nowMs: number): QuotaSourceStats {
    return { requests: this.#requests.getStats(nowMs), tokens: this.#tokens.getStats(nowMs) };
  }

  close(): void {}

  #follow(requests: QuotaMark, tokens: QuotaMark, limits: RateLimitSnapshot | undefined, nowMs: number): boolean {
    let moreRoom = false;
    if (limits?.requests !== undefined) moreRoom = this.#requests.observe(requests, limits.requests, nowMs);
    if (limits?.tokens !== undefined) moreRoom = this.#tokens.observe(tokens, limits.tokens, nowMs) || moreRoom;
    return moreRoom;
  }
}

class LocalTaking implements QuotaTaking {
  readonly #quota: LocalQuota;
  readonly #requests: QuotaMark;
  readonly #tokens: QuotaMark;

  constructor(quota: LocalQuota, requests: QuotaMark, tokens: QuotaMark) {
    this.#quota = quota;
    this.#requests = requests;
    this.#tokens = tokens;
  }

  answered(answer: QuotaAnswer, nowMs: number): boolean {
    return this.#quota.answered(this.#requests, this.#tokens, answer, nowMs);
  }

  refused(refusal: QuotaRefusal, nowMs: number): boolean {
    return this.#quota.refused(this.#requests, this.#tokens, refusal, nowMs);
  }

  refunded(nowMs: number): boolean {
    return this.#quota.refunded(this.#requests, this.#tokens, nowMs);
  }
}
