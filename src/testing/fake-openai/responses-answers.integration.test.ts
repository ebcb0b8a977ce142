import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import type { Fault } from './fault-plan.ts';
import { chatBody, clientOf, imageUrl } from './test-clients.ts';

let server: FakeOpenAI;
beforeAll(async () => {
  server = await startFakeOpenAI({ cachedPromptRatio: 0.5 });
});
afterEach(() => {
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const request = (more: object = {}) => ({
  model: 'gpt-4.1-mini',
  input: [
    {
      role: 'user' as const,
      content: [
        { type: 'input_text' as const, text: 'Describe this image.' },
        { type: 'input_image' as const, image_url: imageUrl({ width: 2000, height: 1500 }), detail: 'high' as const },
      ],
    },
  ],
  stream: false as const,
  ...more,
});
const ask = (more: object = {}) => clientOf(server).responses.create(request(more));
const always = (fault: Fault) => server.setFaults([{ fault }]);

describe('a response', () => {
  it('is completed, with the usage of its parts', async () => {
    const response = await ask({ store: false, metadata: { run: 'a' }, instructions: 'Be brief.' });
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      error: null,
      incomplete_details: null,
      store: false,
      metadata: { run: 'a' },
      instructions: 'Be brief.',
      output: [{ type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'output_text' }] }],
    });
    const { usage } = response;
    expect(usage?.input_tokens_details.cached_tokens).toBeGreaterThan(1_000);
    expect(usage?.total_tokens).toBe((usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
    expect(usage?.total_tokens).toBe(server.getStats().tokensBilled.total);
  });

  it('repeats how it was asked for, and stores unless told not to', async () => {
    const schema = { type: 'object', properties: {}, required: [], additionalProperties: false };
    const format = { type: 'json_schema', name: 'x', strict: true, schema };
    const response = await ask({ text: { format, verbosity: 'medium' }, max_output_tokens: 64, temperature: 0.3 });
    expect(response).toMatchObject({ max_output_tokens: 64, temperature: 0.3, store: true });
    expect(response.text?.format).toEqual(format);
    expect(response.reasoning).toEqual({ effort: null, summary: null });
  });

  it('reports what was written into the prompt cache, from gpt-5.6 on', async () => {
    const writes = async (model: string) => {
      const { usage } = await ask({ model });
      return (usage?.input_tokens_details as { readonly cache_write_tokens?: number } | undefined)?.cache_write_tokens;
    };
    expect(await writes('gpt-5.5')).toBeUndefined();
    expect(await writes('gpt-5.6-luna')).toBeGreaterThan(1_000);
    const url = imageUrl({ width: 2000, height: 1500 });
    const chat = await clientOf(server).chat.completions.create(chatBody(url, { model: 'gpt-6-luna' }));
    expect(chat.usage?.prompt_tokens_details).not.toHaveProperty('cache_write_tokens');
  });

  it('is a refusal', async () => {
    always({ kind: 'refusal', text: 'No.' });
    const response = await ask();
    expect(response).toMatchObject({
      status: 'completed',
      output: [{ content: [{ type: 'refusal', refusal: 'No.' }] }],
    });
    expect(response.output_text).toBe('');
  });

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
    ['max_messages', 'max_messages'],
    ['steered', 'steered'],
  ] as const)('is incomplete for %s', async (reason, told) => {
    always({ kind: 'finish', reason });
    const response = await ask();
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: told },
      output: [{ type: 'message', status: 'incomplete' }],
    });
    expect(response.output_text).toMatch(/^PNG/);
    const { choices } = await clientOf(server).chat.completions.create(chatBody());
    expect(choices[0]?.finish_reason).toBe(reason);
  });

  it('is failed with an error, and not billed', async () => {
    always({ kind: 'status', status: 'failed', code: 'invalid_image' });
    const response = await ask();
    expect(response).toMatchObject({ status: 'failed', output: [], error: { code: 'invalid_image' }, usage: null });
    expect(response.error?.message).toContain('valid image');
    expect(server.getStats().requestsBilled).toBe(0);
    const chat: unknown = await clientOf(server).chat.completions.create(chatBody());
    expect(chat).toMatchObject({ error: { code: 'invalid_image' } });
  });

  it.each(['cancelled', 'in_progress', 'queued'] as const)('is %s, without an answer', async (status) => {
    always({ kind: 'status', status });
    expect(await ask()).toMatchObject({ status, output: [], error: null, usage: null });
  });

  it('holds items that no client knows, and no usage', async () => {
    always({ kind: 'quirk', unknown: true, usage: false });
    const response = await ask({ model: 'o3' });
    expect(response.output.map(({ type }) => type as string)).toEqual(['reasoning', 'fake_call', 'message']);
    expect(response.output_text).toMatch(/^PNG 2000×1500/);
    expect(response.usage).toBeNull();
    const chat = await clientOf(server).chat.completions.create(chatBody());
    expect(chat).not.toHaveProperty('usage');
    expect(chat).toHaveProperty('prompt_filter_results');
    expect(server.getStats()).toMatchObject({ requestsBilled: 2, faults: { quirk: 2 } });
  });
});
