// The first code of a TypeScript user. It is compiled and never run.
import {
  BatchProcessor,
  CircuitBreaker,
  createCircuitBreaker,
  createDescribeClient,
  type DescribeClient,
  DescribeError,
  type DescribeResult,
  OpenAIConnectionPool,
  PerformanceMonitor,
  RedisCache,
  ResourcePool,
} from '@describe-it/sdk';
import { BatchProcessor as FromSubpath } from '@describe-it/sdk/batch-processor';
import { type ImageInfo, inspectImage } from '@describe-it/sdk/image';
import { QuotaRegistry, RetryBudget, Router } from '@describe-it/sdk/routing';
import { startFakeOpenAI } from '@describe-it/sdk/testing';

interface Cat {
  readonly colour: string;
}

export async function run(): Promise<string> {
  const client: DescribeClient = createDescribeClient({
    apiKey: 'k',
    redis: { host: 'localhost' },
    batch: { batchSize: 3 },
  });
  const result: DescribeResult<Cat> = await client.describe<Cat>({
    imageUrl: 'https://example.com/cat.jpg',
    schema: { name: 'cat', jsonSchema: { type: 'object' }, parse: (value) => value as Cat },
  });
  for await (const item of client.describeMany(['https://example.com/a.png'], { concurrency: 2 })) {
    if (item.status === 'fulfilled') console.log(item.value.description, item.value.usage?.totalTokens);
    else if (DescribeError.is(item.reason, 'DESCRIBE_TIMEOUT')) console.log(item.reason.retryable);
  }
  // @ts-expect-error: an option that does not exist
  createDescribeClient({ apikey: 'k' });
  await client.close();
  return result.data?.colour ?? result.description;
}

export async function parts(): Promise<void> {
  const pool = new OpenAIConnectionPool('k', undefined, { min: 1, max: 2 });
  const models = await pool.use((client) => client.models.list());
  const cache = new RedisCache({ defaultTTL: 60 });
  const cached: string = await cache.getOrSet('key', async () => 'value', { ttlSeconds: 5, tags: ['a'] });
  const breaker = new CircuitBreaker('name', async (left: number, right: number) => left + right, {});
  const sum: number = await breaker.fire(1, 2);
  const callable = createCircuitBreaker('other', async (text: string) => text.length);
  const length: number = await callable('x');
  const batch = new BatchProcessor(async (items: readonly number[]) => items.map((item) => String(item)));
  const text: string = await batch.process(1);
  const resources = new ResourcePool({
    factory: { create: async () => ({ id: 1 }), destroy: async () => {} },
    minSize: 0,
    maxSize: 1,
  });
  const id: number = await resources.use(async (resource) => resource.id);
  const quotas = new QuotaRegistry();
  const endpoints = [{ name: 'first', target: 'https://api.openai.com/v1' }];
  const router = new Router({ endpoints, quotas: (group, model) => quotas.get(group, model) });
  const budget = new RetryBudget({ retryRatio: 0.1 });
  const info: ImageInfo = inspectImage(new Uint8Array());
  console.log(router.getStats().queued, budget, info.width);
  const monitor = new PerformanceMonitor();
  monitor.incrementCounter('calls', { kind: 'a' });
  const server = await startFakeOpenAI();
  console.log(models.data.length, cached, sum, length, text, id, server.baseURL, FromSubpath === BatchProcessor);
}
