import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REASONING_EFFORTS } from '../../internal/options/reasoning-effort.ts';
import { modelCatalog } from '../../openai/models/model-catalog.ts';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import { REASONING_TOKENS } from './reasoning.ts';
import { chatBody, clientOf, imageUrl, post } from './test-clients.ts';
import { MODEL_TABLE } from './token-table.ts';

let server: FakeOpenAI;
beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterEach(() => {
  server.setFaults([]);
  server.reset();
});
afterAll(() => server.close());

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const input = [
  { role: 'user' as const, content: [{ type: 'input_image' as const, image_url: imageUrl(), detail: 'low' as const }] },
];
const askChat = (more: object) => clientOf(server).chat.completions.create(chatBody(imageUrl(), more));
const askResponses = (more: object) =>
  clientOf(server).responses.create({ model: 'o3', input, stream: false, ...more });

describe('a model that reasons', () => {
  it('spends hidden tokens by effort, which are billed', async () => {
    for (const effort of ['low', 'medium', 'high'] as const) {
      server.reset();
      const chat = await askChat({ model: 'o3', reasoning_effort: effort });
      const responses = await askResponses({ reasoning: { effort } });
      const hidden = REASONING_TOKENS[effort];
      expect(chat.usage?.completion_tokens_details?.reasoning_tokens).toBe(hidden);
      expect(responses.usage?.output_tokens_details.reasoning_tokens).toBe(hidden);
      expect(responses.usage?.output_tokens).toBe(chat.usage?.completion_tokens);
      expect(responses.usage?.output_tokens).toBeGreaterThan(hidden);
      expect(server.getStats().tokensBilled.completion).toBe(2 * (chat.usage?.completion_tokens ?? 0));
      expect(responses.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
      expect(responses.reasoning).toEqual({ effort, summary: null });
    }
  });

  it('takes its own effort where none is named', async () => {
    const hidden = async (model: string) =>
      (await askChat({ model })).usage?.completion_tokens_details?.reasoning_tokens;
    expect(await hidden('gpt-5')).toBe(REASONING_TOKENS.medium);
    expect(await hidden('gpt-5.4')).toBe(0);
    expect(await hidden('gpt-4.1-mini')).toBe(0);
    expect((await askResponses({ model: 'gpt-5.4' })).output.map(({ type }) => type)).toEqual(['message']);
  });

  it('leaves an empty answer under a limit that it fills, and is billed for it', async () => {
    const chat = await askChat({ model: 'gpt-5', max_completion_tokens: 300 });
    expect(chat.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '', refusal: null } });
    expect(chat.usage).toMatchObject({ completion_tokens: 300, completion_tokens_details: { reasoning_tokens: 300 } });
    const responses = await askResponses({ model: 'gpt-5', max_output_tokens: 300 });
    expect(responses).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'reasoning', status: 'incomplete' }],
      output_text: '',
    });
    expect(server.getStats()).toMatchObject({ requestsBilled: 2, tokensBilled: { completion: 600 } });
  });

  it('cuts the text to what it leaves of the limit', async () => {
    const { choices, usage } = await askChat({ model: 'gpt-5', max_completion_tokens: 514 });
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'PNG 8×8 ' } });
    expect(usage?.completion_tokens).toBe(514);
  });

  it('spends what the server or a fault says', async () => {
    await using other = await startFakeOpenAI({ reasoningTokens: { low: 7 } });
    const hidden = async (reasoning_effort: 'low' | 'high', target: FakeOpenAI) => {
      const { usage } = await clientOf(target).chat.completions.create(
        chatBody(imageUrl(), { model: 'o3', reasoning_effort }),
      );
      return usage?.completion_tokens_details?.reasoning_tokens;
    };
    expect([await hidden('low', other), await hidden('high', other)]).toEqual([7, REASONING_TOKENS.high]);
    server.setFaults([{ when: { requests: 2 }, fault: { kind: 'reasoning', tokens: 2_000 } }]);
    expect([await hidden('low', server), await hidden('low', server)]).toEqual([REASONING_TOKENS.low, 2_000]);
    await expect(startFakeOpenAI({ reasoningTokens: { low: -1 } })).rejects.toThrow('reasoningTokens.low');
  });

  it('sums its reasoning up when asked to', async () => {
    const { output } = await askResponses({ reasoning: { effort: 'low', summary: 'auto' } });
    expect(output[0]).toMatchObject({
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: expect.any(String) }],
    });
  });
});

describe('a model without reasoning', () => {
  it('takes efforts that change nothing where it is said to, as some compatible servers do', async () => {
    const { images = { by: 'tiles', base: 1, perTile: 1 } } = MODEL_TABLE['gpt-4o'] ?? {};
    await using other = await startFakeOpenAI({
      models: { mine: { images, contextTokens: 9_000, efforts: ['high'] } },
    });
    const ask = (effort: string) =>
      post(other, CHAT, chatBody(imageUrl(), { model: 'mine', max_tokens: 50, reasoning_effort: effort }));
    expect((await ask('high')).json).toMatchObject({ usage: { completion_tokens_details: { reasoning_tokens: 0 } } });
    expect((await ask('low')).status).toBe(400);
  });
});

describe('what a model takes', () => {
  it('agrees with the catalog, which is written apart', () => {
    for (const [name, model] of Object.entries(MODEL_TABLE)) {
      const entry = modelCatalog.find(name);
      expect(model.efforts, name).toEqual(entry?.reasoningEfforts);
      if (entry?.defaultEffort !== undefined) expect(model.defaultEffort ?? 'medium', name).toBe(entry.defaultEffort);
      const isReasoning = model.reasoning === true;
      expect(model.temperature ?? (isReasoning ? 'never' : 'always'), name).toBe(entry?.temperature);
      if (entry?.flex !== undefined) expect(model.flex ?? isReasoning, name).toBe(entry.flex);
      expect(model.images.by === 'patches' && model.images.original !== undefined, name).toBe(
        entry?.sizing.kind === 'patch' && entry.sizing.details.original !== undefined,
      );
      if (entry?.price !== undefined) expect(model.cacheWrites ?? false).toBe(entry.price.cacheWrite !== undefined);
    }
    expect(modelCatalog.names().filter((name) => !Object.hasOwn(MODEL_TABLE, name))).toEqual([]);
  });

  it('is each of its efforts and no other, in both APIs', async () => {
    for (const model of ['gpt-5', 'gpt-5.1', 'gpt-5.4', 'gpt-5.6-luna', 'gpt-6-astra', 'o3']) {
      for (const effort of REASONING_EFFORTS) {
        const takes = MODEL_TABLE[model]?.efforts?.includes(effort) === true;
        const chat = await post(server, CHAT, chatBody(imageUrl(), { model, reasoning_effort: effort }));
        const responses = await post(server, RESPONSES, { model, input, reasoning: { effort } });
        expect([chat.status, responses.status], `${model} ${effort}`).toEqual(takes ? [200, 200] : [400, 400]);
        if (takes) continue;
        expect(chat.json.error).toMatchObject({ param: 'reasoning_effort', code: 'unsupported_value' });
        expect(responses.json.error).toMatchObject({ param: 'reasoning.effort', code: 'unsupported_value' });
      }
    }
    const { json } = await post(server, RESPONSES, { model: 'gpt-5.1', input, reasoning: { effort: 'minimal' } });
    expect(json.error?.message).toBe(
      "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low', 'medium', and 'high'.",
    );
  });

  it.each([
    ['gpt-4.1-mini', undefined, 200],
    ['gpt-5', undefined, 400],
    ['gpt-5.1', undefined, 200],
    ['gpt-5.1', 'low', 400],
    ['gpt-5.5', undefined, 400],
    ['gpt-5.5', 'none', 200],
    ['gpt-5.6-sol', 'none', 200],
    ['gpt-6-luna', undefined, 400],
    ['gpt-6-astra', 'low', 400],
  ])('is a temperature for %s at effort %s: %i', async (model, effort, status) => {
    for (const sampling of [{ temperature: 0.2 }, { top_p: 0.5 }]) {
      const more = { model, ...(effort === undefined ? {} : { reasoning_effort: effort }), ...sampling };
      const reasoning = effort === undefined ? {} : { reasoning: { effort } };
      const answers = [
        await post(server, CHAT, chatBody(imageUrl(), more)),
        await post(server, RESPONSES, { model, input, ...reasoning, ...sampling }),
      ];
      const param = Object.keys(sampling)[0];
      expect(answers.map((answer) => answer.status)).toEqual([status, status]);
      if (status === 400) for (const { json } of answers) expect(json.error).toMatchObject({ param });
    }
  });

  it.each([
    ['gpt-4.1-mini', 400],
    ['o1', 400],
    ['o3', 200],
    ['gpt-5.4', 200],
  ])('is flex for %s: %i', async (model, status) => {
    const chat = await post(server, CHAT, chatBody(imageUrl(), { model, service_tier: 'flex' }));
    const responses = await post(server, RESPONSES, { model, input, service_tier: 'flex' });
    expect([chat.status, responses.status]).toEqual([status, status]);
    if (status === 200) expect([chat.json['service_tier'], responses.json['service_tier']]).toEqual(['flex', 'flex']);
  });
});
