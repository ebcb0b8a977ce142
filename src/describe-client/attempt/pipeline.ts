import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { RetryPolicy } from '../../retry/index.ts';
import type { QuotaRegistry, Router } from '../../routing/index.ts';
import { attemptAt } from '../../routing/router/endpoint.ts';
import { type ExchangeStageParts, exchangeStage, LazyBody } from './exchange-stage.ts';
import { makeRouter, type RouterParts } from './make-router.ts';
import { breakerStage, type ConnectionStageParts, connectionStage } from './part-stages.ts';
import { retryStage } from './retry-stage.ts';
import { routeStage } from './route-stage.ts';
import type {
  ChatRequest,
  ConnectedCall,
  EndpointTarget,
  Next,
  OutgoingCall,
  PricedFacts,
  RoutedCall,
  Stage,
} from './stage.ts';

export type SendOptions = Omit<OutgoingCall, 'request' | 'body' | 'read' | 'model' | 'avoid' | 'retries'> &
  Partial<Pick<OutgoingCall, 'retries'>>;

/**
 * Sends one request, and gives what `read` takes from its answer. The request may hold `InlineBytes` where the API
 * takes a data URL.
 * @throws the last failure as a `DescribeError`, or the signal's reason.
 */
export type SendRequest = <Value>(
  request: ChatRequest,
  read: (completion: ChatCompletion, facts: PricedFacts) => Value,
  options: SendOptions,
) => Promise<Value>;

/** The parts of the stages. */
export interface StageParts extends ConnectionStageParts, ExchangeStageParts {
  readonly retry: RetryPolicy;
  /** Notified after each attempt for a model: the router's `pressureOf` may say something else. */
  readonly onLimitNews?: ((model: string) => void) | undefined;
}

export interface AttemptParts extends RouterParts, StageParts {}

/** How requests leave, with the parts that others look at. */
export interface Attempts {
  readonly send: SendRequest;
  readonly router: Router<EndpointTarget>;
  readonly quotas: QuotaRegistry;
}

/** Makes how requests leave: through a router over these endpoints. */
export function makeAttempts(parts: AttemptParts): Attempts {
  const { router, quotas } = makeRouter(parts);
  return { send: makeSend(parts, router), router, quotas };
}

/** Every request goes through these stages, from the first to the last. */
export function makeSend(parts: StageParts, router: Router<EndpointTarget>): SendRequest {
  const attempt = join(
    // Only it repeats.
    retryStage(parts.retry, router),
    // Holds the call until an endpoint can take it, and hands it on in the turn in which quota and breaker said so.
    routeStage(router, parts.onLimitNews),
    // Reserves at once; what was not sent is given back whole. The endpoint learns from the end of the attempt.
    (call, next) => attemptAt(call.place, call.tokens, () => next(call)),
    breakerStage,
    connectionStage(parts),
    exchangeStage(parts),
  );
  return async (request, read, options) => {
    const body = new LazyBody(request, options.signal);
    const { model } = request;
    const { value } = await attempt({ retries: [], ...options, request, read, model, body, avoid: new Set() });
    return value as ReturnType<typeof read>;
  };
}

/** Each stage gets the next one as a function. */
const join = (
  retry: Stage<OutgoingCall>,
  route: Stage<OutgoingCall, RoutedCall>,
  quota: Stage<RoutedCall>,
  breaker: Stage<RoutedCall>,
  connection: Stage<RoutedCall, ConnectedCall>,
  exchange: Next<ConnectedCall>,
): Next<OutgoingCall> => {
  const then =
    <Call, Passed>(stage: Stage<Call, Passed>, next: Next<Passed>): Next<Call> =>
    (call) =>
      stage(call, next);
  return then(retry, then(route, then(quota, then(breaker, then(connection, exchange)))));
};
