import { type Endpoint, EndpointRoute } from './endpoint.ts';
import { ModelQueue } from './route-queue.ts';
import type { RouterQuota } from './router-quota.ts';

/** Models are free text of the callers': a process that is sent random ones must not grow. */
const MAX_MODELS = 100;

/**
 * The queues by model and the routes by endpoint and model, made at first use. Those in use are kept; of the others at
 * most 100 models.
 */
export class ModelQueues<Target> {
  readonly #endpoints: readonly Endpoint<Target>[];
  readonly #quotas: (quotaGroup: string, model: string) => RouterQuota;
  readonly #ageingMs: number;
  readonly #onCapacity: () => void;
  readonly #queues = new Map<string, ModelQueue<Target>>();
  readonly #routes = new Map<Endpoint<Target>, Map<string, EndpointRoute<Target>>>();
  readonly #subscribed = new WeakSet<RouterQuota>();

  /** `onCapacity` is called whenever a call may have to wait less than a quota said. */
  constructor(
    endpoints: readonly Endpoint<Target>[],
    quotas: (quotaGroup: string, model: string) => RouterQuota,
    ageingMs: number,
    onCapacity: () => void,
  ) {
    this.#endpoints = endpoints;
    this.#quotas = quotas;
    this.#ageingMs = ageingMs;
    this.#onCapacity = onCapacity;
    for (const endpoint of endpoints) this.#routes.set(endpoint, new Map());
  }

  of(model: string): ModelQueue<Target> {
    let queue = this.#queues.get(model);
    if (queue === undefined) {
      if (this.#queues.size >= MAX_MODELS) this.#forgetIdle();
      const routes = this.#endpoints.map((endpoint) => this.#routeOf(endpoint, endpoint.model ?? model));
      queue = new ModelQueue(routes, this.#ageingMs);
      this.#queues.set(model, queue);
    }
    return queue;
  }

  routesOf(endpoint: Endpoint<Target>): readonly EndpointRoute<Target>[] {
    return [...(this.#routes.get(endpoint)?.values() ?? [])];
  }

  /**
   * Puts an endpoint whose answer named that organisation into the quota group of the first endpoint of it, in the
   * order in which they were given: so the group is the same one in every process.
   */
  learnOrganization(endpoint: Endpoint<Target>, organization: string): void {
    if (endpoint.groupGiven || endpoint.organization === organization) return;
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

  #routeOf(endpoint: Endpoint<Target>, model: string): EndpointRoute<Target> {
    const routes = this.#routes.get(endpoint) ?? new Map<string, EndpointRoute<Target>>();
    let route = routes.get(model);
    if (route === undefined) {
      route = new EndpointRoute(endpoint, model, this.#quotaOf(endpoint.quotaGroup, model));
      routes.set(model, route);
    }
    return route;
  }

  #quotaOf(group: string, model: string): RouterQuota {
    const quota = this.#quotas(group, model);
    if (!this.#subscribed.has(quota)) {
      this.#subscribed.add(quota);
      quota.onRoom(this.#onCapacity);
    }
    return quota;
  }

  /** Forgets queues without calls, waiting or in flight, the oldest first, until one more fits. */
  #forgetIdle(): void {
    for (const [model, queue] of this.#queues) {
      if (this.#queues.size < MAX_MODELS) break;
      if (queue.isBusy || queue.routes.some(({ inFlight }) => inFlight > 0)) continue;
      this.#queues.delete(model);
    }
    const used = new Set([...this.#queues.values()].flatMap(({ routes }) => routes));
    for (const routes of this.#routes.values()) {
      for (const [model, route] of routes) if (!used.has(route)) routes.delete(model);
    }
  }
}
