import { formatValue } from '../../harness/format-report.ts';
import type { Measure } from '../engine/gate-bench.ts';
import type { BenchReport, MeasureReport } from '../engine/verdict.ts';

export const MEASURE_WORDS = { cpu: 'CPU time', wall: 'wall time', memory: 'memory' } as const satisfies Record<
  Measure,
  string
>;

/** "+12 %", "−3.4 %". */
export function signed(ratio: number): string {
  return `${ratio < 0 ? '−' : '+'}${percent(Math.abs(ratio))}`;
}

/** "12 %", "3.4 %". */
export const percent = (ratio: number): string => `${(ratio * 100).toFixed(ratio < 0.0995 ? 1 : 0)} %`;

/** "+12 % (+9 % to +15 %)". */
export function change({ change: middle, lower, upper }: MeasureReport): string {
  const bound = (value: number | null) => (value === null ? 'unknown' : signed(value));
  return `${signed(middle)} (${bound(lower)} to ${bound(upper)})`;
}

export function value(amount: number, measure: Measure): string {
  if (measure === 'memory') return amount < 10_000 ? `${Math.round(amount)} B` : `${(amount / 1024).toFixed(1)} KiB`;
  return formatValue(amount / 1_000, 'ms');
}

/** The smallest slowdown that a run would have seen, where there is one. */
export const detectable = (found: MeasureReport | undefined): string =>
  found === undefined ? '' : found.detectable === null ? 'none' : percent(found.detectable);

export const measureOf = (report: BenchReport, measure: Measure): MeasureReport | undefined =>
  report.measures.find((one) => one.measure === measure);

/** The reason for a verdict, in a sentence or two. */
export function explain(report: BenchReport): string {
  const { verdict, slowerBy, clock, unconfirmed, error } = report;
  const deciding = measureOf(report, clock);
  if (verdict === 'error') return `It failed: ${error}`;
  if (verdict === 'slower') {
    const named = slowerBy.map((measure) => {
      const found = measureOf(report, measure);
      return `${MEASURE_WORDS[measure]}${found === undefined ? '' : ` ${change(found)}`}`;
    });
    return `Confirmed by ${report.confirmingBlocks.length} new blocks: ${named.join(', ')}.`;
  }
  if (deciding === undefined) return 'Nothing was measured: the time was over.';
  if (verdict === 'same') return `${MEASURE_WORDS[clock]} changed by less than 5 %: ${change(deciding)}.`;
  if (verdict === 'faster') return `${MEASURE_WORDS[clock]} ${change(deciding)}.`;
  const seen =
    deciding.detectable === null
      ? 'There was no time for enough blocks'
      : `A slowdown of ${percent(deciding.detectable)} would have been seen in four of five runs`;
  return unconfirmed ? `The first stage suspected a slowdown, and the time was over. ${seen}.` : `${seen}.`;
}
