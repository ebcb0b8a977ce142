import { deepFreeze } from '../../internal/deep-freeze.ts';
import type { Latency } from '../fake-openai/latency.ts';
import { CACHE_SCENARIOS } from './cache-scenarios.ts';
import type { LoadScenario } from './load-scenario.ts';
import { RATE_LIMIT_SCENARIOS } from './rate-limit-scenarios.ts';

const seconds = (count: number) => count * 1000;

/** A healthy API, made fast so that a scenario of seconds has hundreds of calls. */
const latency: Latency = { distribution: 'log-normal', medianMs: 20, sigma: 0.4 };

const RAMP: LoadScenario = {
  name: 'concurrency ramp',
  proves: 'The client serves more callers at once without errors, up to 128 of them.',
  server: { record: false, latency },
  client: { cache: false, pool: { max: 128 } },
  phases: [1, 4, 16, 64, 128].map((concurrency) => ({
    name: `${concurrency} at once`,
    durationMs: seconds(2),
    concurrency,
    drain: true,
    thresholds: { maxErrorRate: 0 },
  })),
  thresholds: { maxErrorRate: 0, maxWrongAnswers: 0, maxRequestsPerCall: 1.01 },
};

const POOL: LoadScenario = {
  name: 'connection pool exhaustion',
  proves: 'With 4 connections for 32 callers, calls wait for one and none fails; no further connection is opened.',
  server: { record: false, latency },
  client: { cache: false, pool: { min: 1, max: 4 } },
  phases: [{ name: '32 callers, 4 connections', durationMs: seconds(8), concurrency: 32 }],
  thresholds: { maxErrorRate: 0, maxWrongAnswers: 0, maxConnections: 4 },
};

const RECOVERY: LoadScenario = {
  name: 'failure and recovery',
  proves: 'Retries hide scattered failures, an outage fails fast, and all is well seconds after it ends.',
  server: { record: false, latency },
  client: { cache: false, timeoutMs: 4000, circuitBreaker: { resetTimeoutMs: 1000 } },
  phases: [
    { name: 'healthy', durationMs: seconds(4), rate: 30, drain: true, thresholds: { maxErrorRate: 0 } },
    {
      name: 'one request of ten fails',
      durationMs: seconds(5),
      rate: 30,
      faults: [
        { when: { probability: 0.04 }, fault: { kind: 'error', status: 500 } },
        { when: { probability: 0.03 }, fault: { kind: 'reset', at: 'before-answer' } },
        { when: { probability: 0.03 }, fault: { kind: 'error', status: 503 } },
      ],
      drain: true,
      thresholds: { maxErrorRate: 0.02, maxRequestsPerCall: 1.3 },
    },
    { name: 'outage', durationMs: seconds(4), rate: 30, server: 'stop' },
    { name: 'back', durationMs: seconds(4), rate: 30, server: 'start' },
    { name: 'recovered', durationMs: seconds(4), rate: 30, thresholds: { maxErrorRate: 0, minThroughput: 25 } },
  ],
  thresholds: { maxErrorRate: 0.45, maxWrongAnswers: 0 },
};

const SLOW: LoadScenario = {
  name: 'slow upstream',
  proves: 'Slow and hanging answers hold up only their own calls, and timeouts move those on.',
  server: { record: false, latency },
  client: { cache: false, attemptTimeoutMs: 2000, timeoutMs: 8000, pool: { max: 64 } },
  phases: [
    {
      name: 'one answer of five is slow',
      durationMs: seconds(8),
      rate: 25,
      faults: [
        { when: { probability: 0.01 }, fault: { kind: 'hang' } },
        {
          when: { probability: 0.2 },
          fault: { kind: 'latency', latency: { distribution: 'log-normal', medianMs: 800, sigma: 0.3 } },
        },
      ],
    },
  ],
  thresholds: { maxErrorRate: 0.02, maxResponseTime: 8000, maxMedianMs: 500, maxWrongAnswers: 0 },
};

const LARGE: LoadScenario = {
  name: 'large images',
  proves: 'Images of 5 MB are sent whole, and the bytes in flight stay within their limit.',
  server: { record: false, latency },
  client: { cache: false, limits: { maxBytesInFlight: 64 * 2 ** 20 }, timeoutMs: 30_000 },
  traffic: [{ imageBytes: 5_000_000 }],
  phases: [{ name: '16 callers', durationMs: seconds(8), concurrency: 16 }],
  thresholds: {
    maxErrorRate: 0,
    maxWrongAnswers: 0,
    maxMemoryUsage: 400 * 2 ** 20,
    maxResponseTime: 15_000,
    minThroughput: 1,
  },
};

const BATCH: LoadScenario = {
  name: 'batch processing',
  proves: 'Calls that come together share requests of five images, and each gets the description of its own.',
  server: { record: false, latency },
  client: { cache: false, batch: { batchSize: 5, maxBatchWaitMs: 50 } },
  phases: [{ name: '40 callers', durationMs: seconds(8), concurrency: 40 }],
  thresholds: { maxErrorRate: 0, maxWrongAnswers: 0, maxRequestsPerCall: 0.3 },
};

const BREAKER: LoadScenario = {
  name: 'circuit breaker',
  proves: 'An API that fails is asked seldom, and asked again soon after it is well.',
  server: { record: false, latency },
  client: { cache: false, circuitBreaker: { resetTimeoutMs: 1000 }, timeoutMs: 3000 },
  phases: [
    { name: 'healthy', durationMs: seconds(3), rate: 40, drain: true, thresholds: { maxErrorRate: 0 } },
    {
      name: 'every answer is a 500',
      durationMs: seconds(6),
      rate: 40,
      faults: [{ fault: { kind: 'error', status: 500 } }],
      thresholds: { maxRequestsPerCall: 0.4 },
    },
    { name: 'healed', durationMs: seconds(4), rate: 40 },
    { name: 'closed again', durationMs: seconds(3), rate: 40, thresholds: { maxErrorRate: 0, minThroughput: 30 } },
  ],
  thresholds: { maxErrorRate: 0.6, maxWrongAnswers: 0 },
};

const STREAMS: LoadScenario = {
  name: 'streams',
  proves: 'Streams begin soon beside many others, and a stream that breaks off fails alone.',
  server: { record: false, latency, streamDelayMs: 5 },
  client: { cache: false, pool: { max: 64 } },
  traffic: [{ method: 'stream' }],
  phases: [
    {
      name: 'whole',
      durationMs: seconds(5),
      rate: 30,
      drain: true,
      thresholds: { maxErrorRate: 0, maxFirstDeltaP95Ms: 1000 },
    },
    {
      name: 'one of twenty breaks off',
      durationMs: seconds(5),
      rate: 30,
      faults: [{ when: { probability: 0.05 }, fault: { kind: 'reset', at: 'mid-body' } }],
      thresholds: { maxErrorRate: 0.12 },
    },
  ],
  thresholds: { maxErrorRate: 0.06, maxWrongAnswers: 0 },
};

const TENANT_KEYS = Array.from({ length: 8 }, (_, tenant) => `sk-tenant-${tenant}`);

const TENANTS: LoadScenario = {
  name: 'tenants',
  proves: 'Eight tenants share one client, and one whose key fails costs the others nothing.',
  server: { record: false, latency, apiKeys: ['sk-fake', ...TENANT_KEYS] },
  client: {},
  traffic: [{ tenants: TENANT_KEYS.length }],
  phases: [
    { name: 'all are well', durationMs: seconds(4), rate: 40, drain: true, thresholds: { maxErrorRate: 0 } },
    {
      name: 'one of eight fails',
      durationMs: seconds(5),
      rate: 40,
      faults: [{ when: { apiKey: 'sk-tenant-0' }, fault: { kind: 'error', code: 'insufficient_quota' } }],
      thresholds: { maxErrorRate: 0.13, maxRequestsPerCall: 0.95 },
    },
  ],
  thresholds: { maxErrorRate: 0.08, maxWrongAnswers: 0 },
};

const MIXED: LoadScenario = {
  name: 'mixed traffic',
  proves:
    'New and known images, streams and large files run side by side for long, with some failures, and all is well.',
  server: { record: false, countImages: false, latency, keepAliveTimeoutMs: 3_600_000 },
  client: {
    cache: { memory: { maxEntries: 500 } },
    // Idle connections beyond the least close within a second, so that a pause shows which ones are left over.
    pool: { min: 2, max: 16, idleTimeoutMs: 1000 },
  },
  traffic: [
    { share: 4 },
    { share: 4, images: 300 },
    { share: 1, method: 'stream' },
    { share: 0.2, imageBytes: 500_000 },
  ],
  phases: [
    {
      name: 'mixed',
      durationMs: seconds(60),
      rate: 40,
      faults: [
        { when: { probability: 0.01 }, fault: { kind: 'error', status: 500 } },
        { when: { probability: 0.005 }, fault: { kind: 'reset', at: 'before-answer' } },
        { when: { probability: 0.01 }, fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 500 } } },
      ],
    },
  ],
  thresholds: { maxErrorRate: 0.01, maxWrongAnswers: 0, minHitRatio: 0.3 },
};

const named = <Name extends string>(scenarios: Readonly<Record<Name, LoadScenario>>) => deepFreeze(scenarios);

/**
 * Load scenarios by name, as data. Each says what it proves, with which options of the fake server and of the client
 * its thresholds are meant, and what happens in its phases.
 *
 * @example
 * ```ts
 * import { LOAD_SCENARIOS } from '@describe-it/sdk/testing';
 *
 * for (const { name, proves } of Object.values(LOAD_SCENARIOS)) console.log(name, proves);
 * ```
 */
export const LOAD_SCENARIOS = named({
  'concurrency ramp': RAMP,
  'connection pool exhaustion': POOL,
  ...RATE_LIMIT_SCENARIOS,
  'failure and recovery': RECOVERY,
  'slow upstream': SLOW,
  ...CACHE_SCENARIOS,
  'large images': LARGE,
  'batch processing': BATCH,
  'circuit breaker': BREAKER,
  streams: STREAMS,
  tenants: TENANTS,
  'mixed traffic': MIXED,
});
