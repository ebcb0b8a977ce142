import type OpenAI from 'openai';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { DescribeError } from '../../errors/describe-error.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { classifyFailure } from '../../internal/upstream/classify-failure.ts';
import { hasImageUrl, requestSecrets } from '../../internal/upstream/sent-request.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import { wasUnsent, within } from './attempt-failure.ts';
import type { ConnectedCall, ExchangeReport, RoutedCall, Stage } from './stage.ts';

/** Where attempts are counted. */
export interface AttemptMetrics {
  attemptEnded(outcome: 'success' | 'failure' | 'aborted', error?: DescribeError): void;
  /** The API answered, whatever the answer is worth. */
  billed(completion: ChatCompletion): void;
}

export interface ConnectionStageParts {
  readonly metrics: AttemptMetrics;
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * The call's own end: neither success nor failure of the other side. Not a DescribeError, so that no breaker counts it.
 */
class CallEnded extends Error {}

/** Lends a connection for the exchange, writes the attempt down, and classifies what it failed with, once for all. */
export const connectionStage =
  (parts: ConnectionStageParts): Stage<RoutedCall, ConnectedCall> =>
  async (call, next) => {
    const { place, signal, breakerSignal, priority } = call;
    const { metrics } = parts;
    const record = call.trace.beginAttempt(place.endpoint, { model: place.model });
    const attempt = childController(signal, breakerSignal);
    let client: OpenAI | undefined;
    const note = ({ completion, requestId }: ExchangeReport) => {
      if (requestId !== undefined) record.answered(requestId);
      if (completion !== undefined) metrics.billed(completion);
    };
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
      note(answer);
      record.succeeded();
      metrics.attemptEnded('success');
      return answer;
    } catch (thrown) {
      const { error, report } = AttemptFailure.of(thrown);
      note(report);
      if (isCutOff(call, report, parts)) {
        record.aborted();
        metrics.attemptEnded('aborted');
        throw new AttemptFailure(new CallEnded('the call ended', { cause: error }), report);
      }
      const failure = classifyFailure(attempt.signal.aborted ? attempt.signal.reason : error, {
        hasImageUrl: hasImageUrl(call.request.messages),
        secrets: () => requestSecrets(call.request, [client?.apiKey, ...place.target.secrets]),
      });
      record.failed(failure);
      metrics.attemptEnded('failure', failure);
      throw new AttemptFailure(failure, { ...report, sent: report.sent && !wasUnsent(failure) });
    } finally {
      attempt.detach();
    }
  };

/**
 * Whether the call ended, and that is no evidence against the API. It is evidence when the API had most of the call's
 * time and did not answer. It is none when the call spent its time in our own queue, or was cancelled at once.
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
