import { afterAll, beforeAll } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';

export const CHAT = '/v1/chat/completions';
export const RESPONSES = '/v1/responses';

/** A fake server for the tests of a file, with two keys and small limits. Gives it once it runs. */
export function useStrictFake(): () => FakeOpenAI {
  let server: FakeOpenAI | undefined;
  beforeAll(async () => {
    server = await startFakeOpenAI({
      apiKeys: ['sk-one', 'sk-two'],
      maxImageBytes: 100_000,
      maxImages: 3,
      maxBodyBytes: 2e6,
    });
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new Error('the fake server runs only within a test');
    return server;
  };
}

/** The text of the user, in a chat request. */
export const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] });
/** An image in a chat request. */
export const image = (url: unknown, more: object = {}) => user({ type: 'image_url', image_url: { url, ...more } });
/** A chat request that is right. */
export const base = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'hello' }] };
/** The text of the user, in a request to Responses. */
export const input = (...content: object[]) => ({ model: 'gpt-4.1-mini', input: [{ role: 'user', content }] });
