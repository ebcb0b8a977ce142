import type { LoadProgress, LoadVerdict } from '../../src/testing/index.ts';
import type { Trend } from './leak-trend.ts';
import type { TestReport } from './load-report.ts';

const seconds = (ms: number) => Math.round(ms / 1000);

/** One line that says how far a test has come. */
export const progressLine = (progress: LoadProgress): string => {
  const { phase, elapsedMs, durationMs, succeeded, failed, inFlight, p95Ms } = progress;
  const time = `${seconds(elapsedMs)} of ${seconds(durationMs)} s`;
  return `${phase}, ${time}: ${succeeded} succeeded, ${failed} failed, ${inFlight} in flight, p95 ${p95Ms} ms`;
};

/** A figure in the unit of its threshold. */
export function figureText(threshold: string, value: number | undefined): string {
  if (value === undefined) return '–';
  if (threshold === 'maxMemoryUsage') return `${Math.round(value / 2 ** 20)} MiB`;
  if (threshold === 'minThroughput') return `${value.toFixed(1)}/s`;
  if (/Rate|Ratio/.test(threshold)) return `${(100 * value).toFixed(2)} %`;
  if (/Ms$|ResponseTime/.test(threshold)) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  return String(Number(value.toFixed(3)));
}

type Row = readonly string[];

const verdictRow = (name: string, { phase, threshold, limit, value, status }: LoadVerdict): Row => [
  name,
  phase ?? 'all',
  threshold,
  figureText(threshold, limit),
  figureText(threshold, value),
  status === 'missed' ? 'MISSED' : status,
];

const amountText = (resource: string, amount: number) =>
  resource.endsWith('bytes') ? `${(amount / 1024).toFixed(0)} KiB` : String(Number(amount.toFixed(1)));

const leakRow = (name: string, { resource, growth, tolerance, chance, isLeak }: Trend): Row => [
  name,
  'leaks',
  `growth of ${resource}`,
  amountText(resource, tolerance),
  `${amountText(resource, growth)} (chance ${chance.toFixed(3)})`,
  isLeak ? 'MISSED' : 'met',
];

function rowsOf({ name, status, reason, result, leaks = [] }: TestReport): readonly Row[] {
  if (result === undefined) return [[name, '', '', '', reason?.split('\n')[0] ?? '', status.toUpperCase()]];
  return [
    ...result.verdicts.map((verdict) => verdictRow(name, verdict)),
    ...leaks.map((trend) => leakRow(name, trend)),
  ];
}

/** A table of every test and threshold. A name that repeats stands once. */
export function formatTable(reports: readonly TestReport[]): string {
  const head: Row = ['test', 'phase', 'threshold', 'limit', 'measured', 'verdict'];
  const rows = [head, ...reports.flatMap(rowsOf)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row, index) => {
      const isRepeated = index > 0 && row[0] === rows[index - 1]?.[0];
      const cells = row.map((cell, column) => (column === 0 && isRepeated ? '' : cell).padEnd(widths[column] ?? 0));
      return cells.join('  ').trimEnd();
    })
    .join('\n');
}

/** A test in one line, when it has ended. */
export function summaryLine({ name, status, reason, result, leaks = [] }: TestReport): string {
  if (result === undefined) return `${status.padEnd(7)} ${name}: ${reason ?? ''}`;
  const { calls, failed, throughput, latencyMs, requests } = result;
  const leaking = leaks.filter(({ isLeak }) => isLeak).map(({ resource }) => resource);
  const latency =
    latencyMs === undefined ? '' : `, p50 ${Math.round(latencyMs.p50)} ms, p99 ${Math.round(latencyMs.p99)} ms`;
  const leakText = leaking.length === 0 ? '' : `, LEAKS: ${leaking.join(', ')}`;
  return `${status.padEnd(7)} ${name}: ${calls} calls, ${failed} failed, ${throughput.toFixed(1)}/s${latency}, ${requests.perCall.toFixed(2)} requests a call${leakText}`;
}
