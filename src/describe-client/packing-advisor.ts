import type { Clock } from '../internal/clock.ts';
import { type RateLimitState, rateLimitOf } from '../openai/rate-limit-headers.ts';
import { BoundedMap } from './bounded-map.ts';

/** Share of the requests of a minute that must be used up before waiting for company is worth it. */
const PRESSURE_RATIO = 0.5;
/** How long a 429 counts as pressure: the window of the limits. */
const MEMORY_MS = 60_000;
/** Models are free text of the callers'. */
const MAX_MODELS = 100;

interface ModelLimits {
  state: RateLimitState;
  throttledAtMs: number;
}

/**
 * Decides for `batch: 'auto'` whether an image goes in a pack or alone, by what the answers' headers say of the limits of
 * its model. Packing saves requests and no tokens: it helps only where the requests of a minute run out before the tokens
 * do, and it costs a wait, so only under pressure.
 */
export class PackingAdvisor {
  readonly #clock: Clock;
  readonly #models = new BoundedMap<string, ModelLimits>(MAX_MODELS, () => {});

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes in the headers of an answer, of a refusal too. */
  observe(model: string, headers: unknown, throttled: boolean): void {
    const limits = this.#of(model);
    const state = rateLimitOf(headers);
    if (state.requests !== undefined || state.tokens !== undefined) limits.state = state;
    if (throttled) limits.throttledAtMs = this.#clock.now();
  }

  /** Whether requests are the bottleneck of a model for images of so many tokens each, prompt and answer included. */
  shouldPack(model: string, tokensPerImage: number): boolean {
    const { state, throttledAtMs } = this.#of(model);
    const { requests, tokens } = state;
    if (requests === undefined) return false;
    const tokensPerRequest = (tokens?.limit ?? Number.POSITIVE_INFINITY) / requests.limit;
    // With a request's share of the tokens an image takes at least half of, two images a request gain nothing.
    if (tokensPerImage * 2 > tokensPerRequest) return false;
    const throttled = this.#clock.now() - throttledAtMs < MEMORY_MS;
    return throttled || (requests.remaining ?? requests.limit) < requests.limit * PRESSURE_RATIO;
  }

  #of(model: string): ModelLimits {
    return this.#models.getOrCreate(model, () => ({ state: {}, throttledAtMs: Number.NEGATIVE_INFINITY }));
  }
}
