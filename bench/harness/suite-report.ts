import { type GateReport, judgeGates, type RoundValues } from './gate.ts';
import type { Measurements } from './measure-suite.ts';
import { median, type RatioEstimate, ratioOfMedians, relativeSpread } from './statistics.ts';
import type { Suite } from './suite.ts';
import type { Slice } from './timed-slice.ts';

export interface ContenderReport {
  readonly name: string;
  /** Median over the rounds, per operation. */
  readonly median: number;
  readonly p99?: number;
  readonly cpuMs?: number;
  /** Bytes that an operation allocates on the heap. */
  readonly allocatedBytes?: number;
  /** How far the memory of the process rose while it worked. */
  readonly peakBytes?: number;
  /** Operations measured in all rounds. */
  readonly operations: number;
  /** Against the baseline; absent for the baseline itself. */
  readonly ratio?: RatioEstimate;
  readonly cpuRatio?: RatioEstimate;
  readonly allocationRatio?: RatioEstimate;
  readonly gates: readonly GateReport[];
  /** The value of every round, for another statistic. */
  readonly rounds: readonly number[];
}

/** One contender of this package beside one peer. Below 1, this package needs less. */
export interface Comparison {
  readonly ours: string;
  readonly peer: string;
  readonly time: RatioEstimate;
  readonly cpu?: RatioEstimate;
  readonly allocations?: RatioEstimate;
}

export interface SuiteReport {
  readonly name: string;
  readonly baseline: string;
  readonly unit: string;
  readonly rounds: number;
  /** Spread of the baseline over the rounds (interquartile range over median): how noisy the machine was. */
  readonly noiseRatio: number;
  readonly kind: 'peers' | 'growth';
  readonly contenders: readonly ContenderReport[];
  /** Empty for a suite that compares this package with itself. */
  readonly comparisons: readonly Comparison[];
  readonly floors: readonly string[];
  /** Peers that could not take part, with the reason. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly passed: boolean;
}

/** Judges what was measured. */
export function reportSuite(suite: Suite, measurements: Measurements): SuiteReport {
  const valuesOf = (name: string): MeasuredValues => valuesOfSlices(measurements.get(name) ?? []);
  const baseline = valuesOf(suite.baseline);
  const contenders = suite.contenderNames.map((name): ContenderReport => {
    const values = valuesOf(name);
    const p99 = present((measurements.get(name) ?? []).map((slice) => slice.p99));
    return {
      name,
      median: median(values.time),
      ...(p99.length > 0 && { p99: median(p99) }),
      ...medianAs('cpuMs', values.cpu),
      ...medianAs('allocatedBytes', values.allocations),
      ...medianAs('peakBytes', values.peaks),
      operations: values.operations,
      ...(name !== suite.baseline && ratiosOf(values, baseline)),
      gates: judgeGates(name, suite.gates?.[name], suite.baseline, valuesOf),
      rounds: values.time,
    };
  });
  return {
    name: suite.name,
    baseline: suite.baseline,
    unit: suite.unit ?? 'ms',
    rounds: baseline.time.length,
    noiseRatio: relativeSpread(baseline.time),
    kind: suite.kind ?? 'peers',
    contenders,
    comparisons: comparisonsOf(suite, valuesOf),
    floors: suite.floors ?? [],
    leftOut: suite.leftOut ?? {},
    passed: contenders.every(({ gates }) => gates.every(({ verdict }) => verdict !== 'failed')),
  };
}

interface MeasuredValues extends RoundValues {
  readonly allocations: readonly number[];
  readonly peaks: readonly number[];
  readonly operations: number;
}

function valuesOfSlices(slices: readonly Slice[]): MeasuredValues {
  return {
    time: slices.map(({ value }) => value),
    cpu: present(slices.map(({ cpuMs }) => cpuMs)),
    allocations: present(slices.map(({ allocatedBytes }) => allocatedBytes)),
    peaks: present(slices.map(({ peakBytes }) => peakBytes)),
    operations: slices.reduce((sum, { operations }) => sum + operations, 0),
  };
}

const medianAs = <Key extends string>(key: Key, values: readonly number[]): { readonly [key in Key]?: number } =>
  values.length === 0 ? {} : ({ [key]: median(values) } as { readonly [key in Key]: number });

/** The ratios of what both measured in every round. */
function ratiosOf(values: MeasuredValues, others: MeasuredValues) {
  const comparable = (mine: readonly number[], theirs: readonly number[]) =>
    mine.length > 0 && mine.length === theirs.length && median(theirs) > 0;
  return {
    ratio: ratioOfMedians(values.time, others.time),
    ...(comparable(values.cpu, others.cpu) && { cpuRatio: ratioOfMedians(values.cpu, others.cpu) }),
    ...(comparable(values.allocations, others.allocations) && {
      allocationRatio: ratioOfMedians(values.allocations, others.allocations),
    }),
  };
}

function comparisonsOf(suite: Suite, valuesOf: (name: string) => MeasuredValues): readonly Comparison[] {
  if (suite.kind === 'growth') return [];
  const ours = suite.ours ?? Object.keys(suite.gates ?? {});
  const peers = suite.contenderNames.filter((name) => !ours.includes(name) && !suite.floors?.includes(name));
  return ours.flatMap((name) =>
    peers.map((peer) => {
      const { ratio, cpuRatio, allocationRatio } = ratiosOf(valuesOf(name), valuesOf(peer));
      return {
        ours: name,
        peer,
        time: ratio,
        ...(cpuRatio !== undefined && { cpu: cpuRatio }),
        ...(allocationRatio !== undefined && { allocations: allocationRatio }),
      };
    }),
  );
}

const present = (values: readonly (number | undefined)[]): readonly number[] =>
  values.filter((value) => value !== undefined);
