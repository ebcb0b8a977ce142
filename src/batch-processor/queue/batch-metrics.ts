import { Distribution, type DistributionSnapshot } from './distribution.ts';

/** Frozen, JSON-safe figures of a processor. */
export interface BatchMetrics {
  /** Items that wait for a batch now. */
  readonly queued: number;
  /** Items that wait for capacity in a full queue now (`onQueueFull: 'wait'`). */
  readonly waitingForRoom: number;
  /** Items between a failed try and the next one now. */
  readonly delayed: number;
  /** Handlers that run now. */
  readonly activeBatches: number;
  /** Items accepted so far. */
  readonly accepted: number;
  /** Items rejected because the queue was full. */
  readonly turnedAway: number;
  /** Items whose signal aborted before they settled. */
  readonly aborted: number;
  /** Items that did not settle within their `timeoutMs`. */
  readonly timedOut: number;
  /** Items that were tried again. */
  readonly retried: number;
  /** Items a batch; its count is the number of calls of the handler. */
  readonly batchSize: DistributionSnapshot;
  /** Items left waiting whenever a batch was taken. */
  readonly queueDepth: DistributionSnapshot;
  /** Milliseconds from acceptance to the first call of the handler, by item. */
  readonly waitMs: DistributionSnapshot;
  /** Milliseconds a call of the handler took. */
  readonly processingMs: DistributionSnapshot;
  /** Milliseconds from acceptance to the value, by item; its `count` is the number of successes. */
  readonly succeededMs: DistributionSnapshot;
  /** Milliseconds from acceptance to the error, by item, aborts left out; its count is the number of failures. */
  readonly failedMs: DistributionSnapshot;
}

export type BatchGauges = Pick<BatchMetrics, 'queued' | 'waitingForRoom' | 'delayed' | 'activeBatches'>;

/** Collects the figures in constant memory. */
export class BatchMetricsRecorder {
  accepted = 0;
  turnedAway = 0;
  aborted = 0;
  timedOut = 0;
  retried = 0;
  readonly batchSize = new Distribution();
  readonly queueDepth = new Distribution();
  readonly waitMs = new Distribution();
  readonly processingMs = new Distribution();
  readonly succeededMs = new Distribution();
  readonly failedMs = new Distribution();

  snapshot(gauges: BatchGauges): BatchMetrics {
    return Object.freeze({
      ...gauges,
      accepted: this.accepted,
      turnedAway: this.turnedAway,
      aborted: this.aborted,
      timedOut: this.timedOut,
      retried: this.retried,
      batchSize: this.batchSize.snapshot(),
      queueDepth: this.queueDepth.snapshot(),
      waitMs: this.waitMs.snapshot(),
      processingMs: this.processingMs.snapshot(),
      succeededMs: this.succeededMs.snapshot(),
      failedMs: this.failedMs.snapshot(),
    });
  }
}
