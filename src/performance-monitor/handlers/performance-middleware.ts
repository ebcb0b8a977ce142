import { callSafely } from '../../internal/async/user-callback.ts';
import type { Clock } from '../../internal/clock.ts';
import {
  callable,
  checkOptions,
  clockOption,
  integer,
  type OptionChecks,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import type { PerformanceMonitor } from '../performance-monitor.ts';
import { getPerformanceMonitor } from '../process-monitor.ts';
import type { RoutedRequest } from './route-label.ts';
import { RouteLabels } from './route-labels.ts';

/** The part of a request that the middleware reads. */
export interface MonitoredRequest extends RoutedRequest {
  readonly method?: string | undefined;
}

/** The part of a response that the middleware reads. */
export interface MonitoredResponse {
  readonly statusCode: number;
  readonly writableFinished: boolean;
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

export interface PerformanceMiddlewareOptions {
  /**
   * The route label of a request that was served or routed.
   * @defaultValue Express's route, else the path with `:id` for all but plain words
   */
  readonly route?: ((request: MonitoredRequest) => string) | undefined;
  /**
   * Most routes that are labels, at least 1, and as many series of paths. Further ones are `other`.
   * @defaultValue 100
   */
  readonly maxRoutes?: number | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

/** Fits Express, Connect and Next.js pages. */
export type PerformanceMiddleware = (
  request: MonitoredRequest,
  response: MonitoredResponse,
  next?: (error?: unknown) => void,
) => void;

export const MIDDLEWARE_SPEC = {
  route: callable(),
  maxRoutes: withDefault(integer({ min: 1 }), 100),
  clock: clockOption,
} satisfies OptionChecks<PerformanceMiddlewareOptions>;

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const OTHER_METHOD = 'other';

/**
 * Times every request from its arrival to the end of its response, in the histogram `http_request_duration` by method,
 * route and status. The counter `http_request_errors` has statuses from 500 on, the gauge `http_requests_in_flight` the
 * running requests. A request refused or redirected before any route was found is `unmatched`. A response whose client
 * left has the status `aborted`. Measuring never fails a request.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { createPerformanceMiddleware, PerformanceMonitor } from '@describe-it/sdk/performance-monitor';
 *
 * const measure = createPerformanceMiddleware(new PerformanceMonitor());
 * const server = createServer((request, response) => measure(request, response, () => response.end('hello')));
 * console.log(server.listening);
 * ```
 */
export function createPerformanceMiddleware(
  monitor: PerformanceMonitor = getPerformanceMonitor(),
  options: PerformanceMiddlewareOptions = {},
): PerformanceMiddleware {
  const { route, maxRoutes, clock } = checkOptions('createPerformanceMiddleware', options, MIDDLEWARE_SPEC);
  const routes = new RouteLabels(maxRoutes, route);
  let inFlight = 0;

  return (request, response, next) => {
    const startedAtMs = clock.now();
    const record = () => {
      const { method: given = '' } = request;
      const method = METHODS.has(given) ? given : OTHER_METHOD;
      const labels = { method, route: routes.of(request, method, response.statusCode) };
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      const elapsedMs = clock.now() - startedAtMs;
      monitor.histogram('http_request_duration', elapsedMs, { ...labels, status }, { unit: 'ms' });
      if (response.writableFinished && response.statusCode >= 500) {
        monitor.incrementCounter('http_request_errors', labels);
      }
    };
    const show = (change: number) => {
      inFlight += change;
      callSafely(() => monitor.gauge('http_requests_in_flight', inFlight), undefined);
    };
    show(1);
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      show(-1);
      callSafely(record, undefined);
    };
    // A client that left closes without finishing. A response without a socket, as in tests, only finishes.
    response.once('finish', end);
    response.once('close', end);
    next?.();
  };
}
