import { type LimitPressure, LOW_RATIO } from './limit-pressure.ts';
import { MINUTE_MS, QuotaBucket, secondOf } from './quota-bucket.ts';
import { hasLimit, levelOf, type QuotaReading, quotaReadingOf } from './quota-reading.ts';
import type { RateLimitReading } from './rate-limit-snapshot.ts';
import { certainDifference, ReorderWindow, type TakenOrder } from './reorder-window.ts';

export interface QuotaDimensionOptions {
  /** Upper bound, units a minute. */
  readonly limit: number | undefined;
  /** Processes that share the limit. */
  readonly processes: number;
}

/** Where a dimension stood when something was taken: what its answer's headers are compared with. */
export interface QuotaMark {
  readonly sequence: number;
  readonly atMs: number;
  readonly units: number;
  /** Level of the model after it was taken; undefined when there was no model. */
  readonly level: number | undefined;
  /** Sum of corrections until then. */
  readonly corrected: number;
  /** Sum of units taken until then, its own included. */
  readonly taken: number;
  readonly order: TakenOrder;
}

export interface QuotaDimensionStats {
  /** Units a minute that the API's headers name; absent before one did. */
  readonly limit?: number;
  /** Units a minute that this process allows itself at most; absent when nothing bounds it. */
  readonly allowed?: number;
  /** What the API's bucket holds now, as far as is known; negative while debt is paid off. */
  readonly level?: number;
  /** What the API's bucket holds when full, as learned. */
  readonly capacity?: number;
  /** Units a minute that others seem to take. */
  readonly foreignPerMinute: number;
  /** Units by which headers corrected the model, up and down; absent where the model is shared. */
  readonly raised?: number;
  readonly lowered?: number;
}

/**
 * A downward difference is believed whole; an upward one at least in this share, and more the longer nothing was heard.
 */
const RAISE_RATIO = 0.5;
const RAISE_MS = 500;
/** Differences below this are rounding: a share of the bucket, and units. */
const DEADBAND_RATIO = 0.01;
const DEADBAND_UNITS = 0.05;
/** Time constant of what others are believed to take. */
const FOREIGN_MS = 4_000;
const FULL_MS = 4_000;
/** Unheard of for so long, others are believed to take less and less. */
const FOREIGN_TRUST_MS = 5_000;
const FOREIGN_DECAY_MS = 10_000;

/**
 * One dimension of a quota, requests or tokens. A model of the API's bucket follows the headers, and a budget of its
 * own keeps this process within its explicit limit or share.
 *
 * The model is corrected by differences: an answer tells the level right after its request was counted, so it is
 * compared with the level that the model had then, plus the corrections since. So the same difference in the headers of
 * many answers is applied once, and headers that are seconds old don't make the level swing. What has to be corrected
 * downwards again and again is taken by others, and is subtracted from the refill (an alpha-beta filter).
 */
export class QuotaDimension {
  readonly #limit: number | undefined;
  readonly #processes: number;
  #model: QuotaBucket | undefined;
  #budget: QuotaBucket | undefined;
  #heardPerMs: number | undefined;
  /** The limit that the headers name, of a minute or of a day. */
  #heardLimit = 0;
  #throttledAtMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #corrected = 0;
  readonly #reorder = new ReorderWindow();
  #raised = 0;
  #lowered = 0;
  #latestSequence = -1;
  #lastSequence = -1;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #modelSinceSequence = 0;
  #quantised = false;

  constructor({ limit, processes }: QuotaDimensionOptions, nowMs: number) {
    this.#limit = limit;
    this.#processes = processes;
    this.#fitBudget(nowMs);
  }

  /** Units a millisecond that the API allows in all, as far as is known. */
  get perMs(): number | undefined {
    return this.#heardPerMs ?? (this.#limit === undefined ? undefined : this.#limit / MINUTE_MS);
  }

  waitMs(units: number, guardMs: number, nowMs: number): number {
    const modelMs = this.#model === undefined ? 0 : this.#model.waitMs(units, guardMs, nowMs);
    const budgetMs = this.#budget === undefined ? 0 : this.#budget.waitMs(units, guardMs, nowMs);
    return Math.max(modelMs, budgetMs);
  }

  /** Milliseconds until so many units in all will have been let pass. */
  drainMs(units: number, nowMs: number): number {
    return Math.max(this.#model?.drainMs(units, nowMs) ?? 0, this.#budget?.drainMs(units, nowMs) ?? 0);
  }

  take(units: number, sequence: number, nowMs: number): QuotaMark {
    this.#fadeForeign(nowMs);
    this.#latestSequence = sequence;
    this.#taken += units;
    this.#budget?.take(units, nowMs);
    const level = this.#model?.take(units, nowMs);
    const taken = this.#taken;
    const order = this.#reorder.add(units, taken, this.#model?.perMs ?? 0, nowMs);
    return { sequence, atMs: nowMs, units, level, corrected: this.#corrected, taken, order };
  }

  /**
   * Gives back, or takes, what turned out to be other than reserved. The headers tell a model the same, where there are
   * any.
   */
  settle(mark: QuotaMark, units: number, heard: boolean, nowMs: number): void {
    const delta = mark.units - units;
    this.#budget?.move(delta, nowMs);
    if (heard || this.#model === undefined) return;
    this.#corrected += this.#model.move(delta, nowMs);
  }

  /** Gives back what was never sent. */
  refund({ units }: QuotaMark, nowMs: number): void {
    this.#taken -= units;
    this.#budget?.move(units, nowMs);
    this.#corrected += this.#model?.move(units, nowMs) ?? 0;
  }

  /** Was refused, so what it took was not counted; a model is told by the headers if it was. */
  refuse({ units }: QuotaMark, nowMs: number): void {
    if (this.#model === undefined) return;
    this.#taken -= units;
    this.#corrected += this.#model.move(units, nowMs);
  }

  /** Follows what an answer to the request of that mark says. Returns whether more is allowed than before. */
  observe(mark: QuotaMark, raw: RateLimitReading, nowMs: number): boolean {
    // An answer to an older request tells an older state, which a newer one has told already.
    if (mark.sequence <= this.#lastSequence || !hasLimit(raw)) return false;
    const reading = quotaReadingOf(raw);
    const sinceMs = mark.atMs - this.#lastAtMs;
    this.#lastSequence = mark.sequence;
    this.#lastAtMs = mark.atMs;
    this.#heardLimit = reading.limit;
    const faster = this.#followLimit(reading.perMs, nowMs);
    const model = this.#model;
    if (model === undefined || reading.remaining === undefined) return faster;
    this.#followCapacity(model, reading, nowMs);
    const told = levelOf(reading, model.capacity);
    if (mark.level === undefined || mark.sequence < this.#modelSinceSequence) {
      // Taken before there was a model, or at another limit: it begins with what was told, less what was taken since.
      const level = told + (nowMs - mark.atMs) * model.perMs - (this.#taken - mark.taken);
      return model.move(level - model.levelAt(nowMs), nowMs) > 0 || faster;
    }
    // It was full when the request came, so others took less than it let flow past.
    if (told + mark.units >= model.capacity * (1 - DEADBAND_RATIO)) {
      model.foreignPerMs *= Math.exp(-sinceMs / FULL_MS);
    }
    const exact = told - (mark.level + this.#corrected - mark.corrected);
    const difference = certainDifference(exact, mark.order, mark.units, mark.taken);
    if (Math.abs(difference) < Math.max(DEADBAND_UNITS, model.capacity * DEADBAND_RATIO)) return faster;
    return this.#correct(model, difference, mark, sinceMs, nowMs) > 0 || faster;
  }

  /** It refused a request. */
  throttled(nowMs: number): void {
    this.#throttledAtMs = nowMs;
  }

  pressure(nowMs: number): LimitPressure {
    const model = this.#model;
    const perMs = this.#budget?.perMs ?? model?.perMs;
    const level = model?.levelAt(nowMs) ?? 0;
    return {
      perMinute: perMs === undefined ? undefined : perMs * MINUTE_MS,
      usedRatio: model === undefined ? 0 : Math.min(1, (model.capacity - level) / this.#heardLimit),
      isLow: level < this.#heardLimit * LOW_RATIO || model === undefined,
      isThrottled: nowMs - this.#throttledAtMs < MINUTE_MS,
    };
  }

  /** Empties it, where what others have taken is not known. */
  drain(nowMs: number): void {
    for (const bucket of [this.#model, this.#budget]) bucket?.move(-Math.max(0, bucket.levelAt(nowMs)), nowMs);
  }

  /** Was refused while the headers said that there was room: the limit is enforced a second at a time. */
  quantise(nowMs: number): void {
    this.#quantised = true;
    const model = this.#model;
    if (model !== undefined) model.setCapacity(Math.min(model.capacity, secondOf(model.perMs)), nowMs);
  }

  getStats(nowMs: number): QuotaDimensionStats {
    const model = this.#model;
    const perMs = this.#budget?.perMs ?? model?.perMs;
    return {
      ...(this.#heardPerMs === undefined ? {} : { limit: this.#heardPerMs * MINUTE_MS }),
      ...(perMs === undefined ? {} : { allowed: perMs * MINUTE_MS }),
      ...(model === undefined ? {} : { level: model.levelAt(nowMs), capacity: model.capacity }),
      foreignPerMinute: (model?.foreignPerMs ?? 0) * MINUTE_MS,
      raised: this.#raised,
      lowered: this.#lowered,
    };
  }

  #correct(model: QuotaBucket, difference: number, mark: QuotaMark, sinceMs: number, nowMs: number): number {
    const gain = difference < 0 ? 1 : Math.max(RAISE_RATIO, 1 - Math.exp(-sinceMs / RAISE_MS));
    const believed = difference * gain;
    const moved = model.move(believed, nowMs);
    this.#corrected += moved;
    if (moved > 0) this.#raised += moved;
    else this.#lowered -= moved;
    if (mark.sequence >= this.#modelSinceSequence) {
      model.foreignPerMs -= believed / Math.max(FOREIGN_MS, Math.min(sinceMs, FOREIGN_DECAY_MS));
    }
    return moved;
  }

  #fadeForeign(nowMs: number): void {
    const model = this.#model;
    if (model === undefined || model.foreignPerMs === 0) return;
    const unheardMs = nowMs - this.#lastAtMs - FOREIGN_TRUST_MS;
    if (unheardMs <= 0) return;
    model.foreignPerMs *= Math.exp(-unheardMs / FOREIGN_DECAY_MS);
    this.#lastAtMs = nowMs - FOREIGN_TRUST_MS;
  }

  #followLimit(perMs: number, nowMs: number): boolean {
    const before = this.#heardPerMs;
    if (before === perMs) return false;
    this.#heardPerMs = perMs;
    // What was taken at the old rate differs from what the new one allows, and nobody else took it.
    this.#modelSinceSequence = this.#latestSequence + 1;
    if (this.#model === undefined) {
      this.#model = new QuotaBucket(perMs, nowMs);
    } else {
      this.#model.setRate(perMs, nowMs);
      this.#model.foreignPerMs = 0;
    }
    this.#fitBudget(nowMs);
    return before === undefined || perMs > before;
  }

  #followCapacity(model: QuotaBucket, { capacity }: QuotaReading, nowMs: number): void {
    if (capacity === undefined) return;
    const bounded = this.#quantised ? Math.min(capacity, secondOf(model.perMs)) : capacity;
    const excess = bounded - model.capacity;
    // `remaining` is rounded down: less than one below is no news.
    if (excess > 0) model.setCapacity(bounded, nowMs);
    else if (-excess > 1 + model.capacity * 0.05) model.setCapacity(model.capacity + excess * 0.3, nowMs);
  }

  /** The budget is needed where it is less than what the model allows, or where there is no model. */
  #fitBudget(nowMs: number): void {
    const known = [this.#heardPerMs, this.#limit === undefined ? undefined : this.#limit / MINUTE_MS];
    const perMs = Math.min(...known.filter((rate) => rate !== undefined)) / this.#processes;
    if (!Number.isFinite(perMs) || perMs === this.#heardPerMs) this.#budget = undefined;
    else if (this.#budget === undefined) this.#budget = new QuotaBucket(perMs, nowMs);
    else this.#budget.setRate(perMs, nowMs);
  }
}
