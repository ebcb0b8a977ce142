import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors/input-error.ts';
import { generateKey } from './cache-key.ts';
import { generateImageHash } from './image-hash.ts';

/** A text that differs for values that differ in type, structure or content, but not in the order of properties. */
function fingerprint(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(fingerprint).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    const names = Object.keys(record).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${fingerprint(record[name])}`).join(',')}}`;
  }
  return `${typeof value}:${typeof value === 'string' ? JSON.stringify(value) : String(value)}`;
}

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, entry]) => [name, reversed(entry)]),
  );
};

const part = fc.anything({
  withBigInt: true,
  maxDepth: 2,
  values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(undefined), fc.constant(null)],
});

describe('generateKey', () => {
  it('gives equal keys exactly to equal parts', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 3 }), fc.array(part, { maxLength: 3 }), (left, right) => {
        const same = fingerprint(left) === fingerprint(right);
        expect(generateKey(...left) === generateKey(...right)).toBe(same);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('does not depend on the order of properties', () => {
    fc.assert(
      fc.property(part, (value) => {
        expect(generateKey(reversed(value))).toBe(generateKey(value));
      }),
      { seed: 2 },
    );
  });

  it.each([
    [
      ['ab', 'c'],
      ['a', 'bc'],
    ],
    [[1], ['1']],
    [[null], [undefined]],
    [[[]], [{}]],
    [[['a']], ['a']],
    [['a', undefined], ['a']],
    [[new Uint8Array([97])], ['a']],
    [[new Date(0)], [0]],
    [[1n], [1]],
    [[{ a: undefined }], [{}]],
    [[new URL('https://a.b/')], ['https://a.b/']],
  ])('tells parts apart, pair %#', (left, right) => {
    expect(generateKey(...left)).not.toBe(generateKey(...right));
  });

  it('is 64 hex digits that never change between versions', () => {
    expect(generateKey('image', { detail: 'low', n: 1 }, [true, null])).toMatchInlineSnapshot(
      `"1db132bac5fdf51888d86ed21f075f67645b6ab45b475dbcd61eca7f5ad813c0"`,
    );
  });

  it('refuses what has no identity', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const bad of [() => 1, Symbol('s'), new Map(), circular]) expect(() => generateKey(bad)).toThrow(InputError);
    const twice = { a: 1 };
    expect(() => generateKey(twice, twice, [twice])).not.toThrow();
  });
});

describe('generateImageHash', () => {
  const bytes = new Uint8Array([0, 1, 2, 255]);
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  it('is the SHA-256 of bytes, and of the bytes in a data URL', () => {
    expect(generateImageHash(bytes)).toBe(sha256);
    expect(generateImageHash(bytes.buffer)).toBe(sha256);
    expect(generateImageHash(Buffer.from([9, 0, 1, 2, 255, 9]).subarray(1, 5))).toBe(sha256);
    expect(generateImageHash(`data:image/png;base64,${Buffer.from(bytes).toString('base64')}`)).toBe(sha256);
    expect(generateImageHash('data:,%00%01%02%FF')).toBe(sha256);
  });

  it.each([
    [
      'S3',
      'https://b.s3.amazonaws.com/cat.jpg?X-Amz-Algorithm=A&X-Amz-Credential=C&X-Amz-Date=D&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=1',
    ],
    ['S3 V2', 'https://b.s3.amazonaws.com/cat.jpg?AWSAccessKeyId=K&Expires=1&Signature=S'],
    ['Google', 'https://storage.googleapis.com/b/cat.jpg?X-Goog-Algorithm=A&X-Goog-Date=D&X-Goog-Signature=1'],
    ['Azure', 'https://a.blob.core.windows.net/c/cat.jpg?sv=2022&se=1&sr=b&sp=r&sig=S'],
    ['CloudFront', 'https://d.cloudfront.net/cat.jpg?Expires=1&Signature=S&Key-Pair-Id=K'],
    ['imgix', 'https://x.imgix.net/cat.jpg?s=0123456789abcdef0123456789abcdef'],
  ])('does not change when %s signs a URL anew', (_, signed) => {
    const plain = signed.slice(0, signed.indexOf('?'));
    expect(generateImageHash(signed)).toBe(generateImageHash(plain));
    expect(generateImageHash(`${signed}&w=100`)).toBe(generateImageHash(`${plain}?w=100`));
    expect(generateImageHash(`${signed}&w=100`)).not.toBe(generateImageHash(signed));
  });

  it('keeps what changes the image', () => {
    const hash = (url: string) => generateImageHash(url);
    const base = hash('https://EXAMPLE.com:443/cat.jpg?b=2&a=1#top');
    expect(hash('https://example.com/cat.jpg?a=1&b=2')).toBe(base);
    expect(hash('https://user:pass@example.com/cat.jpg?a=1&b=2')).toBe(base);
    expect(hash(new URL('https://example.com/cat.jpg?a=1&b=2').href)).toBe(base);
    for (const other of ['?a=2&b=2', '?a=1', '?a=1&b=2&expires=5', '?a=1&b=2&s=100']) {
      expect(hash(`https://example.com/cat.jpg${other}`)).not.toBe(base);
    }
    expect(hash('https://example.com/Cat.jpg?a=1&b=2')).not.toBe(base);
  });

  it('never gives bytes the identity of a URL', () => {
    const url = 'https://example.com/cat.jpg';
    expect(generateImageHash(Buffer.from(`url:${url}`))).not.toBe(generateImageHash(url));
    expect(generateImageHash(Buffer.from(url))).not.toBe(generateImageHash(url));
  });

  it('refuses what is neither', () => {
    for (const bad of ['cat.jpg', '', 5, null, 'data:image/png']) {
      expect(() => generateImageHash(bad as string)).toThrow(InputError);
    }
  });
});
