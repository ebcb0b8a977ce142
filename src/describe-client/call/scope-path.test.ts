import { describe, expect, it } from 'vitest';
import { DESCRIBE_SPEC } from '../options/request-spec.ts';
import { scopePath } from './normalise-request.ts';

describe('a scope', () => {
  it("of a request stands below its client's, so that none reaches out of it", () => {
    const paths = [
      scopePath(undefined, undefined),
      scopePath('a', undefined),
      scopePath('a', 'b'),
      scopePath('a', 'a'),
      scopePath('a","b', undefined),
      scopePath('["a","b"]', undefined),
      scopePath('\ud800', undefined),
      scopePath('\udbff', undefined),
    ].map((path) => Buffer.from(path).toString('hex'));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('of a request is a scope of its own where its client has none', () => {
    expect(scopePath(undefined, 'a')).toBe(scopePath('a', undefined));
  });

  it('is a text of 1 to 256 characters', () => {
    const check = DESCRIBE_SPEC.cacheScope;
    const wrong = ['', ' ', 'x'.repeat(257), 5, null].map((value) => check(value, 'cacheScope').length);
    expect(wrong).toEqual([1, 1, 1, 1, 1]);
    expect(['x', 'x'.repeat(256), undefined].flatMap((value) => check(value, 'cacheScope'))).toEqual([]);
  });
});
