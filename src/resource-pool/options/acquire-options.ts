import type { InputError } from '../../errors/index.ts';
import { wrongInput } from '../../internal/options/option-checks.ts';

/** Options of one acquire. */
export interface AcquireOptions {
  /** Ends the wait: the acquire leaves the queue at once and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Higher is served first; equal priorities in the order of arrival. @defaultValue 0 */
  readonly priority?: number | undefined;
  /** Bound of this wait in milliseconds, above 0. @defaultValue the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number | undefined;
}

/** Checks the options of an acquire, whether or not it has to wait. Returns the error for the wrong one. */
export function wrongAcquireOption({ priority = 0, timeoutMs = 1 }: AcquireOptions): InputError | undefined {
  if (!Number.isFinite(priority)) return wrongInput('priority', 'a finite number', priority);
  return isDuration(timeoutMs) ? undefined : wrongInput('timeoutMs', 'milliseconds above 0', timeoutMs);
}

/** Whether a timer can wait this long. An infinite delay becomes the timer's longest. */
export const isDuration = (ms: unknown): boolean => typeof ms === 'number' && ms > 0;
