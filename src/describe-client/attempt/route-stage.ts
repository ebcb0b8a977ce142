import type { Router } from '../../routing/index.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import { tellsOfLimits, waitsAgain } from './attempt-failure.ts';
import type { EndpointTarget, OutgoingCall, RoutedCall, Stage } from './stage.ts';

/**
 * Gives each attempt to an endpoint that can take it, and rejects with the bare error of the attempt. It calls
 * `onLimitNews` when one was answered or refused by a limit: the pressure on the limits of its model may have changed.
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
          // Ended by the router alone: the calls that are listed as waiting may be taken out of the queue.
          if (waitsAgain(error)) endWait = waits();
          throw thrown;
        }
      });
    } finally {
      endWait();
    }
  };
