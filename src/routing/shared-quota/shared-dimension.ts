import { type LimitPressure, LOW_RATIO } from '../quota/limit-pressure.ts';
import { MINUTE_MS } from '../quota/quota-bucket.ts';
import type { QuotaDimensionStats } from '../quota/quota-dimension.ts';
import { hasLimit, levelOf, quotaReadingOf } from '../quota/quota-reading.ts';
import type { RateLimitReading } from '../quota/rate-limit-snapshot.ts';

/** Where a shared dimension stood when something was taken. The base becomes known with the next state that is seen. */
export interface SharedMark {
  /** By the clock of Redis. */
  readonly atMs: number;
  readonly units: number;
  /** Level less corrections at that time, after it was taken. */
  base: number | undefined;
}

/** What an answer's headers say, ready for the script. */
interface SharedNews {
  readonly atMs: number;
  readonly base: number;
  readonly told: number;
  readonly capacity: number;
}

/** The shared state as last seen. */
interface SharedState {
  readonly atMs: number;
  readonly level: number;
  readonly perMs: number;
  readonly capacity: number;
  readonly corrected: number;
  readonly foreignPerMs: number;
}

/** One dimension of a shared quota as this process sees it: the last state, and what the others are to be told. */
export class SharedDimension {
  readonly #boundPerMs: number;
  #state: SharedState | undefined;
  #open: SharedMark[] = [];
  #heardPerMs = 0;
  #heardLimit = 0;
  #throttledAtMs = Number.NEGATIVE_INFINITY;
  #newestAtMs = Number.NEGATIVE_INFINITY;
  #news: SharedNews | undefined;
  #unused = 0;
  #adjustment = 0;

  constructor(limitPerMinute: number | undefined) {
    this.#boundPerMs = (limitPerMinute ?? 0) / MINUTE_MS;
  }

  /** Units a millisecond that all processes may take; 0 when there is no limit. */
  get perMs(): number {
    return this.#state?.perMs ?? 0;
  }

  /** What a process alone may assume, units a minute. */
  get limitPerMinute(): number | undefined {
    const known = [this.#boundPerMs, this.#heardPerMs].filter((perMs) => perMs > 0);
    return known.length === 0 ? undefined : Math.min(...known) * MINUTE_MS;
  }

  /** Whether there is anything that the others should know. */
  get hasNews(): boolean {
    return this.#news !== undefined || this.#adjustment !== 0 || this.#unused !== 0;
  }

  mark(units: number, atMs: number): SharedMark {
    const mark: SharedMark = { atMs, units, base: undefined };
    this.#open.push(mark);
    return mark;
  }

  /** Gives back what was granted and not taken. */
  giveBack(units: number): void {
    this.#unused += units;
  }

  /** Tells that so many units of what was taken were not counted after all, or so many more. */
  adjust(units: number): void {
    this.#adjustment += units;
  }

  /** Follows what an answer to the request of that mark says. */
  observe(mark: SharedMark, raw: RateLimitReading): void {
    if (mark.atMs <= this.#newestAtMs || !hasLimit(raw)) return;
    const reading = quotaReadingOf(raw);
    this.#newestAtMs = mark.atMs;
    this.#heardPerMs = reading.perMs;
    this.#heardLimit = reading.limit;
    const capacity = reading.capacity ?? 0;
    const known = Math.max(this.#state?.capacity ?? 0, capacity, 1);
    if (reading.remaining === undefined) return;
    const told = levelOf(reading, known);
    this.#news = { atMs: mark.atMs, base: mark.base ?? this.#baseAt(mark.atMs), told, capacity };
  }

  /** Hands over what the script is to know, once; `held` is what was granted and not taken. */
  report(held: number): readonly number[] {
    const news = this.#news;
    const counts = [held, this.#unused, this.#adjustment];
    this.forget();
    return [
      this.#boundPerMs,
      this.#heardPerMs,
      ...counts,
      news?.atMs ?? 0,
      news?.base ?? 0,
      news?.told ?? 0,
      news?.capacity ?? 0,
    ];
  }

  /** Takes the state in that a script told. */
  see(atMs: number, [level = 0, perMs = 0, capacity = 0, corrected = 0, foreignPerMs = 0]: readonly number[]): void {
    const before = this.#state;
    this.#state = { atMs, level, perMs, capacity, corrected, foreignPerMs };
    const base = level - corrected;
    for (const mark of this.#open) mark.base = before === undefined ? base : between(before, this.#state, mark.atMs);
    this.#open = [];
  }

  /** Forgets what was to be told. */
  forget(): void {
    this.#news = undefined;
    this.#unused = 0;
    this.#adjustment = 0;
  }

  /** It refused a request of this process. */
  throttled(atMs: number): void {
    this.#throttledAtMs = atMs;
  }

  pressure(atMs: number): LimitPressure {
    const state = this.#state;
    const perMinute = (state?.perMs ?? 0) * MINUTE_MS;
    const level = state === undefined ? 0 : levelNow(state, atMs);
    const told = state !== undefined && this.#heardLimit > 0;
    return {
      perMinute: perMinute > 0 ? perMinute : undefined,
      usedRatio: told ? Math.min(1, (state.capacity - level) / this.#heardLimit) : 0,
      isLow: !told || level < this.#heardLimit * LOW_RATIO,
      isThrottled: atMs - this.#throttledAtMs < MINUTE_MS,
    };
  }

  getStats(atMs: number): QuotaDimensionStats {
    const state = this.#state;
    const limited = state !== undefined && state.perMs > 0;
    return {
      ...(this.#heardPerMs > 0 ? { limit: this.#heardPerMs * MINUTE_MS } : {}),
      ...(limited ? { allowed: state.perMs * MINUTE_MS, level: levelNow(state, atMs), capacity: state.capacity } : {}),
      foreignPerMinute: (state?.foreignPerMs ?? 0) * MINUTE_MS,
    };
  }

  #baseAt(atMs: number): number {
    const state = this.#state;
    return state === undefined ? 0 : levelNow(state, atMs) - state.corrected;
  }
}

const levelNow = ({ level, capacity, perMs, foreignPerMs, atMs }: SharedState, nowMs: number): number =>
  Math.min(capacity, level + Math.max(0, nowMs - atMs) * Math.max(0, perMs - foreignPerMs));

/** Level less corrections between two states. */
function between(before: SharedState, after: SharedState, atMs: number): number {
  const first = before.level - before.corrected;
  const last = after.level - after.corrected;
  const spanMs = after.atMs - before.atMs;
  if (spanMs <= 0) return last;
  return first + (last - first) * Math.min(1, Math.max(0, (atMs - before.atMs) / spanMs));
}
