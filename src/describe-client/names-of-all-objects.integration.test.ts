import { describe, expect, it } from 'vitest';
import { createDescribeClient } from './create-describe-client.ts';
import { completion, startRawApi } from './raw-api.fixture.ts';

const image = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

describe.each(NAMES)('the name %s, which every object has', (name) => {
  it('is a model like any other', async () => {
    await using api = await startRawApi(() => ({ body: { ...completion('a cat'), model: name } }));
    await using client = createDescribeClient({ apiKey: 'sk-x', baseURL: api.baseURL, batch: 'auto' });
    const result = await client.describe({ image, model: name });
    expect(result).toMatchObject({ description: 'a cat', model: name });
    expect(result.costUsd).toBeUndefined();
    expect(api.bodies()).toMatchObject([{ model: name }]);
    const estimate = await client.estimate([{ image, model: name }]);
    expect(estimate).toMatchObject({ calls: 1, unpricedCalls: 1, unknownModels: [name] });
    expect(estimate).not.toHaveProperty('costUsd');
    expect(Object.keys(client.stats().breakers)).toContain(`default:${name}`);
    expect((await client.health()).status).toBe('healthy');
    expect(await client.metrics()).toContain(`model="${name}"`);
  });

  it('is an endpoint and a tag like any other', async () => {
    await using api = await startRawApi(() => ({ body: completion('a cat') }));
    await using client = createDescribeClient({
      endpoints: [{ name, apiKey: 'sk-x', baseURL: api.baseURL }],
    });
    const ask = () => client.describe({ image, tags: [name] });
    expect([(await ask()).source, (await ask()).source]).toEqual(['upstream', 'memory']);
    await client.invalidateTags([name]);
    expect((await ask()).source).toBe('upstream');
    expect(Object.keys(client.stats().routing.endpoints)).toEqual([name]);
    expect(Object.keys(client.stats().pools)).toEqual([name]);
    expect((await client.health()).parts[`pool:${name}`]).toMatchObject({ status: 'healthy' });
  });

  it('is a code and a type of an answer that mean nothing', async () => {
    const error = { message: 'no', code: name, type: name, param: name };
    await using api = await startRawApi(() => ({ status: 400, body: { error } }));
    await using client = createDescribeClient({ apiKey: 'sk-x', baseURL: api.baseURL });
    await expect(client.describe({ image })).rejects.toMatchObject({
      code: 'DESCRIBE_UPSTREAM',
      status: 400,
    });
  });
});
