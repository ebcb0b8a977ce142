import { weakly } from '../../internal/async/abandoned.ts';
import { decorrelatedJitterDelay } from '../../internal/backoff.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import type { Slot } from './slot.ts';

export interface EarlyChecksOptions<Resource> {
  readonly clock: Clock;
  /** Time between regular checks: no suspect waits longer than half of it. */
  readonly intervalMs: number;
  readonly idle: readonly Slot<Resource>[];
  /** Validates an idle slot and puts it back, or retires it. */
  readonly check: (slot: Slot<Resource>) => Promise<boolean>;
}

const FIRST_DELAY_MS = 100;

/**
 * Checks suspects before their regular check. The first run comes at once after a calm interval; later ones wait for a
 * growing delay of up to half an interval. So a server that is away, or one that closes every connection, does not
 * cause endless checks.
 */
export class EarlyChecks<Resource> {
  readonly #options: EarlyChecksOptions<Resource>;
  readonly #firstDelayMs: number;
  #timer: TimerHandle | undefined;
  #running = false;
  #stopped = false;
  #lastDelayMs: number;
  #lastRunAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: EarlyChecksOptions<Resource>) {
    this.#options = options;
    this.#firstDelayMs = Math.min(FIRST_DELAY_MS, options.intervalMs / 10);
    this.#lastDelayMs = this.#firstDelayMs;
  }

  /** Arms a run that checks the slots that are idle and suspected by then. */
  arm(): void {
    if (this.#stopped || this.#running || this.#timer !== undefined) return;
    const run = weakly(this, EarlyChecks.#run);
    this.#timer = setBackgroundTimeout(this.#options.clock, run, this.#nextDelayMs());
  }

  /** Ends it; it never starts again. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #nextDelayMs(): number {
    const { clock, intervalMs } = this.#options;
    if (clock.now() - this.#lastRunAtMs >= intervalMs) {
      this.#lastDelayMs = this.#firstDelayMs;
      // Random, because many processes lose their connections at the same moment.
      return Math.random() * this.#firstDelayMs;
    }
    this.#lastDelayMs = decorrelatedJitterDelay(this.#lastDelayMs, {
      initialDelayMs: this.#firstDelayMs,
      maxDelayMs: intervalMs / 2,
    });
    return this.#lastDelayMs;
  }

  static async #run<Resource>(this: void, checks: EarlyChecks<Resource>): Promise<void> {
    checks.#timer = undefined;
    const { clock, check } = checks.#options;
    const [first, ...others] = checks.#suspects();
    if (first === undefined) return;
    checks.#running = true;
    // When the first one fails the others may too, each after its whole timeout.
    if (await check(first)) await Promise.all(others.map(check));
    checks.#running = false;
    checks.#lastRunAtMs = clock.now();
    if (checks.#suspects().length > 0) checks.arm();
  }

  #suspects(): Slot<Resource>[] {
    return this.#options.idle.filter(({ suspected }) => suspected);
  }
}
