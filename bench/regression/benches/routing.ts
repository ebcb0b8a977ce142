import { QuotaRegistry, type RouteJob, Router } from '@describe-it/sdk/routing';
import { defineBench } from '../define-bench.ts';

const CALLS = 500;
const CONCURRENCY = 50;
const ENDPOINTS = 2;
/** More than a run needs: the bench measures the scheduling, not the wait for quota. */
const LIMITS = { requestsPerMinute: 1e10, tokensPerMinute: 1e13, rampFromTokensPerMinute: 1e13 };

const answer = { limits: { requests: { limit: 1e10 } }, chargedTokens: 1_000, outputTokens: 100 };
const inputs = Array.from({ length: CALLS }, (_, index) => index);
const { signal } = new AbortController();

const jobOf = (index: number): RouteJob => ({
  model: 'gpt-4.1-mini',
  tokens: 1_000,
  priority: (index * 7) % 10,
  signal,
  deadlineAtMs: performance.now() + 3_600_000,
});

export const benches = [
  defineBench({
    name: `routing: ${CALLS} calls queued for ${ENDPOINTS} endpoints`,
    operations: CALLS,
    setup: () => {
      const quotas = new QuotaRegistry({ limits: LIMITS });
      return new Router<number>({
        endpoints: Array.from({ length: ENDPOINTS }, (_, index) => ({
          name: `endpoint ${index}`,
          target: index,
          maxConcurrency: CONCURRENCY / ENDPOINTS,
        })),
        quotas: (group, model) => quotas.get(group, model),
        breakerWaitMs: () => 0,
        maxQueued: CALLS,
      });
    },
    run: (router) =>
      Promise.all(
        inputs.map((index) =>
          router.run(jobOf(index), async (leg) => {
            leg.sent();
            leg.answered(answer);
            return index;
          }),
        ),
      ),
    verify: (results) =>
      Array.isArray(results) && results.length === CALLS && results.every((result, index) => result === index),
    count: (router) => router.getStats().placed,
    teardown: (router) => router.close(),
  }),
];
