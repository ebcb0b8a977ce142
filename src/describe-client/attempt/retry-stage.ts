import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import { outputCap } from '../../openai/models/output-cap.ts';
import type { RetryPolicy } from '../../retry/index.ts';
import type { RouteJob } from '../../routing/index.ts';
import { needsHigherLimit } from './attempt-failure.ts';
import type { OutgoingCall, Stage } from './stage.ts';

/** The waits that the next attempt would have. */
export interface RetryOutlook {
  /** Whether an endpoint that has not failed the call can take it soon. */
  hasOtherFor(job: RouteJob): boolean;
  /** Milliseconds until an endpoint can take the call. */
  waitMsFor(job: RouteJob): number;
}

/**
 * Makes further attempts while they are worthwhile, and rejects with the last error. An answer that reached its output
 * limit before any text is asked for once more, with twice the limit.
 */
export const retryStage =
  (policy: RetryPolicy, outlook: RetryOutlook, catalog: Pick<ModelCatalog, 'find'>): Stage<OutgoingCall> =>
  (given, next) => {
    const { signal, deadlineAtMs, retries, trace, avoid, deltas } = given;
    let call = given;
    return policy.run(() => next(call), {
      signal,
      deadlineAtMs,
      // Another answer does not continue the part that was delivered.
      isFinal: (error) => deltas?.hasBegun === true || (call !== given && needsHigherLimit(error)),
      // Backoff spares an endpoint that failed the call. Another endpoint gets the call at once.
      isPaced: (error) => needsHigherLimit(error) || (avoid.size > 0 && outlook.hasOtherFor(call)),
      heldBackMs: () => outlook.waitMsFor(call),
      retriesMade: retries.length === 0 ? 0 : Math.min(...retries.map(({ made }) => made)),
      onRetry: ({ delayMs, error }) => {
        for (const tally of retries) tally.made += 1;
        trace.retries(delayMs);
        if (needsHigherLimit(error)) call = withTwiceTheLimit(given, catalog);
      },
      onGiveUp: ({ reason }) => trace.givesUp(reason),
    });
  };

/** The call with twice the output limit that was sent, headroom included, and tokens reserved for that. */
function withTwiceTheLimit(call: OutgoingCall, catalog: Pick<ModelCatalog, 'find'>): OutgoingCall {
  const { request, tokens } = call;
  const { max_completion_tokens: textTokens, model, reasoning_effort: effort } = request;
  if (typeof textTokens !== 'number') return { ...call };
  const entry = catalog.find(model);
  const cap = outputCap(textTokens, entry, effort ?? undefined);
  const most = entry?.limits?.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  // The headroom is added again when the request is written.
  const raised = { ...request, max_completion_tokens: Math.max(textTokens, Math.min(cap + textTokens, most)) };
  return { ...call, request: raised, tokens: Math.max(tokens, 2 * cap) };
}
