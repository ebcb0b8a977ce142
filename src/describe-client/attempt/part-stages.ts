import type OpenAI from 'openai';
import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { classifyFailure } from '../../internal/upstream/classify-failure.ts';
import { hasImageUrl, requestSecrets } from '../../internal/upstream/sent-request.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import { wasUnsent } from './attempt-failure.ts';
import type { Answer, BilledAnswer, ConnectedCall, ExchangeReport, RoutedCall, Stage } from './stage.ts';

/* The stages that run an attempt inside a part that judges it: a breaker, and a pool. */

/** Counts attempts and their bills. The API may have answered even if the call failed. */
export interface AttemptMetrics {
  attemptEnded(outcome: 'success' | 'failure' | 'aborted', billed: BilledAnswer, error?: DescribeError): void;
}

export interface ConnectionStageParts {
  readonly metrics: AttemptMetrics;
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Runs an attempt inside a part. The part gets the value or the bare error; its result is joined with the attempt's
 * report.
 */
async function within<Given>(
  name: string,
  part: (run: (given: Given) => Promise<unknown>) => Promise<unknown>,
  attempt: (given: Given) => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer | undefined;
  let report: AttemptFailure['report'] = { sent: false };
  try {
    const value = await part(async (given) => {
      // A part may give up the attempt before it ends.
      report = { sent: true };
      try {
        answer = await attempt(given);
        report = answer;
        return answer.value;
      } catch (thrown) {
        const failure = AttemptFailure.of(thrown);
        report = failure.report;
        throw failure.error;
      }
    });
    // A part of the user may answer in place of the API. Its answer is no description that may be kept.
    if (answer !== undefined && value === answer.value) return answer;
    throw new UpstreamError('DESCRIBE_RESPONSE_INVALID', `${name} answered in place of the API`, { status: 200 });
  } catch (error) {
    throw new AttemptFailure(error, report);
  }
}

/** Lets an attempt pass unless the breaker of its endpoint and model forbids it. */
export const breakerStage: Stage<RoutedCall> = (call, next) => {
  const breaker = call.place.target.breakers.of(call.place.model);
  if (breaker === undefined) return next(call);
  return within(
    'the circuit breaker',
    (run) => breaker.fire(run),
    (breakerSignal: AbortSignal | undefined) => next(breakerSignal === undefined ? call : { ...call, breakerSignal }),
  );
};

/**
 * The end of the call itself: neither success nor failure of the other side. It is no DescribeError, so that no breaker
 * counts it.
 */
class CallEnded extends Error {}

/** Lends a connection for the exchange, records the attempt, and classifies its failure once for all stages. */
export const connectionStage =
  (parts: ConnectionStageParts): Stage<RoutedCall, ConnectedCall> =>
  async (call, next) => {
    const { place, signal, breakerSignal, priority } = call;
    const { metrics } = parts;
    const record = call.trace.beginAttempt(place.endpoint, place.model, place.startedAtMs);
    const attempt = childController(signal, breakerSignal);
    let client: OpenAI | undefined;
    try {
      const answer = await within(
        'the connection pool',
        (run) => place.target.connections.use(run, { signal: attempt.signal, priority }),
        (lent: OpenAI) => {
          client = lent;
          record.connected();
          return next({ ...call, client: lent, attempt, clientRequestId: record.clientRequestId });
        },
      );
      record.ended({ outcome: 'success', requestId: answer.requestId, atMs: answer.answeredAtMs });
      metrics.attemptEnded('success', answer);
      return answer;
    } catch (thrown) {
      const { error, report } = AttemptFailure.of(thrown) as AttemptFailure<ExchangeReport>;
      const { requestId } = report;
      if (isCutOff(call, report, parts)) {
        record.ended({ outcome: 'aborted', requestId });
        metrics.attemptEnded('aborted', report);
        throw new AttemptFailure(new CallEnded('the call ended', { cause: error }), report);
      }
      const failure = classifyFailure(attempt.signal.aborted ? attempt.signal.reason : error, {
        hasImageUrl: hasImageUrl(call.request.messages),
        secrets: () => requestSecrets(call.request, [client?.apiKey, ...place.target.secrets]),
      });
      record.ended({ outcome: 'failure', requestId, error: failure });
      metrics.attemptEnded('failure', report, failure);
      throw new AttemptFailure(failure, { ...report, sent: report.sent && !wasUnsent(failure) });
    } finally {
      attempt.detach();
    }
  };

/**
 * Whether the call ended without evidence against the API. It is evidence when the API had most of the call's time and
 * did not answer. It is none when the call spent its time in our own queue, or was cancelled early.
 */
function isCutOff(
  { signal, timeoutMs }: RoutedCall,
  { sentAtMs }: ExchangeReport,
  { attemptTimeoutMs, clock }: ConnectionStageParts,
): boolean {
  if (!signal.aborted) return false;
  const onWireMs = sentAtMs === undefined ? 0 : clock.now() - sentAtMs;
  return !DescribeError.is(signal.reason, 'DESCRIBE_TIMEOUT') || onWireMs < Math.min(timeoutMs, attemptTimeoutMs) / 2;
}
