import { formatBytes, formatRatio, formatValue } from '../harness/format-report.ts';
import type { RatioEstimate } from '../harness/statistics.ts';
import type { ContenderReport, SuiteReport } from '../harness/suite-report.ts';
import { type Measure, verdictOf } from './standing.ts';

export const MEASURE_NAMES: Readonly<Record<Measure, string>> = {
  time: 'time',
  cpu: 'CPU time',
  allocations: 'allocations',
};

/** "1.69 (1.14–1.94)". */
export const ratioText = ({ value, lower, upper }: RatioEstimate): string =>
  `${formatRatio(value)} (${formatRatio(lower)}–${formatRatio(upper)})`;

/** Says a ratio in words, for a reader who does not want to think about ratios. */
export function meaningOf(ratio: RatioEstimate): string {
  const verdict = verdictOf(ratio);
  if (verdict === 'open') return 'no difference seen';
  return verdict === 'more'
    ? `${factorText(ratio.value)} as much as the peer`
    : `the peer needs ${factorText(1 / ratio.value)} as much`;
}

const factorText = (factor: number) => `${factor < 10 ? factor.toFixed(2) : factor.toFixed(0)} times`;

/** The cells of one contender. */
export function contenderCells(contender: ContenderReport, { unit, baseline, floors }: SuiteReport): readonly string[] {
  const { name, median, p99, cpuMs, allocatedBytes, peakBytes, ratio } = contender;
  const role = name === baseline ? ' (baseline)' : floors.includes(name) ? ' (floor)' : '';
  return [
    `${name}${role}`,
    formatValue(median, unit),
    p99 === undefined ? '–' : formatValue(p99, unit),
    cpuMs === undefined ? '–' : formatValue(cpuMs, 'ms'),
    allocatedBytes === undefined ? '–' : formatBytes(allocatedBytes),
    peakBytes === undefined ? '–' : formatBytes(peakBytes),
    ratio === undefined ? '1' : ratioText(ratio),
  ];
}

export const CONTENDER_HEAD = ['contender', 'median', 'p99', 'CPU', 'allocated', 'peak memory', 'time to baseline'];

/** "28 November 2026". */
export const dateText = (iso: string): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(iso));
