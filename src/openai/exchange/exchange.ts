import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';

import type { RefusableParameter } from './refused-parameter.ts';

/** The API that requests are sent to: chat completions or responses. */
export type ApiForm = 'chat' | 'responses';

/** The neutral form of a request: that of chat completions. `stream_options` asks a stream for its usage. */
export type ChatRequest = ChatCompletionCreateParamsNonStreaming;

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** A `Headers`, or an object that can be read like one. */
  readonly headers: unknown;
}

/** Decodes the events of one streamed answer. */
export interface StreamDecoder {
  /** Whether the answer has its end. A failure after it is no loss. */
  readonly isComplete: boolean;
  /** Whether the API said that it failed. The rest of the stream is not worth waiting for. */
  readonly isFailed: boolean;
  /** Whether nothing of the answer can follow. The rest of the stream is not worth waiting for. */
  readonly isOver: boolean;
  /** Whether the answer went on after its end, so that only the end of the stream tells that it is whole. */
  readonly goesOn: boolean;
  /**
   * Takes the parsed data of an event with its name, which may be empty. Returns the text in it; none for an unknown
   * event.
   */
  take(event: object, name: string): string;
  /** The answer so far as a chat completion; an error in it stands in its choice. */
  completion(): object;
}

/**
 * One API that describes images. The rest of the package knows requests and answers only in the form of chat
 * completions.
 */
export interface Exchange {
  readonly api: ApiForm;
  /** Path below the base URL. */
  readonly path: string;
  /** Writes the body of a request. An `InlineBytes` in it stays. */
  encode(request: ChatRequest, isStreamed: boolean): { readonly model?: unknown };
  /**
   * Reads an answer with a status of success: its text, or its parsed body.
   * @throws `AnswerError` for text that is not JSON, and for an error in the place of an answer.
   */
  decode(data: unknown, head: AnswerHead): ChatCompletion;
  decodeStream(): StreamDecoder;
  /** Names of a parameter in the body and in refusals of it, the first one in the body. */
  namesOf(parameter: RefusableParameter): readonly string[];
  /** The method of a client that sends such requests. A program may have put one in its place that traces calls. */
  methodOf(client: OpenAI): object;
  /** Sends by that method. `body` is what `encode` gave, or stands for it where the options hold it in encoded form. */
  create(client: OpenAI, body: object, options: OpenAI.RequestOptions): ApiAnswer;
}

/** The promise of the client's method. */
export interface ApiAnswer {
  withResponse(): Promise<{ readonly data: unknown; readonly response: Response }>;
}
