import type { Router } from '../../routing/index.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import { tellsOfLimits, waitsAgain } from './attempt-failure.ts';
import type { EndpointTarget, OutgoingCall, RoutedCall, Stage } from './stage.ts';

/**
 * Gives each attempt to an endpoint that can take it, and rejects with the bare error of the attempt. Calls
 * `onLimitNews` after an answer or a refusal by a limit: the pressure on the model's limits may have changed.
 */
export const routeStage =
  (
    router: Pick<Router<EndpointTarget>, 'route'>,
    onLimitNews: ((model: string) => void) | undefined,
  ): Stage<OutgoingCall, RoutedCall> =>
  async (call, next) => {
    const { waits, avoid } = call;
    let endWait = waits();
    try {
      return await router.route(call, async (place) => {
        endWait(place.startedAtMs);
        try {
          const answer = await next({ ...call, place });
          onLimitNews?.(call.model);
          return answer;
        } catch (thrown) {
          const { error, report } = AttemptFailure.of(thrown);
          avoid.add(place.endpoint);
          if (report.answeredAtMs !== undefined || tellsOfLimits(error)) onLimitNews?.(call.model);
          // Only the router ends this wait, because calls in its list of waiting calls may leave the queue.
          if (waitsAgain(error)) endWait = waits();
          throw thrown;
        }
      });
    } finally {
      endWait();
    }
  };
