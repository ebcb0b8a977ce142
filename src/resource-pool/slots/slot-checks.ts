import { TimeoutError } from '../../errors/index.ts';
import { withTimeout } from '../../internal/async/signals.ts';
import { isPromiseLike } from '../../internal/async/user-callback.ts';
import { type Clock, setBackgroundTimeout } from '../../internal/clock.ts';
import type { ValidateContext } from '../options/resource-factory.ts';
import type { PoolSettings } from '../options/resource-pool-options.ts';
import type { Slot } from './slot.ts';

const ON_BORROW: ValidateContext = Object.freeze({ phase: 'borrow' });

/** Runs the factory's `validate` and `reset` within their timeouts. A hook that throws means no. */
export class SlotChecks<Resource> {
  readonly #settings: PoolSettings<Resource>;
  /** Validations under way. */
  running = 0;
  /** Validations under way for an acquire that waits. */
  forAcquires = 0;

  constructor(settings: PoolSettings<Resource>) {
    this.#settings = settings;
  }

  /** Returns the verdict when the hook answers at once. Else the slot is `checking` and `done` gets it later. */
  validateOnBorrow(slot: Slot<Resource>, done: (valid: boolean) => void): boolean | 'pending' {
    slot.state = 'checking';
    let verdict: unknown;
    try {
      verdict = this.#settings.factory.validate?.(slot.resource, ON_BORROW);
      if (typeof verdict === 'boolean' || !isPromiseLike(verdict)) return verdict === true;
    } catch {
      return false;
    }
    this.forAcquires += 1;
    void this.#settle(verdict, this.#settings.clock).then((valid) => {
      this.forAcquires -= 1;
      done(valid);
    });
    return 'pending';
  }

  async validateInBackground(slot: Slot<Resource>): Promise<boolean> {
    const { factory, clock } = this.#settings;
    const abort = new AbortController();
    const call = async () =>
      (await factory.validate?.(slot.resource, { phase: 'background', signal: abort.signal })) ?? true;
    const valid = await this.#settle(call(), backgroundClock(clock));
    abort.abort();
    slot.checkedAtMs = clock.now();
    return valid;
  }

  /** Cleans a slot. Returns whether that worked when the hook is done at once; else `done` gets it later. */
  reset(slot: Slot<Resource>, done: (clean: boolean) => void): boolean | 'pending' {
    const { factory, clock, resetTimeoutMs } = this.#settings;
    let work: unknown;
    try {
      work = factory.reset?.(slot.resource);
      if (work === undefined || !isPromiseLike(work)) return true;
    } catch {
      return false;
    }
    withTimeout(work, resetTimeoutMs, () => new TimeoutError('factory.reset', resetTimeoutMs), clock).then(
      () => done(true),
      () => done(false),
    );
    return 'pending';
  }

  async #settle(verdict: PromiseLike<unknown>, clock: Clock): Promise<boolean> {
    const { validateTimeoutMs } = this.#settings;
    const late = () => new TimeoutError('factory.validate', validateTimeoutMs);
    this.running += 1;
    try {
      return (await withTimeout(verdict, validateTimeoutMs, late, clock)) === true;
    } catch {
      return false;
    } finally {
      this.running -= 1;
    }
  }
}

/** The same clock with timers that never keep the process alive. */
const backgroundClock = (clock: Clock): Clock => ({
  now: () => clock.now(),
  setTimeout: (callback, delayMs) => setBackgroundTimeout(clock, callback, delayMs),
  clearTimeout: (handle) => clock.clearTimeout(handle),
});
