import OpenAI from 'openai';
import type { DescribeClientOptions } from '../../src/index.ts';
import type { LoadAnswer, LoadCallOptions, LoadTarget } from '../../src/testing/index.ts';

/** The bare `openai` client with its own retries, taking keys in turn: what one writes by hand. */
export function stockTarget(
  apiKeys: readonly string[],
  baseURL: string,
  { maxOutputTokens = 300, timeoutMs = 60_000 }: DescribeClientOptions = {},
): LoadTarget {
  const clients = apiKeys.map((apiKey) => new OpenAI({ apiKey, baseURL, timeout: timeoutMs }));
  let turn = 0;
  const nextClient = (): OpenAI => {
    turn += 1;
    return clients[turn % clients.length] as OpenAI;
  };
  const requestOf = (image: Uint8Array) => ({
    model: 'gpt-4.1-mini',
    max_completion_tokens: maxOutputTokens,
    messages: [
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'Describe this image.' },
          {
            type: 'image_url' as const,
            image_url: {
              url: `data:image/png;base64,${Buffer.from(image).toString('base64')}`,
              detail: 'low' as const,
            },
          },
        ],
      },
    ],
  });
  return {
    describe: async (image, { signal } = {}) => {
      const { choices, usage } = await nextClient().chat.completions.create(requestOf(image), {
        signal: signal ?? null,
      });
      return answerOf(choices[0]?.message.content ?? '', usage?.total_tokens);
    },
    stream: (image, options) => streamOf(nextClient(), requestOf(image), options),
  };
}

type Request = Omit<OpenAI.Chat.ChatCompletionCreateParamsStreaming, 'stream'>;

function streamOf(client: OpenAI, request: Request, { signal }: LoadCallOptions = {}) {
  let resolve: (answer: LoadAnswer) => void;
  const result = new Promise<LoadAnswer>((settle) => {
    resolve = settle;
  });
  async function* deltas() {
    let text = '';
    const chunks = await client.chat.completions.create({ ...request, stream: true }, { signal: signal ?? null });
    for await (const { choices } of chunks) {
      const delta = choices[0]?.delta.content;
      if (typeof delta !== 'string') continue;
      text += delta;
      yield delta;
    }
    resolve(answerOf(text, undefined));
  }
  return Object.assign(deltas(), { result });
}

const answerOf = (description: string, totalTokens: number | undefined): LoadAnswer => ({
  description,
  source: 'upstream',
  ...(totalTokens === undefined ? {} : { usage: { totalTokens } }),
});
