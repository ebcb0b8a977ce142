import type { BatchMetrics } from '../batch-processor/index.ts';
import type { CircuitBreakerStats } from '../circuit-breaker/index.ts';
import { deepFreeze } from '../internal/deep-freeze.ts';
import type { OpenAIConnectionPoolStats } from '../openai/index.ts';
import type { RedisCacheStats } from '../redis-cache/index.ts';
import type { RetryStats } from '../retry/index.ts';
import type { QuotaStats, RouterStats } from '../routing/index.ts';
import type { AdmissionStats } from './call/admission.ts';
import type { CallRegister, CallStats } from './call/call-register.ts';
import type { ClientParts } from './compose-parts.ts';
import type { TenantsStats } from './tenants/tenant-registry.ts';

/** A frozen, JSON-safe snapshot of every part. */
export interface ClientStats {
  readonly calls: CallStats;
  /** Calls in the client, and the bytes of their images. */
  readonly admission: AdmissionStats;
  /** By the name of the endpoint; none for an endpoint without a key. */
  readonly pools: Readonly<Record<string, OpenAIConnectionPoolStats>>;
  readonly breakers: Readonly<Record<string, CircuitBreakerStats>>;
  /** The queue of calls, and the state of each endpoint. */
  readonly routing: RouterStats;
  /** The state of each limit, by quota group and model. */
  readonly quotas: readonly QuotaStats[];
  readonly retry: RetryStats;
  /** Absent with `cache: false`. */
  readonly cache?: RedisCacheStats;
  /** Absent without `batch`. */
  readonly batch?: BatchMetrics;
  /** The tenants of this client; absent before its first `withKey`, and for a tenant. */
  readonly tenants?: TenantsStats;
}

/** The parts that the snapshot shows. */
interface StatsSource {
  readonly parts: ClientParts;
  readonly calls: CallRegister;
  readonly tenants: TenantsStats | undefined;
}

export function clientStats({ parts, calls, tenants }: StatsSource): ClientStats {
  const { endpoints, admission, attempts, retry, batch, cache } = parts;
  return deepFreeze({
    calls: calls.stats(),
    admission: admission.getStats(),
    pools: Object.fromEntries(Object.entries(endpoints.pools).map(([name, pool]) => [name, pool.getStats()])),
    breakers: Object.fromEntries(
      Object.entries(endpoints.breakersByName()).map(([name, breaker]) => [name, breaker.getStats()]),
    ),
    routing: attempts.router.getStats(),
    quotas: attempts.quotas.getStats(),
    retry: retry.getStats(),
    ...(cache === undefined ? {} : { cache: cache.getStats() }),
    ...(batch === undefined ? {} : { batch: batch.getMetrics() }),
    ...(tenants === undefined ? {} : { tenants }),
  });
}
