import type { Measurements } from './measure-suite.ts';
import { median, type RatioEstimate, ratioOfMedians, relativeSpread } from './statistics.ts';
import type { Gate, Suite } from './suite.ts';

/** `passed`: at or under the gate. `unproven`: over it, but not by more than noise explains. `failed`: surely over it. */
export type Verdict = 'passed' | 'unproven' | 'failed';

export interface GateReport {
  readonly measure: 'time' | 'cpu';
  readonly maxRatio: number;
  readonly verdict: Verdict;
}

export interface ContenderReport {
  readonly name: string;
  /** Median over the rounds, per operation. */
  readonly median: number;
  readonly p99?: number;
  readonly cpuMs?: number;
  /** Operations measured in all rounds. */
  readonly operations: number;
  /** Against the baseline; absent for the baseline itself. */
  readonly ratio?: RatioEstimate;
  readonly cpuRatio?: RatioEstimate;
  readonly gates: readonly GateReport[];
  /** The value of every round, for whoever wants another statistic. */
  readonly rounds: readonly number[];
}

export interface SuiteReport {
  readonly name: string;
  readonly baseline: string;
  readonly unit: string;
  readonly rounds: number;
  /** Spread of the baseline over the rounds (interquartile range over median): how noisy the machine was. */
  readonly noiseRatio: number;
  readonly contenders: readonly ContenderReport[];
  readonly passed: boolean;
}

/** Judges what was measured. */
export function reportSuite(suite: Suite, measurements: Measurements): SuiteReport {
  const baseline = measurements.get(suite.baseline) ?? [];
  const baselineValues = baseline.map(({ value }) => value);
  const baselineCpu = present(baseline.map(({ cpuMs }) => cpuMs));
  const contenders = suite.contenderNames.map((name): ContenderReport => {
    const slices = measurements.get(name) ?? [];
    const values = slices.map(({ value }) => value);
    const cpu = present(slices.map(({ cpuMs }) => cpuMs));
    const p99 = present(slices.map((slice) => slice.p99));
    const compared = name !== suite.baseline;
    const ratio = compared ? ratioOfMedians(values, baselineValues) : undefined;
    const comparesCpu = compared && cpu.length > 0 && cpu.length === baselineCpu.length;
    const cpuRatio = comparesCpu ? ratioOfMedians(cpu, baselineCpu) : undefined;
    return {
      name,
      median: median(values),
      ...(p99.length > 0 && { p99: median(p99) }),
      ...(cpu.length > 0 && { cpuMs: median(cpu) }),
      operations: slices.reduce((sum, { operations }) => sum + operations, 0),
      ...(ratio && { ratio }),
      ...(cpuRatio && { cpuRatio }),
      gates: judge(suite.gates?.[name], ratio, cpuRatio),
      rounds: values,
    };
  });
  return {
    name: suite.name,
    baseline: suite.baseline,
    unit: suite.unit ?? 'ms',
    rounds: baseline.length,
    noiseRatio: relativeSpread(baselineValues),
    contenders,
    passed: contenders.every(({ gates }) => gates.every(({ verdict }) => verdict !== 'failed')),
  };
}

function judge(
  gate: Gate | number | undefined,
  ratio: RatioEstimate | undefined,
  cpuRatio: RatioEstimate | undefined,
): readonly GateReport[] {
  const { maxRatio, maxCpuRatio } = typeof gate === 'number' ? { maxRatio: gate } : ((gate ?? {}) as Gate);
  const reports: GateReport[] = [];
  if (maxRatio !== undefined && ratio) {
    reports.push({ measure: 'time', maxRatio, verdict: verdictOf(ratio, maxRatio) });
  }
  if (maxCpuRatio !== undefined && cpuRatio) {
    reports.push({ measure: 'cpu', maxRatio: maxCpuRatio, verdict: verdictOf(cpuRatio, maxCpuRatio) });
  }
  return reports;
}

function verdictOf({ value, lower }: RatioEstimate, maxRatio: number): Verdict {
  if (lower > maxRatio) return 'failed';
  return value > maxRatio ? 'unproven' : 'passed';
}

const present = (values: readonly (number | undefined)[]): readonly number[] =>
  values.filter((value) => value !== undefined);
