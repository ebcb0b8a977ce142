import type { BenchmarkReport } from '../harness/benchmark-report.ts';
import { type Changes, lastChanges } from './changes.ts';
import { entryOf, type HistoryEntry } from './history.ts';
import type { LoadTestResult } from './load-results.ts';

/** All that a report shows. */
export interface ReportData {
  /** ISO date. */
  readonly madeAt: string;
  readonly benchmark?: BenchmarkReport;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: readonly LoadTestResult[];
  /** Kept entries and the present run, the oldest first. */
  readonly history: readonly HistoryEntry[];
  readonly changes?: Changes;
}

/**
 * Joins the last runs with their history. A present run stands at its end, in the place of what was kept of the same
 * commit and start.
 */
export function joinReport({
  benchmarks,
  load,
  kept,
  ...rest
}: Pick<ReportData, 'madeAt' | 'versions' | 'load'> & {
  readonly benchmarks: readonly BenchmarkReport[];
  readonly kept: readonly HistoryEntry[];
}): ReportData {
  const benchmark = chooseRun(benchmarks);
  const isWhole = benchmark !== undefined && isForHistory(benchmark);
  const others = kept.filter(({ measuredAt }) => !isWhole || measuredAt < benchmark.startedAt);
  const history = isWhole ? [...others, entryOf(benchmark, load)] : kept;
  const changes = lastChanges(history);
  return { ...rest, load, history, ...(benchmark && { benchmark }), ...(changes && { changes }) };
}

/** Whether a run says enough to be compared with later ones. */
export const isForHistory = ({ asked, complete }: BenchmarkReport): boolean =>
  complete && !asked.quick && asked.grep === null;

/** The last whole run; without one, the last quick run of all suites, or the last of any kind. */
const chooseRun = (benchmarks: readonly BenchmarkReport[]): BenchmarkReport | undefined =>
  benchmarks.findLast(isForHistory) ??
  benchmarks.findLast(({ asked, complete }) => complete && asked.grep === null) ??
  benchmarks.at(-1);
