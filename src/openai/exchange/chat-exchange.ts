import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { chatCompletionIn } from '../../internal/upstream/chat-body.ts';
import { ChatChunks } from '../../internal/upstream/chat-chunks.ts';
import type { Exchange, StreamDecoder } from './exchange.ts';

/** Chat completions, whose form is that of the whole package. */
export const chatExchange: Exchange = {
  api: 'chat',
  path: '/chat/completions',
  encode: (request, isStreamed) => (isStreamed ? { ...request, stream: true } : request),
  decode: (data, head) => chatCompletionIn<ChatCompletion>(data, head),
  decodeStream: () => new ChatStreamDecoder(),
  namesOf: (parameter) => [parameter],
  methodOf: (client) => client.chat.completions.create,
  create: (client, body, options) =>
    client.chat.completions.create(body as ChatCompletionCreateParamsNonStreaming, options),
};

class ChatStreamDecoder implements StreamDecoder {
  readonly #chunks = new ChatChunks();

  get isComplete(): boolean {
    return this.#chunks.isComplete;
  }

  get isFailed(): boolean {
    return this.#chunks.isFailed;
  }

  take(chunk: object, name: string): string {
    // Some servers name the event of an error in place of its field.
    return this.#chunks.add(name === 'error' && !('error' in chunk) ? { error: chunk } : chunk);
  }

  completion(): ChatCompletion {
    return this.#chunks.completion() as ChatCompletion;
  }
}
