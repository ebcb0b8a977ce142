import { describe, expect, it } from 'vitest';
import { createTestImage, type FakeOpenAI, type FaultRule, startFakeOpenAI } from '../../testing/index.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import type { DescribeClient } from '../describe-client.ts';
import { useDisposables } from '../disposables.fixture.ts';
import type { DescribeClientOptions } from '../options/client-options.ts';

const disposables = useDisposables();

const overloaded = (model: string): FaultRule => ({
  when: { model },
  fault: { kind: 'error', code: 'server_is_overloaded', status: 503 },
});

const start = async (
  faults: readonly FaultRule[],
  options: DescribeClientOptions,
): Promise<{ readonly server: FakeOpenAI; readonly client: DescribeClient }> => {
  const server = await startFakeOpenAI({ faults });
  const client = createDescribeClient({
    apiKey: server.apiKey,
    baseURL: server.baseURL,
    monitor: false,
    retry: false,
    ...options,
  });
  disposables.push(server, client);
  return { server, client };
};

describe('a client with fallbacks', () => {
  it('asks another model, whose word is not cached as that of the first', async () => {
    const { client, server } = await start([overloaded('gpt-4.1-mini')], {
      fallback: [{ model: 'gpt-4.1-nano' }],
    });
    const { model, source, explain } = await client.describe(createTestImage());
    expect([model, source]).toEqual(['gpt-4.1-nano', 'upstream']);
    expect(explain.attempts.map((attempt) => attempt.model)).toEqual(['gpt-4.1-mini', 'gpt-4.1-nano']);
    expect(explain.fallbacks).toMatchObject([{ kind: 'model', model: 'gpt-4.1-nano', outcome: 'success' }]);
    server.setFaults([]);
    const recovered = await client.describe(createTestImage());
    expect([recovered.model, recovered.source]).toEqual(['gpt-4.1-mini', 'upstream']);
  });

  it('gives the expired entry before it asks the function, in the order given', async () => {
    const { client, server } = await start([], {
      fallback: ['stale', () => 'a picture'],
      cache: { defaultTTL: 0.05, ttlJitterRatio: 0 },
    });
    const { description } = await client.describe(createTestImage());
    server.setFaults([overloaded('gpt-4.1-mini')]);
    await new Promise((resolve) => setTimeout(resolve, 80));
    const stale = await client.describe(createTestImage());
    expect([stale.description, stale.source]).toEqual([description, 'stale']);
    const made = await client.describe(createTestImage({ seed: 9 }));
    expect([made.description, made.source, made.usage]).toEqual(['a picture', 'fallback', undefined]);
  });

  it('falls back when the client is full, to what takes no capacity', async () => {
    const seen: unknown[] = [];
    const { client, server } = await start([], {
      fallback: [{ model: 'gpt-4.1-nano' }, 'stale', (request, error) => `no time: ${seen.push([request, error])}`],
      limits: { maxQueuedCalls: 1 },
      cache: { defaultTTL: 0.05, ttlJitterRatio: 0 },
    });
    const { description } = await client.describe(createTestImage());
    await new Promise((resolve) => setTimeout(resolve, 80));
    server.setFaults([{ fault: { kind: 'hang' } }]);
    const requests = server.getStats().requests;
    const end = new AbortController();
    const held = client.describe(createTestImage({ seed: 2 }), { signal: end.signal }).catch(() => 'ended');
    await expect.poll(() => server.getStats().requests).toBe(requests + 1);
    expect(client.stats().admission.calls).toBe(1);

    const stale = await client.describe(createTestImage());
    expect([stale.description, stale.source]).toEqual([description, 'stale']);
    expect(stale.explain.fallbacks).toMatchObject([{ kind: 'model', code: 'DESCRIBE_QUEUE_FULL' }, { kind: 'stale' }]);
    const url = 'https://example.com/cat.jpg';
    expect(await client.describe(url)).toMatchObject({ description: 'no time: 1', source: 'fallback' });
    expect(seen).toMatchObject([[{ imageUrl: url }, { code: 'DESCRIBE_QUEUE_FULL' }]]);
    // Its bytes would have to be read, and there is no capacity for them.
    await expect(client.describe(new Blob([createTestImage()]))).rejects.toMatchObject({ code: 'DESCRIBE_QUEUE_FULL' });
    await expect(client.describe(url, { cache: 'only-if-cached' })).rejects.toMatchObject({
      code: 'DESCRIBE_QUEUE_FULL',
    });
    expect(server.getStats().requests).toBe(requests + 1);
    expect(client.stats().admission).toMatchObject({ calls: 1, bytesInFlight: createTestImage({ seed: 2 }).length });
    end.abort();
    expect(await held).toBe('ended');
  });

  it('fails with the first error when no fallback helps', async () => {
    const { client } = await start([overloaded('gpt-4.1-mini'), overloaded('gpt-4.1-nano')], {
      fallback: [
        { model: 'gpt-4.1-nano' },
        () => {
          throw new Error('no');
        },
      ],
    });
    await expect(client.describe(createTestImage())).rejects.toMatchObject({
      code: 'DESCRIBE_OVERLOADED',
      explain: { attempts: { length: 2 }, fallbacks: [{ outcome: 'failure' }, { outcome: 'failure' }] },
    });
  });
});
