import { describe, expect, it } from 'vitest';
import type { GateOutcome } from '../engine/measure-builds.ts';
import type { BenchReport, MeasureReport } from '../engine/verdict.ts';
import type { ProcessSample } from '../process/plan.ts';
import { exitCodeOf, reportOf } from './gate-report.ts';
import { MARKER, markdownReport } from './markdown.ts';
import { textReport } from './text.ts';

const sample: ProcessSample = { cpu: 1, wall: 2 };
const block = { base: [sample, sample], head: [sample, sample] } as const;

const measure = (name: MeasureReport['measure'], change: number): MeasureReport => ({
  measure: name,
  base: 1.5,
  head: 1.5 * (1 + change),
  change,
  lower: change - 0.02,
  upper: change + 0.02,
  noiseFloor: 0.03,
  detectable: 0.08,
});

const bench = (verdict: BenchReport['verdict'], more: Partial<BenchReport> = {}): BenchReport => ({
  name: `a bench that is ${verdict}`,
  clock: 'cpu',
  verdict,
  slowerBy: verdict === 'slower' ? ['cpu'] : [],
  unconfirmed: false,
  blocks: [block, block],
  confirmingBlocks: verdict === 'slower' ? [block] : [],
  measures: [measure('cpu', verdict === 'slower' ? 0.25 : 0.001), measure('wall', 0.1)],
  ...more,
});

const report = (reports: readonly BenchReport[], more: Partial<GateOutcome> = {}) =>
  reportOf(
    { reports, added: [], skipped: [], run: { plannedBlocks: 6, rounds: 6 }, elapsedMs: 61_400, ...more },
    { base: { commit: '0123456789abcdef', described: 'release v1.0.0' }, head: { described: 'the tree' }, seed: 5 },
  );

describe('the exit code', () => {
  it.each([
    [['same', 'faster', 'cannot tell'], 0, 'passed'],
    [['same', 'slower', 'error'], 1, 'slower'],
    [['same', 'error'], 3, 'error'],
  ] as const)('of %j is %d', (verdicts, code, outcome) => {
    const made = report(verdicts.map((verdict) => bench(verdict)));
    expect([exitCodeOf(made), made.outcome]).toEqual([code, outcome]);
  });
});

describe('the comment on a pull request', () => {
  it('has one table, with what matters first, and says aloud what it cannot tell', () => {
    const text = markdownReport(report([bench('same'), bench('cannot tell'), bench('slower')]));
    expect(text.split('\n')[0]).toBe(MARKER);
    expect(text).toContain('### Performance: 1 of 3 slower, 1 of 3 cannot tell');
    expect(text).toContain('Compared with release v1.0.0 (0123456), on the same machine, in 61 s.');
    const rows = text.split('\n').filter((line) => line.startsWith('| a bench'));
    expect(rows[0]).toBe(
      '| a bench that is slower | **slower** | +25 % (+23 % to +27 %) | +10 % (+8.0 % to +12 %) | 8.0 % |',
    );
    expect(rows[1]).toContain('| cannot tell |');
    expect(text).toContain('Confirmed by 1 new blocks: CPU time +25 % (+23 % to +27 %).');
    expect(text).toContain('A slowdown of 8.0 % would have been seen in four of five runs.');
  });

  it('names new and skipped benches, and why', () => {
    const added = [{ name: 'brand new', reason: 'the build has no entry point ./x' }];
    const skipped = [{ name: 'with Redis', reason: 'there is no redis-server' }];
    const text = markdownReport(report([bench('same')], { added, skipped }));
    expect(text).toContain('- brand new: the build has no entry point ./x');
    expect(text).toContain('- with Redis: there is no redis-server');
    expect(textReport(report([bench('same')], { added, skipped }))).toContain("brand new: NEW, base can't run it");
  });

  it('lets no error text break the table or become markup', () => {
    const text = markdownReport(report([bench('error', { measures: [], error: 'a|b <img src=x>\nnext' })]));
    expect(text).toContain('It failed: a\\|b \\<img src=x\\> next');
  });
});
