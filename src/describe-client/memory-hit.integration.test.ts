import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../internal/clock.ts';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

const image = createTestImage({ width: 8, height: 8 });
let timers = 0;
const clock = {
  ...systemClock,
  setTimeout: (run: () => void, delayMs: number) => {
    timers += 1;
    return systemClock.setTimeout(run, delayMs);
  },
};

let api: Awaited<ReturnType<typeof startRawApi>>;
beforeAll(async () => {
  api = await startRawApi(() => ({ body: completion('a cat') }));
});
afterAll(() => api[Symbol.asyncDispose]());

let client: DescribeClient;
beforeEach(async () => {
  client = createDescribeClient({ apiKey: 'sk-x', baseURL: api.baseURL, clock });
  await client.describe(image);
  await client.describe('https://images.example.com/cat.jpg');
  return () => client.close();
});

describe('a hit in memory', () => {
  it.each([
    ['bytes', image],
    ['a URL', 'https://images.example.com/cat.jpg'],
  ])('of %s arms no timer and asks nobody', async (_, input) => {
    timers = 0;
    const asked = api.seen.length;
    const { source, description, explain, usage } = await client.describe(input);
    expect({ source, description, usage, timers }).toEqual({
      source: 'memory',
      description: 'a cat',
      usage: undefined,
      timers: 0,
    });
    expect(explain).toMatchObject({ queueMs: 0, poolMs: 0, upstreamMs: 0, retryMs: 0, attempts: [], batchSize: 0 });
    expect(Object.isFrozen(explain)).toBe(true);
    expect(api.seen.length).toBe(asked);
  });

  it('is there after one turn of the promises', async () => {
    let result: unknown;
    void client.describe(image).then((value) => {
      result = value;
    });
    await Promise.resolve();
    expect(result).toMatchObject({ source: 'memory' });
  });

  it('counts as any call does', async () => {
    await client.describe(image);
    await client.describe({ image, cache: 'only-if-cached' });
    const { calls, cache, admission } = client.stats();
    expect(calls).toEqual({ active: 0, succeeded: 4, failed: 0 });
    expect(cache).toMatchObject({ memoryHits: 2, misses: 2 });
    expect(admission).toMatchObject({ calls: 0, bytesInFlight: 0 });
    const metrics = await client.metrics();
    expect(metrics).toMatch(/descriptions_total\{source="memory"\} 2/);
    expect(metrics).toMatch(/describe_duration_seconds_count\{model="gpt-4.1-mini"\} 4/);
  });

  it('is not for a request that asks for more tags, or for another scope', async () => {
    const tagged = await client.describe({ image, tags: ['cats'] });
    const scoped = await client.describe({ image, cacheScope: 'tenant' });
    expect([tagged.source, scoped.source]).toEqual(['upstream', 'upstream']);
  });

  it('is not for a signal that has aborted, nor for a client that was closed', async () => {
    const reason = new Error('enough');
    await expect(client.describe(image, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await client.close();
    await expect(client.describe(image)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
    expect(client.stats().calls).toMatchObject({ failed: 1 });
  });

  it('whose JSON the schema refuses is asked for again, and parsed once', async () => {
    let parsed = 0;
    const parse = (value: unknown) => {
      parsed += 1;
      if (parsed === 2) throw new Error('older');
      return value;
    };
    await using json = await startRawApi(() => ({ body: completion('{"cats":1}') }));
    await using own = createDescribeClient({ apiKey: 'sk-x', baseURL: json.baseURL });
    const schema = { name: 's', jsonSchema: { type: 'object' }, parse };
    const sources: string[] = [];
    for (let call = 0; call < 3; call += 1) sources.push((await own.describe({ image, schema })).source);
    expect({ sources, parsed }).toEqual({ sources: ['upstream', 'upstream', 'memory'], parsed: 4 });
    expect(own.stats().cache).toMatchObject({ memoryHits: 2 });
  });

  it('of bytes that are too many to hash at once is one all the same', async () => {
    const large = Buffer.concat([image, Buffer.alloc(100_000)]);
    await client.describe(large);
    expect((await client.describe(large)).source).toBe('memory');
  });
});
