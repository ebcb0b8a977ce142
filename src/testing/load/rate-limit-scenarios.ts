import type { Latency } from '../fake-openai/latency.ts';
import type { FakeLimits } from '../fake-openai/quota-group.ts';
import type { FakeQuotaGroup } from '../fake-openai/quota-groups.ts';
import type { LoadPhase, LoadScenario } from './load-scenario.ts';

/** Tokens that a call takes of a limit: its output limit, which is more than its prompt. */
const TOKENS_PER_CALL = 300;
const LEARN_MS = 4000;
const MEASURE_MS = 15_000;

const latency: Latency = { distribution: 'log-normal', medianMs: 200, sigma: 0.4 };

/** A bucket holds one second of its limit, so that the limit is felt at once. */
const group = (name: string, limits: FakeLimits, apiKeys?: readonly string[]): FakeQuotaGroup => ({
  name,
  organization: `org-${name}`,
  limits: { burstSeconds: 1, ...limits },
  ...(apiKeys === undefined ? {} : { apiKeys }),
});

/** More demand than any of the limits allow, after a time in which the client learns them. */
const phases: readonly LoadPhase[] = [
  { name: 'learning', durationMs: LEARN_MS, concurrency: 32, counted: false },
  { name: 'unlimited demand', durationMs: MEASURE_MS, concurrency: 32 },
];

/** Nine of ten calls that the limit allows succeed, and few requests are refused. */
const thresholdsOf = (allowedPerSecond: number) => ({
  minThroughput: 0.9 * allowedPerSecond,
  maxErrorRate: 0,
  maxRefusedRatio: 0.03,
  maxWrongAnswers: 0,
  maxResponseTime: 10_000,
});

const client = { cache: false, maxOutputTokens: TOKENS_PER_CALL, pool: { max: 32 } } as const;

export const RATE_LIMIT_SCENARIOS = {
  'rate limits: requests': {
    name: 'rate limits: requests',
    proves: 'A limit of requests is used to nine tenths at least, with hardly a refused request.',
    server: { record: false, latency, quotaGroups: [group('a', { requestsPerMinute: 600 })] },
    client,
    phases,
    thresholds: thresholdsOf(10),
  },
  'rate limits: tokens': {
    name: 'rate limits: tokens',
    proves: 'A limit of tokens is used to nine tenths at least, with hardly a refused request.',
    server: {
      record: false,
      latency,
      quotaGroups: [group('a', { requestsPerMinute: 10_000, tokensPerMinute: 300_000 })],
    },
    client,
    phases,
    thresholds: thresholdsOf(300_000 / 60 / TOKENS_PER_CALL),
  },
  'rate limits: two keys': {
    name: 'rate limits: two keys',
    proves: 'Two accounts with different limits are both used to nine tenths at least.',
    server: {
      record: false,
      latency,
      apiKeys: ['sk-a', 'sk-b'],
      quotaGroups: [group('a', { requestsPerMinute: 600 }, ['sk-a']), group('b', { requestsPerMinute: 180 }, ['sk-b'])],
    },
    client,
    phases,
    thresholds: thresholdsOf(13),
  },
  'rate limits: halved midway': {
    name: 'rate limits: halved midway',
    proves: 'A limit that is halved under load is found at once.',
    server: { record: false, latency, quotaGroups: [group('a', { requestsPerMinute: 1200 })] },
    client,
    phases: [
      { name: 'learning', durationMs: LEARN_MS, concurrency: 32, counted: false },
      { name: 'full', durationMs: MEASURE_MS / 2, concurrency: 32, thresholds: { minThroughput: 18 } },
      {
        name: 'halved',
        durationMs: MEASURE_MS / 2,
        concurrency: 32,
        limits: [group('a', { requestsPerMinute: 600 })],
        thresholds: { minThroughput: 8 },
      },
    ],
    thresholds: { ...thresholdsOf(14), maxRefusedRatio: 0.05 },
  },
  'rate limits: other tenant': {
    name: 'rate limits: other tenant',
    proves: 'Where another tenant takes half of a limit, the other half is used.',
    server: { record: false, latency, quotaGroups: [group('a', { requestsPerMinute: 1200 })] },
    client,
    phases: phases.map((phase) => ({ ...phase, neighbourPerMinute: 600 })),
    thresholds: { ...thresholdsOf(10), minThroughput: 8.5, maxRefusedRatio: 0.1 },
  },
  'rate limits: four clients': {
    name: 'rate limits: four clients',
    proves: 'Four clients share the limit of one account through Redis, as four processes do.',
    server: { record: false, latency, quotaGroups: [group('a', { requestsPerMinute: 1200 })] },
    // The cache holds the connection to Redis; each call has an image of its own.
    client: { maxOutputTokens: TOKENS_PER_CALL, pool: { max: 32 } },
    clients: 4,
    needsRedis: true,
    phases,
    thresholds: thresholdsOf(20),
  },
} as const satisfies Readonly<Record<string, LoadScenario>>;
