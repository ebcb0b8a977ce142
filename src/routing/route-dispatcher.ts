import type { DescribeError } from '../errors/describe-error.ts';
import type { Random } from '../internal/backoff.ts';
import type { Clock, TimerHandle } from '../internal/clock.ts';
import type { EndpointRoute } from './endpoint-route.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { RouteCall } from './route-call.ts';
import type { RouteLine } from './route-line.ts';
import { RouteQueue } from './route-queue.ts';
import type { RouteSearch } from './route-search.ts';
import type { RouterQuota } from './router-quota.ts';

/** Looks again after so long where only an event is waited for, in case that it never comes. */
const RECHECK_MS = 1_000;

/** What becomes of a call that is out of the line. */
export interface DispatchEnds<Target> {
  placed(call: RouteCall<Target>, route: EndpointRoute<Target>, nowMs: number): void;
  /** No endpoint is left for it. */
  stranded(call: RouteCall<Target>, because: DescribeError | undefined): void;
  /** No endpoint can take it before its deadline. */
  late(call: RouteCall<Target>, waitMs: number): void;
}

/**
 * Holds the calls that wait and hands each to an endpoint at the moment when one can take it. Looks whenever something
 * changed that it is told of, and when the first quota or cool-down that a call waits for is over: one timer for all.
 */
export class RouteDispatcher<Target> {
  readonly #clock: Clock;
  readonly #search: RouteSearch<Target>;
  readonly #balancer: LoadBalancer<Target>;
  readonly #ends: DispatchEnds<Target>;
  readonly #queue = new RouteQueue<Target>();
  readonly #claimed = new Set<RouterQuota>();
  readonly #blocked: RouteLine<Target>[] = [];
  #timer: TimerHandle | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #placing = false;
  #placeAgain = false;

  constructor(clock: Clock, random: Random, search: RouteSearch<Target>, ends: DispatchEnds<Target>) {
    this.#clock = clock;
    this.#search = search;
    this.#balancer = new LoadBalancer(random);
    this.#ends = ends;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Puts a call into its line, and gives it to an endpoint if it is the first there and one can take it. */
  add(call: RouteCall<Target>): void {
    this.#queue.add(call);
    if (call.line.first === call) this.place();
  }

  remove(call: RouteCall<Target>): void {
    const wasFirst = call.line.first === call;
    this.#queue.remove(call);
    if (wasFirst) this.place();
  }

  /** Every call that waits, in no order. */
  calls(): RouteCall<Target>[] {
    return this.#queue.lines().flatMap((line) => line.calls());
  }

  /** Gives calls to endpoints in the order of the line, until the first call of each model has to wait. */
  readonly place = (): void => {
    if (this.#placing) {
      this.#placeAgain = true;
      return;
    }
    if (this.#queue.size === 0 && this.#timer === undefined) return;
    this.#placing = true;
    let waitMs = Number.POSITIVE_INFINITY;
    do {
      this.#placeAgain = false;
      waitMs = this.#placeAll(this.#clock.now());
    } while (this.#placeAgain);
    this.#placing = false;
    this.#schedule(waitMs);
  };

  /** Returns the milliseconds until a call that has to wait may be placed by time alone. */
  #placeAll(nowMs: number): number {
    let waitMs = Number.POSITIVE_INFINITY;
    for (let line = this.#queue.firstLine; line !== undefined; line = this.#queue.firstLine) {
      const { first } = line;
      if (first !== undefined && this.#serve(first, nowMs)) continue;
      waitMs = Math.min(waitMs, this.#search.readyInMs);
      this.#queue.setAside(line);
      this.#blocked.push(line);
    }
    for (const line of this.#blocked) this.#queue.bringBack(line);
    this.#blocked.length = 0;
    this.#claimed.clear();
    return waitMs;
  }

  /** Takes the first call of a line out to be placed or refused; false when it has to wait. */
  #serve(call: RouteCall<Target>, nowMs: number): boolean {
    const search = this.#search;
    search.find(call, nowMs, this.#claimed);
    const route = this.#balancer.choose(search.ready, nowMs);
    const { live, outBecause, returnInMs } = search;
    if (route === undefined && live > 0 && nowMs + returnInMs <= call.job.deadlineAtMs) return false;
    // Until an event there may be no telling when one returns.
    if (route === undefined && live > 0 && returnInMs === Number.POSITIVE_INFINITY) return false;
    this.#queue.remove(call);
    if (route !== undefined) this.#ends.placed(call, route, nowMs);
    else if (live === 0) this.#ends.stranded(call, outBecause);
    else this.#ends.late(call, returnInMs);
    return true;
  }

  #schedule(waitMs: number): void {
    if (this.#queue.size === 0) {
      this.#clearTimer();
      return;
    }
    const nowMs = this.#clock.now();
    const dueAtMs =
      nowMs + Math.min(Math.max(waitMs, 1), waitMs === Number.POSITIVE_INFINITY ? RECHECK_MS : waitMs);
    // A timer that is early finds nothing and is set anew, which is cheaper than to move it at each change.
    if (this.#timer !== undefined && this.#timerAtMs <= dueAtMs && this.#timerAtMs > nowMs) return;
    this.#clearTimer();
    this.#timerAtMs = dueAtMs;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.place();
    }, dueAtMs - nowMs);
  }

  #clearTimer(): void {
    if (this.#timer === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
