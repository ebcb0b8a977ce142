import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createTestImage, describeImageFacts, type FaultRule } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';
import { chunk, end, sse, startStreamedApi, usage } from './streamed-api.fixture.ts';

const { server, start } = useFakeApi();

const TEXT = 'A small red';
const cut: FaultRule = { fault: { kind: 'finish', reason: 'length', text: TEXT } };
const cuts = () => server().setFaults([cut]);
const slow: FaultRule = { fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 60 } } };
const takes = { onTruncated: 'return' } as const;
const requests = () => server().seen().length;

describe('an answer that reached its output limit', () => {
  it('is returned with its bill where the request takes it, and cached nowhere', async () => {
    cuts();
    const client = start();
    const result = await client.describe(image, takes);
    expect(result).toMatchObject({ description: TEXT, truncated: true, source: 'upstream', model: 'gpt-4.1-mini' });
    expect(result.usage?.totalTokens).toBeGreaterThan(0);
    expect(result.costUsd).toBeGreaterThan(0);
    expect(result.requestId).toMatch(/./);
    expect(result.explain.attempts).toMatchObject([{ outcome: 'failure', code: 'DESCRIBE_OUTPUT_TRUNCATED' }]);
    expect(await codeOf(client.describe(image, { cache: 'only-if-cached' }))).toBe('DESCRIBE_CACHE_MISS');
    expect(client.stats().cache?.writes).toBe(0);
    server().setFaults([]);
    const whole = await client.describe(image, takes);
    expect(whole).toMatchObject({ description: describeImageFacts(image), source: 'upstream' });
    expect(whole).not.toHaveProperty('truncated');
  });

  it.each(['no-store', 'reload'] as const)('is returned with cache: %s', async (cache) => {
    cuts();
    await expect(start().describe(image, { ...takes, cache })).resolves.toMatchObject({ truncated: true });
  });

  it('is an error by default, which shows its text nowhere', async () => {
    cuts();
    const error: unknown = await start()
      .describe(image)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'DESCRIBE_OUTPUT_TRUNCATED' });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(TEXT);
    expect(JSON.stringify(error)).not.toContain(TEXT);
  });

  it('is an error of `warm`, which is to fill the cache', async () => {
    cuts();
    const { warmed, failed } = await start().warm([{ image, ...takes }]);
    expect({ warmed, codes: failed.map(({ error }) => (error as { code?: unknown }).code) }).toEqual({
      warmed: 0,
      codes: ['DESCRIBE_OUTPUT_TRUNCATED'],
    });
  });

  it('is returned for each input of `describeMany`', async () => {
    cuts();
    const images = [1, 2, 3].map((seed) => createTestImage({ seed }));
    const values: unknown[] = [];
    for await (const item of start().describeMany(images, takes)) {
      values.push(item.status === 'fulfilled' ? [item.value.description, item.value.truncated] : item.reason);
    }
    expect(values).toEqual([1, 2, 3].map(() => [TEXT, true]));
  });

  it('is returned where it is that of a fallback model', async () => {
    server().setFaults([
      { when: { model: 'gpt-4.1-mini' }, fault: { kind: 'error', status: 500 } },
      { when: { model: 'gpt-4.1-nano' }, fault: { kind: 'finish', reason: 'length', text: TEXT } },
    ]);
    const client = start({ retry: false, fallback: [{ model: 'gpt-4.1-nano' }] });
    await expect(client.describe(image, takes)).resolves.toMatchObject({
      description: TEXT,
      model: 'gpt-4.1-nano',
      truncated: true,
      explain: { fallbacks: [{ kind: 'model', outcome: 'success' }] },
    });
  });

  it('is the text of one image, and never the JSON of a pack', async () => {
    cuts();
    const client = start({ batch: { batchSize: 2, maxBatchWaitMs: 100 } });
    const images = [1, 2].map((seed) => createTestImage({ seed }));
    const [taken, refused] = await Promise.allSettled([
      client.describe(images[0] ?? image, takes),
      client.describe(images[1] ?? image),
    ]);
    expect(taken).toMatchObject({ value: { description: TEXT, truncated: true, source: 'upstream' } });
    expect(refused).toMatchObject({ reason: { code: 'DESCRIBE_OUTPUT_TRUNCATED' } });
    // The pack, and then each image alone: a caller pays its part of both.
    expect(requests()).toBe(3);
    const paid = [taken, refused].map((end) => ('value' in end ? end.value.usage : end.reason.usage).totalTokens);
    expect(paid.reduce((sum, tokens) => sum + tokens, 0)).toBe(server().getStats().tokensBilled.total);
  });

  it('has to be asked for by a known value', async () => {
    const wrong = { onTruncated: 'error' as 'reject' };
    await expect(start().describe(image, wrong)).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      field: 'onTruncated',
    });
  });
});

describe('calls that share an answer that was cut off', () => {
  const settledAs = async (calls: readonly Promise<{ description: string; source: string }>[]) =>
    (await Promise.allSettled(calls)).map((end) =>
      end.status === 'fulfilled' ? [end.value.description, end.value.source] : end.reason.code,
    );

  it.each([
    ['the owner takes the text', ['return', 'reject', 'return'], [[TEXT, 'upstream'], 'error', [TEXT, 'shared']]],
    ['the owner wants the error', ['reject', 'return', 'reject'], ['error', [TEXT, 'shared'], 'error']],
  ] as const)('end each by its own option: %s', async (_who, options, ends) => {
    server().setFaults([slow, cut]);
    const client = start();
    const calls = options.map((onTruncated) => client.describe(image, { onTruncated }));
    const expected = ends.map((one) => (one === 'error' ? 'DESCRIBE_OUTPUT_TRUNCATED' : [...one]));
    expect(await settledAs(calls)).toEqual(expected);
    expect(requests()).toBe(1);
    const joined = await calls[options.lastIndexOf('return')];
    if (joined?.source === 'shared') expect(joined).not.toHaveProperty('usage');
  });

  it('ask again only with a higher limit, as often as an owner has a lower one', async () => {
    server().setFaults([slow]);
    const client = start({ cache: false });
    const limits = [1, 2, 1, 300];
    const calls = limits.map((maxOutputTokens) => client.describe(image, { ...takes, maxOutputTokens }));
    const ends = await Promise.all(calls);
    expect(ends.map(({ truncated }) => truncated)).toEqual([true, true, true, undefined]);
    expect(ends.at(-1)?.description).toBe(describeImageFacts(image));
    expect(requests()).toBe(3);
  });
});

describe('a stream that reached its output limit', () => {
  const read = async (stream: AsyncIterable<string>) => {
    let text = '';
    const code = await codeOf(
      (async () => {
        for await (const delta of stream) text += delta;
      })(),
    );
    return { text, code };
  };

  it.each(['chat', 'responses'] as const)('ends well after its deltas, by %s', async (api) => {
    cuts();
    const stream = start({ api }).stream(image, takes);
    expect(await read(stream)).toEqual({ text: TEXT, code: 'fulfilled' });
    const { usage, ...result } = await stream.result;
    expect(result).toMatchObject({ description: TEXT, truncated: true, source: 'upstream' });
    expect(usage?.totalTokens).toBeGreaterThan(0);
  });

  it('is shared by streams and calls that want the text, the error or the whole', async () => {
    await using api = await startStreamedApi(async ({ write, end: finish }) => {
      write(sse(chunk('A small ')));
      await new Promise((resolve) => setTimeout(resolve, 60));
      finish(sse(chunk('red'), end('length'), usage, 'data: [DONE]\n\n'));
    });
    await using client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL });
    const owner = client.stream(image);
    const joined = client.stream(image, takes);
    const called = client.describe(image, takes);
    const longer = client.stream(image, { ...takes, maxOutputTokens: 900 });
    const [ownEnd, joinedEnd, longerEnd] = await Promise.all([read(owner), read(joined), read(longer)]);
    expect(ownEnd).toEqual({ text: TEXT, code: 'DESCRIBE_OUTPUT_TRUNCATED' });
    expect(joinedEnd).toEqual({ text: TEXT, code: 'fulfilled' });
    // Its deltas were delivered: no other answer may take their place.
    expect(longerEnd).toEqual({ text: TEXT, code: 'fulfilled' });
    expect(await codeOf(owner.result)).toBe('DESCRIBE_OUTPUT_TRUNCATED');
    const shared = { description: TEXT, truncated: true, source: 'shared' };
    await expect(joined.result).resolves.toMatchObject(shared);
    await expect(called).resolves.toMatchObject(shared);
    expect(api.exchanges).toHaveLength(1);
  });
});

describe('a bare HTTP server whose answer is cut off', () => {
  it.each(['length', 'max_tokens', 'MAX_TOKENS', 'model_length'])('with the reason %s', async (reason) => {
    await using api = await startRawApi(() => ({ body: completion(TEXT, { finish_reason: reason }) }));
    await using client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL });
    await expect(client.describe(image, takes)).resolves.toMatchObject({
      description: TEXT,
      model: 'm',
      truncated: true,
      usage: { totalTokens: 15 },
    });
  });

  it('with parts as its content, and no name of a model', async () => {
    const body = { ...completion([{ type: 'text', text: TEXT }], { finish_reason: 'length' }), model: undefined };
    await using api = await startRawApi(() => ({ body }));
    await using client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL, model: 'own-model' });
    await expect(client.describe(image, takes)).resolves.toMatchObject({ description: TEXT, model: 'own-model' });
  });

  it('without any text is asked for again, and its longer text is returned', async () => {
    let asked = 0;
    await using api = await startRawApi(() => {
      asked += 1;
      return { body: completion(asked === 1 ? null : TEXT, { finish_reason: 'length' }) };
    });
    await using client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL });
    await expect(client.describe(image, takes)).resolves.toMatchObject({
      description: TEXT,
      truncated: true,
      usage: { totalTokens: 30 },
    });
    expect(api.bodies().map((body) => body['max_completion_tokens'])).toEqual([300, 600]);
  });
});
