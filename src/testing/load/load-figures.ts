import type { LatencySummary } from './latency-histogram.ts';
import type { LoadVerdict } from './load-thresholds.ts';

/** Requests of the calls, and their price. */
export interface LoadRequests {
  /** Requests that were sent: as the fake server counted them, else as the calls' `explain` tells. */
  readonly sent: number;
  /** `sent` over the calls; 0 without calls. */
  readonly perCall: number;
  /** Answers that were billed, as the fake server counted them, or else calls with a `usage`. */
  readonly billed: number;
  /** Answers with status 429. Only a fake server counts them. */
  readonly refused?: number;
  /** `refused` over `sent`. */
  readonly refusedRatio?: number;
  /** Most connections open at a time, since the run began. Only a fake server counts them. */
  readonly mostConnections?: number;
  /** Tokens that were billed, by the `usage` of results and errors. */
  readonly tokens: number;
  /** Price of the tokens in US dollars, where the models' prices are known. */
  readonly costUsd: number;
}

/** Peaks of the process that sends the load, in bytes, sampled four times a second. */
export interface LoadMemory {
  /** The heap in use, plus the buffers outside it. */
  readonly heapAndBuffersBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
}

/** Figures of one phase, or of the whole scenario. A call belongs to the phase in which it was due. */
export interface LoadFigures {
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Length in fact: the last phase, and those with `drain`, wait for their calls. */
  readonly durationMs: number;
  /** Successes a second over `durationMs`, by when calls ended: one that an earlier phase began counts too. */
  readonly throughput: number;
  /** `failed` over `calls`; 0 without calls. */
  readonly errorRate: number;
  /**
   * Failed calls by the code of their error, or its name. `NOT_STARTED`: more calls were waiting than `maxInFlight`.
   * `UNSETTLED`: the call settled neither in time nor when it was aborted.
   */
  readonly errors: Readonly<Record<string, number>>;
  /** Successful calls by the `source` of their result. */
  readonly sources: Readonly<Record<string, number>>;
  /** Share of the successful calls that memory or Redis served; absent without a success. */
  readonly hitRatio?: number;
  /** Successful calls. At a named rate, the time counts from when the call was due. Absent without a success. */
  readonly latencyMs?: LatencySummary;
  /** The slowest call, failed ones included; absent without calls. */
  readonly slowestMs?: number;
  /** Time to the first delta of the streams; absent without one. */
  readonly firstDeltaMs?: LatencySummary;
  /**
   * How late the calls of a named rate began. Much of it says that the process, and not the API, was the limit. Absent
   * without a rate.
   */
  readonly startDelayMs?: LatencySummary;
  /** Descriptions that were not the image's own; absent where the right ones are not known. */
  readonly wrongAnswers?: number;
  readonly requests: LoadRequests;
  /** Present for the whole scenario only. */
  readonly memory?: LoadMemory;
}

/** The figures of one phase. */
export interface LoadPhaseResult extends LoadFigures {
  readonly name: string;
}

/** The result of {@link runLoadScenario}: JSON-safe and frozen. */
export interface LoadResult extends LoadFigures {
  /** Version of this form. */
  readonly version: 1;
  /** Name of the scenario. */
  readonly scenario: string;
  /** ISO date. */
  readonly startedAt: string;
  readonly seed: number;
  readonly phases: readonly LoadPhaseResult[];
  /** One for each threshold of the scenario and its phases. */
  readonly verdicts: readonly LoadVerdict[];
  /** Whether no threshold was missed. */
  readonly passed: boolean;
}
