import { onAbort } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';

/** Waits for the work of other processes: for their message, or for a timer in case it was lost. */
export class RemoteWork {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes the callers that wait for these keys. */
  wake(keys: Iterable<string>): void {
    for (const key of keys) for (const wake of [...(this.#waiting.get(key) ?? [])]) wake();
  }

  wakeAll(): void {
    this.wake([...this.#waiting.keys()]);
  }

  /** Resolves at the next message about `key`, or after `maxMs`. Rejects with the signal's reason. */
  wait(key: string, maxMs: number, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const waiters = this.#waiting.get(key) ?? new Set();
      const end = () => {
        this.#clock.clearTimeout(timer);
        detach();
        waiters.delete(wake);
        if (waiters.size === 0) this.#waiting.delete(key);
      };
      const wake = () => {
        end();
        resolve();
      };
      const timer = this.#clock.setTimeout(wake, maxMs);
      this.#waiting.set(key, waiters.add(wake));
      let detach = () => {};
      detach = onAbort(signal, (reason) => {
        end();
        reject(reason);
      });
    });
  }
}
