import type { ChatCompletion } from 'openai/resources/chat/completions';
import { TimeoutError } from '../../errors/timeout-error.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';
import { AnswerError } from '../../internal/upstream/chat-body.ts';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import { shortTokenOf } from '../../internal/upstream/server-reason.ts';
import { type ChatAnswer, sendChat } from '../../openai/exchange/chat-exchange.ts';
import { type EncodedRequest, encodeRequest } from '../../openai/exchange/encode-request.ts';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import type { EndpointDialect, RequestForm } from '../../openai/exchange/request-dialect.ts';
import type { RouteAnswer } from '../../routing/index.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import type { ChatRequest, ConnectedCall, ExchangeReport, Next } from './stage.ts';

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
      const { completion, headers } = await sendInForm(call, form, attemptTimeoutMs);
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

/** The report where no answer came: the API may have refused, or broken an answer off that was billed. */
function refusedReport(error: unknown, report: ExchangeReport, read: ConnectedCall['read']): ExchangeReport {
  const { headers } = (error ?? {}) as { readonly headers?: unknown };
  const completion = error instanceof AnswerError ? (error.completion as ChatCompletion | undefined) : undefined;
  try {
    // Its fault is known already; its reader writes down the cost.
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
async function sendInForm(call: ConnectedCall, initial: RequestForm, endsWithinMs: number): Promise<ChatAnswer> {
  const { request, body, client, clientRequestId, attempt, place, avoid } = call;
  const { dialect } = place.target;
  // Resent by its connection once a call: the retries of the call and of its connections would multiply.
  const resends = avoid.size === 0;
  let form = initial;
  for (;;) {
    const encoded = await body.encodedAs(form, dialect);
    try {
      const sending = { encoded, clientRequestId, resends, endsWithinMs, signal: attempt.signal };
      const answer = await sendChat(client, request, sending);
      dialect.accepted(form);
      return answer;
    } catch (error) {
      const next = attempt.signal.aborted ? undefined : dialect.formAfter(error, request, form);
      if (next === undefined) throw error;
      form = next;
    }
  }
}

/** The body of a call, encoded when it is first sent, once for all attempts that write it alike. */
export class LazyBody {
  readonly #request: ChatRequest;
  readonly #signal: AbortSignal;
  #key: string | undefined;
  #encoded: Promise<EncodedRequest> | undefined;

  constructor(request: ChatRequest, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
  }

  /** @throws the signal's reason when it aborts. */
  encodedAs(form: RequestForm, dialect: EndpointDialect): Promise<EncodedRequest> {
    if (this.#encoded === undefined || this.#key !== form.key) {
      this.#key = form.key;
      this.#encoded = encodeRequest(dialect.write(this.#request, form), { signal: this.#signal });
    }
    return this.#encoded;
  }
}

/**
 * Reads what an answer reports. A limit counts the larger of a request's input and the bound of its output, not the
 * tokens that were written. Source: OpenAI, "Rate limits" guide.
 */
export function answerReport(
  { max_completion_tokens, max_tokens }: ChatRequest,
  completion: ChatCompletion | null | undefined,
  headers: unknown,
  address: string,
): RouteAnswer {
  // An answer may be empty, or anything that JSON can say.
  const { prompt_tokens, completion_tokens } = completion?.usage ?? {};
  return {
    limits: rateLimitOf(headers),
    chargedTokens: chargedTokens(prompt_tokens, max_completion_tokens ?? max_tokens ?? completion_tokens),
    outputTokens: finite(completion_tokens),
    organization: ownerOf(headers, address),
  };
}

const chargedTokens = (promptTokens: unknown, outputBound: unknown): number | undefined => {
  const prompt = finite(promptTokens);
  return prompt === undefined ? undefined : Math.max(prompt, finite(outputBound) ?? 0);
};

const finite = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

/** Organisation and project of a key at an address, as one name. */
function ownerOf(headers: unknown, address: string): string | undefined {
  const organization = headerOf(headers, 'openai-organization');
  if (organization === undefined) return undefined;
  return `${address} ${organization} ${headerOf(headers, 'openai-project') ?? ''}`.trim();
}
