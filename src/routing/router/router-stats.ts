import { deepFreeze } from '../../internal/deep-freeze.ts';
import type { Endpoint, EndpointRoute } from './endpoint.ts';

/**
 * - `ready`
 * - `waiting`: for quota, or because the API asked to
 * - `paused`: the API asked for a pause of more than 5 minutes; one call probes it every 5 minutes
 * - `open`: its breaker is open
 * - `ejected`: it failed far more than the others
 * - `stopped`: its account is used up
 * - `dropped`: its key is not accepted, until a probe succeeds (5 s, doubling to 5 minutes); or its key may not use
 *   this model, or the model does not exist, for 5 minutes
 */
export type EndpointCondition = 'ready' | 'waiting' | 'paused' | 'open' | 'ejected' | 'stopped' | 'dropped';

/** A snapshot of an endpoint for one model. */
export interface EndpointModelStats {
  /** The model as it is sent. */
  readonly model: string;
  readonly condition: EndpointCondition;
  /** Code of the error that keeps it out. */
  readonly code?: string;
  /** Milliseconds until it returns by itself, where that is known. */
  readonly returnInMs?: number;
  /** Milliseconds that the API still asks to wait, for `paused`. */
  readonly askedPauseMs?: number;
  readonly inFlight: number;
  /** Calls that may be in flight at the moment. */
  readonly concurrency: number;
  /** Peak moving average; absent before the first outcome. */
  readonly latencyMs?: number;
  readonly answers: number;
  /** Outages. */
  readonly failures: number;
  readonly throttles: number;
  readonly ejections: number;
}

export interface EndpointStats {
  readonly quotaGroup: string;
  readonly weight: number;
  readonly models: readonly EndpointModelStats[];
}

export interface RouterStats {
  /** Calls that wait, of all models. */
  readonly queued: number;
  readonly inFlight: number;
  /** Attempts handed to an endpoint so far. */
  readonly placed: number;
  /** Attempts that went to another endpoint without being a retry. */
  readonly switched: number;
  /** Calls refused because the queue was full, or because they could not make their deadline. */
  readonly refused: { readonly full: number; readonly late: number };
  readonly endpoints: Readonly<Record<string, EndpointStats>>;
}

/** The router's own counts. */
export interface RouterCounts {
  placed: number;
  switched: number;
  full: number;
  late: number;
}

export function routerStatsOf<Target>(
  { placed, switched, full, late }: RouterCounts,
  queued: number,
  endpoints: readonly Endpoint<Target>[],
  routesOf: (endpoint: Endpoint<Target>) => readonly EndpointRoute<Target>[],
  breakerWaitMs: (route: EndpointRoute<Target>) => number,
  nowMs: number,
): RouterStats {
  let inFlight = 0;
  const byName: [string, EndpointStats][] = [];
  for (const endpoint of endpoints) {
    const models = routesOf(endpoint).map((route) => modelStatsOf(route, breakerWaitMs(route), nowMs));
    for (const model of models) inFlight += model.inFlight;
    byName.push([endpoint.name, { quotaGroup: endpoint.quotaGroup, weight: endpoint.weight, models }]);
  }
  return deepFreeze({
    queued,
    inFlight,
    placed,
    switched,
    refused: { full, late },
    endpoints: Object.fromEntries(byName),
  });
}

function modelStatsOf<Target>(route: EndpointRoute<Target>, breakerWaitMs: number, nowMs: number): EndpointModelStats {
  const latencyMs = route.latencyMs(nowMs);
  return {
    model: route.model,
    ...conditionOf(route, breakerWaitMs, nowMs),
    inFlight: route.inFlight,
    concurrency: route.slots(nowMs),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    answers: route.answers,
    failures: route.failures,
    throttles: route.throttles,
    ejections: route.ejections,
  };
}

function conditionOf<Target>(
  route: EndpointRoute<Target>,
  breakerWaitMs: number,
  nowMs: number,
): Pick<EndpointModelStats, 'condition' | 'code' | 'returnInMs' | 'askedPauseMs'> {
  const dropped = route.refusal(nowMs);
  if (dropped !== undefined) {
    return { condition: 'dropped', code: dropped.code, returnInMs: route.refusedForMs(nowMs) };
  }
  const { stopped } = route.quota;
  if (stopped !== undefined) return { condition: 'stopped', code: stopped.code };
  const ejectedForMs = route.ejection.returnInMs(nowMs);
  if (ejectedForMs > 0) return { condition: 'ejected', returnInMs: ejectedForMs };
  if (breakerWaitMs > 0) {
    return { condition: 'open', ...(Number.isFinite(breakerWaitMs) ? { returnInMs: breakerWaitMs } : {}) };
  }
  const quotaMs = route.quota.waitMs(0);
  const { askedPauseMs = 0 } = route.quota;
  const returns = Number.isFinite(quotaMs) ? { returnInMs: quotaMs } : {};
  if (askedPauseMs > 0) return { condition: 'paused', askedPauseMs, ...returns };
  return quotaMs === 0 ? { condition: 'ready' } : { condition: 'waiting', ...returns };
}
