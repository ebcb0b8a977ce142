import { randomUUID } from 'node:crypto';
import { addUsage, type VisionUsage } from '../../batch-processor/packs/vision-usage.ts';
import type {
  AttemptRecord,
  CallExplanation,
  FallbackRecord,
  RetryGiveUpReason,
} from '../../errors/call-explanation.ts';
import type { Billed } from '../../errors/copy-error.ts';
import type { DescribeError } from '../../errors/describe-error.ts';
import { failureMeaning } from '../../errors/failure-table.ts';
import type { Clock } from '../../internal/clock.ts';
import { roundUsd } from '../../openai/models/cost.ts';
import type { EndWait } from '../packing/packing-advisor.ts';

/** The end of an attempt. */
export interface AttemptEnd {
  readonly outcome: AttemptRecord['outcome'];
  /** The API's id of the request, once it answered. The id of an error has precedence. */
  readonly requestId?: string | undefined;
  readonly error?: DescribeError | undefined;
  /** Reading of the clock. @defaultValue now */
  readonly atMs?: number | undefined;
}

/** The record of one running attempt. */
export interface AttemptTrace {
  /** Unique to this attempt. Send it as `X-Client-Request-Id`. */
  readonly clientRequestId: string;
  /** A connection was lent. The call waits for the API from here on. */
  connected(): void;
  /** Call it once. */
  ended(end: AttemptEnd): void;
}

/** Records the story of a request. */
export interface AttemptSink {
  /** Starts an attempt at `startedAtMs`, or now. */
  beginAttempt(endpoint: string, model?: string, startedAtMs?: number): AttemptTrace;
  /** Begins a wait in a queue of this process. The first call of the returned function ends it. */
  waits(): EndWait;
  /** The retry waits before the next attempt. */
  retries(delayMs: number): void;
  /** The retry makes no further attempt. */
  givesUp(reason: RetryGiveUpReason): void;
}

interface OngoingAttempt {
  readonly endpoint: string;
  readonly model: string | undefined;
  readonly clientRequestId: string;
  readonly startedAtMs: number;
  connectedAtMs: number | undefined;
}

/** Turns of microtasks that an attempt which was cut off may take to end. */
const MAX_SETTLING_TURNS = 20;

/** Records the story of one call, for `explain`, and its bill. */
export class CallTrace implements AttemptSink {
  readonly startedAtMs: number;
  /** Empty where nothing was billed. Has no price where the price of one answer is unknown. */
  bill: Billed = {};
  readonly #clock: Clock;
  readonly #attempts: AttemptRecord[] = [];
  readonly #fallbacks: FallbackRecord[] = [];
  readonly #ongoing = new Set<OngoingAttempt>();
  /** The waits that still last: their number, and the sum of their start times. */
  readonly #openWaits = { count: 0, sinceMs: 0 };
  #endQueue: EndWait | undefined;
  #queueMs = 0;
  #poolMs = 0;
  #upstreamMs = 0;
  #retryMs = 0;
  #retry = { sinceMs: 0, delayMs: 0 };
  #batchSize = 0;
  #gaveUp: RetryGiveUpReason | undefined;

  constructor(clock: Clock, startedAtMs = clock.now()) {
    this.#clock = clock;
    this.startedAtMs = startedAtMs;
  }

  beginAttempt(
    endpoint: string,
    model?: string,
    startedAtMs = this.#clock.now(),
    clientRequestId: string = randomUUID(),
  ): AttemptTrace {
    this.#gaveUp = undefined;
    const attempt: OngoingAttempt = { endpoint, model, clientRequestId, startedAtMs, connectedAtMs: undefined };
    this.#ongoing.add(attempt);
    return {
      clientRequestId,
      connected: () => {
        attempt.connectedAtMs = this.#clock.now();
      },
      ended: (end) => {
        const nowMs = end.atMs ?? this.#clock.now();
        const { connectedAtMs = nowMs } = attempt;
        this.#ongoing.delete(attempt);
        this.#attempts.push(recordOf(attempt, end, nowMs));
        this.#poolMs += connectedAtMs - startedAtMs;
        this.#upstreamMs += nowMs - connectedAtMs;
      },
    };
  }

  waits(): EndWait {
    const sinceMs = this.#clock.now();
    const open = this.#openWaits;
    open.count += 1;
    open.sinceMs += sinceMs;
    let ended = false;
    return (atMs) => {
      if (ended) return;
      ended = true;
      open.count -= 1;
      open.sinceMs -= sinceMs;
      this.#queueMs += (atMs ?? this.#clock.now()) - sinceMs;
    };
  }

  retries(delayMs: number): void {
    const nowMs = this.#clock.now();
    this.#retryMs += this.#retriedMs(nowMs);
    this.#retry = { sinceMs: nowMs, delayMs };
  }

  givesUp(reason: RetryGiveUpReason): void {
    this.#gaveUp = reason;
  }

  /** A fallback was tried. */
  fallsBack(record: FallbackRecord): void {
    this.#fallbacks.push(Object.freeze(record));
  }

  /** The image begins to wait for its batch. */
  queued(): void {
    this.#endQueue?.();
    this.#endQueue = this.waits();
  }

  /** A request for this image and `batchSize - 1` others leaves the queue now. */
  leaves(batchSize: number): void {
    this.#endQueue?.();
    this.#endQueue = undefined;
    this.#batchSize = batchSize;
  }

  /** An answer, or a part of a shared one, was billed. Useless answers count too. */
  billed(usage: VisionUsage, costUsd: number | undefined): void {
    const { usage: before, costUsd: costBefore } = this.bill;
    const sum = before === undefined ? costUsd : sumOf(costBefore, costUsd);
    this.bill = { usage: addUsage(before, usage), ...(sum === undefined ? {} : { costUsd: sum }) };
  }

  /**
   * Lets attempts end that the end of their call cut off, so that their records say how. That takes some microtasks;
   * a part of the user's may never end its attempt.
   */
  async settled(): Promise<void> {
    for (let turn = 0; turn < MAX_SETTLING_TURNS && this.#ongoing.size > 0; turn += 1) await undefined;
  }

  explain(): CallExplanation {
    const nowMs = this.#clock.now();
    const { count, sinceMs } = this.#openWaits;
    const attempts = [...this.#attempts];
    let poolMs = this.#poolMs;
    let upstreamMs = this.#upstreamMs;
    // A call that ends at its deadline is explained before the attempt that it aborts has ended.
    for (const attempt of this.#ongoing) {
      const { startedAtMs, connectedAtMs = nowMs } = attempt;
      poolMs += connectedAtMs - startedAtMs;
      upstreamMs += nowMs - connectedAtMs;
      attempts.push(recordOf(attempt, { outcome: 'aborted' }, nowMs));
    }
    const explanation: CallExplanation = {
      totalMs: nowMs - this.startedAtMs,
      queueMs: this.#queueMs + (count === 0 ? 0 : count * nowMs - sinceMs),
      poolMs,
      upstreamMs,
      retryMs: this.#retryMs + this.#retriedMs(nowMs),
      attempts: Object.freeze(attempts),
      batchSize: this.#batchSize,
      ...(this.#gaveUp === undefined ? {} : { gaveUp: this.#gaveUp }),
      ...(this.#fallbacks.length === 0 ? {} : { fallbacks: Object.freeze([...this.#fallbacks]) }),
    };
    return Object.freeze(explanation);
  }

  /** Milliseconds of the last wait between attempts. The call may have ended before the wait. */
  #retriedMs(nowMs: number): number {
    return Math.min(this.#retry.delayMs, nowMs - this.#retry.sinceMs);
  }
}

const sumOf = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined || right === undefined ? undefined : roundUsd(left + right);

/** Records one attempt, with one id, for every call that shares the request. */
export const sharedSink = (traces: readonly CallTrace[]): AttemptSink => ({
  beginAttempt: (endpoint, model, startedAtMs) => {
    const clientRequestId = randomUUID();
    const attempts = traces.map((trace) => trace.beginAttempt(endpoint, model, startedAtMs, clientRequestId));
    return {
      clientRequestId,
      connected: () => attempts.forEach((attempt) => void attempt.connected()),
      ended: (end) => attempts.forEach((attempt) => void attempt.ended(end)),
    };
  },
  waits: () => {
    const ends = traces.map((trace) => trace.waits());
    return (atMs) => ends.forEach((end) => void end(atMs));
  },
  retries: (delayMs) => traces.forEach((trace) => void trace.retries(delayMs)),
  givesUp: (reason) => traces.forEach((trace) => void trace.givesUp(reason)),
});

function recordOf(
  { endpoint, model, clientRequestId, startedAtMs }: OngoingAttempt,
  { outcome, error, requestId: answeredId }: AttemptEnd,
  nowMs: number,
): AttemptRecord {
  const { status, retryAfterMs, requestId = answeredId } = (error ?? {}) as ErrorDetails;
  const record: AttemptRecord = {
    endpoint,
    ...(model === undefined ? {} : { model }),
    outcome,
    durationMs: nowMs - startedAtMs,
    clientRequestId,
    ...(requestId === undefined ? {} : { requestId }),
    ...(error === undefined ? {} : { code: error.code, scope: failureMeaning(error).scope }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return Object.freeze(record);
}

interface ErrorDetails {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
}
