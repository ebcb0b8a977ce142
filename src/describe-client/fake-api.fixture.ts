import { afterAll, afterEach, beforeAll } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { createTestImage, type FakeOpenAI, startFakeOpenAI } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

export const image = createTestImage({ seed: 1 });

/** A fake API for the tests of a file, and clients of it whose retries wait little; each ends with its test. */
export function useFakeApi() {
  let server: FakeOpenAI | undefined;
  let client: DescribeClient | undefined;
  beforeAll(async () => {
    server = await startFakeOpenAI();
  });
  afterEach(async () => {
    await client?.destroy();
    server?.setFaults([]);
    server?.reset();
  });
  afterAll(() => server?.close());
  const running = (): FakeOpenAI => {
    if (server === undefined) throw new Error('the fake API runs only within a test');
    return server;
  };
  const start = (options: DescribeClientOptions = {}): DescribeClient => {
    const { apiKey, baseURL } = running();
    client = createDescribeClient({ apiKey, baseURL, retry: { initialDelayMs: 1, maxDelayMs: 5 }, ...options });
    return client;
  };
  return { server: running, start };
}

/** The code of a rejection, or the error itself where it is not ours. */
export const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (DescribeError.is(error) ? error.code : error),
  );
