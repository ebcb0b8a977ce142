import type { QuotaPressure } from './limit-pressure.ts';
import { QuotaDimension, type QuotaMark } from './quota-dimension.ts';
import type { QuotaSource } from './quota-source.ts';
import type { QuotaSourceStats } from './quota-stats.ts';
import { type QuotaAnswer, type QuotaRefusal, type RateLimitSnapshot, refusedBy } from './rate-limit-snapshot.ts';

export interface LocalQuotaOptions {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  /** Processes that share the limits. */
  readonly processes: number;
}

/** The units that one request took, and where each limit stood then. */
export interface LocalTaking {
  readonly units: number;
  readonly requests: QuotaMark;
  readonly tokens: QuotaMark;
}

/** The buckets of this process alone: of the whole quota, or of its share. */
export class LocalQuota implements QuotaSource<LocalTaking> {
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

  take(units: number, nowMs: number): LocalTaking {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return {
      units,
      requests: this.#requests.take(1, sequence, nowMs),
      tokens: this.#tokens.take(units, sequence, nowMs),
    };
  }

  answered(taking: LocalTaking, { limits, chargedTokens }: QuotaAnswer, nowMs: number): boolean {
    if (chargedTokens !== undefined)
      this.#tokens.settle(taking.tokens, chargedTokens, limits?.tokens?.remaining !== undefined, nowMs);
    const more = limits !== undefined && this.#follow(limits, taking, nowMs);
    return more || (chargedTokens ?? Number.POSITIVE_INFINITY) < taking.units;
  }

  refused(taking: LocalTaking, { limits, slowDown }: QuotaRefusal, nowMs: number): boolean {
    if (limits?.requests?.remaining !== undefined) this.#requests.refuse(taking.requests, nowMs);
    if (limits?.tokens?.remaining !== undefined) this.#tokens.refuse(taking.tokens, nowMs);
    const by = refusedBy(limits);
    if (by.requests) this.#requests.throttled(nowMs);
    if (by.tokens) this.#tokens.throttled(nowMs);
    if (limits === undefined) return false;
    if (slowDown !== true && seemsFree(limits, taking.units)) {
      this.#requests.quantise(nowMs);
      this.#tokens.quantise(nowMs);
    }
    return this.#follow(limits, taking, nowMs);
  }

  refunded(taking: LocalTaking, nowMs: number): void {
    this.#requests.refund(taking.requests, nowMs);
    this.#tokens.refund(taking.tokens, nowMs);
  }

  paused(): void {}

  /** Empties the buckets, because it is unknown what other processes have just taken. */
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

  /** Follows the limits in an answer's headers. Returns whether more may pass than before. */
  #follow({ requests, tokens }: RateLimitSnapshot, marks: LocalTaking, nowMs: number): boolean {
    const more = requests !== undefined && this.#requests.observe(marks.requests, requests, nowMs);
    return (tokens !== undefined && this.#tokens.observe(marks.tokens, tokens, nowMs)) || more;
  }
}

/** Whether every bucket that the headers name has enough. Then another bucket refused, such as that of a second. */
function seemsFree({ requests, tokens }: RateLimitSnapshot, units: number): boolean {
  const { remaining: leftRequests } = requests ?? {};
  const { remaining: leftTokens } = tokens ?? {};
  if (leftRequests === undefined && leftTokens === undefined) return false;
  return (leftRequests ?? 1) >= 1 && (leftTokens ?? units) >= units;
}

/** Units taken this recently are reported to other processes: the time in which a bucket refills. */
const LATELY_MS = 1_000;

/** The share of a quota that a process takes by itself while the store is away, and what it took of it recently. */
export class AloneQuota extends LocalQuota {
  #requestsTaken = 0;
  #tokensTaken = 0;
  #tookAtMs = 0;

  override take(tokens: number, nowMs: number): LocalTaking {
    const before = this.tookLately(nowMs);
    this.#requestsTaken = before.requests + 1;
    this.#tokensTaken = before.tokens + tokens;
    this.#tookAtMs = nowMs;
    return super.take(tokens, nowMs);
  }

  /** Units that the API has counted already and that the store does not know of. */
  tookLately(nowMs: number): { readonly requests: number; readonly tokens: number } {
    const rest = Math.exp((this.#tookAtMs - nowMs) / LATELY_MS);
    return { requests: this.#requestsTaken * rest, tokens: this.#tokensTaken * rest };
  }
}
