import type { EndpointRoute } from './endpoint-route.ts';
import type { RouteCall } from './route-queue.ts';
import type { RouterQuota } from './router-quota.ts';

/** How long an endpoint of the call's line cools down, breaker and ejection together. */
export type CoolDown<Target> = (route: EndpointRoute<Target>) => number;

/**
 * Milliseconds until a call that has just come to the end of its priority can be sent, as far as quota and cool-downs
 * tell: what waits before it has to pass too. Never more than it will take: slots and lower priorities that have aged
 * are left out, and several quotas are taken to work side by side all the time. 0 where there is no telling.
 */
export function expectedWaitMs<Target>(
  { line, job }: RouteCall<Target>,
  coolDownMs: CoolDown<Target>,
  nowMs: number,
): number {
  const before = line.backlogOf(job.priority);
  let earliestMs = Number.POSITIVE_INFINITY;
  let callsPerMs = 0;
  const counted: RouterQuota[] = [];
  for (const route of line.routes) {
    const { quota } = route;
    const quotaMs = quota.waitMs(job.tokens);
    if (route.outBecause(quotaMs, nowMs) !== undefined) continue;
    earliestMs = Math.min(earliestMs, Math.max(coolDownMs(route), quotaMs));
    if (counted.includes(quota)) continue;
    counted.push(quota);
    // Its own place in the line is part of the backlog.
    const drainMs = quota.drainMs?.(before.requests, before.tokens) ?? 0;
    callsPerMs += 1 / Math.max(drainMs, 1e-9);
  }
  const waitMs = Math.max(earliestMs, 1 / callsPerMs);
  return Number.isFinite(waitMs) ? waitMs : 0;
}
