import type { DescribeError } from '../errors/describe-error.ts';
import type { LaneItem, PriorityLane } from '../internal/priority-lane.ts';
import type { Watchable } from '../internal/signal-watch.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { RouteAttempt, RouteJob } from './route-job.ts';
import type { RouteLine } from './route-line.ts';

/** One `run()` on its way through the router. */
export class RouteCall<Target> implements LaneItem<RouteCall<Target>>, Watchable {
  readonly job: RouteJob;
  readonly attempt: RouteAttempt<Target, unknown>;
  readonly priority: number;
  readonly sequence: number;
  /** When it came, which its place in the line goes by. */
  readonly atMs: number;
  readonly accepted: { readonly atMs: number } = this;
  line: RouteLine<Target>;
  lane: PriorityLane<RouteCall<Target>> | undefined = undefined;
  previous: RouteCall<Target> | undefined = undefined;
  next: RouteCall<Target> | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  /** When its wait for the coming attempt began. */
  waitsSinceMs: number;
  /** Endpoints that it left, and why it left the last of them. */
  left: Set<EndpointState<Target>> | undefined = undefined;
  lastFailure: DescribeError | undefined = undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;

  // Positional, for it is made once a call: an object of fields would double the garbage.
  constructor(
    job: RouteJob,
    attempt: RouteAttempt<Target, unknown>,
    line: RouteLine<Target>,
    sequence: number,
    nowMs: number,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.job = job;
    this.attempt = attempt;
    this.priority = job.priority;
    this.sequence = sequence;
    this.atMs = nowMs;
    this.line = line;
    this.waitsSinceMs = nowMs;
    this.resolve = resolve;
    this.reject = reject;
  }

  get waiting(): boolean {
    return this.lane !== undefined;
  }
}
