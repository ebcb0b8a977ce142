import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import type { RetryPolicy } from '../../retry/index.ts';
import type { QuotaRegistry, Router } from '../../routing/index.ts';
import { attemptAt } from '../../routing/router/endpoint.ts';
import { type ExchangeStageParts, exchangeStage, lazyBody } from './exchange-stage.ts';
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
 * Sends one request, and returns what `read` makes of its answer. The request may hold `InlineBytes` in place of a data
 * URL.
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
  readonly catalog: Pick<ModelCatalog, 'find'>;
  /** Called after each attempt for a model: the router's `pressureOf` may have changed. */
  readonly onLimitNews?: ((model: string) => void) | undefined;
}

export interface AttemptParts extends RouterParts, StageParts {}

/** The way to send requests, with the parts that reports read. */
export interface Attempts {
  readonly send: SendRequest;
  readonly router: Router<EndpointTarget>;
  readonly quotas: QuotaRegistry;
}

/** Joins the stages with a router over these endpoints. */
export function makeAttempts(parts: AttemptParts): Attempts {
  const { router, quotas } = makeRouter(parts);
  return { send: makeSend(parts, router), router, quotas };
}

/** Every request goes through these stages, from the first to the last. */
export function makeSend(parts: StageParts, router: Router<EndpointTarget>): SendRequest {
  const attempt = join(
    // The only stage that repeats.
    retryStage(parts.retry, router, parts.catalog),
    // Holds the call until an endpoint can take it, and calls `next` in the turn in which quota and breaker allowed it.
    routeStage(router, parts.onLimitNews),
    // Reserves at once, gives back what was not sent, and records the end of the attempt at its endpoint.
    (call, next) => attemptAt(call.place, call.tokens, () => next(call)),
    breakerStage,
    connectionStage(parts),
    exchangeStage(parts),
  );
  return async (request, read, options) => {
    const body = lazyBody(options.signal, options.deltas !== undefined);
    const { model } = request;
    const { value } = await attempt({ retries: [], ...options, request, read, model, body, avoid: new Set() });
    return value as ReturnType<typeof read>;
  };
}

/** Joins stages: each gets the next one as a function. */
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
