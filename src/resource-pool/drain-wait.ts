import { type InputError, TimeoutError } from '../errors/index.ts';
import { onAbort } from '../internal/async/signals.ts';
import type { Clock } from '../internal/clock.ts';
import { wrongInput } from '../internal/options/option-checks.ts';

export interface DrainOptions {
  /** Longest wait for loans to come back, in milliseconds; 0 or more. @defaultValue 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;

/** Finds the wrong option of a drain. */
export function wrongDrainOption({ timeoutMs = 0 }: DrainOptions): InputError | undefined {
  const right = typeof timeoutMs === 'number' && timeoutMs >= 0;
  return right ? undefined : wrongInput('timeoutMs', 'milliseconds of at least 0', timeoutMs);
}

/** Resolves with `drained`, or rejects after the timeout or an abort. Leaves neither timer nor listener. */
export function drainWait(
  what: string,
  drained: Promise<void>,
  { timeoutMs = DEFAULT_DRAIN_TIMEOUT_MS, signal }: DrainOptions,
  clock: Clock,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      detach();
      reject(new TimeoutError(`drain of ${what}`, timeoutMs));
    }, timeoutMs);
    const detach = onAbort(signal, (reason) => {
      clock.clearTimeout(timer);
      reject(reason);
    });
    void drained.then(() => {
      clock.clearTimeout(timer);
      detach();
      resolve();
    });
  });
}
