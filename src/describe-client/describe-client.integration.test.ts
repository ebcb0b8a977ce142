import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { createTestImage, describeImageFacts, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { closePublicPools, publicPool } from './public-api.fixture.ts';
import { startRawServer } from './raw-server.fixture.ts';

const imageFile = (name: string) => fileURLToPath(new URL(`../../examples/images/${name}`, import.meta.url));
const coffee = readFileSync(imageFile('coffee.png'));
const rocket = readFileSync(imageFile('rocket.jpg'));

let server: FakeOpenAI;
let client: DescribeClient | undefined;

beforeAll(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await client?.destroy();
  client = undefined;
  server.setFaults({ rules: [] });
  server.reset();
});
afterAll(() => server.close());

const start = (options: DescribeClientOptions = {}): DescribeClient => {
  client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    retry: { initialDelayMs: 1, maxDelayMs: 5 },
    pool: { min: 1, max: 8 },
    ...options,
  });
  return client;
};

const readAll = async (items: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of items);
};

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );

describe('describe', () => {
  it('describes an image once and answers from memory afterwards', async () => {
    const rest = { prompt: 'What is it?' };
    const started = start();
    const first = await started.describe(coffee, rest);
    expect(first).toMatchObject({
      description: describeImageFacts(coffee),
      source: 'upstream',
      model: expect.stringContaining('gpt-4.1-mini'),
      requestId: expect.any(String),
      explain: { attempts: [{ endpoint: 'default', outcome: 'success' }], batchSize: 1 },
    });
    expect(first.usage?.totalTokens).toBe(server.getStats().tokensBilled.total);
    expect(first.costUsd).toBeGreaterThan(0);
    const second = await started.describe(coffee, rest);
    expect(second).toMatchObject({
      description: first.description,
      source: 'memory',
      explain: { attempts: [] },
    });
    expect(second).not.toHaveProperty('usage');
    expect(server.getStats().requests).toBe(1);
  });

  it.each([
    ['bytes', () => rocket],
    ['an ArrayBuffer', () => new Uint8Array(rocket).buffer],
    ['a Blob', () => new Blob([new Uint8Array(rocket)])],
    ['a data URL', () => `data:image/jpeg;base64,${rocket.toString('base64')}`],
    ['a file', () => ({ file: imageFile('rocket.jpg') })],
    ['a web stream', () => ({ image: new Blob([new Uint8Array(rocket)]).stream() })],
    [
      'an async iterable',
      () => ({
        image: (async function* () {
          yield rocket.subarray(0, 1000);
          yield rocket.subarray(1000);
        })(),
      }),
    ],
  ])('takes %s for the same image', async (_what, input) => {
    const started = start();
    const { description } = await started.describe(input());
    expect(description).toBe(describeImageFacts(rocket));
    await expect(started.describe(rocket)).resolves.toMatchObject({ source: 'memory' });
  });

  it('passes a URL on to the API', async () => {
    await using host = await startRawServer((_request, response) => void response.end(coffee));
    const started = start({ images: { allowHosts: ['127.0.0.1'] }, pool: publicPool });
    const { description } = await started.describe(new URL(`${host.origin}/coffee.png`));
    expect(description).toBe(describeImageFacts(coffee));
    expect(JSON.stringify(server.seen().at(-1))).toContain(`${host.origin}/coffee.png`);
    await closePublicPools();
  });

  it('joins equal calls that run together into one request', async () => {
    server.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 30 } } }]);
    const started = start();
    const results = await Promise.all(Array.from({ length: 10 }, () => started.describe(coffee)));
    expect(server.getStats().requests).toBe(1);
    expect(results.map(({ source }) => source).toSorted()).toEqual([...Array(9).fill('shared'), 'upstream']);
    expect(results.filter(({ usage }) => usage !== undefined)).toHaveLength(1);
  });

  it('keeps what differs in prompt, model or detail apart', async () => {
    const started = start();
    await started.describe(coffee);
    for (const options of [{ prompt: 'Other' }, { model: 'gpt-4o-mini' }, { detail: 'high' as const }]) {
      await expect(started.describe(coffee, options)).resolves.toMatchObject({ source: 'upstream' });
    }
    expect(server.getStats().requests).toBe(4);
  });

  it('follows the cache mode', async () => {
    const started = start();
    expect(await codeOf(started.describe(coffee, { cache: 'only-if-cached' }))).toBe('DESCRIBE_CACHE_MISS');
    await expect(started.describe(coffee, { cache: 'no-store' })).resolves.toMatchObject({
      source: 'upstream',
    });
    expect(await codeOf(started.describe(coffee, { cache: 'only-if-cached' }))).toBe('DESCRIBE_CACHE_MISS');
    await started.describe(coffee);
    await expect(started.describe(coffee, { cache: 'reload' })).resolves.toMatchObject({
      source: 'upstream',
    });
    await expect(started.describe(coffee, { cache: 'only-if-cached' })).resolves.toMatchObject({
      source: 'memory',
    });
    expect(server.getStats().requests).toBe(3);
  });

  it('drops what is tagged', async () => {
    const started = start();
    await started.describe(coffee, { tags: ['album:1'] });
    await started.describe(rocket, { tags: ['album:2'] });
    await started.invalidateTags(['album:1']);
    await expect(started.describe(coffee, { tags: ['album:1'] })).resolves.toMatchObject({
      source: 'upstream',
    });
    await expect(started.describe(rocket, { tags: ['album:2'] })).resolves.toMatchObject({
      source: 'memory',
    });
  });

  it('returns structured data, fresh and cached, in the type of the caller', async () => {
    const started = start();
    const schema = {
      name: 'facts',
      jsonSchema: {
        type: 'object',
        properties: { description: { type: 'string' } },
        required: ['description'],
        additionalProperties: false,
      },
      parse: (value: unknown) => ({ text: (value as { description: string }).description }),
    };
    const fresh = await started.describe({ image: coffee, schema });
    expect(fresh.data?.text).toContain(describeImageFacts(coffee));
    const cached = await started.describe({ image: coffee, schema });
    expect(cached).toMatchObject({ source: 'memory', data: fresh.data });
  });

  it('asks again for what does not pass parse, then says so', async () => {
    const started = start();
    const schema = {
      name: 'facts',
      jsonSchema: { type: 'object', properties: {}, required: [], additionalProperties: false },
      parse: () => {
        throw new Error('not mine');
      },
    };
    expect(await codeOf(started.describe({ image: coffee, schema }))).toBe('DESCRIBE_RESPONSE_INVALID');
    expect(server.getStats().requests).toBe(3);
  });

  it('hands metadata through untouched and never sends it', async () => {
    const metadata = { row: 7, note: 'private-note' };
    const result = await start().describe(coffee, { metadata });
    expect(result.metadata).toBe(metadata);
    expect(JSON.stringify(server.seen())).not.toContain('private-note');
  });

  it.each([
    [{ kind: 'refusal' } as const, 'DESCRIBE_REFUSED', 1],
    [{ kind: 'finish', reason: 'length' } as const, 'DESCRIBE_OUTPUT_TRUNCATED', 1],
    [{ kind: 'finish', reason: 'content_filter' } as const, 'DESCRIBE_REFUSED', 1],
    [{ kind: 'error', code: 'insufficient_quota' } as const, 'DESCRIBE_QUOTA_EXHAUSTED', 1],
    [{ kind: 'error', code: 'invalid_api_key' } as const, 'DESCRIBE_AUTH', 1],
    [{ kind: 'error', code: 'context_length_exceeded' } as const, 'DESCRIBE_CONTEXT_TOO_LONG', 1],
    [{ kind: 'error', code: 'invalid_image' } as const, 'DESCRIBE_IMAGE_UNREADABLE', 1],
    [
      { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'milliseconds', ms: 5 } } as const,
      'DESCRIBE_RATE_LIMITED',
      3,
    ],
    [
      { kind: 'error', code: 'server_is_overloaded', retryAfter: { form: 'milliseconds', ms: 5 } } as const,
      'DESCRIBE_OVERLOADED',
      3,
    ],
    [{ kind: 'error', status: 500 } as const, 'DESCRIBE_UPSTREAM', 3],
    [{ kind: 'truncate', where: 'body' } as const, 'DESCRIBE_RESPONSE_INVALID', 3],
    [{ kind: 'wrong-json', where: 'body' } as const, 'DESCRIBE_RESPONSE_INVALID', 3],
  ])('on %o rejects with %s after %i request(s)', async (fault, code, requests) => {
    server.setFaults([{ fault }]);
    expect(await codeOf(start().describe(coffee))).toBe(code);
    expect(server.getStats().requests).toBe(requests);
  });

  it('on a reset mid-body rejects with DESCRIBE_UPSTREAM after 3 attempts', async () => {
    server.setFaults([{ fault: { kind: 'reset', at: 'mid-body' } }]);
    // Attempts, not requests: a reset may overtake the bytes before it, and the connection then sends once more.
    await expect(start().describe(coffee)).rejects.toMatchObject({
      code: 'DESCRIBE_UPSTREAM',
      explain: { attempts: { length: 3 } },
    });
  });

  it('ends with the reason of its signal, and the request with it', async () => {
    server.setFaults([{ fault: { kind: 'hang' } }]);
    const started = start();
    const controller = new AbortController();
    const call = started.describe(coffee, { signal: controller.signal });
    setTimeout(() => controller.abort('enough'), 50);
    await expect(call).rejects.toBe('enough');
    await expect.poll(() => server.getStats().inFlight).toBe(0);
  });

  it('ends after timeoutMs, whatever hangs', async () => {
    server.setFaults([{ fault: { kind: 'hang' } }]);
    expect(await codeOf(start().describe(coffee, { timeoutMs: 80 }))).toBe('DESCRIBE_TIMEOUT');
  });
});

describe('with batches', () => {
  it('sends several images in one request and gives each its own description', async () => {
    const started = start({ batch: { batchSize: 4, maxBatchWaitMs: 200 } });
    const images = Array.from({ length: 4 }, (_, seed) => createTestImage({ seed }));
    const results = await Promise.all(images.map((image) => started.describe(image)));
    expect(results.map(({ description }) => description)).toEqual(images.map(describeImageFacts));
    expect(results.map(({ explain }) => explain.batchSize)).toEqual([4, 4, 4, 4]);
    expect(server.getStats().requests).toBe(1);
    const billed = results.reduce((sum, { usage }) => sum + (usage?.totalTokens ?? 0), 0);
    expect(billed).toBe(server.getStats().tokensBilled.total);
    expect(started.stats().batch).toBeDefined();
  });
});

describe('describeMany', () => {
  it('yields each item with its own outcome', async () => {
    const started = start();
    const images = Array.from({ length: 20 }, (_, seed) => createTestImage({ seed: 100 + seed }));
    const inputs = [...images.slice(0, 10), new Uint8Array([1, 2, 3]), ...images.slice(10)];
    const seen = new Map<number, string>();
    for await (const item of started.describeMany(inputs, { concurrency: 4 })) {
      seen.set(item.index, item.status === 'fulfilled' ? item.value.description : 'rejected');
    }
    expect(seen.get(10)).toBe('rejected');
    for (const [index, input] of inputs.entries()) {
      if (index !== 10) expect(seen.get(index)).toBe(describeImageFacts(input));
    }
    expect(server.getStats().mostInFlight).toBeLessThanOrEqual(4);
  });
});

describe('health, stats and metrics', () => {
  it('are healthy, frozen and JSON-safe, and hold no secret', async () => {
    const started = start();
    await started.describe(coffee, { prompt: 'a very private prompt' });
    expect((await started.health()).status).toBe('healthy');
    const stats = started.stats();
    expect(stats.calls).toEqual({ active: 0, succeeded: 1, failed: 0 });
    expect(Object.isFrozen(stats.pools['default'])).toBe(true);
    const everything = JSON.stringify([stats, await started.health()]) + (await started.metrics());
    expect(everything).toContain('describe_it_descriptions_total{source="upstream"} 1');
    for (const secret of [server.apiKey, 'private prompt', describeImageFacts(coffee)]) {
      expect(everything).not.toContain(secret);
    }
  });

  it('have no text without a monitor', async () => {
    await expect(start({ monitor: false }).metrics()).resolves.toBe('');
  });
});

describe('close and destroy', () => {
  it('lets calls in work end, then refuses', async () => {
    server.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 50 } } }]);
    const started = start();
    const call = started.describe(coffee);
    const closing = started.close();
    await expect(call).resolves.toMatchObject({ description: describeImageFacts(coffee) });
    await closing;
    await started.close();
    expect(await codeOf(started.describe(coffee))).toBe('DESCRIBE_CLOSED');
    await expect.poll(() => server.getStats().connections.open).toBe(0);
    expect((await started.health()).status).toBe('unhealthy');
  });

  it.each<[string, (client: DescribeClient) => Promise<unknown>]>([
    ['describe', (client) => client.describe(coffee)],
    ['stream', (client) => client.stream(coffee).result],
    ['describeMany', (client) => readAll(client.describeMany([coffee, rocket], { concurrency: 1 }))],
    ['warm', (client) => client.warm([coffee, rocket], { concurrency: 1 })],
    ['warmUp', (client) => client.warmUp()],
    ["a tenant's warm", (client) => client.withKey(server.apiKey).warm([coffee, rocket], { concurrency: 1 })],
  ])(
    'reject the work of %s with the reason of destroy, and with DESCRIBE_CLOSED what begins later',
    async (_, work) => {
      server.setFaults([{ fault: { kind: 'hang' } }, { when: { endpoint: 'models' }, fault: { kind: 'hang' } }]);
      const reason = new Error('the pod is moved');
      const [during, after] = [start(), start()];
      const before = server.getStats().requests;
      const ended = work(during).catch((error: unknown) => error);
      await expect.poll(() => server.getStats().requests).toBeGreaterThan(before);
      await Promise.all([during.destroy(reason), after.destroy(reason)]);
      expect(await ended).toBe(reason);
      expect(await codeOf(work(after))).toBe('DESCRIBE_CLOSED');
    },
  );

  it('rejects calls in work with the reason of destroy', async () => {
    server.setFaults([{ fault: { kind: 'hang' } }]);
    const started = start();
    const call = started.describe(coffee);
    call.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 30));
    await started.destroy('over');
    await expect(call).rejects.toBe('over');
    await expect.poll(() => server.getStats().connections.open).toBe(0);
  });
});

describe('bad input', () => {
  const big = new Uint8Array(30_000_000);
  big.set(coffee.subarray(0, 64));

  it.each([
    ['no image', {}, 'DESCRIBE_INPUT_INVALID'],
    ['two image fields', { imageUrl: 'https://a.example/b.png', file: 'c.png' }, 'DESCRIBE_INPUT_INVALID'],
    ['empty bytes', new Uint8Array(), 'DESCRIBE_IMAGE_UNREADABLE'],
    ['truncated bytes', coffee.subarray(0, 200), 'DESCRIBE_IMAGE_UNREADABLE'],
    ['bytes of no image', new TextEncoder().encode('hello there, no image'), 'DESCRIBE_IMAGE_UNREADABLE'],
    ['a 30 MB image', big, 'DESCRIBE_IMAGE_TOO_LARGE'],
    ['an ftp URL', 'ftp://host/image.png', 'DESCRIBE_INPUT_INVALID'],
    ['a malformed URL', 'http://', 'DESCRIBE_INPUT_INVALID'],
    ['a private host', 'http://169.254.169.254/latest/meta-data', 'DESCRIBE_IMAGE_FORBIDDEN'],
    ['a file that is not there', { file: '/nowhere/nothing.png' }, /^DESCRIBE_(INPUT|IMAGE)/],
    ['an unknown field', { file: 'a.png', promt: 'x' }, 'DESCRIBE_INPUT_INVALID'],
    ['an aborted signal', { image: coffee, signal: AbortSignal.abort('gone') }, 'gone'],
  ])('%s rejects at once and sends nothing', async (_what, input, code) => {
    const started = start();
    const outcome = await codeOf(started.describe(input as never));
    if (code instanceof RegExp) expect(outcome).toMatch(code);
    else expect(outcome).toBe(code);
    expect(server.getStats().requests).toBe(0);
    expect(started.stats().pools['default']?.size).toBe(0);
  });

  it('never shows the bytes or the key in an error', async () => {
    server.setFaults([{ fault: { kind: 'error', code: 'invalid_api_key' } }]);
    const error = await start()
      .describe({ image: coffee, prompt: 'private-prompt' })
      .catch((reason: unknown) => reason);
    const shown = inspect(error, { depth: 10, showHidden: true });
    for (const secret of [server.apiKey, 'private-prompt', coffee.toString('base64').slice(0, 40)]) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe("with batch: 'auto'", () => {
  const describeAll = async (limits: { requestsPerMinute: number; tokensPerMinute: number }) => {
    await using limited = await startFakeOpenAI({ limits: { ...limits, burstSeconds: 60 } });
    const images = Array.from({ length: 24 }, (_, seed) => createTestImage({ seed: 700 + seed }));
    const started = start({ apiKey: limited.apiKey, baseURL: limited.baseURL, batch: 'auto' });
    const sizes: number[] = [];
    for (const image of images.slice(0, 12)) await started.describe(image);
    for await (const item of started.describeMany(images.slice(12), { concurrency: 12 })) {
      if (item.status === 'fulfilled') {
        expect(item.value.description).toBe(describeImageFacts(images[12 + item.index] ?? coffee));
        sizes.push(item.value.explain.batchSize);
      }
    }
    expect(sizes).toHaveLength(12);
    return Math.max(...sizes);
  };

  it('packs when the requests of a minute run out first', async () => {
    await expect(describeAll({ requestsPerMinute: 20, tokensPerMinute: 1_000_000 })).resolves.toBeGreaterThan(1);
  });

  it('sends singly when the tokens run out first', async () => {
    await expect(describeAll({ requestsPerMinute: 1000, tokensPerMinute: 100_000 })).resolves.toBe(1);
  });
});
