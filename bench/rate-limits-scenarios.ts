import type { FakeQuotaGroup, Latency } from '../src/testing/index.ts';

/** A limit to live at for a minute. */
export interface Scenario {
  readonly name: string;
  readonly apiKeys?: readonly string[];
  /** Limits after that share of the time. */
  readonly limits: (ratio: number) => readonly FakeQuotaGroup[];
  readonly changesAtRatio?: readonly number[];
  /** Calls a second that the limits allow from that share of the time to the end, other tenants included. */
  readonly allowedPerSecond: (fromRatio: number) => number;
  /** Requests a minute of another tenant. */
  readonly tenantPerMinute?: number;
  readonly processes?: number;
  readonly latency: Latency;
}

const latency: Latency = { distribution: 'log-normal', medianMs: 800, sigma: 0.4 };

/** The burst is one second of the limit. */
const group = (name: string, limits: FakeQuotaGroup['limits'], apiKeys?: readonly string[]): FakeQuotaGroup => ({
  name,
  organization: `org-${name}`,
  limits: { burstSeconds: 1, ...limits },
  ...(apiKeys === undefined ? {} : { apiKeys }),
});

/** Tokens that one call of the load uses of a limit: its output limit, which is more than its prompt. */
export const TOKENS_PER_CALL = 300;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'requests',
    limits: () => [group('a', { requestsPerMinute: 600 })],
    allowedPerSecond: () => 10,
    latency,
  },
  {
    name: 'tokens',
    limits: () => [group('a', { requestsPerMinute: 10_000, tokensPerMinute: 300_000 })],
    allowedPerSecond: () => 300_000 / 60 / TOKENS_PER_CALL,
    latency,
  },
  {
    name: 'two groups',
    apiKeys: ['sk-a', 'sk-b'],
    limits: () => [group('a', { requestsPerMinute: 600 }, ['sk-a']), group('b', { requestsPerMinute: 180 }, ['sk-b'])],
    allowedPerSecond: () => 13,
    latency,
  },
  {
    name: 'halved midway',
    limits: (ratio) => [group('a', { requestsPerMinute: ratio < 0.5 ? 1200 : 600 })],
    changesAtRatio: [0.5],
    allowedPerSecond: (fromRatio) => (20 * (0.5 - fromRatio) + 10 * 0.5) / (1 - fromRatio),
    latency,
  },
  {
    name: 'other tenant',
    limits: () => [group('a', { requestsPerMinute: 1200 })],
    allowedPerSecond: () => 20,
    tenantPerMinute: 600,
    latency,
  },
  {
    name: 'four processes',
    limits: () => [group('a', { requestsPerMinute: 1200 })],
    allowedPerSecond: () => 20,
    processes: 4,
    latency,
  },
];
