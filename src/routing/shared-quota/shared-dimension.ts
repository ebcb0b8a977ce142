import { MINUTE_MS, QuotaBucket } from '../limits/quota-bucket.ts';
import { QuotaLimit } from '../limits/quota-limit.ts';
import { hasLimit, levelOf, quotaReadingOf, type RateLimitReading } from '../limits/rate-limit-snapshot.ts';

/** The state of a shared dimension when a request took from it. The base is known after the next state. */
export interface SharedMark {
  /** By the clock of Redis. */
  readonly atMs: number;
  readonly units: number;
  /** Level less corrections at that time, after the request took its units. */
  base: number | undefined;
}

/** The headers of an answer, in the form that the script takes. */
interface SharedNews {
  readonly atMs: number;
  readonly base: number;
  readonly told: number;
  readonly capacity: number;
}

/** The shared state as last seen; its bucket is the model. */
interface SharedState {
  readonly atMs: number;
  readonly corrected: number;
  /** Level less corrections. */
  readonly base: number;
}

/** One dimension of a shared quota as this process sees it: the last state, and the news for the other processes. */
export class SharedDimension extends QuotaLimit {
  readonly #boundPerMs: number;
  #state: SharedState | undefined;
  #open: SharedMark[] = [];
  #newestAtMs = Number.NEGATIVE_INFINITY;
  #news: SharedNews | undefined;
  #unused = 0;
  #adjustment = 0;

  constructor(limitPerMinute: number | undefined) {
    super();
    this.#boundPerMs = (limitPerMinute ?? 0) / MINUTE_MS;
  }

  /** Units a millisecond that all processes may take; 0 when there is no limit. */
  get perMs(): number {
    return this.model?.perMs ?? 0;
  }

  protected get allowedPerMs(): number | undefined {
    return this.model?.perMs;
  }

  /** Units a minute that a process may assume while it is alone. */
  get limitPerMinute(): number | undefined {
    const known = [this.#boundPerMs, this.heardPerMs ?? 0].filter((perMs) => perMs > 0);
    return known.length === 0 ? undefined : Math.min(...known) * MINUTE_MS;
  }

  /** Whether there is anything to report to the other processes. */
  get hasNews(): boolean {
    return this.#news !== undefined || this.#adjustment !== 0 || this.#unused !== 0;
  }

  mark(units: number, atMs: number): SharedMark {
    const mark: SharedMark = { atMs, units, base: undefined };
    this.#open.push(mark);
    return mark;
  }

  /** Gives back units that were granted and not taken. */
  giveBack(units: number): void {
    this.#unused += units;
  }

  /** Corrects what was taken by this many units, up or down. */
  adjust(units: number): void {
    this.#adjustment += units;
  }

  /** Follows the headers of the answer to that request. */
  observe(mark: SharedMark, raw: RateLimitReading): void {
    if (mark.atMs <= this.#newestAtMs || !hasLimit(raw)) return;
    const reading = quotaReadingOf(raw);
    this.#newestAtMs = mark.atMs;
    this.hear(reading, mark.atMs);
    const { capacity = 0 } = reading;
    if (reading.remaining === undefined) return;
    const told = levelOf(reading, Math.max(this.model?.capacity ?? 0, capacity, 1));
    this.#news = { atMs: mark.atMs, base: mark.base ?? this.#baseAt(mark.atMs), told, capacity };
  }

  /** Gives the script its report, once; `held` is what was granted and not taken. */
  report(held: number): readonly number[] {
    const { atMs = 0, base = 0, told = 0, capacity = 0 } = this.#news ?? {};
    const counts = [held, this.#unused, this.#adjustment];
    this.forget();
    return [this.#boundPerMs, this.heardPerMs ?? 0, ...counts, atMs, base, told, capacity];
  }

  /** Takes in the state that a script returned. */
  see(atMs: number, [level = 0, perMs = 0, capacity = 0, corrected = 0, foreignPerMs = 0]: readonly number[]): void {
    const before = this.#state;
    const state: SharedState = { atMs, corrected, base: level - corrected };
    this.#state = state;
    this.model = perMs > 0 ? new QuotaBucket(perMs, atMs, level, capacity) : undefined;
    if (this.model !== undefined) this.model.foreignPerMs = foreignPerMs;
    for (const mark of this.#open) mark.base = before === undefined ? state.base : between(before, state, mark.atMs);
    this.#open = [];
  }

  /** Forgets the news for the other processes. */
  forget(): void {
    this.#news = undefined;
    this.#unused = 0;
    this.#adjustment = 0;
  }

  #baseAt(atMs: number): number {
    return this.model === undefined ? 0 : this.model.levelAt(atMs) - (this.#state?.corrected ?? 0);
  }
}

/** The change of the level between two states, without that of corrections. */
function between(before: SharedState, after: SharedState, atMs: number): number {
  const spanMs = after.atMs - before.atMs;
  if (spanMs <= 0) return after.base;
  return before.base + (after.base - before.base) * Math.min(1, Math.max(0, (atMs - before.atMs) / spanMs));
}
