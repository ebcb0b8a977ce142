import { afterEach, describe, expect, it } from 'vitest';
import { createTestImage, type FaultRule, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { EndpointOptions } from './endpoint-options.ts';

const disposables: AsyncDisposable[] = [];
afterEach(async () => {
  for (const disposable of disposables.splice(0).reverse()) await disposable[Symbol.asyncDispose]();
});

/** A client that has made some calls while the API failed so. */
const clientAfter = async (
  faults: readonly FaultRule[],
  endpoints: readonly Partial<EndpointOptions>[],
  model?: string,
) => {
  const fake = await startFakeOpenAI({ apiKeys: ['sk-a', 'sk-b'], faults });
  const client = createDescribeClient({
    endpoints: endpoints.map((endpoint) => ({ apiKey: 'sk-a', baseURL: fake.baseURL, ...endpoint })),
    circuitBreaker: { failureThreshold: 2 },
    retry: false,
    cache: false,
    monitor: false,
  });
  disposables.push(fake, client);
  for (let seed = 0; seed < 12; seed += 1) {
    await client.describe(createTestImage({ seed }), { model, timeoutMs: 200 }).catch(() => {});
  }
  return client;
};

const failing = (apiKey: string, status: number, code?: string): FaultRule => ({
  when: { apiKey, endpoint: 'chat' },
  fault: { kind: 'error', status, ...(code === undefined ? {} : { code }) },
});

const TWO = [
  { name: 'a', apiKey: 'sk-a' },
  { name: 'b', apiKey: 'sk-b' },
];

describe('health() without a way to a new description', () => {
  it('is unhealthy where one key is refused and the breaker of the other is open', async () => {
    const client = await clientAfter([failing('sk-a', 401, 'invalid_api_key'), failing('sk-b', 500)], TWO);
    expect((await client.health()).status).toBe('unhealthy');
  });

  it('is unhealthy where the only breaker in use is open, of whatever model it is', async () => {
    for (const [endpoint, model] of [
      [{ model: 'gpt-4o-mini' }, undefined],
      [{}, 'gpt-4o'],
    ] as const) {
      const client = await clientAfter([failing('sk-a', 500)], [endpoint], model);
      expect((await client.health()).status).toBe('unhealthy');
    }
  });
});

it('health() is unhealthy where every breaker was isolated before the first call', async () => {
  await using client = createDescribeClient({ apiKey: 'sk', cache: false, monitor: false });
  for (const breaker of Object.values(client.breakers)) breaker.isolate();
  expect((await client.health()).status).toBe('unhealthy');
});

describe('health() beside a way that works', () => {
  it('is degraded', async () => {
    const client = await clientAfter([failing('sk-a', 401, 'invalid_api_key')], TWO);
    expect((await client.health()).status).toBe('degraded');
  });

  it('is healthy where somebody asked for a model that there is not', async () => {
    const faults = ['sk-a', 'sk-b'].map((key) => failing(key, 404, 'model_not_found'));
    const client = await clientAfter(faults, TWO, 'gpt-4.1-mimi');
    expect((await client.health()).status).toBe('healthy');
  });
});
