import { describe, expect, it } from 'vitest';
import { DescribeError } from '../errors/describe-error.ts';
import { UpstreamError } from '../errors/upstream-error.ts';
import { MAX_TTL_SECONDS } from './cache-options.ts';
import { isStoredFailure, negativeTtlMs, reviveFailure, storeFailure } from './negative-entry.ts';

describe('a failure that is remembered', () => {
  it('comes back with its class, code, message and fields', () => {
    const stored = storeFailure(new UpstreamError('DESCRIBE_REFUSED', 'no', { status: 400 }));
    expect(isStoredFailure(stored)).toBe(true);
    const revived = stored && reviveFailure(stored);
    expect(revived).toBeInstanceOf(UpstreamError);
    expect(revived).toMatchObject({ code: 'DESCRIBE_REFUSED', message: 'no', status: 400 });
  });

  it('is one whose code this version knows, with fields', () => {
    const good = { code: 'DESCRIBE_REFUSED', message: 'no', fields: {} };
    expect(isStoredFailure(good)).toBe(true);
    for (const bad of [
      { code: 'DESCRIBE_LATER' },
      { code: 1 },
      { message: 1 },
      { fields: null },
      { fields: 1 },
    ])
      expect(isStoredFailure({ ...good, ...bad })).toBe(false);
    expect(
      storeFailure(Object.assign(new DescribeError('DESCRIBE_CACHE', 'no'), { code: 'DESCRIBE_LATER' })),
    ).toBe(undefined);
  });

  it('is remembered for a time that a cache can count', () => {
    const of = (seconds: number | undefined) => negativeTtlMs(() => seconds, new Error('any'));
    expect([of(undefined), of(0), of(-1), of(Number.NaN), of(0.5)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      500,
    ]);
    expect(of(Number.POSITIVE_INFINITY)).toBe(MAX_TTL_SECONDS * 1_000);
  });
});
