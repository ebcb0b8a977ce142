import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors/input-error.ts';
import type { DescribeInput, DescribeOptions } from '../options/describe-request.ts';
import { normaliseRequest } from './normalise-request.ts';

const DEFAULTS = {
  model: 'gpt-4.1-mini',
  prompt: 'Describe this image.',
  detail: 'low',
  maxOutputTokens: 300,
  timeoutMs: 60_000,
} as const;

const normalise = (input: unknown, options?: unknown) =>
  normaliseRequest(input as DescribeInput, options as DescribeOptions | undefined, DEFAULTS);

const errorOf = (input: unknown, options?: unknown): InputError => {
  try {
    normalise(input, options);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('normaliseRequest', () => {
  it('takes a URL, bytes, a Blob or a request, and fills in the defaults', () => {
    const bytes = new Uint8Array([1]);
    const blob = new Blob([bytes]);
    expect(normalise('https://a/b.png')).toMatchObject({
      ...DEFAULTS,
      image: 'https://a/b.png',
      priority: 0,
    });
    expect(normalise(bytes).image).toBe(bytes);
    expect(normalise(blob).image).toBe(blob);
    expect(normalise(bytes.buffer).image).toBe(bytes.buffer);
    expect(normalise({ file: 'a.png' }).image).toEqual({ file: 'a.png' });
    expect(normalise({ image: bytes, prompt: 'What?' })).toMatchObject({ image: bytes, prompt: 'What?' });
  });

  it('takes an object that names an image for a request, even if it could be read as a stream', () => {
    const bytes = new Uint8Array([1]);
    const stream = { async *[Symbol.asyncIterator]() {} };
    expect(normalise(stream).image).toBe(stream);
    expect(normalise({ ...stream, image: bytes, prompt: 'What?' })).toMatchObject({ image: bytes, prompt: 'What?' });
  });

  it('lets options win over the request, but for an explicit undefined', () => {
    const request = { imageUrl: 'https://a', prompt: 'one', model: 'm' };
    expect(normalise(request, { prompt: 'two', model: undefined })).toMatchObject({
      prompt: 'two',
      model: 'm',
    });
  });

  it.each([
    [{}, 'image'],
    [{ prompt: 'x' }, 'image'],
    [{ imageUrl: 'https://a', file: 'b' }, 'imageUrl'],
    [{ imageUrl: 'https://a', image: new Uint8Array(1), file: 'b' }, 'imageUrl'],
    [{ imageUrl: 5 }, 'imageUrl'],
    [{ image: 'text' }, 'image'],
    [{ file: '' }, 'file'],
    [null, 'input'],
    [undefined, 'input'],
    [5, 'input'],
    [{ file: 'a', detail: 'original' }, 'detail'],
    [{ file: 'a', maxOutputTokens: 0 }, 'maxOutputTokens'],
    [{ file: 'a', maxOutputTokens: Number.NaN }, 'maxOutputTokens'],
    [{ file: 'a', timeoutMs: '5' }, 'timeoutMs'],
    [{ file: 'a', timeoutMs: -1 }, 'timeoutMs'],
    [{ file: 'a', tags: [''] }, 'tags[0]'],
    [{ file: 'a', signal: {} }, 'signal'],
    [{ file: 'a', schema: { name: 'no spaces please', jsonSchema: {} } }, 'schema.name'],
    [{ file: 'a', schema: { name: 'ok' } }, 'schema.jsonSchema'],
    [{ file: 'a', cache: 'never' }, 'cache'],
  ])('names the wrong field of %o', (input, field) => {
    expect(errorOf(input)).toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field });
  });

  it('lists everything wrong and suggests the nearest field', () => {
    const error = errorOf({ file: 'a', promt: 'x' }, { detail: 'x' });
    expect(error.message).toContain('did you mean prompt?');
    expect(error.message).toContain('detail: expected one of "low", "high", "auto"');
  });
});

it('keeps the tags as they were, for the caller may use the array again', () => {
  const tags = ['a'];
  const request = normaliseRequest({ file: 'a', tags }, undefined, DEFAULTS);
  tags[0] = 'b';
  expect(request.tags).toEqual(['a']);
});

describe('the name of a model', () => {
  it('has at most 256 characters, for it becomes a key of maps and a label of metrics', () => {
    const imageUrl = 'https://a.example/1.png';
    const model = 'm'.repeat(256);
    expect(normaliseRequest({ imageUrl, model }, undefined, DEFAULTS).model).toBe(model);
    expect(() => normaliseRequest({ imageUrl, model: `${model}m` }, undefined, DEFAULTS)).toThrow(
      /model: expected a non-empty string of at most 256 characters, got a string of 257 characters/,
    );
  });
});
