import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

const { server, start } = useFakeApi();

const cat = z.object({ colour: z.string(), legs: z.number().optional() }).meta({ title: 'cat' });

describe('a schema of a library', () => {
  it('is sent as strict mode takes it, and data has its type, also from the cache', async () => {
    await using api = await startRawApi(() => ({ body: completion('{"colour":"black","legs":null}') }));
    const client = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL });
    const first = await client.describe({ image, schema: cat });
    expect(first.data.colour).toBe('black');
    expect('legs' in first.data).toBe(false);
    expect(first.description).toBe('{"colour":"black","legs":null}');
    expect(await client.describe({ image, schema: cat })).toMatchObject({
      source: 'memory',
      data: { colour: 'black' },
    });
    expect(api.bodies().map(({ response_format }) => response_format)).toEqual([
      {
        type: 'json_schema',
        json_schema: {
          name: 'cat',
          strict: true,
          schema: {
            title: 'cat',
            type: 'object',
            properties: { colour: { type: 'string' }, legs: { type: ['number', 'null'] } },
            required: ['colour', 'legs'],
            additionalProperties: false,
          },
        },
      },
    ]);
    await client.close();
  });

  it('asks again for an answer that its validator refuses, with the reason as cause', async () => {
    let answers = 0;
    await using api = await startRawApi(() => {
      answers += 1;
      return { body: completion(answers === 1 ? '{"colour":4,"legs":4}' : '{"colour":"red","legs":4}') };
    });
    const client = createDescribeClient({
      apiKey: 'k',
      baseURL: api.baseURL,
      retry: { initialDelayMs: 1 },
      cache: false,
    });
    expect((await client.describe({ image, schema: cat })).data).toEqual({ colour: 'red', legs: 4 });
    answers = 0;
    const alone = createDescribeClient({ apiKey: 'k', baseURL: api.baseURL, retry: false, cache: false });
    await expect(alone.describe({ image, schema: cat })).rejects.toMatchObject({
      code: 'DESCRIBE_RESPONSE_INVALID',
      cause: { issues: [{ path: ['colour'] }] },
    });
    await Promise.all([client.close(), alone.close()]);
  });

  it('that can not be sent is told by its place, before anything is spent', async () => {
    const schema = z.object({ sizes: z.record(z.string(), z.number()) });
    await expect(start().describe({ image, schema })).rejects.toMatchObject({
      code: 'DESCRIBE_INPUT_INVALID',
      field: 'schema.sizes',
    });
    expect(await codeOf(start().invalidate({ image, schema }))).toBe('DESCRIBE_INPUT_INVALID');
    expect(server().getStats().requests).toBe(0);
  });

  it('is taken by the API, alone and in packs', async () => {
    const client = start({ batch: { batchSize: 2, maxBatchWaitMs: 20 }, cache: false });
    const images = [createTestImage({ seed: 2 }), createTestImage({ seed: 3 })];
    const results = await Promise.all(images.map((one) => client.describe({ image: one, schema: cat })));
    expect(server().getStats().requests).toBe(1);
    const single = await start({ cache: false }).describe({ image, schema: cat });
    for (const { data } of [...results, single]) expect(typeof data.colour).toBe('string');
  });
});
