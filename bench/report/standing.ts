import { type BenchmarkReport, measuredSuites } from '../harness/benchmark-report.ts';
import type { RatioEstimate } from '../harness/statistics.ts';
import type { Comparison } from '../harness/suite-report.ts';

/** The meaning of an interval for this package beside a peer: `open` where it holds 1. */
export type Verdict = 'less' | 'open' | 'more';

export const MEASURES = ['time', 'cpu', 'allocations'] as const;
export type Measure = (typeof MEASURES)[number];

/** One comparison of a suite, judged by each of its measures. */
export interface Standing extends Comparison {
  readonly suite: string;
  readonly loses: readonly Measure[];
  readonly wins: readonly Measure[];
}

/** Differences below this are called none, however sure they are: nobody would choose a library by them. */
const SMALLEST_RATIO = 1.02;

export const verdictOf = ({ lower, upper }: RatioEstimate): Verdict => {
  if (lower > SMALLEST_RATIO) return 'more';
  return upper < 1 / SMALLEST_RATIO ? 'less' : 'open';
};

/** Every comparison of a report. */
export function standingsOf(report: Pick<BenchmarkReport, 'suites'>): readonly Standing[] {
  return measuredSuites(report).flatMap((outcome) =>
    outcome.comparisons.map((comparison) => {
      const measuresThatAre = (verdict: Verdict) =>
        MEASURES.filter((measure) => {
          const ratio = comparison[measure];
          return ratio !== undefined && verdictOf(ratio) === verdict;
        });
      return { ...comparison, suite: outcome.name, loses: measuresThatAre('more'), wins: measuresThatAre('less') };
    }),
  );
}

/** Standings by what a reader looks for first: those that lose anything, those that win time, and the rest. */
export function groupStandings(standings: readonly Standing[]) {
  const losing = standings
    .filter(({ loses }) => loses.length > 0)
    .sort((left, right) => worstOf(right) - worstOf(left));
  const rest = standings.filter(({ loses }) => loses.length === 0);
  return {
    losing,
    winning: rest.filter(({ wins }) => wins.length > 0).sort((left, right) => left.time.value - right.time.value),
    even: rest.filter(({ wins }) => wins.length === 0),
  };
}

const worstOf = (standing: Standing): number =>
  Math.max(...standing.loses.map((measure) => standing[measure]?.value ?? 0));

/** Peers that some suite left out, each once. */
export function leftOutOf(report: Pick<BenchmarkReport, 'suites'>): readonly (readonly [string, string])[] {
  const pairs = measuredSuites(report).flatMap(({ leftOut }) => Object.entries(leftOut));
  return [...new Map(pairs)];
}
