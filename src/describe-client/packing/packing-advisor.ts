import { callSafely } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import { LimitPressure } from './limit-pressure.ts';

/** Share of a limit that must be used up before it counts as pressure. */
const PRESSURE_RATIO = 0.5;
/** A call that waited so long for its turn tells of a line; company would not have cost it more. */
const LINE_MS = 200;
/** How long a line is remembered. */
const LINE_MEMORY_MS = 10_000;
/** Times as many images a minute that packing must bring to be worth the wait for company. */
const WORTH_PACKING = 1.25;
/** Below so many it brings nothing, and large requests use a limit less evenly than small ones. */
const WORTH_LEAVING = 1.05;
/** Models and endpoints are free text of the callers'. */
const MAX_MODELS = 100;
const MAX_ENDPOINTS = 100;

/** What an image takes of the limits, alone and in company. */
export interface PackingCost {
  /** Tokens that a limit counts for one image alone. */
  readonly single: number;
  /** Tokens for one image of a full pack. */
  readonly packed: number;
  /** Images of a full pack. */
  readonly packSize: number;
}

/** `pack` or `singly` where it matters; `either` where nothing is scarce, or too little is known. */
export type PackingAdvice = 'pack' | 'singly' | 'either';

/** Limits of the user's own, a minute. */
export interface KnownLimits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
}

interface EndpointPressure {
  readonly requests: LimitPressure;
  readonly tokens: LimitPressure;
}

class ModelPressure {
  readonly endpoints = new BoundedMap<string, EndpointPressure>(MAX_ENDPOINTS);
  lineAtMs = Number.NEGATIVE_INFINITY;
  /** What the watchers were told last. */
  told = 'false,false';
}

/** One limit of a model over all its endpoints. */
interface Scarcity {
  readonly perMinute: number;
  readonly pressed: boolean;
}

/**
 * Advises whether an image goes in a pack or alone, by which limit of its model is short and what either way takes of
 * it. Packing saves requests, and the tokens of a long prompt; it costs a wait, so it is advised only under pressure.
 */
export class PackingAdvisor {
  readonly #clock: Clock;
  readonly #known: KnownLimits;
  readonly #models = new BoundedMap<string, ModelPressure>(MAX_MODELS);
  readonly #watchers = new Set<(model: string) => void>();

  constructor(clock: Clock, known: KnownLimits = {}) {
    this.#clock = clock;
    this.#known = known;
  }

  /** Takes in the headers of an answer, of a refusal too. */
  observe(model: string, headers: unknown, throttled: boolean, endpoint = ''): void {
    const nowMs = this.#clock.now();
    const { requests, tokens } = this.#endpoint(model, endpoint);
    const state = rateLimitOf(headers);
    if (state.requests !== undefined) requests.read(state.requests, nowMs);
    if (state.tokens !== undefined) tokens.read(state.tokens, nowMs);
    if (throttled) {
      const { remaining } = state.requests ?? {};
      // What still has requests left was refused for something else.
      if (remaining === undefined || remaining === 0) requests.throttle(nowMs);
      if (remaining === undefined || remaining > 0) tokens.throttle(nowMs);
    }
    this.#tell(model);
  }

  /** Whether a model has answered, or refused, at least once. */
  hasHeardOf(model: string): boolean {
    return this.#model(model).endpoints.size > 0;
  }

  /** Takes in how long a call waited for its turn before anything was sent. */
  waited(model: string, waitMs: number): void {
    if (waitMs < LINE_MS) return;
    this.#model(model).lineAtMs = this.#clock.now();
    this.#tell(model);
  }

  /** Calls `watcher` when a limit of a model has become short, or no longer is; returns what ends that. */
  watch(watcher: (model: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  advise(model: string, { single, packed, packSize }: PackingCost): PackingAdvice {
    const pressure = this.#model(model);
    const requests = this.#scarcity(pressure, 'requests');
    const tokens = this.#scarcity(pressure, 'tokens');
    // What is not short bounds nothing for now, whatever the limits promise: others may use them otherwise than we do.
    const requestRate = requests.pressed ? requests.perMinute : Number.POSITIVE_INFINITY;
    const tokenRate = tokens.pressed ? tokens.perMinute : Number.POSITIVE_INFINITY;
    const alone = Math.min(requestRate, tokenRate / single);
    if (!Number.isFinite(alone)) return 'either';
    const together = Math.min(requestRate * packSize, tokenRate / packed);
    if (together >= alone * WORTH_PACKING) return 'pack';
    return together < alone * WORTH_LEAVING ? 'singly' : 'either';
  }

  #scarcity(pressure: ModelPressure, dimension: 'requests' | 'tokens'): Scarcity {
    const nowMs = this.#clock.now();
    const hasLine = nowMs - pressure.lineAtMs < LINE_MEMORY_MS;
    let perMinute = 0;
    let used = 0;
    let throttled = false;
    let low = true;
    for (const endpoint of pressure.endpoints.values()) {
      const limit = endpoint[dimension];
      throttled ||= limit.isThrottled(nowMs);
      const rate = limit.perMinute(nowMs);
      if (rate === undefined) continue;
      perMinute += rate;
      used += rate * limit.usedRatio(nowMs);
      low &&= limit.isLow;
    }
    const known = this.#known[`${dimension}PerMinute`] ?? Number.POSITIVE_INFINITY;
    return {
      perMinute: Math.min(known, perMinute === 0 ? Number.POSITIVE_INFINITY : perMinute),
      pressed: throttled || (perMinute > 0 && used >= perMinute * PRESSURE_RATIO) || (hasLine && low),
    };
  }

  #model(model: string): ModelPressure {
    return this.#models.getOrCreate(model, () => new ModelPressure());
  }

  #endpoint(model: string, endpoint: string): EndpointPressure {
    return this.#model(model).endpoints.getOrCreate(endpoint, () => ({
      requests: new LimitPressure(),
      tokens: new LimitPressure(),
    }));
  }

  /** Tells the watchers, of which each may have thousands of calls to look at, only of what is news. */
  #tell(model: string): void {
    const pressure = this.#model(model);
    const isShort = [this.#scarcity(pressure, 'requests'), this.#scarcity(pressure, 'tokens')];
    const state = isShort.map(({ pressed }) => pressed).join();
    if (state === pressure.told) return;
    pressure.told = state;
    for (const watcher of [...this.#watchers]) callSafely(watcher, model);
  }
}
