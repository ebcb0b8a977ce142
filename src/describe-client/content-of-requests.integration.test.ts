import { describe, expect, it } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';
import type { DescribeSchema } from './schema/schema-source.ts';

const { server, start } = useFakeApi();

const schemaWith = (parse: (value: unknown) => unknown): DescribeSchema => ({
  name: 'facts',
  jsonSchema: {
    type: 'object',
    properties: { description: { type: 'string' } },
    required: ['description'],
    additionalProperties: false,
  },
  parse,
});
const refusing = schemaWith(() => {
  throw new Error('not mine');
});

describe('a parse of the caller that throws', () => {
  it.each([false as const, { batchSize: 2, maxBatchWaitMs: 1 }])(
    'says nothing about the API (batch: %o)',
    async (batch) => {
      const started = start({ batch });
      for (let call = 0; call < 4; call += 1) {
        expect(await codeOf(started.describe({ image, schema: refusing }))).toBe('DESCRIBE_RESPONSE_INVALID');
      }
      await expect(started.describe(createTestImage({ seed: 2 }))).resolves.toMatchObject({ source: 'upstream' });
      expect((await started.health()).parts['breakers']?.status).toBe('healthy');
    },
  );

  it('has the answers of no use on its bill', async () => {
    let calls = 0;
    const late = schemaWith((value) => {
      calls += 1;
      if (calls === 1) throw new Error('not yet');
      return value;
    });
    const { usage } = await start().describe({ image, schema: late });
    expect(usage?.totalTokens).toBe(server().getStats().tokensBilled.total);
    expect(calls).toBe(2);
  });

  it('makes a cached answer as good as none', async () => {
    const started = start();
    await started.describe({ image, schema: schemaWith((value) => value) });
    let calls = 0;
    const later = schemaWith(() => {
      calls += 1;
      if (calls === 1) throw new Error('the shape has changed');
      return 'parsed';
    });
    await expect(started.describe({ image, schema: later })).resolves.toMatchObject({
      data: 'parsed',
      source: 'upstream',
    });
  });
});

describe('a schema that is no JSON', () => {
  it('is an input error and no outage', async () => {
    const jsonSchema = { limit: 1n } as unknown as Record<string, unknown>;
    expect(await codeOf(start().describe({ image, schema: { name: 'x', jsonSchema } }))).toBe('DESCRIBE_INPUT_INVALID');
  });
});

describe('a request of a class', () => {
  it('is read by name, its getters included', async () => {
    class Request {
      readonly #controller = AbortSignal.abort('mine');
      get image() {
        return image;
      }
      get signal() {
        return this.#controller;
      }
    }
    expect(await codeOf(start().describe(new Request()))).toBe('mine');
    expect(server().getStats().requests).toBe(0);
  });
});
