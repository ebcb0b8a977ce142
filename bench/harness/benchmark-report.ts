import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { RunOptions } from './run-options.ts';
import type { SuiteReport } from './suite-report.ts';

/** A suite that was measured, or why it could not be. */
export type Outcome = MeasuredSuite | ({ readonly file: string } & FailedSuite);

export type MeasuredSuite = { readonly file: string } & SuiteReport;

export interface FailedSuite {
  readonly name: string;
  readonly error: string;
}

/** The file that a run of `perf:benchmark` writes into `bench/results/`, after each suite. */
export interface BenchmarkReport {
  readonly version: 1;
  readonly kind: 'benchmark';
  /** ISO date. */
  readonly startedAt: string;
  /** The commit that was measured; absent outside of a repository. */
  readonly commit?: string;
  readonly machine: Machine;
  readonly asked: Asked;
  /** Whether every suite that was asked for stands in it. */
  readonly complete: boolean;
  readonly suites: readonly Outcome[];
}

export interface Machine {
  readonly node: string;
  readonly cpu: string | undefined;
  readonly cores: number;
  /** Processes that wanted a core when the run began, as an average of a minute. */
  readonly loadAtStart: number;
}

/** What a run was asked for: only a run that was asked for the same can continue it. */
export interface Asked {
  readonly grep: string | null;
  readonly quick: boolean;
  readonly rounds: number | null;
}

export const isFailed = (outcome: Outcome): outcome is { readonly file: string } & FailedSuite => 'error' in outcome;

/** The suites that could be measured. */
export const measuredSuites = ({ suites }: Pick<BenchmarkReport, 'suites'>): readonly MeasuredSuite[] =>
  suites.flatMap((outcome) => (isFailed(outcome) ? [] : [outcome]));

export const askedOf = ({ grep, quick, rounds }: RunOptions): Asked => ({
  grep: grep ?? null,
  quick,
  rounds: rounds ?? null,
});

/** A report without suites. */
export function startReport(options: RunOptions): BenchmarkReport {
  const commit = currentCommit();
  return {
    version: 1,
    kind: 'benchmark',
    startedAt: new Date().toISOString(),
    ...(commit !== undefined && { commit }),
    machine: {
      node: process.version,
      cpu: cpus()[0]?.model.trim(),
      cores: availableParallelism(),
      loadAtStart: Number((loadavg()[0] ?? 0).toFixed(1)),
    },
    asked: askedOf(options),
    complete: false,
    suites: [],
  };
}

export function currentCommit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}
