import type { BenchmarkReport } from '../harness/benchmark-report.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { defineSuite } from '../harness/suite.ts';
import { reportSuite } from '../harness/suite-report.ts';
import type { Slice } from '../harness/timed-slice.ts';
import type { LoadTestResult } from './load-results.ts';

const ROUNDS = 9;

/** Suites by name: what a call of ours and of the peer takes, in milliseconds. */
const SUITES = {
  'a part that wins': { ours: 0.0002, 'peer of the whole': 0.02 },
  'a part that loses <b>a lot</b> & says so': { ours: 0.006, "peer's own way": 0.002 },
  'a part that is as good': { ours: 0.5, 'large-peer with a long name': 0.5 },
} as const;

/** A whole run of made-up suites. `slowdown` multiplies the times of ours. */
export function benchmarkOf(
  commit: string,
  startedAt: string,
  { slowdown = 1, seed = 1 }: { readonly slowdown?: number; readonly seed?: number } = {},
): BenchmarkReport {
  const random = seededRandom(seed);
  const slices = (value: number): readonly Slice[] =>
    Array.from({ length: ROUNDS }, () => {
      const time = value * (0.95 + 0.1 * random());
      return { value: time, p99: 2 * time, cpuMs: time, allocatedBytes: 1e6 * value, peakBytes: 1e7, operations: 100 };
    });
  const suites = Object.entries(SUITES).map(([name, { ours, ...peers }]) => {
    const [peer = '', time = 1] = Object.entries(peers)[0] ?? [];
    const suite = defineSuite({
      name,
      baseline: peer,
      contenders: { [peer]: () => true, ours: () => true },
      gates: { ours: 1 },
      leftOut: { Hare: 'not installed' },
    });
    const measurements = new Map([
      [peer, slices(time)],
      ['ours', slices(ours * slowdown)],
    ]);
    return { file: 'made-up.bench.ts', ...reportSuite(suite, measurements) };
  });
  return {
    version: 1,
    kind: 'benchmark',
    startedAt,
    commit,
    machine: { node: 'v24.21.0', cpu: 'a processor', cores: 2, loadAtStart: 0.2 },
    asked: { grep: null, quick: false, rounds: null },
    complete: true,
    suites,
  };
}

const latency = (p50: number, p99: number) => ({
  count: 900,
  min: p50 / 2,
  mean: p50,
  p50,
  p90: p50,
  p95: p50,
  p99,
  p999: p99,
  max: p99,
});

/** A load test that kept one threshold and missed another, one that was skipped, and one that failed. */
export const LOAD: readonly LoadTestResult[] = [
  {
    name: 'concurrency ramp',
    status: 'missed',
    startedAt: '2026-01-02T03:04:05.000Z',
    result: {
      version: 1,
      scenario: 'concurrency ramp',
      startedAt: '2026-01-02T03:04:05.000Z',
      seed: 1,
      passed: false,
      calls: 900,
      succeeded: 900,
      failed: 0,
      durationMs: 9_000,
      throughput: 100,
      errorRate: 0,
      errors: {},
      sources: { upstream: 900 },
      latencyMs: latency(40, 2_400),
      requests: { sent: 900, perCall: 1, billed: 900, tokens: 90_000, costUsd: 0.1 },
      phases: [],
      verdicts: [
        { threshold: 'minThroughput', limit: 10, value: 100, status: 'met' },
        { threshold: 'maxP99Ms', phase: 'full', limit: 1_000, value: 2_400, status: 'missed' },
        { threshold: 'maxConnections', limit: 10, status: 'not measured' },
      ],
    },
  },
  {
    name: 'Redis down and back',
    status: 'skipped',
    reason: 'there is no <redis-server>',
    startedAt: '2026-01-02T03:04:05.000Z',
  },
  { name: 'streams', status: 'failed', reason: 'its process ended\nat once', startedAt: '2026-01-02T03:04:05.000Z' },
];
