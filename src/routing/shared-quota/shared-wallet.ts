/** Time that one grant should last, so that a process asks about ten times a second at most. */
const GRANT_MS = 100;
const TOKENS_WEIGHT = 0.1;

/** A wish: the units asked for, and the least that is of use. */
export interface WalletRequest {
  readonly requests: number;
  readonly tokens: number;
  readonly leastRequests: number;
  readonly leastTokens: number;
}

/** The rate of a shared limit, units per millisecond; 0 where there is none. */
interface SharedLimit {
  readonly perMs: number;
}

/**
 * The requests and tokens that a process was granted and has not used. It asks for its recent use in 100 ms. It asks
 * for more when a grant did not last that long, and for less when it lasted longer.
 */
export class SharedWallet {
  requests = 0;
  tokens = 0;
  readonly #requestLimit: SharedLimit;
  readonly #tokenLimit: SharedLimit;
  #pending: { readonly atMs: number; readonly requests: number; readonly tokens: number } | undefined;
  #batch = 1;
  #grantedAtMs = Number.NEGATIVE_INFINITY;
  #meanTokens = 0;

  constructor(requestLimit: SharedLimit, tokenLimit: SharedLimit) {
    this.#requestLimit = requestLimit;
    this.#tokenLimit = tokenLimit;
  }

  /** Milliseconds until the granted units may be used; 0 when none are to come. */
  pendingMs(nowMs: number): number {
    const pending = this.#pending;
    if (pending === undefined) return 0;
    if (nowMs < pending.atMs) return pending.atMs - nowMs;
    this.requests += pending.requests;
    this.tokens += pending.tokens;
    this.#pending = undefined;
    return 0;
  }

  /** Whether the wallet covers one request of this many tokens, as far as requests and tokens are limited. */
  covers(tokens: number): boolean {
    const isRequestCovered = this.#requestLimit.perMs === 0 || this.requests >= 1;
    return isRequestCovered && (this.#tokenLimit.perMs === 0 || this.tokens >= tokens);
  }

  take(tokens: number): void {
    this.#meanTokens += (tokens - this.#meanTokens) * (this.#meanTokens === 0 ? 1 : TOKENS_WEIGHT);
    if (this.#requestLimit.perMs > 0) this.requests -= 1;
    if (this.#tokenLimit.perMs > 0) this.tokens -= tokens;
  }

  /** Takes back one request of this many tokens that was not sent. */
  refund(tokens: number): void {
    this.requests += 1;
    this.tokens += tokens;
  }

  /** The wish of a process whose next request has this many tokens. */
  wish(tokens: number, nowMs: number): WalletRequest {
    const { perMs: requestsPerMs } = this.#requestLimit;
    const { perMs: tokensPerMs } = this.#tokenLimit;
    const lastedMs = nowMs - this.#grantedAtMs;
    if (lastedMs < GRANT_MS) this.#batch *= 2;
    else if (lastedMs > 2 * GRANT_MS) this.#batch /= 2;
    const mean = Math.max(1, this.#meanTokens);
    const byRequests = requestsPerMs > 0 ? requestsPerMs * GRANT_MS : Number.POSITIVE_INFINITY;
    const byTokens = tokensPerMs > 0 ? (tokensPerMs * GRANT_MS) / mean : Number.POSITIVE_INFINITY;
    this.#batch = Math.max(1, Math.min(this.#batch, byRequests, byTokens));
    const count = Math.floor(this.#batch);
    const leastRequests = requestsPerMs > 0 ? Math.max(0, 1 - this.requests) : 0;
    const leastTokens = tokensPerMs > 0 ? Math.max(0, tokens - this.tokens) : 0;
    return {
      leastRequests,
      leastTokens,
      requests: requestsPerMs > 0 ? Math.max(leastRequests, count - this.requests) : 0,
      tokens: tokensPerMs > 0 ? Math.max(leastTokens, tokens + (count - 1) * mean - this.tokens) : 0,
    };
  }

  granted(requests: number, tokens: number, atMs: number): void {
    this.#pending = { atMs, requests, tokens };
    this.#grantedAtMs = atMs;
  }

  /** All units that are held, including those to come. */
  get held(): { readonly requests: number; readonly tokens: number } {
    const { requests = 0, tokens = 0 } = this.#pending ?? {};
    return { requests: this.requests + requests, tokens: this.tokens + tokens };
  }

  /** Takes out all units that are held, including those to come. */
  empty(): { readonly requests: number; readonly tokens: number } {
    const { held } = this;
    this.#pending = undefined;
    this.requests = 0;
    this.tokens = 0;
    return held;
  }
}
