import type { GateReport } from './gate.ts';
import type { ContenderReport, SuiteReport } from './suite-report.ts';

/** Above this spread of the baseline, small differences mean nothing. */
const NOISY_RATIO = 0.1;

/** The report as text for a person: one table and a line a gate. */
export function formatReport(report: SuiteReport): string {
  const header = ['contender', 'median', 'p99', 'cpu/op', 'allocated', 'ratio', '95 % interval', 'cpu ratio'];
  const rows = report.contenders.map((contender) => row(contender, report));
  const noise = `${(report.noiseRatio * 100).toFixed(1)} %`;
  const noisy = report.noiseRatio > NOISY_RATIO ? ' (noisy machine: trust only large differences)' : '';
  const gates = report.contenders.flatMap(({ name, gates: judged }) => judged.map((gate) => gateLine(name, gate)));
  return [
    `${report.name}: ${report.rounds} rounds, baseline spread ${noise}${noisy}`,
    ...alignColumns([header, ...rows]).map((line) => `  ${line}`),
    ...gates,
    ...Object.entries(report.leftOut).map(([peer, reason]) => `  LEFT OUT ${peer}: ${reason}`),
  ].join('\n');
}

function row(contender: ContenderReport, { unit, baseline }: SuiteReport): readonly string[] {
  const { name, ratio, cpuRatio, p99, cpuMs } = contender;
  return [
    name === baseline ? `${name} (baseline)` : name,
    formatValue(contender.median, unit),
    p99 === undefined ? '' : formatValue(p99, unit),
    cpuMs === undefined ? '' : formatValue(cpuMs, 'ms'),
    contender.allocatedBytes === undefined ? '' : formatBytes(contender.allocatedBytes),
    ratio === undefined ? '1' : formatRatio(ratio.value),
    ratio === undefined ? '' : `${formatRatio(ratio.lower)} … ${formatRatio(ratio.upper)}`,
    cpuRatio === undefined ? '' : formatRatio(cpuRatio.value),
  ];
}

const WORDS = {
  passed: 'gate passed  ',
  unproven: 'gate unproven',
  failed: 'GATE FAILED  ',
} as const;

function gateLine(name: string, { measure, versus, maxRatio, ratio, verdict }: GateReport): string {
  const measured = `${formatRatio(ratio.value)}, at least ${formatRatio(ratio.lower)}`;
  return `  ${WORDS[verdict]} ${name}: ${measure} ratio to ${versus} ${measured}, allowed ${maxRatio}`;
}

/** Three digits, and never an exponent. */
export const formatRatio = (ratio: number): string => (ratio < 100 ? ratio.toPrecision(3) : ratio.toFixed(0));

/** Bytes in the unit that reads best. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes.toFixed(0)} B`;
  return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Milliseconds in the unit that reads best; other units as they are. */
export function formatValue(value: number, unit: string): string {
  if (unit !== 'ms') return `${value.toPrecision(4)} ${unit}`;
  if (value < 0.001) return `${(value * 1e6).toPrecision(3)} ns`;
  if (value < 1) return `${(value * 1e3).toPrecision(3)} µs`;
  return value < 1000 ? `${value.toPrecision(3)} ms` : `${(value / 1e3).toPrecision(3)} s`;
}

function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
