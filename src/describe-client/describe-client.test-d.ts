import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import type { DescribeResult } from './call/describe-result.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeInput, DescribeRequest, StructuredRequest } from './options/describe-request.ts';
import type { DescribeSchema } from './schema/schema-source.ts';

interface Cat {
  readonly legs: number;
}

declare const client: DescribeClient;
declare const schema: DescribeSchema<Cat>;
declare const maybeSchema: DescribeSchema<Cat> | undefined;
const imageUrl = 'https://example.com/cat.png';

describe('describe', () => {
  it('has data of the type that parse returns', async () => {
    const parse = (value: unknown): Cat => value as Cat;
    const { data } = await client.describe({ imageUrl, schema: { name: 'cat', jsonSchema: {}, parse } });
    expectTypeOf(data).toEqualTypeOf<Cat>();
    expectTypeOf(data.legs).toBeNumber();
  });

  it('has data of a schema among the options, which win', async () => {
    expectTypeOf((await client.describe(imageUrl, { schema })).data).toEqualTypeOf<Cat>();
    expectTypeOf((await client.describe(new Uint8Array(), { schema })).data).toEqualTypeOf<Cat>();
    const other: DescribeSchema<string> = { name: 'text', jsonSchema: {} };
    const { data } = await client.describe({ imageUrl, schema: other }, { schema });
    expectTypeOf(data).toEqualTypeOf<Cat>();
  });

  it('keeps the data of a request beside options without a schema', async () => {
    const { data } = await client.describe({ imageUrl, schema }, { priority: 1 });
    expectTypeOf(data).toEqualTypeOf<Cat>();
  });

  it('has unknown data without parse', async () => {
    const { data } = await client.describe({ imageUrl, schema: { name: 'cat', jsonSchema: {} } });
    expectTypeOf(data).toBeUnknown();
  });

  it('has no data without a schema', async () => {
    expectTypeOf((await client.describe(imageUrl)).data).toEqualTypeOf<undefined>();
    expectTypeOf((await client.describe({ imageUrl })).data).toEqualTypeOf<undefined>();
    expectTypeOf((await client.describe({ imageUrl }, { priority: 1 })).data).toEqualTypeOf<undefined>();
    expectTypeOf((await client.describe(imageUrl, undefined)).data).toEqualTypeOf<undefined>();
  });

  it('may have data where a schema may be there', async () => {
    const { data } = await client.describe({ imageUrl, schema: maybeSchema });
    expectTypeOf(data).toEqualTypeOf<Cat | undefined>();
    const request: DescribeRequest<Cat> = { imageUrl };
    expectTypeOf((await client.describe(request)).data).toEqualTypeOf<Cat | undefined>();
    const input: DescribeInput = imageUrl;
    expectTypeOf(await client.describe(input as DescribeInput)).toExtend<DescribeResult>();
  });

  it('has data of the type of a schema of zod, valibot, arktype or openai', async () => {
    interface Pet {
      name: string;
      legs?: number | undefined;
    }
    const zod = z.object({ name: z.string(), legs: z.number().optional() });
    const { data } = await client.describe({ imageUrl, schema: zod });
    expectTypeOf(data).toEqualTypeOf<Pet>();
    expectTypeOf((await client.describe(imageUrl, { schema: zod })).data).toEqualTypeOf<Pet>();
    const length = z.object({ name: z.string().transform((name) => name.length) });
    expectTypeOf((await client.describe({ imageUrl, schema: length })).data.name).toBeNumber();
    const valibot = toStandardJsonSchema(v.object({ name: v.string(), legs: v.optional(v.number()) }));
    expectTypeOf((await client.describe({ imageUrl, schema: valibot })).data).toEqualTypeOf<Pet>();
    const arktype = type({ name: 'string', legs: 'number | null' });
    const answer = await client.describe({ imageUrl, schema: arktype });
    expectTypeOf(answer.data).toEqualTypeOf<{ name: string; legs: number | null }>();
    const nullable = z.object({ name: z.string().nullable() });
    const formats = [zodResponseFormat(nullable, 'pet')] as const;
    expectTypeOf((await client.describe({ imageUrl, schema: formats[0] })).data.name).toEqualTypeOf<string | null>();
    const format = zodTextFormat(nullable, 'pet');
    expectTypeOf((await client.describe({ imageUrl, schema: format })).data.name).toEqualTypeOf<string | null>();
    for await (const item of client.describeMany([{ imageUrl, schema: zod }])) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data).toEqualTypeOf<Pet>();
    }
  });

  it('takes the type of the data by hand', async () => {
    const jsonSchema = {};
    const { data } = await client.describe<Cat>({ imageUrl, schema: { name: 'cat', jsonSchema } });
    expectTypeOf(data).toEqualTypeOf<Cat>();
  });

  it('refuses a name that no request has', () => {
    // @ts-expect-error the name is imageUrl
    void client.describe({ url: imageUrl });
    // @ts-expect-error also with a schema
    void client.describe({ url: imageUrl, schema });
  });
});

describe('describeMany', () => {
  it('yields data where every request has a schema', async () => {
    for await (const item of client.describeMany([{ imageUrl, schema }])) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data).toEqualTypeOf<Cat>();
      else expectTypeOf(item.reason).toBeUnknown();
    }
    async function* requests(): AsyncGenerator<StructuredRequest<Cat>> {
      yield { imageUrl, schema };
    }
    for await (const item of client.describeMany(requests(), { ordered: true })) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data.legs).toBeNumber();
    }
  });

  it('yields data of a schema for all inputs', async () => {
    for await (const item of client.describeMany([imageUrl], { schema, concurrency: 2 })) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data).toEqualTypeOf<Cat>();
    }
    for await (const item of client.describeMany([{ imageUrl, schema }], { priority: 1 })) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data).toEqualTypeOf<Cat>();
    }
  });

  it('yields no data without schemas, and perhaps some where they are mixed', async () => {
    for await (const item of client.describeMany([imageUrl, new URL(imageUrl)])) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data).toEqualTypeOf<undefined>();
    }
    for await (const item of client.describeMany([imageUrl, { imageUrl, schema }])) {
      if (item.status === 'fulfilled') expectTypeOf(item.value.data).toEqualTypeOf<Cat | undefined>();
    }
  });
});
