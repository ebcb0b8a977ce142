import type { DescribeError } from '../../errors/describe-error.ts';
import type { Watchable } from '../../internal/async/signals.ts';
import { type Bucket, PriorityQueue, type QueueItem } from '../../internal/collections/priority-queue.ts';
import type { AttemptReport } from '../quota/attempt-report.ts';
import type { EndpointRoute } from './endpoint-route.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { RouteJob } from './route-job.ts';
import type { RoutePlace } from './route-place.ts';

/** What stands before a call in its line. */
export interface Backlog {
  requests: number;
  tokens: number;
}

/** Empty sums kept: a Map that shrinks and grows keeps its dead tables alive until a full GC. */
const MAX_EMPTY_SUMS = 32;

/** The calls of one model that wait for an endpoint, and the endpoints that can take them. */
export class RouteLine<Target> extends PriorityQueue<RouteCall<Target>> {
  readonly model: string;
  readonly routes: readonly EndpointRoute<Target>[];
  /** Nothing that waits has to end before that time, as far as was looked. */
  checkedUntilMs = Number.NEGATIVE_INFINITY;
  readonly #backlogs = new Map<number, Backlog>();
  readonly #ageingMs: number;
  readonly #moved: Map<EndpointState<Target>, RouteLine<Target>>;

  constructor(
    model: string,
    routes: readonly EndpointRoute<Target>[],
    ageingMs: number,
    moved = new Map<EndpointState<Target>, RouteLine<Target>>(),
  ) {
    super(ageingMs);
    this.#moved = moved;
    this.model = model;
    this.routes = routes;
    this.#ageingMs = ageingMs;
  }

  /** Whether anything waits here, or in a line of those that left an endpoint. */
  get isBusy(): boolean {
    return this.size > 0 || [...this.#moved.values()].some(({ size }) => size > 0);
  }

  /** The line of calls that left an endpoint: while they wait for the others, those of this one may go there. */
  movedFrom(endpoint: EndpointState<Target>): RouteLine<Target> {
    let line = this.#moved.get(endpoint);
    if (line === undefined) {
      line = new RouteLine(this.model, this.routes, this.#ageingMs, this.#moved);
      this.#moved.set(endpoint, line);
    }
    return line;
  }

  /** Adds a new call, or one that comes back to its former position. */
  override add(call: RouteCall<Target>): void {
    super.add(call);
    this.#count(call, 1);
  }

  override remove(call: RouteCall<Target>): boolean {
    const removed = super.remove(call);
    if (removed) this.#count(call, -1);
    return removed;
  }

  /** What waits with at least that priority: all of it is served before a new call of that priority. */
  backlogOf(priority: number): Backlog {
    const sum: Backlog = { requests: 0, tokens: 0 };
    for (const [itsPriority, { requests, tokens }] of this.#backlogs) {
      if (itsPriority < priority) continue;
      sum.requests += requests;
      sum.tokens += tokens;
    }
    return sum;
  }

  /** Why nothing is sent to any endpoint now, by the API's word; undefined where one is not dropped. */
  droppedBecause(nowMs: number): DescribeError | undefined {
    const reasons = this.routes.map((route) => route.droppedBecause(nowMs));
    return reasons.includes(undefined) ? undefined : reasons[0];
  }

  #count({ priority, job }: RouteCall<Target>, by: 1 | -1): void {
    let backlog = this.#backlogs.get(priority);
    if (backlog === undefined) {
      backlog = { requests: 0, tokens: 0 };
      this.#backlogs.set(priority, backlog);
    }
    backlog.requests += by;
    // A sum of fractions drifts; an empty one starts over.
    backlog.tokens = backlog.requests === 0 ? 0 : backlog.tokens + by * job.tokens;
    if (backlog.requests === 0 && this.#backlogs.size > MAX_EMPTY_SUMS) this.#backlogs.delete(priority);
  }
}

/** One `run()` on its way through the router. */
export class RouteCall<Target> implements QueueItem<RouteCall<Target>>, Watchable {
  readonly job: RouteJob;
  readonly attempt: (place: RoutePlace<Target>) => Promise<AttemptReport>;
  readonly priority: number;
  readonly sequence: number;
  /** When it came, which its place in the line goes by. */
  readonly atMs: number;
  line: RouteLine<Target>;
  bucket: Bucket<RouteCall<Target>> | undefined = undefined;
  previous: RouteCall<Target> | undefined = undefined;
  next: RouteCall<Target> | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  /** When its wait for the coming attempt began. */
  waitsSinceMs: number;
  /** Endpoints that it left, and why it left the last of them. */
  left: Set<EndpointState<Target>> | undefined = undefined;
  lastFailure: DescribeError | undefined = undefined;
  readonly resolve: (answer: AttemptReport) => void;
  readonly reject: (reason: unknown) => void;

  // Positional, for it is made once a call: an object of fields would double the garbage.
  constructor(
    job: RouteJob,
    attempt: (place: RoutePlace<Target>) => Promise<AttemptReport>,
    line: RouteLine<Target>,
    sequence: number,
    nowMs: number,
    resolve: (answer: AttemptReport) => void,
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
    return this.bucket !== undefined;
  }
}
