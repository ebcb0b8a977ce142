import { expect, it } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

const fields = Object.fromEntries(Array.from({ length: 5_001 }, (_, index) => [`field_${index}`, { type: 'string' }]));
const schema = { name: 'large', jsonSchema: { type: 'object', properties: fields } };

it.each<[boolean, string, (baseURL: string) => DescribeClientOptions]>([
  [true, "of dialect 'openai'", (baseURL) => ({ baseURL, dialect: 'openai' })],
  [true, 'whose address is OpenAI itself', () => ({})],
  [true, 'of a region of OpenAI', () => ({ baseURL: 'https://eu.api.openai.com/v1' })],
  [false, 'of a compatible server', (baseURL) => ({ baseURL })],
  [false, "of dialect 'generic'", (baseURL) => ({ baseURL, dialect: 'generic' })],
  [
    false,
    'with one endpoint of another kind',
    (baseURL) => ({
      endpoints: [
        { apiKey: 'k', baseURL, dialect: 'openai' },
        { apiKey: 'k', baseURL, dialect: 'generic' },
      ],
    }),
  ],
])('%s: a client %s refuses a schema that is too large for strict mode, before it sends', async (refuses, _, given) => {
  await using api = await startRawApi(() => ({ body: completion('{}') }));
  const options = given(api.baseURL);
  const client = createDescribeClient({ ...(options.endpoints === undefined ? { apiKey: 'k' } : {}), ...options });
  const end = new AbortController();
  const call = client.describe(createTestImage(), { schema, signal: end.signal }).catch((error: unknown) => error);
  if (refuses) {
    expect(await call).toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      field: 'schema',
      message: expect.stringMatching(/at most 5000 properties in all, got 5001; .*Structured outputs/),
    });
    expect(api.seen).toEqual([]);
  } else if (options.endpoints === undefined) {
    await expect.poll(() => api.seen.length).toBeGreaterThan(0);
  }
  end.abort();
  if (!refuses) expect(await call).not.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
  await client.destroy();
});
