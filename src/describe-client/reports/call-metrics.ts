import type { VisionUsage } from '../../batch-processor/index.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { PerformanceMonitor } from '../../performance-monitor/index.ts';
import type { AttemptMetrics } from '../attempt/connection-stage.ts';
import type { CallExplanation, DescribeResult } from '../call/describe-result.ts';

/** Whether a failed call says something about our health: a bad image, a refusal and an abort do not. */
const isTrouble = (error: unknown) => DescribeError.is(error) && failureMeaning(error).kind !== 'item';

/**
 * Writes what calls do to the monitor, when there is one. `describe_duration` and `describe_errors` are one operation
 * of the monitor's report; every metric always has the same labels.
 */
export class CallMetrics {
  readonly #monitor: PerformanceMonitor | undefined;

  constructor(monitor: PerformanceMonitor | undefined) {
    this.#monitor = monitor;
  }

  callSucceeded(requestedModel: string, { source, explain }: DescribeResult): void {
    this.#record((monitor) => {
      monitor.histogram('describe_duration', explain.totalMs, { model: requestedModel }, { unit: 'ms' });
      monitor.incrementCounter('descriptions', { source });
    });
  }

  callFailed(requestedModel: string, error: unknown, { totalMs }: CallExplanation): void {
    this.#record((monitor) => {
      monitor.histogram('describe_duration', totalMs, { model: requestedModel }, { unit: 'ms' });
      if (isTrouble(error)) monitor.incrementCounter('describe_errors', { model: requestedModel });
      monitor.incrementCounter('failures', { code: DescribeError.is(error) ? error.code : 'ABORTED' });
    });
  }

  /** Counts what an answer was billed, whoever wanted it and whatever became of it. */
  answered(usage: VisionUsage, costUsd: number | undefined): void {
    this.#record((monitor) => {
      monitor.incrementCounter('tokens', { kind: 'prompt' }, usage.promptTokens);
      monitor.incrementCounter('tokens', { kind: 'completion' }, usage.completionTokens);
      if (costUsd !== undefined) monitor.incrementCounter('cost_usd', {}, costUsd);
    });
  }

  readonly attemptEnded: AttemptMetrics['attemptEnded'] = (outcome, error) => {
    this.#record((monitor) => monitor.incrementCounter('attempts', { outcome, code: error?.code ?? 'none' }));
  };

  breakerMoved(breaker: string, to: string): void {
    this.#record((monitor) => monitor.incrementCounter('breaker_transitions', { breaker, to }));
  }

  /** The monitor may be the user's own, where these names can be taken: that must not fail a call. */
  #record(write: (monitor: PerformanceMonitor) => void): void {
    if (this.#monitor === undefined) return;
    try {
      write(this.#monitor);
    } catch {
      // Recording throws for a name that is used in two ways; the description was had all the same.
    }
  }
}
