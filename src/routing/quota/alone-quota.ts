import { LocalQuota, type LocalQuotaOptions } from './local-quota.ts';
import type { QuotaTaking } from './quota-source.ts';

/** For so long others have to know what was taken: a bucket's time to refill. */
const LATELY_MS = 1_000;

/** The share of a quota that a process takes by itself while the store is away, and what it took of it lately. */
export class AloneQuota {
  readonly quota: LocalQuota;
  #requests = 0;
  #tokens = 0;
  #tookAtMs: number;

  constructor(options: LocalQuotaOptions, nowMs: number) {
    this.quota = new LocalQuota(options, nowMs);
    this.#tookAtMs = nowMs;
  }

  take(tokens: number, nowMs: number): QuotaTaking {
    const { requests, tokens: before } = this.tookLately(nowMs);
    this.#requests = requests + 1;
    this.#tokens = before + tokens;
    this.#tookAtMs = nowMs;
    return this.quota.take(tokens, nowMs);
  }

  /** What is still missing from the API's buckets, and the store knows nothing of. */
  tookLately(nowMs: number): { readonly requests: number; readonly tokens: number } {
    const rest = Math.exp((this.#tookAtMs - nowMs) / LATELY_MS);
    return { requests: this.#requests * rest, tokens: this.#tokens * rest };
  }
}
