import type { ChatCompletion } from 'openai/resources/chat/completions';
import { type AnswerHeaders, type ChunkDecision, REST_MS } from '../../http/connection/http-message.ts';
import { type Clock, setBackgroundTimeout } from '../../internal/clock.ts';
import { AnswerError, chatCompletionIn } from '../../internal/upstream/chat-body.ts';
import { EventReader } from '../../internal/upstream/event-reader.ts';
import type { AnswerHead, Exchange, StreamDecoder } from './exchange.ts';

/** Receives a streamed answer as it arrives. */
export interface StreamSink {
  /** Times how long the rest of an answer that is whole may take. */
  readonly clock: Clock;
  /** Gets each piece of its text. It must not throw. */
  delta(text: string): void;
  /** The server sent something, if only a comment that keeps the connection alive. */
  moved(): void;
  /** The answer has its end. Its usage, and the end of the stream, should follow. */
  complete(): void;
  /** More text followed, so that the end was none. */
  goesOn(): void;
}

interface StreamHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
}

/** The stream of a client that is not ours. */
export interface ClientStream extends AsyncIterable<object> {
  readonly controller?: Pick<AbortController, 'abort'>;
}

/** Reads one streamed answer from its bytes, or from events that are parsed already. */
export class StreamReader {
  readonly #decoder: StreamDecoder;
  readonly #sink: StreamSink;
  readonly #events = new EventReader((event, name) => this.#take(event, name));

  #head: StreamHead | undefined;
  #isComplete = false;

  constructor(exchange: Pick<Exchange, 'decodeStream'>, sink: StreamSink) {
    this.#decoder = exchange.decodeStream();
    this.#sink = sink;
  }

  /** Takes the bytes of an answer that is a stream of events; any other answer is collected. */
  readonly takesChunks: ChunkDecision = (status, headers) => {
    const type = headers['content-type'];
    if (status < 200 || status > 299 || !isEventStream(type)) return undefined;
    this.#head = { status, headers };
    return this.#push;
  };

  /** The head of the answer whose bytes it takes. */
  get head(): StreamHead | undefined {
    return this.#head;
  }

  readonly #push = (chunk: Buffer): boolean => {
    this.#sink.moved();
    this.#events.push(chunk);
    // The connection may stay open for long after an error. It is not worth waiting for.
    if (this.#decoder.isFailed) throw new Error('the API ended the stream with an error');
    return this.#decoder.isOver || this.#events.hasEnded;
  };

  /** Reads the parsed events of a client that is not ours. */
  async readEvents(events: ClientStream, head: AnswerHead): Promise<ChatCompletion> {
    const iterator = events[Symbol.asyncIterator]();
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        this.#sink.moved();
        this.#take(next.value, '');
        if (!this.#decoder.isOver) continue;
        void skipRest(iterator, events, this.#sink.clock);
        break;
      }
      return this.completed(head);
    } catch (error) {
      // The client throws the error of an event, without a status.
      const { status, error: body } = (error ?? {}) as { readonly status?: unknown; readonly error?: unknown };
      if (status === undefined && body != null) this.#decoder.take({ error: body }, 'error');
      return this.brokenOff(error, head);
    }
  }

  /**
   * The completion at the end of the stream.
   * @throws `AnswerError` where the API failed or the answer has no end. It carries the answer so far, which may have
   * been billed.
   */
  completed(head: AnswerHead): ChatCompletion {
    this.#events.end();
    const completion = this.#decoder.completion();
    if (this.#decoder.isComplete) return chatCompletionIn(completion, head);
    throw new AnswerError('the stream ended before its answer did', head.status, undefined, head.headers, completion);
  }

  /** The completion where it was complete before the connection broke. @throws the error, with the answer so far */
  brokenOff(error: unknown, head: AnswerHead): ChatCompletion {
    if (this.#decoder.isComplete && !this.#decoder.goesOn) return this.completed(head);
    if (error instanceof Error) Object.defineProperty(error, 'completion', { value: this.#decoder.completion() });
    throw error;
  }

  #take(event: object, name: string): void {
    const decoder = this.#decoder;
    if (decoder.isFailed || decoder.isOver) return;
    const text = decoder.take(event, name);
    if (text !== '') this.#sink.delta(text);
    const isComplete = decoder.isComplete && !decoder.goesOn;
    if (isComplete === this.#isComplete) return;
    this.#isComplete = isComplete;
    if (isComplete) this.#sink.complete();
    else this.#sink.goesOn();
  }
}

/** Reads a stream to its end, so that its connection can be used again. Leaves it where the end does not come soon. */
async function skipRest(iterator: AsyncIterator<object>, { controller }: ClientStream, clock: Clock): Promise<void> {
  let isLate = false;
  const leave = () => {
    isLate = true;
    controller?.abort();
  };
  const timer = setBackgroundTimeout(clock, leave, REST_MS);
  try {
    while (!isLate && (await iterator.next()).done !== true);
    if (isLate) await iterator.return?.();
  } catch {
    // The answer was whole.
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Whether a content type is that of a stream of events. */
export const isEventStream = (type: unknown): boolean =>
  typeof type === 'string' && /^text\/event-stream\b/i.test(type);
