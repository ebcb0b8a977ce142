import type { GateReport } from './gate-report.ts';
import { headline } from './markdown.ts';
import { change, detectable, explain, MEASURE_WORDS, percent } from './words.ts';

/** The report for a terminal. */
export function textReport(report: GateReport): string {
  const width = Math.max(...report.reports.map(({ name }) => name.length), 0);
  const lines = report.reports.flatMap((bench) => [
    `${bench.name.padEnd(width)}  ${bench.verdict.toUpperCase()}  ${explain(bench)}`,
    ...bench.measures.map(
      (found) =>
        `${''.padEnd(width)}    ${MEASURE_WORDS[found.measure].padEnd(9)} ${change(found)}; base against base ` +
        `${percent(found.noiseFloor)}; would see ${detectable(found)}`,
    ),
  ]);
  const others = [
    ...report.added.map(({ name, reason }) => `${name}: NEW, base can't run it: ${reason}`),
    ...report.skipped.map(({ name, reason }) => `${name}: SKIPPED: ${reason}`),
  ];
  return [...lines, ...others, '', headline(report)].join('\n');
}
