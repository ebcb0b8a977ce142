import type { DescribeError } from '../../errors/describe-error.ts';
import type { Random } from '../../internal/backoff.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';
import type { EndpointRoute } from './endpoint-route.ts';
import { LoadBalancer } from './load-balancer.ts';
import { RouteQueue } from './model-queues.ts';
import type { RouteCall, RouteLine } from './route-queue.ts';
import { MOVE_PATIENCE_MS, type RouteSearch } from './route-search.ts';
import type { RouterQuota } from './router-quota.ts';

/** Looks again after so long where only an event is waited for, in case that it never comes. */
const RECHECK_MS = 1_000;
/** All deadlines of a line are looked at only when the wait has become so much longer. */
const CHECK_STEP_MS = 1_000;

/** What becomes of a call that is out of the line. */
export interface DispatchEnds<Target> {
  placed(call: RouteCall<Target>, route: EndpointRoute<Target>, nowMs: number): void;
  /** Its signal aborted. */
  aborted(call: RouteCall<Target>): void;
  /** No endpoint is left for it. */
  stranded(call: RouteCall<Target>, because: DescribeError | undefined): void;
  /** No endpoint can take it before its deadline, or that has passed. */
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

  /** Takes out every call that waits, in no order. */
  clear(): RouteCall<Target>[] {
    const calls = this.#queue.lines().flatMap((line) => line.items());
    for (const call of calls) this.#queue.remove(call);
    this.#clearTimer();
    return calls;
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
    try {
      do {
        this.#placeAgain = false;
        waitMs = this.#placeAll(this.#clock.now());
      } while (this.#placeAgain);
    } finally {
      this.#placing = false;
    }
    this.#schedule(waitMs);
  };

  /** Returns the milliseconds until a call that has to wait may be placed by time alone. */
  #placeAll(nowMs: number): number {
    let waitMs = Number.POSITIVE_INFINITY;
    for (let line = this.#queue.firstLine; line !== undefined; line = this.#queue.firstLine) {
      const { first } = line;
      if (first !== undefined && this.#serve(first, nowMs)) continue;
      waitMs = Math.min(waitMs, this.#search.readyInMs);
      this.#search.claim(this.#claimed);
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
    if (call.job.signal.aborted) {
      this.#queue.remove(call);
      this.#ends.aborted(call);
      return true;
    }
    if (call.job.deadlineAtMs < nowMs) {
      this.#queue.remove(call);
      this.#ends.late(call, 0);
      return true;
    }
    const search = this.#search;
    search.find(call, nowMs, this.#claimed);
    const route = this.#balancer.choose(search.ready, nowMs);
    if (route !== undefined) {
      this.#queue.remove(call);
      this.#ends.placed(call, route, nowMs);
      return true;
    }
    const { live, leftBehind, outBecause, returnInMs } = search;
    if (live === 0 || (leftBehind > 0 && returnInMs > MOVE_PATIENCE_MS)) {
      this.#queue.remove(call);
      this.#ends.stranded(call, outBecause);
      return true;
    }
    return this.#refuseLate(call, returnInMs, nowMs);
  }

  /** Refuses a call that has to wait past its deadline; true when it did. A long wait ends calls behind it too. */
  #refuseLate(call: RouteCall<Target>, waitMs: number, nowMs: number): boolean {
    // Until an event there may be no telling when an endpoint returns.
    if (waitMs === Number.POSITIVE_INFINITY) return false;
    const untilMs = nowMs + waitMs;
    const { line } = call;
    if (call.job.deadlineAtMs < untilMs) {
      this.#queue.remove(call);
      this.#ends.late(call, waitMs);
      return true;
    }
    if (untilMs < line.checkedUntilMs + CHECK_STEP_MS) return false;
    line.checkedUntilMs = untilMs;
    for (const other of line.items()) {
      if (other.job.deadlineAtMs >= untilMs) continue;
      this.#queue.remove(other);
      this.#ends.late(other, waitMs);
    }
    return false;
  }

  #schedule(waitMs: number): void {
    if (this.#queue.size === 0) {
      this.#clearTimer();
      return;
    }
    const nowMs = this.#clock.now();
    const dueAtMs = nowMs + Math.min(Math.max(waitMs, 1), waitMs === Number.POSITIVE_INFINITY ? RECHECK_MS : waitMs);
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
