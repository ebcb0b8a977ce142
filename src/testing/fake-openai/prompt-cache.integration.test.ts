import { describe, expect, it } from 'vitest';
import { startFakeOpenAI } from './fake-openai.ts';
import { chatBody, clientOf, imageUrl } from './test-clients.ts';

const LARGE = imageUrl({ width: 1024, height: 1024 });

describe('cachedPromptRatio', () => {
  it('is the share of a prompt that both APIs say came from the prompt cache, in steps of 128', async () => {
    await using server = await startFakeOpenAI({ cachedPromptRatio: 0.5 });
    const client = clientOf(server);
    const chat = await client.chat.completions.create(chatBody(LARGE));
    const { prompt_tokens: prompt = 0, prompt_tokens_details: details } = chat.usage ?? {};
    expect(details?.cached_tokens).toBe(Math.floor(prompt / 2 / 128) * 128);
    expect(details?.cached_tokens).toBeGreaterThan(128);
    const response = await client.responses.create({
      model: 'gpt-4.1-mini',
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: LARGE, detail: 'low' }] }],
    });
    expect(response.usage?.input_tokens_details.cached_tokens).toBe(details?.cached_tokens);
  });

  it('leaves prompts below 1,024 tokens alone, and all of them unless it is given', async () => {
    await using half = await startFakeOpenAI({ cachedPromptRatio: 0.5 });
    await using none = await startFakeOpenAI();
    for (const [server, url] of [
      [half, imageUrl()],
      [none, LARGE],
    ] as const) {
      const { usage } = await clientOf(server).chat.completions.create(chatBody(url));
      expect(usage?.prompt_tokens_details?.cached_tokens).toBe(0);
    }
  });

  it('is 0 to 1', async () => {
    await expect(startFakeOpenAI({ cachedPromptRatio: 1.5 })).rejects.toThrow('cachedPromptRatio');
  });
});
