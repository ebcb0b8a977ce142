import { finiteNumber, integer, milliseconds, type OptionChecks, ratio } from '../../internal/options/option-checks.ts';

/** Limits that a load scenario is judged by. */
export interface LoadThresholds {
  /** The slowest call, successful or not, in milliseconds. @defaultValue of `PERFORMANCE_THRESHOLDS` */
  readonly maxResponseTime?: number;
  /**
   * Peak of the heap in use and of the buffers outside it, in bytes, of the process that sends the load.
   * @defaultValue of `PERFORMANCE_THRESHOLDS`
   */
  readonly maxMemoryUsage?: number;
  /** Successful calls a second, until the last one of the phase ended. @defaultValue of `PERFORMANCE_THRESHOLDS` */
  readonly minThroughput?: number;
  /** Share of the calls that failed, 0 to 1. @defaultValue of `PERFORMANCE_THRESHOLDS` */
  readonly maxErrorRate?: number;
  /** Median of the successful calls, in milliseconds. @defaultValue not judged */
  readonly maxMedianMs?: number;
  /** 95th percentile of the successful calls, in milliseconds. @defaultValue not judged */
  readonly maxP95Ms?: number;
  /** 99th percentile of the successful calls, in milliseconds. @defaultValue not judged */
  readonly maxP99Ms?: number;
  /** 95th percentile of the time to the first delta of a stream, in milliseconds. @defaultValue not judged */
  readonly maxFirstDeltaP95Ms?: number;
  /** Requests to the API for each call: above 1 by retries, below it by cache and packing. @defaultValue not judged */
  readonly maxRequestsPerCall?: number;
  /** Share of the requests that the API refused with 429, 0 to 1. @defaultValue not judged */
  readonly maxRefusedRatio?: number;
  /** Share of the successful calls that the cache served, 0 to 1. @defaultValue not judged */
  readonly minHitRatio?: number;
  /** Descriptions that were another image's. @defaultValue not judged */
  readonly maxWrongAnswers?: number;
  /** Most connections that the API had open at a time. @defaultValue not judged */
  readonly maxConnections?: number;
}

/**
 * The thresholds that hold for each scenario unless it has its own: 5 seconds, 500 MiB, 10 calls a second, 5 % errors.
 *
 * @example
 * ```ts
 * import { PERFORMANCE_THRESHOLDS } from '@describe-it/sdk/testing';
 *
 * console.log(PERFORMANCE_THRESHOLDS.maxResponseTime); // 5000
 * ```
 */
export const PERFORMANCE_THRESHOLDS = Object.freeze({
  maxResponseTime: 5000,
  maxMemoryUsage: 524_288_000,
  minThroughput: 10,
  maxErrorRate: 0.05,
} as const satisfies LoadThresholds);

export const THRESHOLD_CHECKS: OptionChecks<LoadThresholds> = {
  maxResponseTime: milliseconds(),
  maxMemoryUsage: integer({ min: 1 }),
  minThroughput: finiteNumber({ min: 0 }),
  maxErrorRate: ratio(),
  maxMedianMs: milliseconds(),
  maxP95Ms: milliseconds(),
  maxP99Ms: milliseconds(),
  maxFirstDeltaP95Ms: milliseconds(),
  maxRequestsPerCall: finiteNumber({ min: 0 }),
  maxRefusedRatio: ratio(),
  minHitRatio: ratio(),
  maxWrongAnswers: integer({ min: 0 }),
  maxConnections: integer({ min: 0 }),
};

export type ThresholdName = keyof LoadThresholds;

/** How one threshold was kept. */
export interface LoadVerdict {
  /** Name of the phase; absent for the whole scenario. */
  readonly phase?: string;
  readonly threshold: ThresholdName;
  readonly limit: number;
  /** The measured figure; absent where it could not be measured. */
  readonly value?: number;
  /** `not measured`: the figure needs what this run had not, such as a fake server. It does not fail the scenario. */
  readonly status: 'met' | 'missed' | 'not measured';
}
