import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { createTestImage, ManualClock } from '../../testing/index.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import { codeOf, image, useFakeApi } from '../fake-api.fixture.ts';
import type { DescribeOptions } from '../options/describe-request.ts';
import { completion, startRawApi } from '../raw-api.fixture.ts';
import type { DescribeManyProgress } from './bulk-progress.ts';
import { type DescribeManyOptions, describeEach } from './describe-many.ts';

const { start } = useFakeApi();

const images = [2, 3, 4].map((seed) => createTestImage({ seed }));
const WRONG = { file: '' };

describe('fields of a request for all inputs', () => {
  it('are sent for each, and win over those of an input', async () => {
    await using api = await startRawApi(() => ({ body: completion('{"colour":"red"}') }));
    const client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL });
    const schema = z.object({ colour: z.string() });
    const inputs = [images[0] as Buffer, { image: images[1] as Buffer, prompt: 'own', system: 'Own system' }];
    for await (const item of client.describeMany(inputs, { prompt: 'all', schema, metadata: 7, cache: 'no-store' })) {
      if (item.status === 'rejected') throw item.reason;
      expect(item.value).toMatchObject({ data: { colour: 'red' }, metadata: 7 });
    }
    const texts = api.bodies().map(({ messages }) => JSON.stringify(messages));
    expect(texts.every((text) => text.includes('"all"') && !text.includes('"own"'))).toBe(true);
    expect(texts.filter((text) => text.includes('Own system'))).toHaveLength(1);
    await client.close();
  });

  it('are all of them handed on', async () => {
    const fields = {
      prompt: 'a',
      model: 'b',
      detail: 'high',
      maxOutputTokens: 1,
      system: 'c',
      temperature: 0.5,
      reasoningEffort: 'low',
      extraBody: { seed: 2 },
      schema: { name: 'd', jsonSchema: {} },
      cacheScope: 'e',
      priority: 3,
      tags: ['f'],
      ttlSeconds: 4,
      timeoutMs: 5,
      cache: 'reload',
      onTruncated: 'return',
      metadata: 6,
    } satisfies Required<Omit<DescribeOptions, 'signal'>>;
    const describeOne = vi.fn().mockResolvedValue({ description: 'a' });
    for await (const _ of describeEach([image], describeOne, fields, new ManualClock()));
    expect(describeOne).toHaveBeenCalledExactlyOnceWith(image, expect.any(AbortSignal), fields);
  });

  it.each([{ imageUrl: 'https://a.example' }, { promt: 'x' }, { detail: 'x' }, { onProgress: 5 }])(
    'are checked once, before any input is read: %o',
    async (options) => {
      const read = vi.fn();
      function* inputs() {
        read();
        yield image;
      }
      const iteration = start().describeMany(inputs(), options as DescribeManyOptions);
      expect(await codeOf(iteration.next())).toBe('DESCRIBE_INPUT_INVALID');
      expect(read).not.toHaveBeenCalled();
    },
  );
});

describe('the work of describeMany', () => {
  it('is as much at a time as concurrency says, and ends with its signal', async () => {
    const ended: unknown[] = [];
    let inWork = 0;
    const describeOne = (_: unknown, signal: AbortSignal) => {
      inWork += 1;
      signal.addEventListener('abort', () => ended.push(signal.reason));
      return new Promise<never>(() => {});
    };
    const controller = new AbortController();
    const options = { concurrency: 2, signal: controller.signal };
    const next = describeEach(images, describeOne, options, new ManualClock()).next();
    const outcome = next.catch((reason: unknown) => reason);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(inWork).toBe(2);
    controller.abort('enough');
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual(['enough', 'enough']);
    expect(await outcome).toBe('enough');
  });
});

describe('onProgress', () => {
  it('tells what is done, has failed and costs, and the time left', async () => {
    const clock = new ManualClock();
    const seen: DescribeManyProgress[] = [];
    const describeOne = async (input: unknown) => {
      await clock.advance(100);
      if (input === WRONG) throw new Error('wrong');
      return { description: 'a', costUsd: 0.1 } as never;
    };
    const options = { onProgress: (progress: DescribeManyProgress) => seen.push(progress), concurrency: 1 };
    for await (const _ of describeEach([image, WRONG, image, image] as never[], describeOne, options, clock));
    expect(seen).toEqual([
      { done: 1, failed: 0, total: 4, costUsd: 0.1, etaMs: 300 },
      { done: 2, failed: 1, total: 4, costUsd: 0.1, etaMs: 200 },
      { done: 3, failed: 1, total: 4, costUsd: 0.2, etaMs: 100 },
      { done: 4, failed: 1, total: 4, costUsd: 0.3, etaMs: 0 },
    ]);
  });

  it('knows the total of a Set, and none of a generator', async () => {
    const totals: unknown[] = [];
    const onProgress = ({ total, etaMs }: DescribeManyProgress) => totals.push([total, etaMs !== undefined]);
    const client = start();
    for await (const _ of client.describeMany(new Set([WRONG]), { onProgress }));
    for await (const _ of client.describeMany([WRONG].values(), { onProgress }));
    expect(totals).toEqual([
      [1, true],
      [undefined, false],
    ]);
  });

  it('changes nothing when it throws or rejects', async () => {
    const calls = vi.fn();
    for (const onProgress of [
      () => {
        calls();
        throw new Error('mine');
      },
      async () => {
        calls();
        throw new Error('mine');
      },
    ]) {
      const statuses: string[] = [];
      for await (const { status } of start().describeMany(images, { onProgress })) statuses.push(status);
      expect(statuses).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    }
    expect(calls).toHaveBeenCalledTimes(6);
  });

  it('is not called for calls that the end of the iteration aborts', async () => {
    const onProgress = vi.fn();
    const describeOne = (input: unknown, signal: AbortSignal) =>
      new Promise<never>((resolve, reject) => {
        if (input === WRONG) resolve({ description: 'a' } as never);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const inputs = [WRONG, image, image] as never[];
    for await (const _ of describeEach(inputs, describeOne, { onProgress }, new ManualClock())) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(onProgress).toHaveBeenCalledTimes(1);
  });

  it('counts the cost of calls that failed, too', async () => {
    await using api = await startRawApi(() => ({ body: { ...completion('no JSON'), model: 'gpt-4.1-mini' } }));
    const client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL, retry: false });
    let costUsd = 0;
    const onProgress = (progress: DescribeManyProgress) => {
      ({ costUsd } = progress);
    };
    const schema = { name: 'a', jsonSchema: {} };
    for await (const { status } of client.describeMany([image], { schema, onProgress }))
      expect(status).toBe('rejected');
    expect(costUsd).toBeGreaterThan(0);
    await client.close();
  });
});
