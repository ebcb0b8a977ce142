import type { Clock } from '../../internal/clock.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import { type AtomicScript, QuotaRegistry, Router } from '../../routing/index.ts';
import { accountName, addressOf, type EndpointDescription, quotaGroupNames } from '../options/endpoint-options.ts';
import type { ClientLimitOptions } from '../options/limit-options.ts';
import type { BreakerGroup } from './breaker-group.ts';
import type { EndpointParts } from './endpoint-set.ts';
import type { EndpointTarget } from './stage.ts';

export interface RouterParts {
  readonly endpoints: readonly EndpointParts[];
  readonly limits: ClientLimitOptions;
  /** Shares the quotas with other processes; undefined for this process alone. */
  readonly shared: AtomicScript | undefined;
  /** The scope of a tenant; undefined for a client itself. */
  readonly tenantScope?: string | undefined;
  readonly clock: Clock;
}

/** Routes calls over the endpoints, within the limits of their quota groups. */
export function makeRouter({ endpoints, limits, shared, tenantScope, clock }: RouterParts): {
  readonly router: Router<EndpointTarget>;
  readonly quotas: QuotaRegistry;
} {
  const descriptions = endpoints.map(({ description }) => description);
  const groups = quotaGroupNames(descriptions);
  const groupOf = (index: number) => groups[index] ?? descriptions[index]?.name ?? '';
  const { processes, maxQueuedCalls } = limits;
  const quotas = new QuotaRegistry({
    clock,
    shared,
    sharedNameOf: (group) => {
      const first = descriptions.find((_, index) => groupOf(index) === group);
      return first === undefined ? group : accountName(first, tenantScope);
    },
    limitsOf: (group) => {
      const given = descriptions.find((endpoint, index) => endpoint.limits && groupOf(index) === group);
      const { requestsPerMinute, tokensPerMinute, rampFromTokensPerMinute } = callOptions({
        ...limits,
        ...definedOf(given?.limits),
      });
      return { requestsPerMinute, tokensPerMinute, rampFromTokensPerMinute, processes };
    },
  });
  const breakersByName = new Map(endpoints.map(({ description, breakers }) => [description.name, breakers]));
  const router = new Router<EndpointTarget>({
    clock,
    maxQueued: maxQueuedCalls,
    quotas: (group, model) => quotas.get(group, model),
    breakerWaitMs: (name, model) => breakerWaitMs(breakersByName.get(name), model),
    endpoints: endpoints.map(({ description, pool, connections, breakers, dialect }, index) => ({
      name: description.name,
      weight: description.weight,
      model: description.model,
      quotaGroup: groups[index],
      // A call in the router's queue can still go to another endpoint; in the queue of a pool it cannot.
      maxConcurrency: lesserOf(description.limits?.maxConcurrency ?? limits.maxConcurrency, pool?.getStats().maxSize),
      initialConcurrency:
        description.limits?.initialConcurrency ?? limits.initialConcurrency ?? pool?.getStats().maxSize,
      target: {
        connections,
        breakers,
        dialect,
        address: addressOf(description),
        secrets: secretHeadersOf(description),
      },
    })),
  });
  return { router, quotas };
}

const lesserOf = (limit: number | undefined, size: number | undefined): number | undefined =>
  limit === undefined || size === undefined ? (limit ?? size) : Math.min(limit, size);

/** Headers that may hold the credentials of a gateway. */
const SECRET_HEADER = /key|token|auth|secret|cookie|password/i;

const secretHeadersOf = ({ headers = {} }: EndpointDescription): readonly string[] =>
  Object.entries(headers).flatMap(([name, value]) => (SECRET_HEADER.test(name) ? [value] : []));

/**
 * Calls wait for the result of a half-open breaker's probe, at most this long. A call that failed elsewhere waits for
 * less.
 */
const PROBING_MS = 1_500;

/** Milliseconds for which a breaker lets no call through. */
function breakerWaitMs(breakers: BreakerGroup | undefined, model: string): number {
  const breaker = breakers?.of(model);
  switch (breaker?.state) {
    case 'ISOLATED':
      return Number.POSITIVE_INFINITY;
    case 'OPEN':
      return breaker.getStats().retryAfterMs ?? 0;
    case 'HALF_OPEN':
      return breaker.getStats().probes.running > 0 ? PROBING_MS : 0;
    default:
      return 0;
  }
}
