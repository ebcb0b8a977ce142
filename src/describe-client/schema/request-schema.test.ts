import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import * as v from 'valibot';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { requestSchema, schemaCheck } from './request-schema.ts';
import type { SchemaSource } from './schema-source.ts';

/** The sent schema and the reader of answers, as the first call makes them. */
const read = (source: unknown) => {
  expect(schemaCheck(source, 'schema')).toEqual([]);
  const { name, jsonSchema, parse } = requestSchema(source as SchemaSource);
  if (parse === undefined) throw new Error('there is no parse');
  return { name, jsonSchema, parse };
};

const issueOf = (source: unknown) => {
  const [issue] = schemaCheck(source, 'schema');
  return issue && `${issue.option}: expected ${issue.expected}, got ${issue.got}`;
};

const CAT = {
  type: 'object',
  properties: { name: { type: 'string' }, legs: { type: ['number', 'null'] } },
  required: ['name', 'legs'],
  additionalProperties: false,
};

describe('a schema of a library', () => {
  it.each([
    ['zod', z.object({ name: z.string(), legs: z.number().optional() })],
    ['valibot', toStandardJsonSchema(v.object({ name: v.string(), legs: v.optional(v.number()) }))],
    ['arktype', type({ name: 'string', 'legs?': 'number' })],
  ])('of %s is sent in strict mode, and its optional field is absent again', (_, source) => {
    const { name, jsonSchema, parse } = read(source);
    expect(name).toBe('description');
    // Libraries differ in the order of their fields.
    expect({ ...jsonSchema, required: expect.anything() }).toEqual({ ...CAT, required: expect.anything() });
    expect(new Set(jsonSchema['required'] as string[])).toEqual(new Set(CAT.required));
    expect(parse({ name: 'Tom', legs: null })).toEqual({ name: 'Tom' });
    expect(parse({ name: 'Tom', legs: 4 })).toEqual({ name: 'Tom', legs: 4 });
    expect(() => parse({ name: 4, legs: null })).toThrow(/name/);
  });

  it('is named by its title', () => {
    expect(read(z.object({ a: z.string() }).meta({ title: 'A cat, black' })).name).toBe('A_cat__black');
  });

  it('is read once, whatever the number of calls', () => {
    const input = vi.fn(() => ({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }));
    const source = {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }), jsonSchema: { input } },
    };
    const first = read(source);
    const calls = input.mock.calls.length;
    expect(read(source).jsonSchema).toBe(first.jsonSchema);
    expect(input).toHaveBeenCalledTimes(calls);
  });

  it('fills in the defaults and transforms of its validator', () => {
    const source = z.object({ legs: z.number().default(4), name: z.string().transform((name) => name.length) });
    const { jsonSchema, parse } = read(source);
    expect(jsonSchema).toMatchObject({ properties: { legs: { type: ['number', 'null'] }, name: { type: 'string' } } });
    expect(JSON.stringify(jsonSchema)).not.toContain('default');
    expect(parse({ legs: null, name: 'Tom' })).toEqual({ legs: 4, name: 3 });
  });

  it('keeps null where the field itself may be null', () => {
    const { jsonSchema, parse } = read(z.object({ a: z.string().nullish(), b: z.string().optional() }));
    expect(jsonSchema).toMatchObject({ required: ['a', 'b'] });
    expect(parse({ a: null, b: null })).toEqual({ a: null });
  });

  it('leaves out the rules that strict mode lacks, and its validator checks them', () => {
    const source = z.object({
      name: z
        .string()
        .min(2)
        .max(5)
        .regex(/^(?!x)/)
        .regex(/o/)
        .describe('Its name'),
      home: z.url(),
      born: z.iso.datetime(),
      tags: z.array(z.string()).min(1),
    });
    const { jsonSchema, parse } = read(source);
    expect(jsonSchema).toMatchObject({
      properties: {
        name: { type: 'string', description: 'Its name' },
        home: { type: 'string' },
        born: { type: 'string', format: 'date-time' },
        tags: { type: 'array', items: { type: 'string' }, minItems: 1 },
      },
    });
    expect(JSON.stringify(jsonSchema)).not.toMatch(/allOf|minLength|\(\?!|"uri"|\$schema/);
    const cat = { home: 'https://a.example', born: '2026-01-01T00:00:00Z', tags: ['a'] };
    expect(() => parse({ ...cat, name: 'T' })).toThrow(/name/);
    expect(parse({ ...cat, name: 'Tom' })).toMatchObject({ name: 'Tom' });
  });

  it('sends unions, and takes each branch by its form', () => {
    const source = z.object({
      pet: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('cat'), lives: z.number().optional(), note: z.string().nullable() }),
        z.object({ kind: z.literal('dog'), lives: z.number().nullable(), note: z.string().optional() }),
      ]),
      size: z.enum(['small', 'large']).optional(),
    });
    const { jsonSchema, parse } = read(source);
    expect(JSON.stringify(jsonSchema)).not.toContain('oneOf');
    expect(jsonSchema).toMatchObject({
      properties: { size: { anyOf: [{ type: 'string', enum: ['small', 'large'] }, { type: 'null' }] } },
    });
    expect(parse({ pet: { kind: 'cat', lives: null, note: null }, size: null })).toEqual({
      pet: { kind: 'cat', note: null },
    });
    expect(parse({ pet: { kind: 'dog', lives: null, note: null }, size: 'small' })).toEqual({
      pet: { kind: 'dog', lives: null },
      size: 'small',
    });
  });

  it('sends a schema that refers to itself', () => {
    const node = z.object({
      name: z.string(),
      get parent() {
        return node.optional();
      },
      get children() {
        return z.array(node).optional();
      },
    });
    const { jsonSchema, parse } = read(node);
    expect(jsonSchema).toMatchObject({ type: 'object', required: ['name', 'parent', 'children'] });
    const answer = { name: 'a', parent: null, children: [{ name: 'b', parent: null, children: null }] };
    expect(parse(answer)).toEqual({ name: 'a', children: [{ name: 'b' }] });
  });

  it('inlines a root that is a reference', () => {
    const { jsonSchema } = read(z.object({ a: z.string() }).meta({ id: 'Cat' }));
    expect(jsonSchema).toMatchObject({ type: 'object', properties: { a: { type: 'string' } } });
    expect(JSON.stringify(jsonSchema)).not.toContain('"id"');
  });

  it('keeps the words beside a reference', () => {
    const shared = z.object({ a: z.string() }).meta({ id: 'Shared' });
    const { jsonSchema } = read(z.object({ one: shared.describe('The first'), two: shared }));
    const { properties } = jsonSchema as { properties: Record<string, Record<string, unknown>> };
    for (const property of Object.values(properties)) {
      if ('$ref' in property) expect(Object.keys(property)).toEqual(['$ref']);
    }
    expect(JSON.stringify(jsonSchema)).toContain('The first');
  });

  it.each<[string, unknown, RegExp]>([
    ['a record', z.object({ a: z.record(z.string(), z.number()) }), /^schema\.a: expected named fields.*free keys/],
    ['a tuple', z.object({ a: z.tuple([z.string()]) }), /^schema\.a: .*field for each element.*`prefixItems`/],
    [
      'an intersection',
      toStandardJsonSchema(v.object({ a: v.intersect([v.object({ b: v.string() }), v.object({ c: v.string() })]) })),
      /schema\.a: .*allOf/,
    ],
    ['anything', z.object({ list: z.array(z.object({ any: z.any() })) }), /^schema\.list\[\]\.any: .*with a type/],
    ['a catch-all', z.object({ a: z.string() }).catchall(z.number()), /^schema: .*further fields of a type/],
    ['an array as a whole', z.array(z.string()), /^schema: expected an object as the whole answer/],
    [
      'a union as a whole',
      z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
      /^schema: .*put it into a field/,
    ],
    ['a date', z.object({ a: z.date() }), /^schema: .*JSON Schema can express, got one whose library says: .*Date/],
    ['a bare schema of valibot', v.object({ a: v.string() }), /valibot: `toStandardJsonSchema\(schema\)`/],
    ['a type of strings by rules', type({ '[string]': 'number' }), /^schema: expected named fields/],
  ])('is refused by its place for %s', (_, source, said) => {
    expect(issueOf(source)).toMatch(said);
    expect(issueOf(source)).toMatch(said);
  });

  it('is refused with an asynchronous validator, at once where that shows', () => {
    const jsonSchema = { input: () => ({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }) };
    const always = { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('later')), jsonSchema };
    expect(issueOf({ '~standard': always })).toMatch(/^schema: expected a synchronous validator, got one that returns/);
    const { parse } = read(z.object({ a: z.string().refine(async () => true) }));
    expect(() => parse({ a: 'x' })).toThrow(TypeError);
  });

  it('takes an older arktype, by its own method', () => {
    const validate = (value: unknown) => ({ value });
    const toJsonSchema = () => ({ type: 'object', properties: { a: { enum: ['x'] } }, required: ['a'] });
    const { jsonSchema } = read(
      Object.assign(() => {}, { '~standard': { version: 1, vendor: 'arktype', validate }, toJsonSchema }),
    );
    expect(jsonSchema).toMatchObject({
      properties: { a: { type: 'string', enum: ['x'] } },
      additionalProperties: false,
    });
  });
});

describe("openai's own format", () => {
  const cat = z.object({ name: z.string(), legs: z.number().nullable() });
  it.each([
    ['zodResponseFormat', zodResponseFormat(cat, 'cat')],
    ['zodTextFormat', zodTextFormat(cat, 'cat')],
  ])('of %s is sent as it is, and parses', (_, format) => {
    const { name, jsonSchema, parse } = read(format);
    expect(name).toBe('cat');
    expect(jsonSchema).toMatchObject({ type: 'object', required: ['name', 'legs'], additionalProperties: false });
    expect(parse({ name: 'Tom', legs: null })).toEqual({ name: 'Tom', legs: null });
    expect(() => parse({ name: 4, legs: null })).toThrow();
  });

  it('may be written by hand, and is checked', () => {
    expect(requestSchema({ type: 'json_schema', json_schema: { name: 'a', schema: CAT } } as never)).toMatchObject({
      name: 'a',
      jsonSchema: CAT,
    });
    expect(issueOf({ type: 'json_schema', json_schema: { name: 'no spaces', schema: {} } })).toMatch(/^schema\.name/);
    expect(issueOf({ type: 'json_schema' })).toMatch(/^schema\.name/);
  });
});

describe('a schema that was written by hand', () => {
  it('stays the same object where strict mode takes it', () => {
    const schema = { name: 'cat', jsonSchema: CAT };
    expect(requestSchema(schema)).toBe(schema);
    const open = { name: 'cat', jsonSchema: {} };
    expect(requestSchema(open)).toBe(open);
  });

  it('gets what has an exact translation, and keeps the rest for the API to judge', () => {
    const jsonSchema = {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 2 },
        legs: { type: 'integer', default: 4 },
        sizes: { type: 'object', additionalProperties: { type: 'number' } },
      },
      required: ['name', 'sizes'],
    };
    const before = structuredClone(jsonSchema);
    const { jsonSchema: sent, parse } = requestSchema({ name: 'cat', jsonSchema });
    expect(sent).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 2 },
        legs: { type: ['integer', 'null'] },
        sizes: { type: 'object', additionalProperties: { type: 'number' } },
      },
      required: ['name', 'legs', 'sizes'],
      additionalProperties: false,
    });
    expect(jsonSchema).toEqual(before);
    expect(parse?.({ name: 'Tom', legs: null, sizes: {} })).toEqual({ name: 'Tom', sizes: {} });
  });

  it('with unions within unions takes no longer for each level of an answer than for the one before', () => {
    const branch = (kind: string) => ({
      type: 'object',
      properties: { child: { $ref: '#/$defs/node' }, kind: { const: kind }, note: { type: 'string' } },
      required: ['child', 'kind'],
    });
    const jsonSchema = {
      type: 'object',
      properties: { tree: { $ref: '#/$defs/node' } },
      $defs: { node: { anyOf: [branch('a'), branch('b'), { type: 'null' }] } },
    };
    const { parse } = requestSchema({ name: 'tree', jsonSchema });
    let answer: object | null = null;
    let meant: object | null = null;
    // Their kind is known last. Looked at anew at each level, this many would take days.
    for (let level = 0; level < 60; level += 1) {
      answer = { child: answer, kind: 'b', note: null };
      meant = { child: meant, kind: 'b' };
    }
    expect(parse?.({ tree: answer })).toEqual({ tree: meant });
  });

  it('with a union that leads to itself is read', () => {
    const node = { anyOf: [{ $ref: '#/$defs/node' }, { type: 'object', properties: { a: { type: 'string' } } }] };
    const jsonSchema = { type: 'object', properties: { x: { $ref: '#/$defs/node' } }, $defs: { node } };
    expect(requestSchema({ name: 'x', jsonSchema }).parse?.({ x: { a: 'b' } })).toEqual({ x: { a: 'b' } });
    const shared = Array.from({ length: 40 }, (_, at) => {
      const next = { $ref: `#/$defs/s${at + 1}` };
      return [`s${at}`, { anyOf: [next, next] }];
    });
    const $defs = { ...Object.fromEntries(shared), s40: { type: 'string' } };
    const many = { type: 'object', properties: { x: { $ref: '#/$defs/s0' } }, $defs };
    expect(requestSchema({ name: 'x', jsonSchema: many }).parse?.({ x: null })).toEqual({});
  });

  it('is translated once for each object', () => {
    const jsonSchema = { type: 'object', properties: { a: { type: 'string' } } };
    const sent = requestSchema({ name: 'a', jsonSchema }).jsonSchema;
    expect(requestSchema({ name: 'b', jsonSchema }).jsonSchema).toBe(sent);
  });
});
