import type { DescribeError } from '../../errors/describe-error.ts';
import type { Random } from '../../internal/backoff.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';
import type { EndpointRoute } from './endpoint.ts';
import { chooseOfTwo } from './load-balancer.ts';
import { type QueuedCall, RouteQueue } from './route-queue.ts';
import { MAX_MOVE_WAIT_MS, type RouteSearch } from './route-search.ts';
import type { RouterQuota } from './router-quota.ts';

/** Looks again after this time where only an event can end the wait, in case the event never comes. */
const RECHECK_MS = 1_000;
/** The deadlines of a queue are all checked only after the wait has grown by this much. */
const CHECK_STEP_MS = 1_000;

/** How calls leave the queue. */
export interface DispatchEnds<Target> {
  placed(call: QueuedCall<Target>, route: EndpointRoute<Target>, nowMs: number): void;
  /** Its signal aborted. */
  aborted(call: QueuedCall<Target>): void;
  /** No endpoint is left for it. */
  stranded(call: QueuedCall<Target>, because: DescribeError | undefined): void;
  /** No endpoint can take the call before its deadline, or the deadline has passed. */
  late(call: QueuedCall<Target>, waitMs: number, nowMs: number): void;
}

/**
 * Holds the calls that wait, and gives each to an endpoint as soon as one can take it. It looks at each change, and
 * when the first quota or cool-down ends that a call waits for. One timer serves all calls.
 */
export class RouteDispatcher<Target> {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #search: RouteSearch<Target>;
  readonly #ends: DispatchEnds<Target>;
  readonly #queue = new RouteQueue<Target>();
  readonly #claimed = new Set<RouterQuota>();
  #timer: TimerHandle | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #placing = false;
  #placeAgain = false;

  constructor(clock: Clock, random: Random, search: RouteSearch<Target>, ends: DispatchEnds<Target>) {
    this.#clock = clock;
    this.#random = random;
    this.#search = search;
    this.#ends = ends;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Gives a call to an endpoint if no call waits before it and one can take it; else queues it and returns true. */
  add(call: QueuedCall<Target>, nowMs: number): boolean {
    if (this.#queue.size === 0 && this.#serve(call, nowMs)) return false;
    this.#queue.add(call);
    if (call.queue.first === call) this.place();
    return call.bucket !== undefined;
  }

  remove(call: QueuedCall<Target>): void {
    const wasFirst = call.queue.first === call;
    this.#queue.remove(call);
    if (wasFirst) this.place();
  }

  /** Removes every call that waits, in no order. */
  clear(): QueuedCall<Target>[] {
    const calls = this.#queue.calls();
    for (const call of calls) this.#queue.remove(call);
    this.#clearTimer();
    return calls;
  }

  /** Gives calls to endpoints in the order of the queue, until the first call of each model has to wait. */
  readonly place = (): void => {
    if (this.#placing) {
      this.#placeAgain = true;
      return;
    }
    if (this.#queue.size === 0 && this.#timer === undefined) return;
    this.#placing = true;
    let nowMs = 0;
    let waitMs = Number.POSITIVE_INFINITY;
    try {
      do {
        this.#placeAgain = false;
        nowMs = this.#clock.now();
        waitMs = this.#placeAll(nowMs);
      } while (this.#placeAgain);
    } finally {
      this.#placing = false;
    }
    this.#schedule(waitMs, nowMs);
  };

  /** Returns the milliseconds until a call that has to wait may be placed by time alone. */
  #placeAll(nowMs: number): number {
    let waitMs = Number.POSITIVE_INFINITY;
    for (let queue = this.#queue.first; queue !== undefined; queue = this.#queue.first) {
      const { first } = queue;
      if (first !== undefined && this.#serve(first, nowMs)) continue;
      waitMs = Math.min(waitMs, this.#search.readyInMs);
      this.#search.claim(this.#claimed);
      this.#queue.setAside(queue);
    }
    this.#queue.restore();
    this.#claimed.clear();
    return waitMs;
  }

  /** Removes the first call of a queue to be placed or refused; false when it has to wait. */
  #serve(call: QueuedCall<Target>, nowMs: number): boolean {
    if (call.job.signal.aborted) {
      this.#queue.remove(call);
      this.#ends.aborted(call);
      return true;
    }
    if (call.job.deadlineAtMs < nowMs) return this.#late(call, 0, nowMs);
    const search = this.#search;
    search.find(call, nowMs, this.#claimed);
    const { ready } = search;
    const route = ready.length < 2 ? ready[0] : chooseOfTwo(ready, nowMs, this.#random);
    if (route !== undefined) {
      if (call.bucket !== undefined) this.#queue.remove(call);
      this.#ends.placed(call, route, nowMs);
      return true;
    }
    const { live, leftBehind, outBecause, returnInMs } = search;
    if (live === 0 || (leftBehind > 0 && returnInMs > MAX_MOVE_WAIT_MS)) {
      this.#queue.remove(call);
      this.#ends.stranded(call, outBecause);
      return true;
    }
    return this.#refuseLate(call, returnInMs, nowMs);
  }

  #late(call: QueuedCall<Target>, waitMs: number, nowMs: number): true {
    this.#queue.remove(call);
    this.#ends.late(call, waitMs, nowMs);
    return true;
  }

  /**
   * Refuses a call that would wait past its deadline; returns true when it did. A long wait also ends calls behind it.
   */
  #refuseLate(call: QueuedCall<Target>, waitMs: number, nowMs: number): boolean {
    // Before an event, it may be unknown when an endpoint returns.
    if (waitMs === Number.POSITIVE_INFINITY) return false;
    const untilMs = nowMs + waitMs;
    const { queue } = call;
    if (call.job.deadlineAtMs < untilMs) return this.#late(call, waitMs, nowMs);
    if (untilMs < queue.checkedUntilMs + CHECK_STEP_MS) return false;
    queue.checkedUntilMs = untilMs;
    for (const other of queue.items()) if (other.job.deadlineAtMs < untilMs) this.#late(other, waitMs, nowMs);
    return false;
  }

  #schedule(waitMs: number, nowMs: number): void {
    if (this.#queue.size === 0) {
      this.#clearTimer();
      return;
    }
    const dueAtMs = nowMs + (waitMs === Number.POSITIVE_INFINITY ? RECHECK_MS : waitMs);
    // A timer that fires early finds nothing to do and is set again. That is cheaper than moving it at each change.
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
