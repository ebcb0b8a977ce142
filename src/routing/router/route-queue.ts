import type { DescribeError } from '../../errors/describe-error.ts';
import type { Watchable } from '../../internal/async/signals.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { IndexedHeap, PriorityQueue, type QueueItem } from '../../internal/collections/priority-queue.ts';
import type { AttemptReport } from '../quota/attempt-report.ts';
import { type Endpoint, EndpointRoute, type RoutePlace } from './endpoint.ts';
import type { RouteJob } from './route-job.ts';
import type { RouterSettings } from './router-options.ts';
import type { RouterQuota } from './router-quota.ts';

/** Sums over the calls that are served before another one. */
export interface Backlog {
  requests: number;
  tokens: number;
}

/** Names of models come from callers. Random names must not make the process grow. */
const MAX_MODELS = 100;
/** Empty sums kept: a Map that shrinks and grows keeps its dead tables alive until a full GC. */
const MAX_EMPTY_SUMS = 32;

/** The calls of one model that wait for an endpoint, and the endpoints that can take them. */
export class ModelQueue<Target> extends PriorityQueue<QueuedCall<Target>> {
  readonly routes: readonly EndpointRoute<Target>[];
  /** No queued call has a deadline before this time, as of the last check. */
  checkedUntilMs = Number.NEGATIVE_INFINITY;
  readonly #backlogs = new Map<number, Backlog>();
  readonly #ageingMs: number;
  readonly #moved: Map<Endpoint<Target>, ModelQueue<Target>>;

  constructor(
    routes: readonly EndpointRoute<Target>[],
    ageingMs: number,
    moved = new Map<Endpoint<Target>, ModelQueue<Target>>(),
  ) {
    super(ageingMs);
    this.routes = routes;
    this.#ageingMs = ageingMs;
    this.#moved = moved;
  }

  /** Whether a call waits here, or in a queue of calls that left an endpoint. */
  get isBusy(): boolean {
    return this.size > 0 || [...this.#moved.values()].some(({ size }) => size > 0);
  }

  /** The queue of calls that left an endpoint. While they wait for the others, calls of this queue may go there. */
  movedFrom(endpoint: Endpoint<Target>): ModelQueue<Target> {
    let queue = this.#moved.get(endpoint);
    if (queue === undefined) {
      queue = new ModelQueue(this.routes, this.#ageingMs, this.#moved);
      this.#moved.set(endpoint, queue);
    }
    return queue;
  }

  /** The queue of a call that endpoints have failed: it may wait for the others without holding up the calls here. */
  avoiding(failed: ReadonlySet<string>): ModelQueue<Target> {
    const left = this.routes.length < 2 ? undefined : this.routes.find(({ endpoint }) => failed.has(endpoint.name));
    return left === undefined ? this : this.movedFrom(left.endpoint);
  }

  /** Adds a new call, or one that comes back to its former position. */
  override add(call: QueuedCall<Target>): void {
    super.add(call);
    this.#count(call, 1);
  }

  override remove(call: QueuedCall<Target>): boolean {
    const removed = super.remove(call);
    if (removed) this.#count(call, -1);
    return removed;
  }

  /** Sums over the calls of at least that priority: all of them are served before a new call of that priority. */
  backlogOf(priority: number): Backlog {
    const sum: Backlog = { requests: 0, tokens: 0 };
    for (const [itsPriority, { requests, tokens }] of this.#backlogs) {
      if (itsPriority < priority) continue;
      sum.requests += requests;
      sum.tokens += tokens;
    }
    return sum;
  }

  /** Why the API takes nothing at any endpoint now; undefined where one endpoint is not refused. */
  refusal(nowMs: number): DescribeError | undefined {
    const reasons = this.routes.map((route) => route.refusal(nowMs));
    return reasons.includes(undefined) ? undefined : reasons[0];
  }

  #count({ priority, job }: QueuedCall<Target>, by: 1 | -1): void {
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

/** One call on its way through the router; it is queued by when it arrived, `atMs`. */
export interface QueuedCall<Target> extends QueueItem<QueuedCall<Target>>, Watchable {
  readonly job: RouteJob;
  readonly attempt: (place: RoutePlace<Target>) => Promise<AttemptReport>;
  queue: ModelQueue<Target>;
  /** When its wait for the coming attempt began. */
  waitsSinceMs: number;
  /** Endpoints that it left, and why it left the last of them. */
  left: Set<Endpoint<Target>> | undefined;
  lastFailure: DescribeError | undefined;
  readonly resolve: (answer: AttemptReport) => void;
  readonly reject: (reason: unknown) => void;
}

/** All calls that wait, in a queue for each model. The queue with the first call of all goes first. */
export class RouteQueue<Target> {
  readonly #queues = new IndexedHeap<ModelQueue<Target>>();
  readonly #setAside: ModelQueue<Target>[] = [];
  /** Calls that wait; only this class writes it. */
  size = 0;

  /** The queue with the first call of all queues that are not set aside. */
  get first(): ModelQueue<Target> | undefined {
    return this.#queues.peek();
  }

  add(call: QueuedCall<Target>): void {
    const { queue } = call;
    queue.add(call);
    this.size += 1;
    if (queue.heapIndex < 0) this.#queues.push(queue);
    else this.#queues.update(queue);
  }

  /** Ignores a call that is not queued. */
  remove(call: QueuedCall<Target>): void {
    const { queue } = call;
    if (!queue.remove(call)) return;
    this.size -= 1;
    if (queue.size === 0) this.#queues.remove(queue);
    else this.#queues.update(queue);
  }

  /** Takes a queue out of the order until `restore`. */
  setAside(queue: ModelQueue<Target>): void {
    this.#queues.remove(queue);
    this.#setAside.push(queue);
  }

  restore(): void {
    for (const queue of this.#setAside) if (queue.size > 0 && queue.heapIndex < 0) this.#queues.push(queue);
    this.#setAside.length = 0;
  }

  /** Every call, in no order. */
  calls(): QueuedCall<Target>[] {
    return this.#queues.toArray().flatMap((queue) => queue.items());
  }
}

/**
 * The queues by model, made at first use. Those in use are kept; of the others at most 100, those made last. Queues
 * share the route of an endpoint whose model is given.
 */
export class ModelQueues<Target> {
  readonly #settings: RouterSettings<Target>;
  readonly #endpoints: readonly Endpoint<Target>[];
  readonly #onCapacity: () => void;
  readonly #queues = new BoundedMap<string, ModelQueue<Target>>(Number.POSITIVE_INFINITY);
  readonly #subscribed = new WeakSet<RouterQuota>();

  /** `onCapacity` is called whenever a call may have to wait less than a quota said. */
  constructor(settings: RouterSettings<Target>, endpoints: readonly Endpoint<Target>[], onCapacity: () => void) {
    this.#settings = settings;
    this.#endpoints = endpoints;
    this.#onCapacity = onCapacity;
  }

  of(model: string): ModelQueue<Target> {
    return this.#queues.peek(model) ?? this.#make(model);
  }

  routesOf(endpoint: Endpoint<Target>): readonly EndpointRoute<Target>[] {
    const routes = [...this.#queues.values()].flatMap((queue) => queue.routes);
    return [...new Set(routes)].filter((route) => route.endpoint === endpoint);
  }

  /**
   * Moves an endpoint into the quota group of the first endpoint with that organisation. "First" is the order of the
   * options, so that every process forms the same group.
   */
  learnOrganization(endpoint: Endpoint<Target>, organization: string): void {
    if (endpoint.groupGiven) return;
    endpoint.organization = organization;
    const members = this.#endpoints.filter((other) => !other.groupGiven && other.organization === organization);
    let moved = false;
    for (const member of members) {
      const group = members[0]?.name ?? member.name;
      if (member.quotaGroup === group) continue;
      member.quotaGroup = group;
      for (const route of this.routesOf(member)) route.quota = this.#quotaOf(group, route.model);
      moved = true;
    }
    if (moved) this.#onCapacity();
  }

  #make(model: string): ModelQueue<Target> {
    while (this.#queues.size >= MAX_MODELS && this.#queues.evict(isIdle));
    const queue = new ModelQueue(
      this.#endpoints.map((endpoint) => this.#routeOf(endpoint, endpoint.model ?? model)),
      this.#settings.ageingMs,
    );
    this.#queues.set(model, queue);
    return queue;
  }

  #routeOf(endpoint: Endpoint<Target>, model: string): EndpointRoute<Target> {
    const known = this.routesOf(endpoint).find((route) => route.model === model);
    const { clock } = this.#settings;
    return known ?? new EndpointRoute(endpoint, model, this.#quotaOf(endpoint.quotaGroup, model), clock);
  }

  #quotaOf(group: string, model: string): RouterQuota {
    const quota = this.#settings.quotas(group, model);
    if (!this.#subscribed.has(quota)) {
      this.#subscribed.add(quota);
      quota.onCapacity(this.#onCapacity);
    }
    return quota;
  }
}

/** Whether no call waits or is in flight. */
const isIdle = <Target>(queue: ModelQueue<Target>): boolean =>
  !queue.isBusy && queue.routes.every(({ inFlight }) => inFlight === 0);
