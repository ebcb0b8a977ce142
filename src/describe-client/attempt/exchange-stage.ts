import type { ChatCompletion } from 'openai/resources/chat/completions';
import { answerFacts } from '../../batch-processor/packs/answer.ts';
import { deltaFilter } from '../../batch-processor/packs/answer-deltas.ts';
import type { VisionUsage } from '../../batch-processor/packs/vision-usage.ts';
import type { Clock } from '../../internal/clock.ts';
import { headerOf } from '../../internal/upstream/response-headers.ts';
import { shortTokenOf } from '../../internal/upstream/server-reason.ts';
import { type EncodedRequest, encodeRequest } from '../../openai/exchange/encode-request.ts';
import { rateLimitOf } from '../../openai/exchange/rate-limit-headers.ts';
import type { RequestForm } from '../../openai/exchange/request-dialect.ts';
import { type ApiAnswer, sendRequest } from '../../openai/exchange/send-exchange.ts';
import type { StreamSink } from '../../openai/exchange/stream-reader.ts';
import type { RouteAnswer } from '../../routing/index.ts';
import { AttemptFailure } from '../../routing/quota/attempt-report.ts';
import type { DeltaLog } from './delta-log.ts';
import type { PriceOf } from './pricing.ts';
import { SilenceTimer } from './silence-timer.ts';
import type { ChatRequest, ConnectedCall, ExchangeReport, Next, OutgoingCall, PricedFacts } from './stage.ts';

export interface ExchangeStageParts {
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
  readonly priceOf: PriceOf;
}

/** Sends the request on its connection within the time limit of an attempt, and reads the answer. */
export const exchangeStage =
  ({ attemptTimeoutMs, clock, priceOf }: ExchangeStageParts): Next<ConnectedCall> =>
  async (call) => {
    const { request, read, client, attempt, place } = call;
    const { dialect, address } = place.target;
    let timer: SilenceTimer | undefined;
    let report: ExchangeReport = { sent: false };
    try {
      const form = dialect.formFor(place.model, request);
      const encoded = await call.body.encodedAs(request, form, dialect);
      timer = new SilenceTimer(clock, attemptTimeoutMs, (error) => attempt.abort(error));
      const sentAtMs = clock.now();
      report = { sent: true, sentAtMs };
      const { completion, headers } = await sendInForm(call, form, encoded, timer, clock);
      const answeredAtMs = clock.now();
      const requestId = shortTokenOf(headerOf(headers, 'x-request-id'), [client.apiKey ?? '']);
      const facts = pricedFacts(completion, request, priceOf, requestId);
      const { usage, costUsd } = facts;
      const answered = answerReport(dialect.limitOf(request, form), usage, headers, address);
      report = { ...answered, sent: true, sentAtMs, answeredAtMs, requestId, usage, costUsd };
      return { ...report, value: read(completion, facts) };
    } catch (error) {
      if (report.answeredAtMs !== undefined) throw new AttemptFailure(error, report);
      throw new AttemptFailure(error, { ...report, ...refusedReport(error, call, priceOf) });
    } finally {
      timer?.end();
    }
  };

function pricedFacts(
  completion: ChatCompletion,
  { model: asked }: ChatRequest,
  priceOf: PriceOf,
  requestId?: string,
): PricedFacts {
  const facts = answerFacts(completion, asked, requestId);
  return { ...facts, costUsd: facts.usage && priceOf(facts.model, asked, facts.usage) };
}

/** The report without an answer. The API may have refused, or an error broke off an answer that was billed. */
function refusedReport(error: unknown, { request, read }: ConnectedCall, priceOf: PriceOf): Partial<ExchangeReport> {
  const { headers, completion } = (error ?? {}) as { readonly headers?: unknown; readonly completion?: ChatCompletion };
  const limits = headers === undefined ? undefined : rateLimitOf(headers);
  if (completion === undefined) return { limits };
  const facts = pricedFacts(completion, request, priceOf);
  try {
    // The answer failed already, but `read` still records what it cost.
    read(completion, facts);
  } catch {
    // The first error says more.
  }
  return { limits, usage: facts.usage, costUsd: facts.costUsd };
}

/**
 * Sends a request in the form that its server takes. Sends it again for each parameter that the server refuses by name.
 * All of it is one attempt: the server only judged how the request is written.
 */
async function sendInForm(
  call: ConnectedCall,
  initial: RequestForm,
  first: EncodedRequest,
  timer: SilenceTimer,
  clock: Clock,
): Promise<ApiAnswer> {
  const { request, body, client, clientRequestId, attempt, place, avoid, deltas } = call;
  const { dialect } = place.target;
  // The connection resends at most once for each call, so that its retries and those of the call do not multiply.
  const resends = avoid.size === 0;
  let form = initial;
  let encoded = first;
  for (;;) {
    try {
      const stream = deltas && streamInto(deltas, request, timer, clock);
      const { limitMs: endsWithinMs } = timer;
      const { exchange } = dialect;
      const sending = { exchange, encoded, clientRequestId, resends, endsWithinMs, signal: attempt.signal, stream };
      const answer = await sendRequest(client, request, sending);
      dialect.accepted(form);
      return answer;
    } catch (error) {
      const isOver = attempt.signal.aborted || deltas?.hasBegun;
      const next = isOver ? undefined : dialect.formAfter(error, request, form);
      if (next === undefined) throw error;
      form = next;
      encoded = await body.encodedAs(request, form, dialect);
    }
  }
}

/** Delivers the description within the text of one streamed answer. */
function streamInto(
  deltas: DeltaLog,
  { response_format: format }: ChatRequest,
  timer: SilenceTimer,
  clock: Clock,
): StreamSink {
  const filter = deltaFilter(format !== undefined);
  return {
    clock,
    delta: (text) => deltas.push(filter.push(text)),
    moved: () => timer.moved(),
    complete: () => timer.lingers(),
    goesOn: () => timer.goesOn(),
  };
}

/** The body of a call, encoded when it is first sent, once for all attempts that write it alike. */
export function lazyBody(signal: AbortSignal, isStreamed = false): OutgoingCall['body'] {
  let key: string | undefined;
  let written: ChatRequest | undefined;
  let encoded: Promise<EncodedRequest> | undefined;
  return {
    encodedAs: (request, form, dialect) => {
      if (encoded === undefined || key !== form.key || written !== request) {
        key = form.key;
        written = request;
        encoded = encodeRequest(dialect.exchange.encode(dialect.write(request, form), isStreamed), { signal });
      }
      return encoded;
    },
  };
}

/**
 * Reads the report of an answer. A rate limit counts the larger of a request's input and its output limit, not the
 * tokens that were written. Source: OpenAI, "Rate limits" guide.
 */
export function answerReport(
  limitTokens: number | undefined,
  usage: VisionUsage | undefined,
  headers: unknown,
  address: string,
): RouteAnswer {
  return {
    limits: rateLimitOf(headers),
    chargedTokens: usage && Math.max(usage.promptTokens, limitTokens ?? usage.completionTokens),
    outputTokens: usage?.completionTokens,
    organization: ownerOf(headers, address),
  };
}

/** Organisation and project of a key at an address, as one name. */
function ownerOf(headers: unknown, address: string): string | undefined {
  const organization = headerOf(headers, 'openai-organization');
  if (organization === undefined) return undefined;
  return `${address} ${organization} ${headerOf(headers, 'openai-project') ?? ''}`.trim();
}
