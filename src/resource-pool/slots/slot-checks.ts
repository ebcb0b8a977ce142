import { TimeoutError } from '../../errors/index.ts';
import { withTimeout } from '../../internal/async/signals.ts';
import { type Clock, setBackgroundTimeout } from '../../internal/clock.ts';
import type { ResourceFactory, ValidateContext } from '../resource-factory.ts';
import type { Slot } from './slot.ts';

export interface SlotChecksOptions<Resource> {
  readonly factory: ResourceFactory<Resource>;
  readonly validateTimeoutMs: number;
  readonly resetTimeoutMs: number;
  readonly clock: Clock;
}

const ON_BORROW: ValidateContext = Object.freeze({ phase: 'borrow' });

/** Runs the factory's `validate` and `reset` in their time boxes. A hook that throws says no. */
export class SlotChecks<Resource> {
  readonly #options: SlotChecksOptions<Resource>;
  #running = 0;
  #forBorrowers = 0;

  constructor(options: SlotChecksOptions<Resource>) {
    this.#options = options;
  }

  /** Validations under way. */
  get running(): number {
    return this.#running;
  }

  /** Those of them that somebody in line waits for. */
  get forBorrowers(): number {
    return this.#forBorrowers;
  }

  /**
   * The verdict, when the hook answers at once. Else the slot is `checking` and `done` tells later, unless the slot
   * was retired meanwhile: that it finds out from the slot's state.
   */
  validateOnBorrow(slot: Slot<Resource>, done: (valid: boolean) => void): boolean | 'pending' {
    slot.state = 'checking';
    let verdict: boolean | PromiseLike<boolean> | undefined;
    try {
      verdict = this.#options.factory.validate?.(slot.resource, ON_BORROW);
    } catch {
      return false;
    }
    if (!isPromiseLike(verdict)) return verdict === true;
    this.#forBorrowers += 1;
    void this.#settle(verdict, this.#options.clock).then((valid) => {
      this.#forBorrowers -= 1;
      done(valid);
    });
    return 'pending';
  }

  async validateInBackground(slot: Slot<Resource>): Promise<boolean> {
    const { factory } = this.#options;
    const abort = new AbortController();
    const call = async () =>
      (await factory.validate?.(slot.resource, { phase: 'background', signal: abort.signal })) ?? true;
    const valid = await this.#settle(call(), unheld(this.#options.clock));
    abort.abort();
    slot.checkedAtMs = this.#options.clock.now();
    return valid;
  }

  /** Cleans a slot and tells whether that worked, at once when the hook is done at once. */
  reset(slot: Slot<Resource>, done: (clean: boolean) => void): void {
    const { factory, clock, resetTimeoutMs } = this.#options;
    let work: unknown;
    try {
      work = factory.reset?.(slot.resource);
    } catch {
      done(false);
      return;
    }
    if (!isPromiseLike(work)) {
      done(true);
      return;
    }
    withTimeout(work, resetTimeoutMs, () => new TimeoutError('factory.reset', resetTimeoutMs), clock).then(
      () => done(true),
      () => done(false),
    );
  }

  async #settle(verdict: PromiseLike<boolean>, clock: Clock): Promise<boolean> {
    const { validateTimeoutMs } = this.#options;
    this.#running += 1;
    try {
      return (
        (await withTimeout(
          verdict,
          validateTimeoutMs,
          () => new TimeoutError('factory.validate', validateTimeoutMs),
          clock,
        )) === true
      );
    } catch {
      return false;
    } finally {
      this.#running -= 1;
    }
  }
}

function isPromiseLike<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

/** The same clock, whose timers never keep the process alive. */
const unheld = (clock: Clock): Clock => ({
  now: () => clock.now(),
  setTimeout: (callback, delayMs) => setBackgroundTimeout(clock, callback, delayMs),
  clearTimeout: (handle) => clock.clearTimeout(handle),
});
