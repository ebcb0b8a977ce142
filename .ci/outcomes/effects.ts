import type { DescribeClient } from '../../src/index.ts';
import type { Target } from './target.ts';

/** Counts of everything that an outcome may change, by part. */
export interface Counts {
  readonly breaker: Readonly<Record<string, number>>;
  readonly quota: Readonly<Record<string, number>>;
  readonly retry: Readonly<Record<string, number>>;
  readonly monitor: Readonly<Record<string, number>>;
  readonly cache: { readonly stored: number };
  readonly pool: { readonly opened: number; readonly requests: number };
  readonly server: { readonly answers: number; readonly tokens: number };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const SAMPLE = /^describe_it_(\w+?)(?:_total)?(?:\{(.*)\})? (\S+)$/;

/** Counters of the monitor, all labels together but the kind of tokens. */
async function monitorCounts(client: DescribeClient): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of (await client.metrics()).split('\n')) {
    const [, name = '', , value] = SAMPLE.exec(line) ?? [];
    if (/^(descriptions|failures|describe_errors|tokens)$/.test(name))
      counts[name] = (counts[name] ?? 0) + Number(value);
  }
  return counts;
}

/** The counts of a client and of the server behind it. */
export async function countsOf(client: DescribeClient, target: Target): Promise<Counts> {
  const { breakers, quotas, retry, cache, pools } = client.stats();
  const totals = Object.values(breakers).map((breaker) => breaker.totals);
  const connections = Object.values(pools).map((pool) => pool.connections);
  const taken = sum(quotas.map((quota) => quota.taken));
  const answered = sum(quotas.map((quota) => quota.answered));
  const throttled = sum(quotas.map((quota) => quota.throttled));
  const refunded = sum(quotas.map((quota) => quota.refunded));
  return {
    breaker: {
      success: sum(totals.map(({ succeeded }) => succeeded)),
      failure: sum(totals.map(({ failed }) => failed)),
      neutral: sum(totals.map(({ ignored }) => ignored)),
    },
    quota: {
      settled: answered,
      paused: throttled,
      refunded,
      'estimate kept': taken - answered - throttled - refunded,
      stopped: quotas.filter(({ stopped }) => stopped).length,
    },
    retry: { retries: retry.retries, calls: retry.budget?.calls ?? 0 },
    monitor: await monitorCounts(client),
    cache: { stored: cache?.writes ?? 0 },
    pool: {
      opened: sum(connections.map(({ opened }) => opened)),
      requests: sum(connections.map(({ requests }) => requests)),
    },
    server: target.billed(),
  };
}

const minus = <Part extends Readonly<Record<string, number>>>(after: Part, before: Part): Part =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)])) as Part;

/** The difference of two counts. */
export const changeOf = (after: Counts, before: Counts): Counts => ({
  breaker: minus(after.breaker, before.breaker),
  quota: minus(after.quota, before.quota),
  retry: minus(after.retry, before.retry),
  monitor: minus(after.monitor, before.monitor),
  cache: minus(after.cache, before.cache),
  pool: minus(after.pool, before.pool),
  server: minus(after.server, before.server),
});
