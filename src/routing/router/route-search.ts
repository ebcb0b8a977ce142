import type { DescribeError } from '../../errors/describe-error.ts';
import type { EndpointRoute } from './endpoint-route.ts';
import type { RouteCall } from './route-queue.ts';
import type { RouterQuota } from './router-quota.ts';

/** How long a call waits for the endpoints that have not failed it, before it is content with one that has. */
export const MOVE_PATIENCE_MS = 1_000;

/** Tells for how long the breaker of an endpoint and model lets nothing through. */
export type BreakerWait = (endpoint: string, model: string) => number;

/**
 * Finds the endpoints that can take a call now, or when the first of them will. It is one object that is filled anew by
 * each search, for a search runs for every call that is placed.
 */
export class RouteSearch<Target> {
  /** Endpoints that can take the call now. */
  readonly ready: EndpointRoute<Target>[] = [];
  /** Milliseconds until one may be ready by time alone; infinite when it takes an event, such as a call that ends. */
  readyInMs = 0;
  /** Milliseconds until one that is cooling down or out of quota returns, whatever it has in flight. */
  returnInMs = 0;
  /** Endpoints that are not out for good, of those that the call has not left and of those that it has. */
  live = 0;
  leftBehind = 0;
  /** Why the last of those that are out is out. */
  outBecause: DescribeError | undefined = undefined;
  /** Milliseconds until one that has not failed the call may return, a free slot aside. */
  #othersInMs = 0;
  readonly #breakerWaitMs: BreakerWait | undefined;
  readonly #awaited: RouterQuota[] = [];

  constructor(breakerWaitMs: BreakerWait | undefined) {
    this.#breakerWaitMs = breakerWaitMs;
  }

  /**
   * Looks at every endpoint of the call's line. Quotas in `claimed` are waited for by a call before it, and not for it.
   */
  find(call: RouteCall<Target>, nowMs: number, claimed: ReadonlySet<RouterQuota>): void {
    const { line, job, left } = call;
    this.ready.length = 0;
    this.#awaited.length = 0;
    this.readyInMs = Number.POSITIVE_INFINITY;
    this.returnInMs = Number.POSITIVE_INFINITY;
    this.live = 0;
    this.leftBehind = 0;
    this.outBecause = undefined;
    this.#othersInMs = Number.POSITIVE_INFINITY;
    let shut: EndpointRoute<Target> | undefined;
    let open = 0;
    for (const route of line.routes) {
      const quotaMs = route.quota.waitMs(job.tokens);
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
      const breakerMs = this.breakerWaitMs(route, line.routes.length);
      if (breakerMs === Number.POSITIVE_INFINITY) {
        shut ??= route;
        continue;
      }
      open += 1;
      const coolsForMs = Math.max(breakerMs, route.returnInMs(nowMs));
      this.#look(route, coolsForMs, quotaMs, nowMs, claimed);
      if (job.avoid?.has(route.endpoint.name) === false)
        this.#othersInMs = Math.min(this.#othersInMs, Math.max(coolsForMs, quotaMs));
    }
    // Nothing but breakers that are isolated by hand: the attempt runs into one and says so.
    if (open === 0 && shut !== undefined) this.#look(shut, 0, shut.quota.waitMs(job.tokens), nowMs, claimed);
    if (job.avoid !== undefined && job.avoid.size > 0) this.#preferOthers(job.avoid);
  }

  /** The call that was looked for stays first in its line: the quotas that it waits for are for nobody behind it. */
  claim(claimed: Set<RouterQuota>): void {
    for (const quota of this.#awaited) claimed.add(quota);
  }

  /** With one endpoint an open breaker is told at once: the attempt runs into it. */
  breakerWaitMs(route: EndpointRoute<Target>, routes: number): number {
    if (routes < 2 || this.#breakerWaitMs === undefined) return 0;
    try {
      return this.#breakerWaitMs(route.endpoint.name, route.model);
    } catch {
      // Whatever is wrong with a breaker shows when the attempt runs into it.
      return 0;
    }
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
    // One that is claimed is free again when the call that claimed it is placed, which is looked at in the same pass.
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
    if (others.length === 0 && this.#othersInMs > MOVE_PATIENCE_MS) return;
    this.ready.length = 0;
    this.ready.push(...others);
  }
}
