import { EndpointRoute } from './endpoint-route.ts';
import type { EndpointState } from './endpoint-state.ts';
import { RouteLine } from './route-queue.ts';
import type { RouterQuota } from './router-quota.ts';

/** Models are free text of the callers': a process that is sent random ones must not grow. */
const MAX_MODELS = 100;

/**
 * The lines by model and the routes by endpoint and model, made at first use. Those in use are kept; of the others at
 * most 100 models.
 */
export class RouteDirectory<Target> {
  readonly #endpoints: readonly EndpointState<Target>[];
  readonly #quotas: (quotaGroup: string, model: string) => RouterQuota;
  readonly #ageingMs: number;
  readonly #onRoom: () => void;
  readonly #lines = new Map<string, RouteLine<Target>>();
  readonly #routes = new Map<EndpointState<Target>, Map<string, EndpointRoute<Target>>>();
  readonly #subscribed = new WeakSet<RouterQuota>();

  constructor(
    endpoints: readonly EndpointState<Target>[],
    quotas: (quotaGroup: string, model: string) => RouterQuota,
    ageingMs: number,
    onRoom: () => void,
  ) {
    this.#endpoints = endpoints;
    this.#quotas = quotas;
    this.#ageingMs = ageingMs;
    this.#onRoom = onRoom;
    for (const endpoint of endpoints) this.#routes.set(endpoint, new Map());
  }

  lineOf(model: string): RouteLine<Target> {
    let line = this.#lines.get(model);
    if (line === undefined) {
      if (this.#lines.size >= MAX_MODELS) this.#forgetIdle();
      const routes = this.#endpoints.map((endpoint) => this.#routeOf(endpoint, endpoint.model ?? model));
      line = new RouteLine(model, routes, this.#ageingMs);
      this.#lines.set(model, line);
    }
    return line;
  }

  routesOf(endpoint: EndpointState<Target>): readonly EndpointRoute<Target>[] {
    return [...(this.#routes.get(endpoint)?.values() ?? [])];
  }

  /**
   * Puts an endpoint whose answer named that organisation into the group of the first of those that did, first by the
   * order in which they were given: so it is the same one in every process.
   */
  learnOrganization(endpoint: EndpointState<Target>, organization: string): void {
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
    if (moved) this.#onRoom();
  }

  #routeOf(endpoint: EndpointState<Target>, model: string): EndpointRoute<Target> {
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
      quota.onRoom(this.#onRoom);
    }
    return quota;
  }

  /** Forgets lines that nothing waits in or runs from, oldest first, until there is room for one. */
  #forgetIdle(): void {
    for (const [model, line] of this.#lines) {
      if (this.#lines.size < MAX_MODELS) break;
      if (line.isBusy || line.routes.some(({ inFlight }) => inFlight > 0)) continue;
      this.#lines.delete(model);
    }
    const used = new Set([...this.#lines.values()].flatMap(({ routes }) => routes));
    for (const routes of this.#routes.values()) {
      for (const [model, route] of routes) if (!used.has(route)) routes.delete(model);
    }
  }
}
