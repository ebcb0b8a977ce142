import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import { readImageFacts } from './image-facts.ts';
import type { FakeOpenAIOptions } from './options.ts';
import { chatBody, dataUrl, imageUrl, post } from './test-clients.ts';
import { createTestImage } from './test-image.ts';

let server: FakeOpenAI | undefined;
afterEach(async () => {
  await server?.close();
});

const start = async (options: FakeOpenAIOptions) => {
  server = await startFakeOpenAI(options);
  return server;
};
const ask = (of: FakeOpenAI, { key = of.apiKey, ...more }: { key?: string; [name: string]: unknown } = {}) =>
  post(of, '/v1/chat/completions', chatBody(imageUrl(), more), { authorization: `Bearer ${key}` });
const statuses = async (count: number, call: () => Promise<{ status: number }>) => {
  const got: number[] = [];
  for (let index = 0; index < count; index += 1) got.push((await call()).status);
  return got;
};

describe('limits', () => {
  it('are felt at once: a minute of 120 requests allows two, then one each half second', async () => {
    const clock = new ManualClock();
    const limited = await start({ limits: { requestsPerMinute: 120 }, clock });
    expect(await statuses(3, () => ask(limited))).toEqual([200, 200, 429]);
    const rejected = await ask(limited);
    expect(rejected.json.error).toMatchObject({ type: 'requests', code: 'rate_limit_exceeded' });
    expect(rejected.headers.get('retry-after-ms')).toBe('500');
    expect(rejected.headers.get('x-ratelimit-limit-requests')).toBe('120');
    await clock.advance(500);
    expect(await statuses(2, () => ask(limited))).toEqual([200, 429]);
    expect(limited.getStats()).toMatchObject({ rateLimited: 3, limitsReached: 3, requestsBilled: 3 });
  });

  it('allow a whole minute at once with that burst', async () => {
    const limited = await start({
      limits: { requestsPerMinute: 5, burstSeconds: 60 },
      clock: new ManualClock(),
    });
    expect(await statuses(6, () => ask(limited))).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it('reserve the larger of prompt and output limit from the tokens', async () => {
    const limited = await start({ limits: { tokensPerMinute: 60_000 }, clock: new ManualClock() });
    const first = await ask(limited, { max_completion_tokens: 900 });
    expect(first.headers.get('x-ratelimit-remaining-tokens')).toBe('100');
    expect(first.headers.get('x-ratelimit-reset-tokens')).toBe('900ms');
    const second = await ask(limited, { max_completion_tokens: 101 });
    expect(second.status).toBe(429);
    expect(second.json.error?.type).toBe('tokens');
    expect((await ask(limited, { max_completion_tokens: 60_001 })).json.error?.message).toContain('Request too large');
  });

  it('hold per group: its keys share one', async () => {
    const limited = await start({
      apiKeys: ['sk-a', 'sk-b', 'sk-c'],
      quotaGroups: [{ name: 'ab', apiKeys: ['sk-a', 'sk-b'], limits: { requestsPerMinute: 60 } }],
      clock: new ManualClock(),
    });
    expect((await ask(limited, { key: 'sk-a' })).status).toBe(200);
    expect((await ask(limited, { key: 'sk-b' })).status).toBe(429);
    expect(await statuses(3, () => ask(limited, { key: 'sk-c' }))).toEqual([200, 200, 200]);
  });

  it('name whose they are', async () => {
    const limited = await start({
      apiKeys: ['sk-a', 'sk-b'],
      quotaGroups: [
        {
          name: 'a',
          organization: 'org-a',
          project: 'proj-a',
          apiKeys: ['sk-a'],
          limits: { requestsPerMinute: 60 },
        },
      ],
    });
    const [named, other] = [await ask(limited, { key: 'sk-a' }), await ask(limited, { key: 'sk-b' })];
    expect(named.headers.get('openai-organization')).toBe('org-a');
    expect(named.headers.get('openai-project')).toBe('proj-a');
    expect(other.headers.get('openai-organization')).toBe('org-fake');
    expect(other.headers.get('openai-project')).toBeNull();
  });

  it('change while the server runs', async () => {
    const limited = await start({ limits: { requestsPerMinute: 60 }, clock: new ManualClock() });
    expect(await statuses(2, () => ask(limited))).toEqual([200, 429]);
    limited.setLimits({ requestsPerMinute: 120 });
    const answer = await ask(limited);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('120');
    expect(() => limited.setLimits({ requestsPerMinute: 0 })).toThrow('limits.requestsPerMinute');
  });

  it('count requests that fail, and are full again after reset', async () => {
    const limited = await start({ limits: { requestsPerMinute: 60 }, clock: new ManualClock() });
    expect((await ask(limited, { temperature: 9 })).status).toBe(400);
    expect((await ask(limited)).status).toBe(429);
    limited.reset();
    expect((await ask(limited)).status).toBe(200);
  });

  it('bound what is in flight', async () => {
    const clock = new ManualClock();
    const limited = await start({
      limits: { maxConcurrency: 2 },
      faults: [
        { when: { requests: { to: 4 } }, fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 50 } } },
      ],
      clock,
    });
    const asked = [1, 2, 3, 4].map(() => ask(limited));
    await expect.poll(() => limited.getStats().rateLimited).toBe(2);
    await clock.advance(50);
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429]);
    expect((await ask(limited)).status).toBe(200);
    expect(limited.getStats().mostInFlight).toBeGreaterThanOrEqual(3);
  });
});

describe('options', () => {
  it('are all checked at once', async () => {
    const wrong = {
      apiKeys: [],
      limits: { requestsPerMinute: 0 },
      latency: { distribution: 'gauss' },
      keepAliveTimeout: 5,
      models: {
        mine: { images: { by: 'tiles', base: 1 }, contextTokens: 0 },
        yours: { images: { by: 'area' } },
      },
    } as unknown as FakeOpenAIOptions;
    await expect(startFakeOpenAI(wrong)).rejects.toMatchObject({
      code: 'DESCRIBE_CONFIG_INVALID',
      issues: expect.arrayContaining([
        expect.objectContaining({ option: 'apiKeys' }),
        expect.objectContaining({ option: 'limits.requestsPerMinute' }),
        expect.objectContaining({ option: 'latency.distribution' }),
        expect.objectContaining({ option: 'models.mine.images.perTile' }),
        expect.objectContaining({ option: 'models.mine.contextTokens' }),
        expect.objectContaining({ option: 'models.yours.images.by' }),
        expect.objectContaining({
          option: 'keepAliveTimeout',
          expected: expect.stringContaining('keepAliveTimeoutMs'),
        }),
      ]),
    });
  });

  it('bound what is recorded', async () => {
    const few = await start({ maxRecordedRequests: 2 });
    await statuses(3, () => ask(few));
    expect(few.seen().map(({ number }) => number)).toEqual([2, 3]);
    await few.close();
    const none = await start({ record: false });
    await ask(none);
    expect(none.seen()).toEqual([]);
    expect(none.getStats()).toMatchObject({ requests: 1, requestsBilled: 1 });
    await none.close();
    const small = await start({ maxRecordedBytes: 700 });
    await statuses(3, () => ask(small));
    expect(small.seen().length).toBeLessThan(3);
  });

  it('say of an image what they are told to', async () => {
    const cat = createTestImage({ seed: 5 });
    const own = await start({ descriptions: { [readImageFacts(cat).hash]: 'A cat.' } });
    const textOf = async (url: string) => {
      const { json } = await post(own, '/v1/chat/completions', chatBody(url));
      return (json['choices'] as { message: { content: string } }[])[0]?.message.content;
    };
    expect(await textOf(dataUrl(cat))).toBe('A cat.');
    expect(await textOf(imageUrl({ seed: 6 }))).toMatch(/^PNG/);
  });

  it('add models and replace their counting', async () => {
    const own = await start({
      models: { 'my-model': { images: { by: 'tiles', base: 7, perTile: 1 }, contextTokens: 1000 } },
      latency: { distribution: 'uniform', minMs: 1, maxMs: 2 },
      streamDelayMs: 1,
    });
    const answer = await ask(own, { model: 'my-model' });
    expect(answer.status).toBe(200);
    const streamed = await ask(own, { model: 'my-model', stream: true });
    expect(streamed.text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });
});
