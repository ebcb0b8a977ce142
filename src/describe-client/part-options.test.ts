import { afterAll, describe, expect, it, vi } from 'vitest';
import { jsonCodec } from '../redis-cache/index.ts';
import { ManualClock } from '../testing/index.ts';
import { composeParts } from './compose-parts.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import type {
  BatchOptions,
  ClientBreakerOptions,
  ClientCacheOptions,
  ClientMonitorOptions,
  ClientPoolOptions,
  ClientRetryOptions,
} from './options/part-options.ts';

// What an option of a part does is tested beside the part. Here the options that reach each part are written down.
const made = vi.hoisted(() => new Map<string, unknown>());

const { recording } = vi.hoisted(() => ({
  /** The module with a class that writes its options down. */
  recording: async (load: () => Promise<object>, name: string) => {
    const module: Record<string, unknown> = { ...(await load()) };
    const Part = module[name] as new (...args: unknown[]) => object;
    module[name] = class extends Part {
      constructor(...args: unknown[]) {
        super(...args);
        made.set(name, args.at(-1));
      }
    };
    return module;
  },
}));

vi.mock('../openai/index.ts', (load) => recording(load, 'OpenAIConnectionPool'));
vi.mock('../redis-cache/index.ts', (load) => recording(load, 'RedisCache'));
vi.mock('../circuit-breaker/index.ts', (load) => recording(load, 'CircuitBreaker'));
vi.mock('../batch-processor/index.ts', (load) => recording(load, 'VisionDescriptionBatchProcessor'));
vi.mock('../performance-monitor/index.ts', (load) => recording(load, 'PerformanceMonitor'));
vi.mock('../retry/index.ts', (load) => recording(load, 'RetryPolicy'));

const clock = new ManualClock();
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const random = () => 0.5;
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

/** The options that a part of a client with these options was made with. */
function optionsOf(part: string, options: DescribeClientOptions): unknown {
  const { close } = composeParts({ apiKey: 'k', clock, ...options }, {});
  closing.push(close);
  return made.get(part);
}

const threshold = { warning: 0.25, critical: 0.5 };
const attempts = { maxAttempts: 7, initialDelayMs: 11, maxDelayMs: 13 };

/** The compiler asks for an option that is missing here. */
const POOL = {
  min: 3,
  max: 4,
  acquireTimeoutMs: 5,
  idleTimeoutMs: 6,
  healthCheckInterval: 7,
  healthCheckTimeoutMs: 8,
  maxUsageCount: 9,
  maxLifetimeMs: 10,
  maxWaiting: 11,
  leakThresholdMs: 12,
  streamIdleTimeoutMs: 13,
  connectTimeoutMs: 14,
  maxResponseBytes: 15,
} satisfies Required<ClientPoolOptions>;

const BREAKER = {
  failureThreshold: 2,
  failureDecayMs: 3,
  errorThresholdPercentage: 4,
  minimumCalls: 5,
  windowMs: 6,
  resetTimeoutMs: 7,
  maxResetTimeoutMs: 8,
  resetJitterRatio: 0.9,
  slowCallDurationMs: 10,
  slowCallRatio: 0.11,
  halfOpenMaxCalls: 12,
  halfOpenSuccessRatio: 0.13,
  halfOpenTimeoutMs: 14,
  isFailure: () => true,
  isFailureResult: () => false,
  isNeutralResult: () => false,
  retryAfterMs: () => 15,
  random,
} satisfies Required<Omit<ClientBreakerOptions, 'windowCalls'>>;

const CACHE = {
  defaultTTL: 2,
  keyPrefix: 'p:',
  maxRetries: 4,
  memory: { maxBytes: 5, maxEntries: 6, ttlSeconds: 7 } satisfies Required<ClientCacheOptions['memory']>,
  strict: true,
  operationTimeoutMs: 8,
  tagTrustMs: 9,
  outageTrustMs: 10,
  graceSeconds: 11,
  refreshThrottleSeconds: 12,
  refreshAheadRatio: 0.13,
  refreshAheadPerMinute: 14,
  ttlJitterRatio: 0.15,
  leaseMs: 160,
  followerWaitMs: 17,
  maxValueBytes: 1_800,
  compressAboveBytes: 19,
  maxPendingInvalidations: 20,
  codec: { ...jsonCodec },
  random,
} satisfies Required<ClientCacheOptions>;

const MONITOR = {
  enabled: false,
  registry: { registerMetric: () => {}, getSingleMetric: () => undefined, metrics: async () => '' } as never,
  prefix: 'p_',
  labels: { service: 'gallery' },
  help: { calls: 'Calls.' },
  maxSeries: 2,
  maxMetrics: 3,
  maxPendingTimers: 4,
  windowMs: 5_000,
  alerts: {
    eventLoopDelayMs: { warning: 6, critical: 7 },
    heapUsedRatio: threshold,
    cpuRatio: threshold,
    errorRatio: threshold,
    latencyMs: { warning: 8, critical: 9 },
    minimumCalls: 10,
  } satisfies Required<ClientMonitorOptions['alerts']>,
  alertIntervalMs: 1_100,
} satisfies Required<ClientMonitorOptions>;

const BATCH = {
  batchSize: 2,
  maxBatchWaitMs: 3,
  maxConcurrentBatches: 4,
  ageingMs: 5,
  maxPackTokens: 6,
  maxPackBytes: 7,
} satisfies Required<BatchOptions>;

const RETRY = {
  maxAttempts: 2,
  initialDelayMs: 3,
  maxDelayMs: 4,
  policies: {
    outage: attempts,
    throttle: { ...attempts, maxAttempts: 8 },
    content: { ...attempts, maxAttempts: 9 },
  } satisfies Required<ClientRetryOptions['policies']>,
  budget: { retryRatio: 0.5, minRetries: 6, windowMs: 7, clock },
  minAttemptMs: 8,
  isRetryable: () => true,
  shouldRetry: () => true,
  onRetry: () => {},
  onGiveUp: () => {},
  random,
} satisfies Required<ClientRetryOptions>;

const TLS = {
  ca: '-----BEGIN CERTIFICATE-----\nca',
  cert: '-----BEGIN CERTIFICATE-----\ncert',
  key: '-----BEGIN PRIVATE KEY-----\nkey',
  passphrase: 'secret',
  servername: 'api.example',
  rejectUnauthorized: false,
} satisfies Required<DescribeClientOptions['tls']>;

const SERVER = { host: 'h', port: 1, username: 'u', password: 'p', db: 2, family: 4, tls: true } as const;
const nodes = [{ host: 'h', port: 1 }];

describe('options of a part', () => {
  it('reach the pool', () => {
    expect(optionsOf('OpenAIConnectionPool', { pool: POOL })).toMatchObject(POOL);
    expect(optionsOf('OpenAIConnectionPool', { tls: TLS })).toMatchObject({ tls: TLS });
  });

  it('reach the circuit breaker', () => {
    expect(optionsOf('CircuitBreaker', { circuitBreaker: BREAKER })).toMatchObject(BREAKER);
    expect(optionsOf('CircuitBreaker', { circuitBreaker: { windowCalls: 20 } })).toMatchObject({ windowCalls: 20 });
  });

  it('reach the cache', () => {
    expect(optionsOf('RedisCache', { cache: CACHE, logger })).toMatchObject(CACHE);
  });

  it.each([
    SERVER,
    { url: 'redis://h:1', onDriverMissing: 'reject' },
    { cluster: nodes },
    { sentinels: nodes, sentinelName: 'main' },
    { client: { call() {}, pipeline() {}, duplicate() {}, on() {}, options: {} } as never },
  ] as const)('reach Redis: %o', (redis) => {
    expect(optionsOf('RedisCache', { redis })).toMatchObject(redis);
  });

  it('reach the monitor', () => {
    expect(optionsOf('PerformanceMonitor', { monitor: MONITOR })).toMatchObject(MONITOR);
  });

  it('reach the batch processor', () => {
    expect(optionsOf('VisionDescriptionBatchProcessor', { batch: BATCH })).toMatchObject(BATCH);
  });

  it('reach the retry policy', () => {
    const options = optionsOf('RetryPolicy', { retry: RETRY }) as { readonly budget: typeof RETRY.budget };
    expect(options).toMatchObject(RETRY);
    // A clock has no properties of its own that `toMatchObject` would compare.
    expect(options.budget.clock).toBe(clock);
  });
});
