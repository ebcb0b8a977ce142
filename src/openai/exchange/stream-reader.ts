import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { AnswerHeaders, ChunkDecision } from '../../http/connection/http-message.ts';
import { AnswerError, chatCompletionIn, STREAM_END } from '../../internal/upstream/chat-body.ts';
import type { AnswerHead, Exchange, StreamDecoder } from './exchange.ts';
import { jsonOf } from './json-of.ts';
import { ServerSentEvents } from './server-sent-events.ts';

/** Receives a streamed answer as it arrives. */
export interface StreamSink {
  /** Gets each piece of its text. It must not throw. */
  delta(text: string): void;
  /** The server sent something, if only a comment that keeps the connection alive. */
  moved(): void;
  /** The answer has its end. Only its usage, and the end of the stream, may follow. Called once. */
  complete(): void;
}

interface StreamHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
}

/** Reads one streamed answer from its bytes, or from events that are parsed already. */
export class StreamReader {
  readonly #decoder: StreamDecoder;
  readonly #sink: StreamSink;
  readonly #events = new ServerSentEvents((data, name) => this.#takeData(data, name));

  #head: StreamHead | undefined;
  #isComplete = false;
  /** Whether the mark of the end came. Nothing after it belongs to the answer. */
  #hasEnded = false;

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

  readonly #push = (chunk: Buffer): void => {
    this.#sink.moved();
    this.#events.push(chunk);
    // The connection may stay open for long after an error. It is not worth waiting for.
    if (this.#decoder.isFailed) throw new Error('the API ended the stream with an error');
  };

  /** Reads the parsed events of a client that is not ours. */
  async readEvents(events: AsyncIterable<object>, head: AnswerHead): Promise<ChatCompletion> {
    try {
      for await (const event of events) {
        this.#sink.moved();
        this.#take(event, '');
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
    if (this.#decoder.isComplete) return this.completed(head);
    if (error instanceof Error) Object.defineProperty(error, 'completion', { value: this.#decoder.completion() });
    throw error;
  }

  #takeData(data: string, name: string): void {
    this.#hasEnded ||= data.startsWith(STREAM_END);
    if (this.#hasEnded) return;
    const event = jsonOf(data);
    if (event !== undefined) this.#take(event, name);
    // Some servers leave out the blank line between two events.
    else if (data.includes('\n')) for (const line of data.split('\n')) this.#takeData(line, name);
    // A gateway may say in words why it gives up.
    else if (name === 'error' && data !== '') this.#take({ error: { message: data } }, name);
  }

  #take(event: object, name: string): void {
    if (Array.isArray(event)) {
      for (const one of event as unknown[]) if (typeof one === 'object' && one !== null) this.#take(one, name);
      return;
    }
    if (this.#decoder.isFailed) return;
    const text = this.#decoder.take(event, name);
    if (text !== '') this.#sink.delta(text);
    if (this.#isComplete || !this.#decoder.isComplete) return;
    this.#isComplete = true;
    this.#sink.complete();
  }
}

/** Whether a content type is that of a stream of events. */
export const isEventStream = (type: unknown): boolean =>
  typeof type === 'string' && /^text\/event-stream\b/i.test(type);
