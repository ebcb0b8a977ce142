import type { Clock, TimerHandle } from '../internal/clock.ts';
import { ApiError } from '../testing/fake-openai/api-error.ts';
import { type FakeLimits, QuotaGroup } from '../testing/fake-openai/quota-group.ts';
import type { RateLimitReading, RateLimitSnapshot } from './limits/rate-limit-snapshot.ts';
import type { QuotaLimiter } from './quota/quota-limiter.ts';
import type { QuotaPermit } from './quota/quota-permit.ts';
import type { SimulatedClock } from './simulated-clock.fixture.ts';

/** Numbers in [0, 1) that a seed determines. Source: mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface ApiOptions {
  readonly limits: FakeLimits;
  /** Time of an answer after it was admitted; log-normal. @defaultValue 800 */
  readonly medianMs?: number;
  /** Least time of one way, and the mean of the random time added to it. @defaultValue 10 and 5 */
  readonly wayMs?: number;
  readonly jitterMs?: number;
  readonly seed: number;
  /** Without `x-ratelimit-…` headers, as compatible servers are. @defaultValue false */
  readonly silent?: boolean;
}

/** The API with the quota of the fake server, behind a network that takes time in both directions. */
export class SimulatedApi {
  readonly clock: SimulatedClock;
  readonly random: () => number;
  readonly #options: ApiOptions;
  #group: QuotaGroup;

  constructor(clock: SimulatedClock, options: ApiOptions) {
    this.clock = clock;
    this.random = seededRandom(options.seed);
    this.#options = options;
    this.#group = new QuotaGroup('group', options.limits, clock);
  }

  /** Other limits from now on, with full buckets, as the fake server does it. */
  setLimits(limits: FakeLimits): void {
    this.#group = new QuotaGroup('group', limits, this.clock);
  }

  /** Takes from the limits as another tenant does; false when it is refused. */
  takeForeign(tokens: number): boolean {
    return this.#admit(tokens) === undefined;
  }

  /** Sends one request. `onAdmitted` runs when it is counted; one of the others runs when its answer arrives. */
  send(
    tokens: number,
    on: {
      readonly admitted: () => void;
      readonly answered: (limits: RateLimitSnapshot | undefined) => void;
      readonly refused: (limits: RateLimitSnapshot | undefined, retryAfterMs: number) => void;
    },
  ): void {
    const { clock } = this;
    clock.setTimeout(() => {
      const refusal = this.#admit(tokens);
      if (refusal === undefined) {
        on.admitted();
        const limits = this.#limitsOf(this.#group.headers());
        clock.setTimeout(() => on.answered(limits), this.#answerMs() + this.#wayMs());
      } else {
        const limits = this.#limitsOf(refusal.headers);
        const retryAfterMs = Number(refusal.headers['retry-after-ms']);
        clock.setTimeout(() => on.refused(limits, retryAfterMs), this.#wayMs());
      }
    }, this.#wayMs());
  }

  #admit(tokens: number): ApiError | undefined {
    try {
      this.#group.admit({ requests: 1, tokens, images: 1 }, 'model');
      return undefined;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  #limitsOf(headers: Readonly<Record<string, string>>): RateLimitSnapshot | undefined {
    if (this.#options.silent === true) return undefined;
    const requests = readingOf(headers, 'requests');
    const tokens = readingOf(headers, 'tokens');
    return { ...(requests === undefined ? {} : { requests }), ...(tokens === undefined ? {} : { tokens }) };
  }

  #wayMs(): number {
    const { wayMs = 10, jitterMs = 5 } = this.#options;
    return wayMs - Math.log(1 - this.random()) * jitterMs;
  }

  #answerMs(): number {
    const { medianMs = 800 } = this.#options;
    const normal = Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
    return Math.min(10_000, medianMs * Math.exp(0.5 * normal));
  }
}

function readingOf(headers: Readonly<Record<string, string>>, unit: string): RateLimitReading | undefined {
  const limit = headers[`x-ratelimit-limit-${unit}`];
  if (limit === undefined) return undefined;
  const remaining = Number(headers[`x-ratelimit-remaining-${unit}`]);
  return {
    limit: Number(limit),
    remaining,
    resetMs: goDurationMs(headers[`x-ratelimit-reset-${unit}`] ?? ''),
  };
}

function goDurationMs(text: string): number {
  const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  let totalMs = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s)/g)) {
    totalMs += Number(amount) * (unitMs[unit] ?? 0);
  }
  return totalMs;
}

/** A request as its sender sees it. */
export interface SimulatedRequest {
  readonly estimated: number;
  readonly charged: number;
}

/** The outcome, in units that the API counted. */
export class Tally {
  admitted = 0;
  admittedTokens = 0;
  refused = 0;
  sent = 0;
  readonly #clock: Clock;
  readonly #fromMs: number;
  admittedSince = 0;
  admittedTokensSince = 0;

  constructor(clock: Clock, fromMs = 10_000) {
    this.#clock = clock;
    this.#fromMs = fromMs;
  }

  admit(tokens: number): void {
    this.admitted += 1;
    this.admittedTokens += tokens;
    if (this.#clock.now() < this.#fromMs) return;
    this.admittedSince += 1;
    this.admittedTokensSince += tokens;
  }

  get refusedRatio(): number {
    return this.refused / Math.max(1, this.sent);
  }
}

/** Sends as many requests as a limiter lets pass, without end. */
export function flood(
  api: SimulatedApi,
  limiter: QuotaLimiter,
  tally: Tally,
  nextRequest: () => SimulatedRequest,
  maxInFlight = 1_000,
): void {
  const { clock } = api;
  let inFlight = 0;
  let next = nextRequest();
  let timer: TimerHandle | undefined;
  const pump = () => {
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
    while (inFlight < maxInFlight) {
      // As a router does: only a few requests until the first answer has told the limits.
      if (!limiter.limitsKnown && inFlight >= 4) return;
      const waitMs = limiter.waitMs(next.estimated);
      if (waitMs > 0) {
        if (Number.isFinite(waitMs)) timer = clock.setTimeout(pump, Math.ceil(waitMs));
        return;
      }
      send(next, limiter.take(next.estimated));
      next = nextRequest();
    }
  };
  const send = (request: SimulatedRequest, permit: QuotaPermit) => {
    inFlight += 1;
    tally.sent += 1;
    const ended = () => {
      inFlight -= 1;
      pump();
    };
    api.send(request.charged, {
      admitted: () => tally.admit(request.charged),
      answered: (limits) => {
        permit.answered({ limits, chargedTokens: request.charged });
        ended();
      },
      refused: (limits, retryAfterMs) => {
        tally.refused += 1;
        permit.throttled({ limits, retryAfterMs });
        ended();
      },
    });
  };
  limiter.onCapacity(pump);
  pump();
}

/** The usual way, for contrast: workers that wait as told after a refusal, and try again. */
export function floodNaively(
  api: SimulatedApi,
  tally: Tally,
  nextRequest: () => SimulatedRequest,
  workers: number,
): void {
  const work = (request: SimulatedRequest) => {
    tally.sent += 1;
    api.send(request.charged, {
      admitted: () => tally.admit(request.charged),
      answered: () => work(nextRequest()),
      refused: (_, retryAfterMs) => {
        tally.refused += 1;
        api.clock.setTimeout(() => work(request), retryAfterMs);
      },
    });
  };
  for (let worker = 0; worker < workers; worker += 1) work(nextRequest());
}

export interface ForeignTenant {
  readonly perMinute: number;
  readonly tokens: number;
  readonly untilMs?: number;
  readonly regular?: boolean;
}

/** Another tenant that wants so many requests a minute, at times that chance decides unless they are regular. */
export function floodForeign(
  api: SimulatedApi,
  tally: Tally,
  { perMinute, tokens, untilMs = Number.POSITIVE_INFINITY, regular = false }: ForeignTenant,
): void {
  const come = () => {
    if (api.clock.now() >= untilMs) return;
    if (api.takeForeign(tokens)) tally.admit(tokens);
    api.clock.setTimeout(come, ((regular ? 1 : -Math.log(1 - api.random())) * 60_000) / perMinute);
  };
  come();
}
