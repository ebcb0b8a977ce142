import { MINUTE_MS, QuotaBucket, secondOf } from './quota-bucket.ts';
import { type QuotaDimensionStats, QuotaLimit } from './quota-limit.ts';
import { hasLimit, levelOf, type QuotaReading, quotaReadingOf, type RateLimitReading } from './rate-limit-snapshot.ts';

export interface QuotaDimensionOptions {
  /** Upper bound, units per minute. */
  readonly limit: number | undefined;
  /** Processes that share the limit. */
  readonly processes: number;
}

/** Requests sent within this time may overtake each other on their way. */
const REORDER_MS = 50;
/** A bunch that is sent at once, such as many large images, takes longer to arrive. */
const BUNCH_MS = 1_000;
/** A bunch is large when it exceeds its rate in that time by this factor. */
const BUNCH_FACTOR = 1.2;
const BUNCH_REQUESTS = 8;

/** The state of a dimension when a request took its units. The headers of the answer are compared with it. */
export interface QuotaMark {
  readonly sequence: number;
  readonly atMs: number;
  readonly units: number;
  /** Level of the model after the units were taken; undefined when there was no model. */
  readonly level: number | undefined;
  /** Sum of corrections until then. */
  readonly corrected: number;
  /** Sum of units taken until then, its own included. */
  readonly taken: number;
  readonly order: TakenOrder;
}

/**
 * A correction downwards is applied whole. One upwards is applied in this share, or more after a time without answers.
 */
const RAISE_RATIO = 0.5;
const RAISE_MS = 500;
/** Differences below this share of the bucket are rounding. */
const DEADBAND_RATIO = 0.01;
const DEADBAND_UNITS = 0.05;
/** Time constant of what others are believed to take. */
const FOREIGN_MS = 4_000;
const FULL_MS = 4_000;
/** After this time without an answer, the estimate of what others take begins to shrink. */
const FOREIGN_TRUST_MS = 5_000;
const FOREIGN_DECAY_MS = 10_000;

/**
 * One dimension of a quota, requests or tokens. A model of the API's bucket follows the headers, and a budget of its
 * own keeps this process within its explicit limit or share.
 *
 * The model is corrected by differences. An answer tells the level right after its request was counted: it is
 * compared with the level that the model had then, plus the corrections since. So the same difference in the headers of
 * many answers is applied once, and headers that are seconds old don't make the level swing. Repeated corrections
 * downwards are units that others take; they are subtracted from the refill (an alpha-beta filter).
 */
export class QuotaDimension extends QuotaLimit {
  /** Upper bound, units per millisecond. */
  readonly #boundPerMs: number | undefined;
  /** Units a millisecond that the API allows in all, as far as is known; only this class writes it. */
  perMs: number | undefined;
  readonly #processes: number;
  #budget: QuotaBucket | undefined;
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
    super();
    this.#boundPerMs = limit === undefined ? undefined : limit / MINUTE_MS;
    this.perMs = this.#boundPerMs;
    this.#processes = processes;
    this.#fitBudget(nowMs);
  }

  waitMs(units: number, guardMs: number, nowMs: number): number {
    const modelMs = this.model === undefined ? 0 : this.model.waitMs(units, guardMs, nowMs);
    const budgetMs = this.#budget === undefined ? 0 : this.#budget.waitMs(units, guardMs, nowMs);
    return Math.max(modelMs, budgetMs);
  }

  /** Milliseconds until this many units, taken together, can have passed. */
  drainMs(units: number, nowMs: number): number {
    return Math.max(this.model?.drainMs(units, nowMs) ?? 0, this.#budget?.drainMs(units, nowMs) ?? 0);
  }

  take(units: number, sequence: number, nowMs: number): QuotaMark {
    if (this.model !== undefined) this.#fadeForeign(this.model, nowMs);
    this.#latestSequence = sequence;
    this.#taken += units;
    this.#budget?.take(units, nowMs);
    const level = this.model?.take(units, nowMs);
    const taken = this.#taken;
    const order = this.#reorder.add(units, taken, this.model?.perMs ?? 0, nowMs);
    return { sequence, atMs: nowMs, units, level, corrected: this.#corrected, taken, order };
  }

  /**
   * Corrects the model by the difference between reserved and used units. With headers (`heard`) the model corrects
   * itself.
   */
  settle(mark: QuotaMark, units: number, heard: boolean, nowMs: number): void {
    const delta = mark.units - units;
    this.#budget?.move(delta, nowMs);
    if (heard || this.model === undefined) return;
    this.#corrected += this.model.move(delta, nowMs);
  }

  /** Gives back what was never sent. */
  refund({ units }: QuotaMark, nowMs: number): void {
    this.#taken -= units;
    this.#budget?.move(units, nowMs);
    this.#corrected += this.model?.move(units, nowMs) ?? 0;
  }

  /** The request was refused, so its units were not counted. The headers correct the model if they were. */
  refuse({ units }: QuotaMark, nowMs: number): void {
    if (this.model === undefined) return;
    this.#taken -= units;
    this.#corrected += this.model.move(units, nowMs);
  }

  /** Follows the headers of the answer to that request. Returns whether more is allowed than before. */
  observe(mark: QuotaMark, raw: RateLimitReading, nowMs: number): boolean {
    // The answer to an older request describes an older state. A newer answer has told more already.
    if (mark.sequence <= this.#lastSequence || !hasLimit(raw)) return false;
    const reading = quotaReadingOf(raw);
    const sinceMs = mark.atMs - this.#lastAtMs;
    this.#lastSequence = mark.sequence;
    this.#lastAtMs = mark.atMs;
    const faster = this.#followLimit(reading, nowMs);
    const model = this.model;
    if (model === undefined || reading.remaining === undefined) return faster;
    this.#followCapacity(model, reading, nowMs);
    const told = levelOf(reading, model.capacity);
    if (mark.level === undefined || mark.sequence < this.#modelSinceSequence) {
      // The request was taken before there was a model, or at another limit. The model begins with the reported level,
      // less the units taken since.
      const level = told + (nowMs - mark.atMs) * model.perMs - (this.#taken - mark.taken);
      return model.move(level - model.levelAt(nowMs), nowMs) > 0 || faster;
    }
    // The API's bucket was full when the request came, so others took less than the refill.
    if (told + mark.units >= model.capacity * (1 - DEADBAND_RATIO)) {
      model.foreignPerMs *= Math.exp(-sinceMs / FULL_MS);
    }
    const exact = told - (mark.level + this.#corrected - mark.corrected);
    const difference = certainDifference(exact, mark.order, mark.units, mark.taken);
    if (Math.abs(difference) < Math.max(DEADBAND_UNITS, model.capacity * DEADBAND_RATIO)) return faster;
    return this.#correct(model, difference, mark, sinceMs, nowMs) > 0 || faster;
  }

  /** Empties the model, because it is unknown what others have taken. */
  drain(nowMs: number): void {
    for (const bucket of [this.model, this.#budget]) bucket?.move(-Math.max(0, bucket.levelAt(nowMs)), nowMs);
  }

  /** The API refused although its headers reported enough. So it enforces the limit one second at a time. */
  quantise(nowMs: number): void {
    this.#quantised = true;
    const model = this.model;
    if (model !== undefined) model.setCapacity(Math.min(model.capacity, secondOf(model.perMs)), nowMs);
  }

  override getStats(nowMs: number): QuotaDimensionStats {
    return { ...super.getStats(nowMs), raised: this.#raised, lowered: this.#lowered };
  }

  protected get allowedPerMs(): number | undefined {
    return this.#budget?.perMs ?? this.model?.perMs;
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

  #fadeForeign(model: QuotaBucket, nowMs: number): void {
    if (model.foreignPerMs === 0) return;
    const unheardMs = nowMs - this.#lastAtMs - FOREIGN_TRUST_MS;
    if (unheardMs <= 0) return;
    model.foreignPerMs *= Math.exp(-unheardMs / FOREIGN_DECAY_MS);
    this.#lastAtMs = nowMs - FOREIGN_TRUST_MS;
  }

  #followLimit(reading: QuotaReading, nowMs: number): boolean {
    const before = this.heardPerMs;
    this.hear(reading, nowMs);
    const { perMs } = reading;
    this.perMs = perMs;
    if (before === perMs) return false;
    // Units taken at the old rate say nothing about the new one, and no other process took them.
    this.#modelSinceSequence = this.#latestSequence + 1;
    if (this.model === undefined) {
      this.model = new QuotaBucket(perMs, nowMs);
    } else {
      this.model.setRate(perMs, nowMs);
      this.model.foreignPerMs = 0;
    }
    this.#fitBudget(nowMs);
    return before === undefined || perMs > before;
  }

  #followCapacity(model: QuotaBucket, { capacity }: QuotaReading, nowMs: number): void {
    if (capacity === undefined) return;
    const bounded = this.#quantised ? Math.min(capacity, secondOf(model.perMs)) : capacity;
    const excess = bounded - model.capacity;
    // `remaining` is rounded down, so a difference below one unit says nothing.
    if (excess > 0) model.setCapacity(bounded, nowMs);
    else if (-excess > 1 + model.capacity * 0.05) model.setCapacity(model.capacity + excess * 0.3, nowMs);
  }

  /** Keeps a budget where it is less than what the model allows, or where there is no model. */
  #fitBudget(nowMs: number): void {
    const known = [this.heardPerMs, this.#boundPerMs];
    const perMs = Math.min(...known.filter((rate) => rate !== undefined)) / this.#processes;
    if (!Number.isFinite(perMs) || perMs === this.heardPerMs) this.#budget = undefined;
    else if (this.#budget === undefined) this.#budget = new QuotaBucket(perMs, nowMs);
    else this.#budget.setRate(perMs, nowMs);
  }
}

/** Units that were taken one right after the other, as a range of the sum of all units ever taken. */
interface Bunch {
  readonly first: number;
  last: number;
  /** Whether the bunch exceeds the rate for so long that its order says little. */
  large: boolean;
}

/** How far the order of arrival may differ from the order in which requests were taken. */
interface TakenOrder {
  /** Units that were taken so shortly before it that they may arrive after it. */
  readonly close: number;
  readonly bunch: Bunch;
}

/** Tells how far the order in which requests arrive may differ from the one in which they were sent. */
class ReorderWindow {
  #close = 0;
  #recent = 0;
  #atMs = 0;
  #bunch: Bunch = { first: 0, last: 0, large: false };

  /** Counts units that are taken now; `taken` is the running sum, these included. */
  add(units: number, taken: number, perMs: number, nowMs: number): TakenOrder {
    const gapMs = nowMs - this.#atMs;
    const close = this.#close * Math.exp(-gapMs / REORDER_MS);
    const usual = Math.max(perMs * BUNCH_MS * BUNCH_FACTOR, units * BUNCH_REQUESTS);
    this.#close = close + units;
    this.#recent = this.#recent * Math.exp(-gapMs / BUNCH_MS) + units;
    this.#atMs = nowMs;
    const isLarge = perMs > 0 && this.#recent > usual;
    const isOver = gapMs > REORDER_MS || taken - this.#bunch.first > usual;
    if (!isLarge && isOver) this.#bunch = { first: taken - units, last: taken, large: false };
    const bunch = this.#bunch;
    bunch.last = taken;
    if (isLarge) bunch.large = true;
    return { close, bunch };
  }
}

/** The part of a difference that no order of arrival explains; `taken` is the running sum, its own units included. */
function certainDifference(difference: number, { close, bunch }: TakenOrder, units: number, taken: number): number {
  if (difference > 0) {
    const before = bunch.large ? Math.max(close, taken - units - bunch.first) : close;
    return Math.max(0, difference - before);
  }
  return bunch.large ? Math.min(0, difference + bunch.last - taken) : difference;
}
