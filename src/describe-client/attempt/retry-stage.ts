import type { RetryPolicy } from '../../retry/index.ts';
import type { RouteJob } from '../../routing/index.ts';
import type { OutgoingCall, Stage } from './stage.ts';

/** The waits that the next attempt would have. */
export interface RetryOutlook {
  /** Whether an endpoint that has not failed the call can take it soon. */
  hasOtherFor(job: RouteJob): boolean;
  /** Milliseconds until an endpoint can take the call. */
  waitMsFor(job: RouteJob): number;
}

/** Makes further attempts while they are worthwhile, and rejects with the last error. */
export const retryStage =
  (policy: RetryPolicy, outlook: RetryOutlook): Stage<OutgoingCall> =>
  (call, next) => {
    const { signal, deadlineAtMs, retries, trace, avoid, deltas } = call;
    return policy.run(() => next(call), {
      signal,
      deadlineAtMs,
      // Backoff spares an endpoint that failed the call. Another endpoint gets the call at once.
      isPaced: () => avoid.size > 0 && outlook.hasOtherFor(call),
      // Another answer does not continue the part that was delivered.
      isFinal: () => deltas?.hasBegun === true,
      heldBackMs: () => outlook.waitMsFor(call),
      retriesMade: retries.length === 0 ? 0 : Math.min(...retries.map(({ made }) => made)),
      onRetry: ({ delayMs }) => {
        for (const tally of retries) tally.made += 1;
        trace.retries(delayMs);
      },
      onGiveUp: ({ reason }) => trace.givesUp(reason),
    });
  };
