import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { chatCompletionIn } from '../../internal/upstream/chat-body.ts';
import { ChatChunks } from '../../internal/upstream/chat-chunks.ts';
import type { Exchange } from './exchange.ts';

/** Chat completions, whose form is that of the whole package. */
export const chatExchange: Exchange = {
  api: 'chat',
  path: '/chat/completions',
  encode: (request, isStreamed) => (isStreamed ? { ...request, stream: true } : request),
  decode: (data, head) => chatCompletionIn<ChatCompletion>(data, head),
  decodeStream: () => new ChatChunks(),
  namesOf: (parameter) => [parameter],
  methodOf: (client) => client.chat.completions.create,
  create: (client, body, options) =>
    client.chat.completions.create(body as ChatCompletionCreateParamsNonStreaming, options),
};
