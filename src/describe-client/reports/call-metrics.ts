import type { VisionUsage } from '../../batch-processor/index.ts';
import type { AttemptRecord, CallExplanation } from '../../errors/call-explanation.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import type {
  BoundCounter,
  BoundHistogram,
  HistogramOptions,
  PerformanceMonitor,
} from '../../performance-monitor/index.ts';
import type { AttemptMetrics } from '../attempt/part-stages.ts';
import type { BilledAnswer } from '../attempt/stage.ts';

/** Whether a failed call is a sign of trouble: a bad image, a refusal and an abort are not. */
const isTrouble = (error: unknown) => DescribeError.is(error) && failureMeaning(error).kind !== 'item';

const IN_MS: HistogramOptions = { unit: 'ms' };
/** Names of models come from callers, so their number is bounded. */
const MAX_MODELS = 100;

type AttemptOutcome = AttemptRecord['outcome'];

/** The part of a result that is recorded. */
interface SucceededCall {
  readonly source: string;
  readonly explain: Pick<CallExplanation, 'totalMs'>;
}

/**
 * Records calls in the monitor, if there is one. `describe_duration` and `describe_errors` are one operation of the
 * monitor's report. Every metric always has the same labels. Metrics of every call are looked up once.
 */
export class CallMetrics implements AttemptMetrics {
  readonly #monitor: PerformanceMonitor | undefined;
  readonly #durations = new BoundedMap<string, BoundHistogram>(MAX_MODELS);
  readonly #sources = new BoundedMap<string, BoundCounter>(MAX_MODELS);
  #promptTokens: BoundCounter | undefined;
  #completionTokens: BoundCounter | undefined;
  #cost: BoundCounter | undefined;
  #goodAttempts: BoundCounter | undefined;

  constructor(monitor: PerformanceMonitor | undefined) {
    this.#monitor = monitor;
  }

  callSucceeded(requestedModel: string, { source, explain }: SucceededCall): void {
    this.#record((monitor) => {
      this.#durationOf(monitor, requestedModel)(explain.totalMs);
      this.#sources.getOrCreate(source, () => monitor.bindCounter('descriptions', { source }))();
    });
  }

  callFailed(requestedModel: string, error: unknown, { totalMs }: CallExplanation): void {
    this.#record((monitor) => {
      this.#durationOf(monitor, requestedModel)(totalMs);
      if (isTrouble(error)) monitor.incrementCounter('describe_errors', { model: requestedModel });
      monitor.incrementCounter('failures', { code: DescribeError.is(error) ? error.code : 'ABORTED' });
    });
  }

  attemptEnded(outcome: AttemptOutcome, { usage, costUsd }: BilledAnswer, error?: DescribeError): void {
    this.#record((monitor) => {
      if (usage !== undefined) this.#billed(monitor, usage, costUsd);
      if (outcome !== 'success') {
        monitor.incrementCounter('attempts', { outcome, code: error?.code ?? 'none' });
        return;
      }
      this.#goodAttempts ??= monitor.bindCounter('attempts', { outcome, code: 'none' });
      this.#goodAttempts();
    });
  }

  #billed(monitor: PerformanceMonitor, usage: VisionUsage, costUsd: number | undefined): void {
    this.#promptTokens ??= monitor.bindCounter('tokens', { kind: 'prompt' });
    this.#promptTokens(usage.promptTokens);
    this.#completionTokens ??= monitor.bindCounter('tokens', { kind: 'completion' });
    this.#completionTokens(usage.completionTokens);
    if (costUsd === undefined) return;
    this.#cost ??= monitor.bindCounter('cost_usd');
    this.#cost(costUsd);
  }

  breakerMoved(breaker: string, to: string): void {
    this.#record((monitor) => monitor.incrementCounter('breaker_transitions', { breaker, to }));
  }

  #durationOf(monitor: PerformanceMonitor, model: string): BoundHistogram {
    return this.#durations.getOrCreate(model, () => monitor.bindHistogram('describe_duration', { model }, IN_MS));
  }

  /** In the user's own monitor, these names may be taken. That must not fail a call. */
  #record(write: (monitor: PerformanceMonitor) => void): void {
    if (this.#monitor === undefined) return;
    try {
      write(this.#monitor);
    } catch {
      // Recording throws for a name that is used in two ways. The call itself succeeded.
    }
  }
}
