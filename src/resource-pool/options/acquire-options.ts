/** Options of one acquire. */
export interface AcquireOptions {
  /** Ends the wait: the acquire leaves the queue at once and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Higher is served first; equal priorities in the order of arrival. @defaultValue 0 */
  readonly priority?: number | undefined;
  /** Bound of this wait in milliseconds, above 0. @defaultValue the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number | undefined;
}
