import type { LoadProgress, LoadResult } from '../../src/testing/index.ts';
import type { Wiring } from './compose.ts';
import type { Trend } from './leak-trend.ts';
import type { Plant } from './plants.ts';

/** How one test of `perf:test` ended. */
export interface TestReport {
  readonly name: string;
  /** `missed`: a threshold was missed, or something leaked. `failed`: the test itself could not be run to its end. */
  readonly status: 'passed' | 'missed' | 'skipped' | 'failed';
  /** Why it was skipped, or how it failed. */
  readonly reason?: string;
  readonly result?: LoadResult;
  /** Resources of the process after each window of a soak. */
  readonly leaks?: readonly Trend[];
}

/** The file that a run of `perf:test` writes into `bench/results/`. */
export interface LoadReport {
  readonly version: 1;
  readonly kind: 'load';
  /** ISO date. */
  readonly startedAt: string;
  readonly machine: { readonly node: string; readonly cpu: string | undefined; readonly cores: number };
  readonly wiring: Wiring;
  readonly tests: readonly TestReport[];
}

/** The task of the process of one test. */
export interface LoadTask {
  readonly name: string;
  readonly wiring: Wiring;
  readonly minutes: number;
  readonly plant?: Plant;
}

/** Messages of that process. */
export type LoadMessage =
  | { readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly kind: 'report'; readonly report: TestReport };
