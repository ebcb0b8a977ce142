import { figureText } from '../load/format-load.ts';
import { benchmarksText } from './benchmarks-page.ts';
import type { Change } from './changes.ts';
import { ratioOf } from './history.ts';
import type { ReportData } from './report-data.ts';
import { tableOf } from './table.ts';
import { dateText, ratioText } from './words.ts';

/** The whole report as Markdown. */
export function markdownReport(data: ReportData): string {
  const { benchmark, versions, madeAt } = data;
  return [
    '# Performance of @describe-it/sdk',
    `Made on ${dateText(madeAt)}.`,
    ...(benchmark === undefined
      ? ['No bench was run: `npm run perf:benchmark`.']
      : [benchmarksText(benchmark, versions)]),
    '## What changed',
    changesText(data),
    '## Over time',
    historyText(data),
    '## Load tests',
    loadText(data),
    '',
  ].join('\n\n');
}

function changesText({ changes }: ReportData): string {
  if (changes === undefined) return 'There is no earlier run to compare with.';
  const { from, to, unchanged } = changes;
  const range = `From \`${from.commit.slice(0, 7)}\` to \`${to.commit.slice(0, 7)}\`: ${unchanged} benches show no change.`;
  if (changes.changes.length === 0) return range;
  const timeOf = (bench: Change['before']) => (bench === undefined ? '–' : ratioText(ratioOf(bench.time)));
  const rows = changes.changes.map(({ suite, ours, peer, kind, before, after }) => [
    suite,
    `${ours} beside ${peer}`,
    kind,
    timeOf(before),
    timeOf(after),
  ]);
  return `${range}\n\n${tableOf(['suite', 'comparison', 'change', 'before', 'now'], rows)}`;
}

function historyText({ history }: ReportData): string {
  if (history.length === 0) return 'No run is kept.';
  return tableOf(
    ['commit', 'measured on', 'benches', 'load tests'],
    history.map(({ commit, measuredAt, benches, load }) => [
      `\`${commit.slice(0, 7)}\``,
      dateText(measuredAt),
      String(benches.length),
      String(load.length),
    ]),
  );
}

function loadText({ load }: ReportData): string {
  if (load.length === 0) return 'No load test was run: `npm run perf:test`.';
  const rows = load.flatMap(({ name, status, reason, result }) => {
    if (result === undefined) return [[name, '', '', '', '', `${status}: ${reason?.split('\n')[0] ?? ''}`]];
    return result.verdicts.map((verdict) => [
      name,
      verdict.phase ?? 'all',
      verdict.threshold,
      figureText(verdict.threshold, verdict.value),
      figureText(verdict.threshold, verdict.limit),
      verdict.status === 'missed' ? '**missed**' : verdict.status,
    ]);
  });
  return tableOf(['test', 'phase', 'threshold', 'measured', 'limit', 'verdict'], rows);
}
