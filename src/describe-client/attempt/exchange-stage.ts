import type { ChatCompletion } from 'openai/resources/chat/completions';
import { TimeoutError } from '../../errors/timeout-error.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';
import { AnswerError } from '../../internal/upstream/chat-body.ts';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import { shortTokenOf } from '../../internal/upstream/server-reason.ts';
import { type ChatAnswer, sendChat } from '../../openai/exchange/chat-exchange.ts';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import type { RequestForm } from '../../openai/exchange/request-dialect.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import { answerReport } from './answer-report.ts';
import type { ConnectedCall, ExchangeReport, Next } from './stage.ts';

export interface ExchangeStageParts {
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
}

/** Sends the request on its connection within the time limit of an attempt, and reads the answer. */
export const exchangeStage =
  ({ attemptTimeoutMs, clock }: ExchangeStageParts): Next<ConnectedCall> =>
  async (call) => {
    const { request, read, client, attempt, place } = call;
    let timer: TimerHandle | undefined;
    let report: ExchangeReport = { sent: false };
    try {
      const form = place.target.dialect.formFor(place.model, request);
      await call.body.encodedAs(form, place.target.dialect);
      timer = clock.setTimeout(() => attempt.abort(new TimeoutError('an attempt', attemptTimeoutMs)), attemptTimeoutMs);
      const sentAtMs = clock.now();
      report = { sent: true, sentAtMs };
      const { completion, headers } = await sendInForm(call, form);
      report = {
        ...answerReport(request, completion, headers, place.target.address),
        sent: true,
        sentAtMs,
        answeredAtMs: clock.now(),
        headers,
        completion,
        requestId: shortTokenOf(headerOf(headers, 'x-request-id'), [client.apiKey ?? '']),
      };
      return { ...report, value: read(completion) };
    } catch (error) {
      throw new AttemptFailure(error, report.answeredAtMs === undefined ? refusedReport(error, report, read) : report);
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer);
    }
  };

/** What can be learned where no answer came: the API may have refused, or broken an answer off that was billed. */
function refusedReport(error: unknown, report: ExchangeReport, read: ConnectedCall['read']): ExchangeReport {
  const { headers } = (error ?? {}) as { readonly headers?: unknown };
  const completion = error instanceof AnswerError ? (error.completion as ChatCompletion | undefined) : undefined;
  try {
    // What is wrong with it is known; its reader writes down what it cost.
    if (completion !== undefined) read(completion);
  } catch {
    // The error itself says more.
  }
  const limits = headers === undefined ? undefined : rateLimitOf(headers);
  return { ...report, headers, limits, completion };
}

/**
 * Sends a request in the form that its server takes, and once more for each parameter that the server refuses by name.
 * It is one attempt: the server judged how the request is written, and did nothing else.
 */
async function sendInForm(call: ConnectedCall, initial: RequestForm): Promise<ChatAnswer> {
  const { request, body, client, clientRequestId, attempt, place, avoid } = call;
  const { dialect } = place.target;
  // Resent by its connection once a call: the retries of the call and of its connections would multiply.
  const resends = avoid.size === 0;
  let form = initial;
  for (;;) {
    const encoded = await body.encodedAs(form, dialect);
    try {
      const answer = await sendChat(client, request, { encoded, clientRequestId, resends, signal: attempt.signal });
      dialect.accepted(form);
      return answer;
    } catch (error) {
      const next = attempt.signal.aborted ? undefined : dialect.formAfter(error, request, form);
      if (next === undefined) throw error;
      form = next;
    }
  }
}
