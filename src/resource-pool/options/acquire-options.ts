import type { InputError } from '../../errors/index.ts';
import { wrongInput } from '../../internal/options/option-checks.ts';

/** Options of one acquire. */
export interface AcquireOptions {
  /** Ends the wait: the acquire leaves the queue at once and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Higher is served first; first come, first served within a priority. @defaultValue 0 */
  readonly priority?: number | undefined;
  /** Bound of this wait in milliseconds, above 0. @defaultValue the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number | undefined;
}

/** Finds the wrong option of an acquire, whether or not it has to wait. */
export function wrongAcquireOption({ priority = 0, timeoutMs = 1 }: AcquireOptions): InputError | undefined {
  if (!Number.isFinite(priority)) return wrongInput('priority', 'a finite number', priority);
  return isDuration(timeoutMs) ? undefined : wrongInput('timeoutMs', 'milliseconds above 0', timeoutMs);
}

/** Whether a timer can wait so long; it takes an infinite delay for its longest. */
export const isDuration = (ms: unknown): boolean => typeof ms === 'number' && ms > 0;
