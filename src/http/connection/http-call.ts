import type { Dispatcher } from 'undici';
import { TimeoutError, UpstreamError } from '../../errors/index.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { contentCodings, type Decoding, startDecoding } from '../encoding/content-coding.ts';
import { StreamedBody } from '../encoding/request-body.ts';
import { AnswerStream } from './answer-stream.ts';
import type { AnswerHeaders, HttpAnswer, HttpRequest } from './http-message.ts';

export interface HttpCallOptions {
  readonly clock: Clock;
  readonly maxResponseBytes: number;
  readonly streamIdleTimeoutMs: number;
  /** Whether an answer with these headers is streamed rather than collected. */
  readonly streams: (status: number, headers: AnswerHeaders) => boolean;
  /** Whether the connection has answered before, so that its socket may have died of age. */
  readonly isReused: () => boolean;
  /** Sends the call once more on a new socket. */
  readonly resend: (call: HttpCall) => void;
  /** Told when the connection failed, rather than the caller or the answer. */
  readonly brokeDown: () => void;
  /** Told when the call was given up before any of it was sent. */
  readonly unsent: () => void;
  /** Told once when the exchange is over, body included; `answered` when it went to its end. */
  readonly ended: (answered: boolean) => void;
}

/**
 * A server that closes an idle connection answers what was sent meanwhile with a reset, within a round trip. A reset
 * later than this is no such race, and the request may have been worked on: it is not sent again.
 */
const STALE_SOCKET_WINDOW_MS = 1_000;

const SOCKET_DEATHS: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);

/** What undici says of a request that it never sent, such as one with a line break in a header. */
const CALLER_MISTAKES: ReadonlySet<unknown> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** One request and its answer, as undici's handler. Settles exactly once and leaves nothing on its signal. */
export class HttpCall implements Dispatcher.DispatchHandler {
  readonly request: HttpRequest;
  readonly #options: HttpCallOptions;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #giveUpListener: (() => void) | undefined;
  readonly #chunks: Buffer[] = [];
  readonly #streamedBody: StreamedBody | undefined;
  #timer: TimerHandle | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #stream: AnswerStream | undefined;
  #status = 0;
  #statusText = '';
  #headers: AnswerHeaders = {};
  /** Of the answer as it is used. */
  #bytes = 0;
  /** Of a compressed answer as it came. */
  #encodedBytes = 0;
  #decoding: Decoding | undefined;
  #answered = false;
  #resent = false;
  #reused = false;
  #sentAtMs = 0;
  #over = false;

  constructor(
    request: HttpRequest,
    options: HttpCallOptions,
    resolve: (answer: HttpAnswer) => void,
    reject: (reason: unknown) => void,
  ) {
    this.request = request;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const { body, signal, timeoutMs } = request;
    this.#streamedBody = body instanceof StreamedBody ? body : undefined;
    if (signal !== undefined) {
      this.#giveUpListener = () => this.#giveUp(signal.reason);
      signal.addEventListener('abort', this.#giveUpListener, { once: true });
    }
    if (timeoutMs !== undefined) {
      const giveUp = () => this.#giveUp(new TimeoutError('the request', timeoutMs));
      this.#timer =
        request.background === true
          ? setBackgroundTimeout(options.clock, giveUp, timeoutMs)
          : options.clock.setTimeout(giveUp, timeoutMs);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) {
      controller.abort(new Error('the request was given up'));
      return;
    }
    this.#reused = this.#options.isReused();
    this.#sentAtMs = this.#options.clock.now();
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
    statusText = '',
  ): void {
    this.#answered = true;
    if (status < 200 || this.#over) return;
    this.#status = status;
    this.#statusText = statusText;
    this.#headers = headers;
    const codings = contentCodings(headers['content-encoding']);
    if (codings.length > 0) this.#decode(codings);
    if (this.#options.streams(status, headers)) this.#startStream(controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // undici 8 flushes its parser with an empty chunk when it is resumed: passed on, it would pause the stream again
    // before any byte was read, for ever.
    if (this.#over || chunk.length === 0) return;
    if (this.#decoding === undefined) {
      this.#take(chunk);
      return;
    }
    this.#encodedBytes += chunk.length;
    // Endless headers of a coding decode to nothing.
    if (this.#encodedBytes > this.#options.maxResponseBytes) this.#failAsTooLarge();
    else if (!this.#decoding.input.write(chunk)) {
      controller.pause();
      this.#decoding.input.once('drain', () => controller.resume());
    }
  }

  onResponseEnd(): void {
    if (this.#over) return;
    if (this.#decoding === undefined) {
      this.#complete();
      return;
    }
    // The exchange is over on the wire: nothing is left to abort.
    this.#controller = undefined;
    this.#decoding.input.end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#over) return;
    if (this.#diedOfAge(error)) {
      this.#resent = true;
      this.#controller = undefined;
      // undici is in the middle of taking the socket down.
      queueMicrotask(() => {
        if (!this.#over) this.#options.resend(this);
      });
      return;
    }
    if (!CALLER_MISTAKES.has((error as { readonly code?: unknown }).code)) this.#options.brokeDown();
    // The reader of a stream gets what a reader of `fetch` gets.
    this.#fail(this.#stream === undefined ? error : new TypeError('terminated', { cause: error }));
  }

  #diedOfAge(error: Error): boolean {
    return (
      this.request.resends !== false &&
      (this.#streamedBody?.isRepeatable ?? true) &&
      this.#reused &&
      !this.#resent &&
      !this.#answered &&
      SOCKET_DEATHS.has((error as { readonly code?: unknown }).code) &&
      this.#options.clock.now() - this.#sentAtMs <= STALE_SOCKET_WINDOW_MS
    );
  }

  #decode(codings: readonly string[]): void {
    const decoding = startDecoding(codings);
    decoding.output
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#complete())
      .on('error', (error) => this.#fail(error));
    this.#decoding = decoding;
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.maxResponseBytes) this.#failAsTooLarge();
    else if (this.#stream === undefined) this.#chunks.push(chunk);
    else this.#stream.push(chunk);
  }

  #failAsTooLarge(): void {
    const message = `the answer is larger than maxResponseBytes (${this.#options.maxResponseBytes})`;
    this.#fail(new UpstreamError('DESCRIBE_RESPONSE_INVALID', message, { status: this.#status }));
  }

  #complete(): void {
    if (this.#over) return;
    this.#end(true);
    if (this.#stream !== undefined) {
      this.#stream.close();
      return;
    }
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#resolve({
      kind: 'whole',
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
      body,
    });
  }

  #startStream(controller: Dispatcher.DispatchController): void {
    if (this.request.boundsStream !== true) this.#clearTimer();
    const { clock, streamIdleTimeoutMs } = this.#options;
    const source = this.#decoding?.output ?? controller;
    this.#stream = new AnswerStream({
      clock,
      idleTimeoutMs: streamIdleTimeoutMs,
      pause: () => source.pause(),
      resume: () => source.resume(),
      giveUp: (reason) => this.#fail(reason),
    });
    this.#resolve({
      kind: 'streamed',
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
      body: this.#stream.readable,
    });
  }

  #giveUp(reason: unknown): void {
    if (this.#controller === undefined) this.#options.unsent();
    this.#fail(reason);
  }

  #fail(reason: unknown): void {
    if (this.#over) return;
    this.#end(false);
    this.#chunks.length = 0;
    this.#decoding?.destroy();
    if (this.#stream === undefined) this.#reject(reason);
    else this.#stream.fail(reason);
    this.#controller?.abort(new Error('the request was given up'));
  }

  #end(answered: boolean): void {
    this.#over = true;
    this.#clearTimer();
    if (this.#giveUpListener !== undefined) this.request.signal?.removeEventListener('abort', this.#giveUpListener);
    this.#options.ended(answered);
    this.#streamedBody?.cancel(new Error('the request has ended'));
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
