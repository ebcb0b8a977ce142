import { exponentialDelay, type Random } from '../../internal/backoff.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import type { QuotaPressure } from '../limits/limit-pressure.ts';
import { AloneQuota, type LocalQuotaOptions, type LocalTaking } from '../limits/local-quota.ts';
import type { QuotaSource } from '../limits/quota-source.ts';
import type { QuotaSourceStats } from '../limits/quota-stats.ts';
import { type QuotaAnswer, type QuotaRefusal, refusedBy } from '../limits/rate-limit-snapshot.ts';
import type { AtomicScript } from './atomic-script.ts';
import { SharedDimension, type SharedMark } from './shared-dimension.ts';
import { HORIZON_MS, SharedStore, type StoreAnswer } from './shared-store.ts';
import { SharedWallet, type WalletRequest } from './shared-wallet.ts';

export interface SharedQuotaOptions {
  readonly name: string;
  readonly limits: { readonly [Name in keyof LocalQuotaOptions]?: number | undefined };
  readonly script: AtomicScript;
  readonly clock: Clock;
  readonly random: Random;
  /** A wait may have become shorter. */
  readonly onCapacity: () => void;
  /** Another process was told to wait. */
  readonly onPause: (pauseMs: number) => void;
}

/** The units that one request took of the grants, or of this process's own share while the store is away. */
type SharedTaking =
  | { readonly units: number; readonly requests: SharedMark; readonly tokens: SharedMark }
  | { readonly alone: AloneQuota; readonly taking: LocalTaking };

/** The wait that `waitMs` names while the store is asked, whose answer notifies all; and the delay of a report. */
const ASKING_MS = 50;
const NEWS_MS = 50;
/** A grant that is unused for this long is given back. */
const UNUSED_MS = 300;
/** Without any limit, the store is asked this often whether other processes know one. */
const UNLIMITED_MS = 1_000;
/** Waits before the next try while the store is away. */
const AWAY = { initialDelayMs: 250, maxDelayMs: 5_000 };
const NOTHING: WalletRequest = { requests: 0, tokens: 0, leastRequests: 0, leastTokens: 0 };

/**
 * A quota whose buckets are in a store that processes share. One script grants a process a few requests at a time, at
 * times that the script assigns; what the process doesn't use goes back. While the store is away, the process takes
 * its share of the limits by itself.
 */
export class SharedQuota implements QuotaSource<SharedTaking> {
  readonly #options: SharedQuotaOptions;
  readonly #store: SharedStore;
  readonly #requests: SharedDimension;
  readonly #tokens: SharedDimension;
  readonly #wallet: SharedWallet;
  #alone: AloneQuota | undefined;
  #members = 1;
  #seen = false;
  #asking = false;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  #guardMs = 0;
  #asked = 0;
  #failed = 0;
  #failures = 0;
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  #closed = false;

  constructor(options: SharedQuotaOptions) {
    const { name, limits, script } = options;
    this.#options = options;
    this.#requests = new SharedDimension(limits.requestsPerMinute);
    this.#tokens = new SharedDimension(limits.tokensPerMinute);
    this.#wallet = new SharedWallet(this.#requests, this.#tokens);
    this.#store = new SharedStore(name, script, this.#requests, this.#tokens, this.#wallet);
  }

  get limitsKnown(): boolean {
    if (this.#alone !== undefined) return this.#alone.limitsKnown;
    return this.#requests.limitPerMinute !== undefined || this.#tokens.limitPerMinute !== undefined || this.#limited;
  }

  get tokensPerMs(): number | undefined {
    if (this.#alone !== undefined) return this.#alone.tokensPerMs;
    return this.#tokens.perMs > 0 ? this.#tokens.perMs : undefined;
  }

  get processes(): number {
    return this.#options.limits.processes ?? this.#members;
  }

  waitMs(tokens: number, guardMs: number, nowMs: number): number {
    this.#guardMs = guardMs;
    if (this.#alone !== undefined) {
      if (nowMs >= this.#notBeforeMs) this.#ask(NOTHING, nowMs);
      return this.#alone.waitMs(tokens, guardMs, nowMs);
    }
    if (this.#seen && !this.limitsKnown) {
      if (nowMs - this.#askedAtMs > UNLIMITED_MS) this.#ask(NOTHING, nowMs);
      return 0;
    }
    const pendingMs = this.#wallet.pendingMs(nowMs);
    if (this.#limited && this.#wallet.covers(tokens)) return 0;
    if (pendingMs > 0) return pendingMs;
    if (this.#asking) return ASKING_MS;
    if (nowMs < this.#notBeforeMs) return this.#notBeforeMs - nowMs;
    this.#ask(this.#limited ? this.#wallet.wish(tokens, nowMs) : NOTHING, nowMs);
    return ASKING_MS;
  }

  drainMs(requests: number, tokens: number, nowMs: number): number {
    if (this.#alone !== undefined) return this.#alone.drainMs(requests, tokens, nowMs);
    const over = (units: number, perMs: number) => (perMs > 0 ? (Math.max(0, units) * this.processes) / perMs : 0);
    const requestsMs = over(requests - this.#wallet.requests, this.#requests.perMs);
    return Math.max(requestsMs, over(tokens - this.#wallet.tokens, this.#tokens.perMs));
  }

  take(units: number, nowMs: number): SharedTaking {
    if (this.#alone !== undefined) return { alone: this.#alone, taking: this.#alone.take(units, nowMs) };
    this.#takenAtMs = nowMs;
    this.#wallet.take(units);
    const atMs = nowMs + this.#store.offsetMs;
    return { units, requests: this.#requests.mark(1, atMs), tokens: this.#tokens.mark(units, atMs) };
  }

  answered(taken: SharedTaking, answer: QuotaAnswer, nowMs: number): boolean {
    if ('alone' in taken) return taken.alone.answered(taken.taking, answer, nowMs);
    const { limits, chargedTokens } = answer;
    if (chargedTokens !== undefined && limits?.tokens?.remaining === undefined)
      this.#tokens.adjust(taken.units - chargedTokens);
    return this.#observe(taken, limits, nowMs);
  }

  refused(taken: SharedTaking, refusal: QuotaRefusal, nowMs: number): boolean {
    if ('alone' in taken) return taken.alone.refused(taken.taking, refusal, nowMs);
    const { limits } = refusal;
    if (limits?.requests?.remaining !== undefined) this.#requests.adjust(1);
    if (limits?.tokens?.remaining !== undefined) this.#tokens.adjust(taken.units);
    const by = refusedBy(limits);
    if (by.requests) this.#requests.throttled(nowMs + this.#store.offsetMs);
    if (by.tokens) this.#tokens.throttled(nowMs + this.#store.offsetMs);
    return this.#observe(taken, limits, nowMs);
  }

  refunded(taken: SharedTaking, nowMs: number): void {
    if ('alone' in taken) taken.alone.refunded(taken.taking, nowMs);
    else this.#wallet.refund(taken.units);
  }

  paused(pauseMs: number, nowMs: number): void {
    if (pauseMs <= 0) return;
    this.#pauseUntilMs = Math.max(this.#pauseUntilMs, nowMs + pauseMs);
    this.#tell(0);
  }

  pressure(nowMs: number): QuotaPressure {
    if (this.#alone !== undefined) return this.#alone.pressure(nowMs);
    const atMs = nowMs + this.#store.offsetMs;
    return { requests: this.#requests.pressure(atMs), tokens: this.#tokens.pressure(atMs) };
  }

  stats(nowMs: number): QuotaSourceStats {
    const atMs = nowMs + this.#store.offsetMs;
    const alone = this.#alone?.stats(nowMs);
    return {
      requests: alone?.requests ?? this.#requests.getStats(atMs),
      tokens: alone?.tokens ?? this.#tokens.getStats(atMs),
      shared: {
        available: this.#seen && this.#alone === undefined,
        processes: this.processes,
        asked: this.#asked,
        failed: this.#failed,
        heldRequests: this.#wallet.requests,
        heldTokens: this.#wallet.tokens,
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    if (this.#seen && this.#alone === undefined) this.#giveBack();
    this.#ask(NOTHING, this.#options.clock.now());
    this.#closed = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
  }

  get #limited(): boolean {
    return this.#requests.perMs > 0 || this.#tokens.perMs > 0;
  }

  /** Follows an answer. Returns false: what may pass is for the store to say. */
  #observe(
    { requests, tokens }: Readonly<Record<'requests' | 'tokens', SharedMark>>,
    limits: QuotaAnswer['limits'],
    nowMs: number,
  ): false {
    const knew = this.limitsKnown;
    if (limits?.requests !== undefined) this.#requests.observe(requests, limits.requests);
    if (limits?.tokens !== undefined) this.#tokens.observe(tokens, limits.tokens);
    if (this.#alone !== undefined || !(this.#requests.hasNews || this.#tokens.hasNews)) return false;
    // Sends the very first limit at once: until then nothing holds other processes back.
    if (knew) this.#tell(NEWS_MS);
    else this.#ask(NOTHING, nowMs);
    return false;
  }

  /** Reports to the store within this many milliseconds, with the unused units. */
  #tell(withinMs: number): void {
    const { clock } = this.#options;
    const dueAtMs = clock.now() + withinMs;
    if (this.#closed || (this.#timer !== undefined && this.#timerAtMs <= dueAtMs)) return;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#timerAtMs = dueAtMs;
    this.#timer = setBackgroundTimeout(clock, () => this.#onTimer(), withinMs);
  }

  #onTimer(): void {
    this.#timer = undefined;
    const nowMs = this.#options.clock.now();
    const { requests, tokens } = this.#wallet;
    const unused = nowMs - this.#takenAtMs > UNUSED_MS && this.#wallet.pendingMs(nowMs) === 0;
    if (unused) this.#giveBack();
    const hasNews = this.#requests.hasNews || this.#tokens.hasNews || this.#pauseUntilMs > nowMs;
    if (hasNews && this.#alone === undefined) this.#ask(NOTHING, nowMs);
    else if (!unused && (requests > 0 || tokens > 0)) this.#tell(UNUSED_MS);
  }

  #giveBack(): void {
    const { requests, tokens } = this.#wallet.empty();
    if (this.#requests.perMs > 0) this.#requests.giveBack(requests);
    if (this.#tokens.perMs > 0) this.#tokens.giveBack(tokens);
  }

  #ask(wish: WalletRequest, nowMs: number): void {
    if (this.#closed) return;
    if (this.#asking) {
      if (wish === NOTHING) this.#tell(NEWS_MS);
      return;
    }
    this.#asking = true;
    this.#asked += 1;
    this.#askedAtMs = nowMs;
    const pauseMs = Math.max(0, this.#pauseUntilMs - nowMs);
    const question = { wish, pauseMs, guardMs: this.#guardMs, seen: this.#seen };
    this.#store
      .ask(question, () => this.#options.clock.now())
      .then(
        (answer) => this.#onAnswer(answer),
        () => this.#onFailure(),
      );
  }

  #onAnswer({ granted, waitMs, pauseMs, members }: StoreAnswer): void {
    const { clock, random, onPause, onCapacity } = this.#options;
    const nowMs = clock.now();
    this.#asking = false;
    this.#failures = 0;
    this.#members = members;
    this.#comeBack(nowMs);
    if (granted !== undefined) {
      this.#wallet.granted(granted.requests, granted.tokens, nowMs + waitMs);
      this.#tell(UNUSED_MS + waitMs);
    } else if (waitMs > 0) {
      // A process that got nothing asks again when a grant is within reach, each process at another time.
      this.#notBeforeMs = nowMs + Math.max(1, (waitMs - HORIZON_MS / 2) * (0.9 + 0.2 * random()));
    }
    if (pauseMs > 0) onPause(pauseMs);
    onCapacity();
  }

  #comeBack(nowMs: number): void {
    this.#seen = true;
    if (this.#alone === undefined) return;
    const { requests, tokens } = this.#alone.tookLately(nowMs);
    this.#alone = undefined;
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    this.#requests.adjust(-requests);
    this.#tokens.adjust(-tokens);
  }

  #onFailure(): void {
    const { clock, random } = this.#options;
    const nowMs = clock.now();
    this.#asking = false;
    this.#failed += 1;
    this.#failures += 1;
    this.#notBeforeMs = nowMs + exponentialDelay(this.#failures, AWAY) * (0.75 + 0.5 * random());
    if (this.#alone === undefined && !this.#closed) {
      this.#wallet.empty();
      this.#requests.forget();
      this.#tokens.forget();
      const [requestsPerMinute, tokensPerMinute] = [this.#requests.limitPerMinute, this.#tokens.limitPerMinute];
      this.#alone = new AloneQuota({ requestsPerMinute, tokensPerMinute, processes: this.processes }, nowMs);
      if (this.#seen) this.#alone.drain(nowMs);
    }
    this.#options.onCapacity();
  }
}
