import { type GateReport, judgeGates, type RoundValues } from './gate.ts';
import type { Measurements } from './measure-suite.ts';
import { median, type RatioEstimate, ratioOfMedians, relativeSpread } from './statistics.ts';
import type { Suite } from './suite.ts';

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
  /** The value of every round, for another statistic. */
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
  const valuesOf = (name: string): RoundValues => {
    const slices = measurements.get(name) ?? [];
    return { time: slices.map(({ value }) => value), cpu: present(slices.map(({ cpuMs }) => cpuMs)) };
  };
  const baseline = valuesOf(suite.baseline);
  const contenders = suite.contenderNames.map((name): ContenderReport => {
    const slices = measurements.get(name) ?? [];
    const { time, cpu } = valuesOf(name);
    const p99 = present(slices.map((slice) => slice.p99));
    const compared = name !== suite.baseline;
    const comparesCpu = compared && cpu.length > 0 && cpu.length === baseline.cpu.length;
    return {
      name,
      median: median(time),
      ...(p99.length > 0 && { p99: median(p99) }),
      ...(cpu.length > 0 && { cpuMs: median(cpu) }),
      operations: slices.reduce((sum, { operations }) => sum + operations, 0),
      ...(compared && { ratio: ratioOfMedians(time, baseline.time) }),
      ...(comparesCpu && { cpuRatio: ratioOfMedians(cpu, baseline.cpu) }),
      gates: judgeGates(name, suite.gates?.[name], suite.baseline, valuesOf),
      rounds: time,
    };
  });
  return {
    name: suite.name,
    baseline: suite.baseline,
    unit: suite.unit ?? 'ms',
    rounds: baseline.time.length,
    noiseRatio: relativeSpread(baseline.time),
    contenders,
    passed: contenders.every(({ gates }) => gates.every(({ verdict }) => verdict !== 'failed')),
  };
}

const present = (values: readonly (number | undefined)[]): readonly number[] =>
  values.filter((value) => value !== undefined);
