import PQueue from 'p-queue';
import { QuotaRegistry, type RouteJob, Router } from '../src/routing/index.ts';
import { defineSuite, seededRandom } from './harness/index.ts';

const CALLS = 10_000;
const CONCURRENCY = 100;
const ENDPOINTS = 2;
/** A slice is too short to compile in. */
const WARM_UP_MS = 500;
/** More than any run needs: the bench measures the scheduling, not the wait for quota. */
const LIMITS = { requestsPerMinute: 1e10, tokensPerMinute: 1e13, rampFromTokensPerMinute: 1e13 };

const inputs = Array.from({ length: CALLS }, (_, index) => index);
const random = seededRandom(7);
const priorities = inputs.map(() => Math.floor(random() * 10));
const priorityOf = (index: number) => priorities[index] ?? 0;

/** One signal a call, like the signal of each request in a server; none aborts. */
const signals = inputs.map(() => new AbortController().signal);
const signalOf = (index: number) => signals[index] as AbortSignal;

const answer = { limits: { requests: { limit: 1e10 } }, chargedTokens: 1_000, outputTokens: 100 };

function makeRouter() {
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
}

const jobOf = (index: number): RouteJob => ({
  model: 'gpt-4.1-mini',
  tokens: 1_000,
  priority: priorityOf(index),
  signal: signalOf(index),
  deadlineAtMs: performance.now() + 3_600_000,
});

/** All calls at once, so that all but the first are queued. Each reports its outcome, as the client does. */
const route = (router: Router<number>) =>
  Promise.all(
    inputs.map((index) =>
      router.run(jobOf(index), async (leg) => {
        leg.sent();
        leg.answered(answer);
        return index;
      }),
    ),
  );

const queue = (made: PQueue) =>
  Promise.all(
    inputs.map((index) => made.add(async () => index, { priority: priorityOf(index), signal: signalOf(index) })),
  );

interface Context {
  readonly router: Router<number>;
  readonly pQueue: PQueue;
}

const isComplete = (results: unknown) =>
  Array.isArray(results) && results.length === CALLS && results.every((result, index) => result === index);

const setup = (): Context => ({ router: makeRouter(), pQueue: new PQueue({ concurrency: CONCURRENCY }) });

export const suites = [
  defineSuite<Context>({
    name: `routing: ${CALLS} calls in line, router with limiter against p-queue's add`,
    baseline: 'p-queue',
    setup,
    warmUpMs: WARM_UP_MS,
    teardown: ({ router }) => router.close(),
    contenders: {
      'p-queue': { run: ({ pQueue }) => queue(pQueue), operations: CALLS },
      router: { run: ({ router }) => route(router), operations: CALLS },
    },
    verify: isComplete,
    // It does the work of a queue, and also takes from quotas, balances and keeps deadlines.
    gates: { router: 2 },
  }),
];
