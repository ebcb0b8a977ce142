import { deepFreeze } from '../internal/deep-freeze.ts';
import type { ClientParts } from './compose-parts.ts';

export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

/** How one part does, and why. */
export interface PartHealth {
  readonly status: HealthState;
  /** In a few words, where it is not healthy. */
  readonly reason?: string;
}

/** How the client does: unhealthy when it can't make new descriptions, degraded when it works with less. */
export interface ClientHealth {
  readonly status: HealthState;
  readonly parts: Readonly<Record<string, PartHealth>>;
}

const HEALTHY: PartHealth = { status: 'healthy' };

/** Looks at what the parts know already; sends nothing. */
export async function clientHealth(parts: ClientParts, isOpen: boolean): Promise<ClientHealth> {
  const health: Record<string, PartHealth> = {};
  if (!isOpen) health['client'] = { status: 'unhealthy', reason: 'closed' };
  for (const [name, pool] of Object.entries(parts.pools))
    health[`pool:${name}`] = poolHealth(pool.getStats(), parts.metrics.keyRefused);
  health['breakers'] = breakersHealth(parts.breakers);
  if (parts.cache !== undefined) health['cache'] = await cacheHealth(parts.cache);
  if (parts.monitor !== undefined) health['monitor'] = monitorHealth(parts.monitor);
  return deepFreeze({ status: overall(health), parts: health });
}

/** Without the API there are no new descriptions; without anything else there are, but slower or dearer. */
function overall(parts: Readonly<Record<string, PartHealth>>): HealthState {
  const states = Object.entries(parts);
  const vital = ([name]: readonly [string, PartHealth]) =>
    name === 'client' || name.startsWith('pool:') || name === 'breakers';
  if (states.some((entry) => vital(entry) && entry[1].status === 'unhealthy')) return 'unhealthy';
  return states.every(([, { status }]) => status === 'healthy') ? 'healthy' : 'degraded';
}

function poolHealth(
  { keyRefused, state }: ReturnType<ClientParts['pools'][string]['getStats']>,
  keyRefusedInCall: boolean,
): PartHealth {
  if (keyRefused || keyRefusedInCall) return { status: 'unhealthy', reason: 'the API refused the key' };
  return state === 'open' ? HEALTHY : { status: 'unhealthy', reason: state };
}

function breakersHealth(breakers: ClientParts['breakers']): PartHealth {
  const all = Object.entries(breakers.byName());
  const notClosed = all.filter(([, breaker]) => breaker.state !== 'CLOSED').map(([name]) => name);
  if (notClosed.length === 0) return HEALTHY;
  // A half-open breaker waits for a call to try: who sends traffic by this health must send it some.
  const shut = all.filter(([, breaker]) => breaker.state === 'OPEN' || breaker.state === 'ISOLATED');
  return {
    status: shut.length === all.length ? 'unhealthy' : 'degraded',
    reason: `not closed: ${notClosed.slice(0, 5).join(', ')}`,
  };
}

function monitorHealth(monitor: NonNullable<ClientParts['monitor']>): PartHealth {
  const { status, checks } = monitor.getHealthStatus();
  const failing = Object.entries(checks)
    .filter(([, check]) => check.status !== 'healthy')
    .map(([name]) => name);
  return failing.length === 0 ? { status } : { status, reason: failing.join(', ') };
}

async function cacheHealth(cache: NonNullable<ClientParts['cache']>): Promise<PartHealth> {
  const { status } = await cache.health();
  return { status };
}
