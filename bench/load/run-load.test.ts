import { describe, expect, it } from 'vitest';
import { formatTable, summaryLine } from './format-load.ts';
import { parseLoadOptions } from './load-options.ts';
import type { TestReport } from './load-report.ts';
import { LOAD_TESTS, testsMatching } from './load-tests.ts';
import { runLoadTests } from './run-load.ts';
import { soakScenario } from './soak.ts';

async function run(...args: readonly string[]) {
  const lines: string[] = [];
  const keep = (text: string) => void lines.push(text);
  const code = await runLoadTests(args, { log: keep, error: keep, progress: () => {} });
  return { code, text: lines.join('\n') };
}

describe('perf:test', () => {
  it.each(['connection pool', 'cache operations', 'Rate Limits', 'soak', 'http'])('finds "%s"', (grep) => {
    expect(testsMatching(grep)).not.toEqual([]);
  });

  it('exits with 2 and lists the names when none matches', async () => {
    const { code, text } = await run('--grep', 'no such test');
    expect(code).toBe(2);
    for (const name of LOAD_TESTS) expect(text).toContain(name);
  });

  it.each([
    [['--minutes', '0'], '--minutes: expected a number from 0.5 to 720, got 0'],
    [['--wiring', 'x'], '--wiring: expected sdk or stock, got x'],
    [['--plant', 'x'], '--plant: expected listener or map or socket, got x'],
    [['--fast'], '--fast'],
  ])('exits with 2 for %j and says why', async (args, message) => {
    const { code, text } = await run(...args);
    expect(code).toBe(2);
    expect(text).toContain(message);
  });

  it('has one test of each name', () => {
    expect(new Set(LOAD_TESTS).size).toBe(LOAD_TESTS.length);
    expect(parseLoadOptions([])).toMatchObject({ minutes: 10, wiring: 'sdk', grep: undefined });
  });
});

describe('the soak', () => {
  it('has windows that end without a call in work, the first of which do not count', () => {
    const { phases } = soakScenario(10);
    expect(phases).toHaveLength(24);
    expect(phases.every(({ drain }) => drain === true)).toBe(true);
    expect(phases.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBe(600_000);
    expect(phases.map(({ counted }) => counted).indexOf(true)).toBe(5);
    expect(soakScenario(1).phases).toHaveLength(12);
  });
});

describe('the table of the results', () => {
  const result = {
    version: 1,
    scenario: 'a',
    startedAt: '',
    seed: 1,
    calls: 10,
    succeeded: 9,
    failed: 1,
    durationMs: 1000,
    throughput: 9,
    errorRate: 0.1,
    errors: {},
    sources: {},
    requests: { sent: 10, perCall: 1, billed: 9, tokens: 0, costUsd: 0 },
    phases: [],
    passed: false,
    verdicts: [
      { threshold: 'minThroughput', limit: 10, value: 9, status: 'missed' },
      { threshold: 'maxMemoryUsage', limit: 524_288_000, status: 'not measured' },
      { phase: 'outage', threshold: 'maxErrorRate', limit: 0.2, value: 0.1, status: 'met' },
    ],
  } as const;
  const leak = { resource: 'sockets', values: [1, 2], growth: 1, tolerance: 0.5, chance: 0.001, isLeak: true };
  const reports: readonly TestReport[] = [
    { name: 'a', status: 'missed', result, leaks: [leak] },
    { name: 'b', status: 'skipped', reason: 'there is no redis-server' },
  ];

  it('has a line for each threshold, each kind of resource, and each skipped test', () => {
    expect(formatTable(reports)).toBe(
      [
        'test  phase   threshold          limit    measured                  verdict',
        'a     all     minThroughput      10.0/s   9.0/s                     MISSED',
        '      all     maxMemoryUsage     500 MiB  –                         not measured',
        '      outage  maxErrorRate       20.00 %  10.00 %                   met',
        '      leaks   growth of sockets  0.5      1 (chance 0.001)          MISSED',
        'b                                         there is no redis-server  SKIPPED',
      ].join('\n'),
    );
  });

  it('names what leaks and why a test was skipped in one line each', () => {
    expect(reports.map(summaryLine)).toEqual([
      'missed  a: 10 calls, 1 failed, 9.0/s, 1.00 requests a call, LEAKS: sockets',
      'skipped b: there is no redis-server',
    ]);
  });
});
