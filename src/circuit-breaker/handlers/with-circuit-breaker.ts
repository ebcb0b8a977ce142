import { ConfigError } from '../../errors/config-error.ts';
import { checkOptions, oneOf } from '../../internal/options/option-checks.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { CircuitBreakerAction } from '../circuit/call-context.ts';
import { checkAction, checkIsObject } from '../circuit-breaker-options.ts';
import {
  type CircuitBreakerCallable,
  type CreateCircuitBreakerOptions,
  createCircuitBreaker,
} from '../create-circuit-breaker.ts';
import { type FetchHandler, protectFetchHandler } from './fetch-handler.ts';
import type { NodeHandler, NodeHandlerResponse } from './node-exchange.ts';
import { protectNodeHandler } from './node-handler.ts';

export interface WithCircuitBreakerOptions<Args extends unknown[] = unknown[], Result = unknown>
  extends CreateCircuitBreakerOptions<Args, Result> {
  /**
   * Absent: any function. `'node'`: a `(req, res, next)` handler of Express, Connect or Next.js pages. `'fetch'`: a
   * `(request) => Response` route handler. While the breaker is open, handlers answer 503 with `Retry-After`.
   */
  readonly handler?: 'node' | 'fetch' | undefined;
}

const NO_RESULT = {
  option: 'isFailureResult',
  expected: "nothing with handler 'node': isFailure is asked about an answer of 500 or more, with its status",
  got: 'a function',
};

const NO_NEUTRAL_RESULT = {
  option: 'isNeutralResult',
  expected: "nothing with handler 'node': an answer of 4xx is neutral",
  got: 'a function',
};

/**
 * Puts a function or a request handler behind the breaker of that name (see `createCircuitBreaker`). A response of 500
 * or more counts as a failure, a 4xx and a client that left as neutral.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` as `createCircuitBreaker` does.
 *
 * @example
 * ```ts
 * import { withCircuitBreaker } from '@describe-it/sdk/circuit-breaker';
 *
 * export const GET = withCircuitBreaker(
 *   'orders',
 *   async (request: Request) => fetch(new URL(request.url).searchParams.get('of') ?? 'https://orders.example'),
 *   { handler: 'fetch' },
 * );
 * ```
 */
export function withCircuitBreaker<Request, Response extends NodeHandlerResponse>(
  name: string,
  fn: NodeHandler<Request, Response>,
  options: WithCircuitBreakerOptions<[NoInfer<Request>, NoInfer<Response>, (error?: unknown) => void], void> & {
    readonly handler: 'node';
  },
): (request: Request, response: Response, next?: (error?: unknown) => void) => Promise<void>;
export function withCircuitBreaker<Args extends unknown[]>(
  name: string,
  fn: FetchHandler<Args>,
  options: WithCircuitBreakerOptions<NoInfer<Args>, Response> & { readonly handler: 'fetch' },
): (...args: Args) => Promise<Response>;
export function withCircuitBreaker<Args extends unknown[], Result>(
  name: string,
  fn: CircuitBreakerAction<Args, Result>,
  options?: WithCircuitBreakerOptions<NoInfer<Args>, NoInfer<Result>> & { readonly handler?: undefined },
): CircuitBreakerCallable<Args, Result>;
export function withCircuitBreaker(name: string, fn: unknown, options: object = {}): unknown {
  checkAction(name, fn);
  checkIsObject(options);
  const { handler, ...rest } = callOptions(options as WithCircuitBreakerOptions);
  checkOptions('withCircuitBreaker', { handler }, { handler: oneOf('node', 'fetch') });
  switch (handler) {
    case 'node':
      if (rest.isFailureResult !== undefined) throw new ConfigError('withCircuitBreaker', [NO_RESULT]);
      if (rest.isNeutralResult !== undefined) throw new ConfigError('withCircuitBreaker', [NO_NEUTRAL_RESULT]);
      return protectNodeHandler(name, fn as NodeHandler<unknown, NodeHandlerResponse>, rest as object);
    case 'fetch':
      return protectFetchHandler(name, fn as FetchHandler<unknown[]>, rest as object);
    default:
      return createCircuitBreaker(name, fn as CircuitBreakerAction<unknown[], unknown>, rest);
  }
}
