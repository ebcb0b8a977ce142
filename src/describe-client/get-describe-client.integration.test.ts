import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { getDescribeClient } from './get-describe-client.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

const image = createTestImage();

afterEach(async () => {
  vi.unstubAllEnvs();
  await getDescribeClient().destroy();
});

describe('getDescribeClient', () => {
  it('is one client, made from the environment at first use', async () => {
    await using api = await startRawApi(() => ({ body: completion('A cat.') }));
    vi.stubEnv('OPENAI_API_KEY', 'sk-of-the-environment');
    vi.stubEnv('OPENAI_BASE_URL', api.baseURL);
    const { describe: describeImage } = getDescribeClient();
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1');
    expect(await describeImage(image)).toMatchObject({ description: 'A cat.' });
    expect(api.seen[0]?.headers.authorization).toBe('Bearer sk-of-the-environment');
    expect(getDescribeClient().describe).toBe(describeImage);
  });

  it('is kept when a development server loads the module anew', async () => {
    const before = getDescribeClient();
    vi.resetModules();
    const reloaded = await import('./get-describe-client.ts');
    expect(reloaded.getDescribeClient).not.toBe(getDescribeClient);
    expect(reloaded.getDescribeClient()).toBe(before);
  });

  it.each<[string, (client: ReturnType<typeof getDescribeClient>) => Promise<void>]>([
    ['close()', (client) => client.close()],
    ['destroy()', (client) => client.destroy(new Error('over'))],
    ['the end of its scope', (client) => client[Symbol.asyncDispose]()],
  ])('makes way for a new one at once after %s', async (_, end) => {
    const first = getDescribeClient();
    const ending = end(first);
    const second = getDescribeClient();
    expect(second).not.toBe(first);
    await ending;
    await end(first);
    expect(getDescribeClient()).toBe(second);
    await expect(first.describe(image)).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('reads the environment again after one that did not parse', () => {
    vi.stubEnv('REDIS_PORT', 'no port');
    expect(() => getDescribeClient()).toThrow(/REDIS_PORT/);
    vi.unstubAllEnvs();
    expect(getDescribeClient().health).toBeTypeOf('function');
  });
});
