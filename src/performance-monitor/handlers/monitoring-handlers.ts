/** The source of the answers. A `DescribeClient` is one: `createNodeHandlers(client)`. */
export interface MonitoringPorts {
  /** Its `status` decides the HTTP status: 503 for `unhealthy`, else 200. */
  health(): { readonly status: string } | Promise<{ readonly status: string }>;
  /** Anything JSON-safe. */
  stats(): unknown;
  /** Prometheus text. */
  metrics(): string | Promise<string>;
}

/** An answer, before it is given in one of the two styles. */
interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type NodeHandler = (request: NodeRequest, response: NodeResponse) => Promise<void>;
export type FetchHandler = (request: { readonly method: string }) => Promise<Response>;

export interface NodeRequest {
  readonly method?: string | undefined;
}

/** The part of Node's, Express's and Next.js's response that a handler uses. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const json = (status: number, value: unknown): Answer => ({
  status,
  contentType: JSON_TYPE,
  body: JSON.stringify(value),
});

const handlersOf = <Handler>(
  ports: MonitoringPorts,
  handlerOf: (make: () => Promise<Answer>) => Handler,
): Readonly<Record<keyof MonitoringPorts, Handler>> => ({
  health: handlerOf(async () => {
    const report = await ports.health();
    return json(report.status === 'unhealthy' ? 503 : 200, report);
  }),
  stats: handlerOf(async () => json(200, await ports.stats())),
  metrics: handlerOf(async () => {
    const body = await ports.metrics();
    // Only OpenMetrics ends with a mark, so the text itself shows its format.
    return { status: 200, contentType: body.endsWith('# EOF\n') ? OPEN_METRICS_TYPE : PROMETHEUS_TYPE, body };
  }),
});

/** Never rejects. A port that fails is a 500 without its message, which might contain anything. */
async function answer(method: string | undefined, make: () => Promise<Answer>): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'only GET and HEAD are served here' });
  try {
    return await make();
  } catch {
    return json(500, { status: 'unhealthy', error: 'the state could not be read' });
  }
}

const headersOf = ({ status, contentType }: Answer): Readonly<Record<string, string>> => ({
  'content-type': contentType,
  'cache-control': 'no-store',
  ...(status === 405 && { allow: 'GET, HEAD' }),
});

/**
 * Handlers `(request, response)` for Node's http, Express and Next.js pages: health (503 when unhealthy), stats and
 * metrics, never cached. They never reject.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { createNodeHandlers, PerformanceMonitor } from '@describe-it/sdk/performance-monitor';
 *
 * const monitor = new PerformanceMonitor();
 * const { metrics } = createNodeHandlers({
 *   health: () => monitor.getHealthStatus(),
 *   stats: () => monitor.getStats(),
 *   metrics: () => monitor.getMetrics(),
 * });
 * console.log(createServer(metrics).listening);
 * ```
 */
export function createNodeHandlers(ports: MonitoringPorts): Readonly<Record<keyof MonitoringPorts, NodeHandler>> {
  return handlersOf<NodeHandler>(ports, (make) => async (request, response) => {
    const made = await answer(request.method, make);
    response.statusCode = made.status;
    for (const [name, value] of Object.entries(headersOf(made))) response.setHeader(name, value);
    response.end(request.method === 'HEAD' ? undefined : made.body);
  });
}

/**
 * The same as handlers `(request) => Response`, for Next.js routes, Hono and whatever speaks fetch. They never reject.
 *
 * @example
 * ```ts
 * import { createFetchHandlers, getPerformanceMonitor } from '@describe-it/sdk/performance-monitor';
 *
 * export const { metrics: GET } = createFetchHandlers({
 *   health: () => getPerformanceMonitor().getHealthStatus(),
 *   stats: () => getPerformanceMonitor().getStats(),
 *   metrics: () => getPerformanceMonitor().getMetrics(),
 * });
 * ```
 */
export function createFetchHandlers(ports: MonitoringPorts): Readonly<Record<keyof MonitoringPorts, FetchHandler>> {
  return handlersOf<FetchHandler>(ports, (make) => async ({ method }) => {
    const made = await answer(method, make);
    return new Response(method === 'HEAD' ? null : made.body, {
      status: made.status,
      headers: headersOf(made),
    });
  });
}
