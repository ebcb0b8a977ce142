import type { DescribeError } from '../../errors/describe-error.ts';
import type { EndpointRoute } from './endpoint.ts';
import type { RouteJob } from './route-job.ts';
import type { QueuedCall } from './route-queue.ts';
import type { BreakerWait } from './router-options.ts';
import type { RouterQuota } from './router-quota.ts';

/** Longest wait for an endpoint that has not failed the call, before one that has may take it. */
export const MAX_MOVE_WAIT_MS = 1_000;

/**
 * Finds the endpoints that can take a call now, or when the first of them will. Every search fills the same object
 * anew, because one runs for every call.
 */
export class RouteSearch<Target> {
  /** Endpoints that can take the call now. */
  readonly ready: EndpointRoute<Target>[] = [];
  /**
   * Milliseconds until an endpoint may be ready by time alone; infinite when it needs an event, such as the end of a
   * call.
   */
  readyInMs = 0;
  /** Milliseconds until an endpoint returns that cools down or has no quota, whatever it has in flight. */
  returnInMs = 0;
  /** Endpoints that may return soon, whether the call has left them or not. */
  live = 0;
  leftBehind = 0;
  /** The reason of the last endpoint that will not return soon. */
  outBecause: DescribeError | undefined = undefined;
  /** Milliseconds until an endpoint that has not failed the call may return, free slots aside. */
  #othersInMs = 0;
  readonly #breakerWaitMs: BreakerWait | undefined;
  readonly #awaited: RouterQuota[] = [];

  constructor(breakerWaitMs: BreakerWait | undefined) {
    this.#breakerWaitMs = breakerWaitMs;
  }

  /** Looks at every endpoint of the call's queue. A call before it waits for the quotas in `claimed`. */
  find({ queue, job, left }: QueuedCall<Target>, nowMs: number, claimed: ReadonlySet<RouterQuota>): void {
    const { routes } = queue;
    this.ready.length = 0;
    this.#awaited.length = 0;
    this.readyInMs = Number.POSITIVE_INFINITY;
    this.returnInMs = Number.POSITIVE_INFINITY;
    this.live = 0;
    this.leftBehind = 0;
    this.outBecause = undefined;
    this.#othersInMs = Number.POSITIVE_INFINITY;
    let isolated: EndpointRoute<Target> | undefined;
    let open = 0;
    for (const route of routes) {
      const quotaMs = route.quota.waitMs(job.tokens, nowMs);
      const out = route.outBecause(quotaMs, nowMs);
      if (out !== undefined) {
        this.outBecause = out;
        continue;
      }
      if (left?.has(route.endpoint)) {
        this.leftBehind += 1;
        continue;
      }
      this.live += 1;
      const breakerMs = routes.length < 2 ? 0 : this.breakerWaitMs(route);
      if (breakerMs === Number.POSITIVE_INFINITY) {
        isolated ??= route;
        continue;
      }
      open += 1;
      const coolsForMs = Math.max(breakerMs, route.coolDownMs(nowMs));
      this.#look(route, coolsForMs, quotaMs, nowMs, claimed);
      if (job.avoid?.has(route.endpoint.name) === false)
        this.#othersInMs = Math.min(this.#othersInMs, Math.max(coolsForMs, quotaMs));
    }
    // Every breaker is isolated by hand. The attempt fails at one of them with the right error.
    if (open === 0 && isolated !== undefined)
      this.#look(isolated, 0, isolated.quota.waitMs(job.tokens, nowMs), nowMs, claimed);
    if (job.avoid !== undefined && job.avoid.size > 0) this.#preferOthers(job.avoid);
  }

  /** Keeps the call first in its queue: no call behind it may take the quotas that it waits for. */
  claim(claimed: Set<RouterQuota>): void {
    for (const quota of this.#awaited) claimed.add(quota);
  }

  /** Milliseconds until a route returns: its breaker, its ejection and its key together. */
  coolDownMs(route: EndpointRoute<Target>, routes: number, nowMs: number): number {
    return Math.max(routes < 2 ? 0 : this.breakerWaitMs(route), route.coolDownMs(nowMs));
  }

  /** Use it where there are several endpoints. With one, an attempt fails at the open breaker at once. */
  breakerWaitMs(route: EndpointRoute<Target>): number {
    if (this.#breakerWaitMs === undefined) return 0;
    try {
      return this.#breakerWaitMs(route.endpoint.name, route.model);
    } catch {
      // A `breakerWaitMs` that throws counts as 0: the attempt then fails at the breaker.
      return 0;
    }
  }

  /** Milliseconds until an endpoint other than `avoid` can take a call, free slots and waiting calls aside. */
  leastWaitMs(
    routes: readonly EndpointRoute<Target>[],
    tokens: number,
    avoid: RouteJob['avoid'],
    nowMs: number,
  ): number {
    let leastMs = Number.POSITIVE_INFINITY;
    for (const route of routes) {
      const quotaMs = route.quota.waitMs(tokens, nowMs);
      if (avoid?.has(route.endpoint.name) || route.outBecause(quotaMs, nowMs) !== undefined) continue;
      leastMs = Math.min(leastMs, Math.max(quotaMs, this.coolDownMs(route, routes.length, nowMs)));
    }
    return leastMs;
  }

  /**
   * Milliseconds until a newly queued call can be sent after the calls before it, by quotas and cool-downs. It is a
   * lower bound: it leaves out slots and aged calls of lower priority, and counts quotas side by side. 0 where it is
   * unknown.
   */
  expectedWaitMs({ queue, job }: QueuedCall<Target>, nowMs: number): number {
    const before = queue.backlogOf(job.priority);
    let earliestMs = Number.POSITIVE_INFINITY;
    let callsPerMs = 0;
    const counted = new Set<RouterQuota>();
    for (const route of queue.routes) {
      const { quota } = route;
      const quotaMs = quota.waitMs(job.tokens, nowMs);
      if (route.outBecause(quotaMs, nowMs) !== undefined) continue;
      earliestMs = Math.min(earliestMs, Math.max(this.coolDownMs(route, queue.routes.length, nowMs), quotaMs));
      if (counted.has(quota)) continue;
      counted.add(quota);
      // The call itself is part of the backlog.
      const drainMs = quota.drainMs?.(before.requests, before.tokens) ?? 0;
      callsPerMs += 1 / Math.max(drainMs, 1e-9);
    }
    const waitMs = Math.max(earliestMs, 1 / callsPerMs);
    return Number.isFinite(waitMs) ? waitMs : 0;
  }

  #look(
    route: EndpointRoute<Target>,
    coolsForMs: number,
    quotaMs: number,
    nowMs: number,
    claimed: ReadonlySet<RouterQuota>,
  ): void {
    const { quota, endpoint } = route;
    const isFree = endpoint.hasSlot && route.inFlight < route.slots(nowMs);
    const waitMs = Math.max(coolsForMs, quotaMs);
    this.returnInMs = Math.min(this.returnInMs, waitMs);
    // A claimed quota is free again when the call that claimed it is placed. The same pass looks at that.
    if (!isFree || claimed.has(quota)) return;
    if (waitMs === 0) {
      this.ready.push(route);
      return;
    }
    this.readyInMs = Math.min(this.readyInMs, waitMs);
    if (coolsForMs === 0) this.#awaited.push(quota);
  }

  #preferOthers(avoid: ReadonlySet<string>): void {
    const others = this.ready.filter(({ endpoint }) => !avoid.has(endpoint.name));
    if (others.length === 0 && this.#othersInMs > MAX_MOVE_WAIT_MS) return;
    this.ready.length = 0;
    this.ready.push(...others);
  }
}
