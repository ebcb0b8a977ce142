import type { Dispatcher } from 'undici';
import { TimeoutError, UpstreamError } from '../../errors/index.ts';
import { type Clock, setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { contentCodings, type Decoding, startDecoding } from '../encoding/content-coding.ts';
import { StreamedBody } from '../encoding/request-body.ts';
import { AnswerStream } from './answer-stream.ts';
import {
  type AnswerHeaders,
  type ChunkTaker,
  type HttpAnswer,
  type HttpRequest,
  REST_MS,
  type StreamDecision,
} from './http-message.ts';

/** The connection of a call, as the call sees it. */
export interface CallConnection {
  readonly clock: Clock;
  readonly maxResponseBytes: number;
  readonly streamIdleTimeoutMs: number;
  /** Answers received on the present socket. After the first one, an idle timeout may close it. */
  answersOnSocket: number;
  /** Sends the call once more on a new socket. */
  resend(call: HttpCall): void;
  /** The connection failed, rather than the caller or the answer. */
  failed(): void;
  /** The caller gave up before any byte of the request was sent. */
  unsent(): void;
  /** The exchange is over, its body included. Called once. `isWhole` tells whether the end arrived. */
  ended(isWhole: boolean): void;
}

/**
 * A server that closes an idle connection resets a request that was just sent, within a round trip. After a later reset
 * the server may have worked on the request, so it is not sent again.
 */
const STALE_SOCKET_WINDOW_MS = 1_000;

const SOCKET_DEATHS: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);

/** undici's codes for a request that it never sent, such as one with a line break in a header. */
const CALLER_MISTAKES: ReadonlySet<unknown> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

const NO_BYTES = Buffer.alloc(0);

const NO_HEAD = { status: 0, statusText: '', headers: {} } as const;

/** One request and its answer, as undici's handler. Settles exactly once and leaves nothing on its signal. */
export class HttpCall implements Dispatcher.DispatchHandler {
  readonly request: HttpRequest;
  readonly #connection: CallConnection;
  readonly #streams: StreamDecision | undefined;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #giveUpListener: (() => void) | undefined;
  readonly #chunks: Buffer[] = [];
  readonly #streamedBody: StreamedBody | undefined;
  #timer: TimerHandle | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #stream: AnswerStream | undefined;
  #taker: ChunkTaker | undefined;
  #head: Pick<HttpAnswer, 'status' | 'statusText' | 'headers'> = NO_HEAD;
  /** Size of the answer so far, decompressed. */
  #bytes = 0;
  /** Size of a compressed answer so far. */
  #encodedBytes = 0;
  #decoding: Decoding | undefined;
  #hasAnswered = false;
  #isResent = false;
  #isReused = false;
  #sentAtMs = 0;
  #isOver = false;
  /** Whether the answer was resolved, and the rest of it is skipped. */
  #skipsRest = false;

  constructor(
    request: HttpRequest,
    connection: CallConnection,
    streams: StreamDecision | undefined,
    resolve: (answer: HttpAnswer) => void,
    reject: (reason: unknown) => void,
  ) {
    this.request = request;
    this.#connection = connection;
    this.#streams = streams;
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
          ? setBackgroundTimeout(connection.clock, giveUp, timeoutMs)
          : connection.clock.setTimeout(giveUp, timeoutMs);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) {
      controller.abort(new Error('the request was given up'));
      return;
    }
    this.#isReused = this.#connection.answersOnSocket > 0;
    if (this.#isReused) this.#sentAtMs = this.#connection.clock.now();
  }

  onResponseStarted(): void {
    this.#hasAnswered = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
    statusText = '',
  ): void {
    this.#hasAnswered = true;
    if (status < 200 || this.#isOver) return;
    this.#head = { status, statusText, headers };
    const coding = headers['content-encoding'];
    if (coding !== undefined) this.#decode(contentCodings(coding));
    this.#taker = this.request.takesChunks?.(status, headers);
    if (this.#taker !== undefined) this.#endHeadTimer();
    else if (this.#streams?.(status, headers)) this.#startStream(controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // undici 8 flushes its parser with an empty chunk on resume. It would pause the stream again before any byte was
    // read, for ever.
    if (this.#isOver || chunk.length === 0) return;
    if (this.#decoding === undefined) {
      this.#take(chunk);
      return;
    }
    this.#encodedBytes += chunk.length;
    // Endless headers of a coding decode to no bytes.
    if (this.#encodedBytes > this.#connection.maxResponseBytes) this.#failAsTooLarge();
    else if (!this.#decoding.input.write(chunk)) {
      controller.pause();
      this.#decoding.input.once('drain', () => controller.resume());
    }
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    if (this.#decoding === undefined) {
      this.#complete();
      return;
    }
    // The exchange is over on the wire, so nothing is left to abort.
    this.#controller = undefined;
    this.#decoding.input.end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#isOver) return;
    if (this.#diedOfAge(error)) {
      this.#isResent = true;
      this.#controller = undefined;
      // undici is just closing the socket.
      queueMicrotask(() => {
        if (!this.#isOver) this.#connection.resend(this);
      });
      return;
    }
    // Whatever ends the rest of an answer that was whole, the connection did its work.
    if (!this.#skipsRest && !CALLER_MISTAKES.has((error as { readonly code?: unknown }).code))
      this.#connection.failed();
    // The reader of a stream gets the error that a reader of `fetch` gets.
    this.#fail(this.#stream === undefined ? error : new TypeError('terminated', { cause: error }));
  }

  #diedOfAge(error: Error): boolean {
    return (
      this.request.resends !== false &&
      (this.#streamedBody?.isRepeatable ?? true) &&
      this.#isReused &&
      !this.#isResent &&
      !this.#hasAnswered &&
      SOCKET_DEATHS.has((error as { readonly code?: unknown }).code) &&
      this.#connection.clock.now() - this.#sentAtMs <= STALE_SOCKET_WINDOW_MS
    );
  }

  #decode(codings: readonly string[]): void {
    if (codings.length === 0) return;
    const decoding = startDecoding(codings);
    decoding.output
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#complete())
      .on('error', (error) => this.#fail(error));
    this.#decoding = decoding;
  }

  #take(chunk: Buffer): void {
    if (this.#isOver || this.#skipsRest) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#connection.maxResponseBytes) this.#failAsTooLarge();
    else if (this.#taker !== undefined) this.#give(chunk, this.#taker);
    else if (this.#stream === undefined) this.#chunks.push(chunk);
    else this.#stream.push(chunk);
  }

  #give(chunk: Buffer, take: ChunkTaker): void {
    try {
      if (take(chunk)) this.#skipRest();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Its caller has the answer and goes on. The connection is busy until the answer ends, or is closed soon. */
  #skipRest(): void {
    this.#skipsRest = true;
    this.#leaveCaller();
    const close = () => this.#fail(new Error('the answer did not end'));
    this.#timer = setBackgroundTimeout(this.#connection.clock, close, REST_MS);
    this.#resolve({ kind: 'whole', ...this.#head, body: NO_BYTES });
  }

  #failAsTooLarge(): void {
    const message = `the answer is larger than maxResponseBytes (${this.#connection.maxResponseBytes})`;
    this.#fail(new UpstreamError('DESCRIBE_RESPONSE_INVALID', message, { status: this.#head.status }));
  }

  #complete(): void {
    if (this.#isOver) return;
    this.#end(true);
    if (this.#stream !== undefined) {
      this.#stream.close();
      return;
    }
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#resolve({ kind: 'whole', ...this.#head, body });
  }

  #startStream(controller: Dispatcher.DispatchController): void {
    const { clock, streamIdleTimeoutMs } = this.#connection;
    this.#endHeadTimer();
    const source = this.#decoding?.output ?? controller;
    this.#stream = new AnswerStream({
      clock,
      idleTimeoutMs: streamIdleTimeoutMs,
      pause: () => source.pause(),
      resume: () => source.resume(),
      giveUp: (reason) => this.#fail(reason),
    });
    this.#resolve({ kind: 'streamed', ...this.#head, body: this.#stream.readable });
  }

  /** From its head on, a stream is bounded otherwise. */
  #endHeadTimer(): void {
    if (this.request.boundsStream === true || this.#timer === undefined) return;
    this.#connection.clock.clearTimeout(this.#timer);
  }

  #giveUp(reason: unknown): void {
    if (this.#controller === undefined) this.#connection.unsent();
    this.#fail(reason);
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#end(false);
    this.#chunks.length = 0;
    this.#decoding?.destroy();
    if (this.#stream === undefined) this.#reject(reason);
    else this.#stream.fail(reason);
    this.#controller?.abort(new Error('the request was given up'));
  }

  #end(isWhole: boolean): void {
    this.#isOver = true;
    this.#leaveCaller();
    this.#connection.ended(isWhole);
    this.#streamedBody?.cancel(new Error('the request has ended'));
  }

  /** Neither the timeout nor the signal of the caller concerns the exchange any more. */
  #leaveCaller(): void {
    if (this.#timer !== undefined) this.#connection.clock.clearTimeout(this.#timer);
    if (this.#giveUpListener !== undefined) this.request.signal?.removeEventListener('abort', this.#giveUpListener);
  }
}
