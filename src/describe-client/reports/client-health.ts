import { deepFreeze } from '../../internal/deep-freeze.ts';
import type { OpenAIConnectionPoolStats } from '../../openai/index.ts';
import type { PerformanceMonitor } from '../../performance-monitor/index.ts';
import type { RedisCache } from '../../redis-cache/index.ts';
import type { EndpointModelStats, EndpointStats } from '../../routing/index.ts';
import type { EndpointSet } from '../attempt/endpoint-set.ts';
import type { Attempts } from '../attempt/pipeline.ts';
import { missingKeyError } from '../options/missing-key.ts';

export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

/** The health of one part, and its reason. */
export interface PartHealth {
  readonly status: HealthState;
  /** A few words, where it is not healthy. */
  readonly reason?: string;
}

/** The health of the client: unhealthy when it can't make new descriptions, degraded when it works with less. */
export interface ClientHealth {
  readonly status: HealthState;
  readonly parts: Readonly<Record<string, PartHealth>>;
}

const HEALTHY: PartHealth = { status: 'healthy' };

/** Parts of a client that have a health. */
export interface HealthParts {
  readonly attempts: Attempts;
  readonly endpoints: EndpointSet;
  readonly cache: RedisCache | undefined;
  readonly monitor: PerformanceMonitor | undefined;
}

/** Reads what the parts know; sends nothing. */
export async function clientHealth(parts: HealthParts, isOpen: boolean): Promise<ClientHealth> {
  const health: Record<string, PartHealth> = {};
  if (!isOpen) health['client'] = { status: 'unhealthy', reason: 'closed' };
  const { endpoints } = parts.attempts.router.getStats();
  for (const [name, issue] of parts.endpoints.missingKeys)
    health[`pool:${name}`] = { status: 'unhealthy', reason: missingKeyError(issue).message };
  const pools = Object.entries(parts.endpoints.pools).map(([name, pool]) => {
    const partHealth = poolHealth(pool.getStats(), droppedForMs(endpoints[name]));
    health[`pool:${name}`] = partHealth;
    return partHealth;
  });
  health['breakers'] = breakersHealth(parts.endpoints);
  health['routing'] = routingHealth(Object.entries(endpoints));
  if (parts.cache !== undefined) health['cache'] = await cacheHealth(parts.cache);
  if (parts.monitor !== undefined) health['monitor'] = monitorHealth(parts.monitor);
  const isDown = (part: PartHealth | undefined) => part?.status === 'unhealthy';
  // Without the API there are no new descriptions. Without any other part there are, but slower or at a higher price.
  const noneLeft = pools.every(isDown) || isDown(health['client']) || !hasWay(parts.endpoints, health, endpoints);
  const allWell = Object.values(health).every(({ status }) => status === 'healthy');
  return deepFreeze({
    status: noneLeft ? 'unhealthy' : allWell ? 'healthy' : 'degraded',
    parts: health,
  });
}

/** A model that a caller named and that does not exist says nothing about the endpoint. */
const isKnown = ({ condition, code }: EndpointModelStats): boolean =>
  condition !== 'dropped' || code === 'DESCRIBE_AUTH';

/**
 * Whether it takes no call. An endpoint that may try one now does not count: a load balancer that reads this must
 * send it one.
 */
const isOut = ({ condition, returnInMs = 0 }: EndpointModelStats): boolean =>
  condition === 'stopped' || condition === 'dropped' || (condition === 'paused' && returnInMs > 0);

/** Whether an endpoint is left that can answer for one of its models. */
function hasWay(
  { all: endpoints }: EndpointSet,
  health: Readonly<Record<string, PartHealth>>,
  stats: Readonly<Record<string, EndpointStats>>,
): boolean {
  return endpoints.some(({ description: { name }, breakers }) => {
    if (health[`pool:${name}`]?.status === 'unhealthy') return false;
    const models = stats[name]?.models.filter(isKnown) ?? [];
    const byName = breakers.byName();
    if (models.length > 0) return models.some((route) => !isOut(route) && !isShut(byName[`${name}:${route.model}`]));
    const all = Object.values(byName);
    return all.length === 0 || !all.every(isShut);
  });
}

/** A half-open breaker waits for a call. A load balancer that reads this must send it one. */
const isShut = (breaker: { readonly state: string } | undefined): boolean =>
  breaker?.state === 'OPEN' || breaker?.state === 'ISOLATED';

/** Milliseconds until a refused key is tried again; undefined where none was refused. */
function droppedForMs(endpoint: EndpointStats | undefined): number | undefined {
  const models = endpoint?.models.filter(isKnown) ?? [];
  const isDropped = models.length > 0 && models.every(({ condition }) => condition === 'dropped');
  return isDropped ? Math.max(...models.map(({ returnInMs = 0 }) => returnInMs)) : undefined;
}

function poolHealth(
  { keyTriedInMs, unusableReason, state }: OpenAIConnectionPoolStats,
  droppedInMs: number | undefined,
): PartHealth {
  if (unusableReason !== undefined) return { status: 'unhealthy', reason: unusableReason };
  const triedInMs = keyTriedInMs ?? droppedInMs;
  if (triedInMs !== undefined) {
    const reason = `the API refused the key; it is tried again in ${secondsOf(triedInMs)}`;
    return { status: 'unhealthy', reason };
  }
  return state === 'open' ? HEALTHY : { status: 'unhealthy', reason: state };
}

const secondsOf = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

/** Why an endpoint takes no calls for a model, and when that may change. */
function reasonOf({ condition, returnInMs, askedPauseMs }: EndpointModelStats): string {
  const asked = askedPauseMs === undefined ? '' : `, for the API asked to wait ${secondsOf(askedPauseMs)}`;
  const next = returnInMs === undefined ? '' : `, tried again in ${secondsOf(returnInMs)}`;
  return condition + asked + next;
}

/** A throttled endpoint is busy, not unhealthy. */
function routingHealth(endpoints: readonly (readonly [string, EndpointStats])[]): PartHealth {
  const conditions = endpoints.flatMap(([name, { models }]) =>
    models.filter(isKnown).map((route) => ({ ...route, name: `${name}:${route.model}` })),
  );
  const out = conditions.filter(isOut);
  const away = conditions.filter(
    (route) => isOut(route) || route.condition === 'paused' || route.condition === 'ejected',
  );
  if (away.length === 0) return HEALTHY;
  return {
    status: out.length === conditions.length ? 'unhealthy' : 'degraded',
    reason: away
      .slice(0, 5)
      .map((route) => `${route.name} ${reasonOf(route)}`)
      .join(', '),
  };
}

function breakersHealth(endpoints: EndpointSet): PartHealth {
  const all = Object.entries(endpoints.breakersByName());
  const notClosed = all.filter(([, breaker]) => breaker.state !== 'CLOSED').map(([name]) => name);
  if (notClosed.length === 0) return HEALTHY;
  const shut = all.filter(([, breaker]) => isShut(breaker));
  return {
    status: shut.length === all.length ? 'unhealthy' : 'degraded',
    reason: `not closed: ${notClosed.slice(0, 5).join(', ')}`,
  };
}

function monitorHealth(monitor: PerformanceMonitor): PartHealth {
  const { status, checks } = monitor.getHealthStatus();
  const failing = Object.entries(checks)
    .filter(([, check]) => check.status !== 'healthy')
    .map(([name]) => name);
  return failing.length === 0 ? { status } : { status, reason: failing.join(', ') };
}

async function cacheHealth(cache: RedisCache): Promise<PartHealth> {
  const { status, reason } = await cache.health();
  return { status, ...(reason === undefined ? {} : { reason }) };
}
