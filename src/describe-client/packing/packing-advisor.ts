import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import type { LimitPressure, QuotaPressure } from '../../routing/limits/limit-pressure.ts';

/** Share of a limit that must be used up before it counts as pressure. */
const PRESSURE_RATIO = 0.5;
/**
 * A call that waited this long in the router's queue is a sign of pressure: the wait for a pack would not have been
 * longer.
 */
const QUEUED_MS = 200;
/** Time for which such a wait counts. */
const QUEUED_MEMORY_MS = 10_000;
/** Packing must describe this many times as many images a minute to be worth the wait for a full pack. */
const WORTH_PACKING = 1.25;
/** Below this factor packing gains nothing, and large requests use a limit less evenly than small ones. */
const WORTH_LEAVING = 1.05;
/** Names of models come from callers, so their number is bounded. */
const MAX_MODELS = 100;

/** The cost of an image against the limits, alone and in a pack. */
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

/** The part of a router that reports how short the limits of a model are. */
export type PressureOf = (model: string) => QuotaPressure;

/** Ends a wait, at a reading of the clock or now. Later calls are ignored. */
export type EndWait = (atMs?: number) => void;

/** A request in the router's queue, while the advice for it may change. */
export interface QueuedRequest {
  readonly model: string;
  /** Begins a wait in the queue. */
  readonly waits: () => EndWait;
  /** Called when the request enters the router's queue, and later whenever the advice may have changed. */
  readonly look: () => void;
  /** Called when it leaves the queue. */
  readonly onLeft?: () => void;
}

class ModelState {
  queuedAtMs = Number.NEGATIVE_INFINITY;
  hasAnswered = false;
  /** The limits that were short when the queued requests last looked. */
  seen = 'false,false';
}

/**
 * Advises whether an image goes in a pack or alone: by which limit of its model is short, and what either way uses of
 * it. Packing saves requests, and the tokens of a long prompt. It costs a wait, so it is advised only under pressure.
 */
export class PackingAdvisor {
  readonly #clock: Clock;
  readonly #pressureOf: PressureOf;
  readonly #models = new BoundedMap<string, ModelState>(MAX_MODELS);
  /** `look` of each request in the router's queue, by model. */
  readonly #queued = new Map<string, Set<() => void>>();

  constructor(clock: Clock, pressureOf: PressureOf) {
    this.#clock = clock;
    this.#pressureOf = pressureOf;
  }

  /** Whether a model has answered, or refused, at least once. */
  hasHeardOf(model: string): boolean {
    return this.#stateOf(model).hasAnswered;
  }

  /** An attempt for a model has ended, so its limits may have become short, or be short no longer. */
  heard(model: string): void {
    const state = this.#stateOf(model);
    state.hasAnswered = true;
    this.#look(model, state);
  }

  /** A request has left the router's queue after this wait. */
  waited(model: string, waitMs: number): void {
    if (waitMs < QUEUED_MS) return;
    const state = this.#stateOf(model);
    state.queuedAtMs = this.#clock.now();
    this.#look(model, state);
  }

  /**
   * Follows a request through the router's queue. Returns the function that begins its wait, and one that ends the
   * following.
   */
  follow({ model, waits, look, onLeft = () => {} }: QueuedRequest): { readonly waits: () => EndWait; end(): void } {
    const end = () => {
      const looks = this.#queued.get(model);
      looks?.delete(look);
      if (looks?.size === 0) this.#queued.delete(model);
    };
    return {
      end,
      waits: () => {
        const endWait = waits();
        const sinceMs = this.#clock.now();
        let isOver = false;
        const looks = this.#queued.get(model) ?? new Set();
        this.#queued.set(model, looks.add(look));
        look();
        return (atMs) => {
          if (isOver) return;
          isOver = true;
          const nowMs = atMs ?? this.#clock.now();
          endWait(nowMs);
          end();
          onLeft();
          this.waited(model, nowMs - sinceMs);
        };
      },
    };
  }

  advise(model: string, { single, packed, packSize }: PackingCost): PackingAdvice {
    const { requests, tokens } = this.#scarcityOf(model, this.#stateOf(model));
    // A limit that is not short bounds nothing now: others may use it in another way than we do.
    const requestRate = requests.isShort ? requests.perMinute : Number.POSITIVE_INFINITY;
    const tokenRate = tokens.isShort ? tokens.perMinute : Number.POSITIVE_INFINITY;
    const alone = Math.min(requestRate, tokenRate / single);
    if (!Number.isFinite(alone)) return 'either';
    const together = Math.min(requestRate * packSize, tokenRate / packed);
    if (together >= alone * WORTH_PACKING) return 'pack';
    return together < alone * WORTH_LEAVING ? 'singly' : 'either';
  }

  #scarcityOf(model: string, { queuedAtMs }: ModelState) {
    const isQueueing = this.#clock.now() - queuedAtMs < QUEUED_MEMORY_MS;
    const { requests, tokens } = this.#pressureOf(model);
    return { requests: scarcityOf(requests, isQueueing), tokens: scarcityOf(tokens, isQueueing) };
  }

  #stateOf(model: string): ModelState {
    return this.#models.getOrCreate(model, () => new ModelState());
  }

  /**
   * Calls `look` of the queued requests only when another limit is short than before: there may be thousands of them.
   */
  #look(model: string, state: ModelState): void {
    const { requests, tokens } = this.#scarcityOf(model, state);
    const seen = `${requests.isShort},${tokens.isShort}`;
    if (seen === state.seen) return;
    state.seen = seen;
    for (const look of [...(this.#queued.get(model) ?? [])]) look();
  }
}

function scarcityOf({ perMinute, usedRatio, isLow, isThrottled }: LimitPressure, isQueueing: boolean) {
  const isUsed = perMinute !== undefined && usedRatio >= PRESSURE_RATIO;
  return {
    perMinute: perMinute ?? Number.POSITIVE_INFINITY,
    isShort: isThrottled || isUsed || (isQueueing && isLow),
  };
}
