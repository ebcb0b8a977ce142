import { describe, expect, it } from 'vitest';
import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { MAX_TTL_SECONDS } from './cache-input.ts';
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
    for (const bad of [{ code: 'DESCRIBE_LATER' }, { code: 1 }, { message: 1 }, { fields: null }, { fields: 1 }])
      expect(isStoredFailure({ ...good, ...bad })).toBe(false);
    expect(storeFailure(Object.assign(new DescribeError('DESCRIBE_CACHE', 'no'), { code: 'DESCRIBE_LATER' }))).toBe(
      undefined,
    );
  });

  it('is none when one of its fields is not what an error of ours has', () => {
    const failure = (fields: object) => ({ code: 'DESCRIBE_RATE_LIMITED', message: 'no', fields });
    const good = { retryable: true, status: 429, retryAfterMs: 50, requestId: 'r', upstreamMessage: 'slow' };
    expect(isStoredFailure(failure(good))).toBe(true);
    const wrong = [
      { retryable: 'no' },
      { status: '429' },
      { status: 4.5 },
      { retryAfterMs: 1e300 },
      { retryAfterMs: -1 },
      { retryAfterMs: null },
      { requestId: {} },
      { upstreamMessage: 'x'.repeat(3_000) },
    ];
    for (const fields of wrong) expect(isStoredFailure(failure({ ...good, ...fields }))).toBe(false);
    expect(isStoredFailure({ ...failure(good), message: 'x'.repeat(3_000) })).toBe(false);
  });

  it('has no fields but those of an error of ours, whatever stood in Redis', () => {
    const planted = JSON.parse(
      '{"code":"DESCRIBE_REFUSED","message":"no","fields":{"status":400,"message":"other","stack":1,"toJSON":1,"__proto__":{"retryable":true},"costUsd":5}}',
    );
    expect(isStoredFailure(planted)).toBe(true);
    const revived = reviveFailure(planted);
    expect(Object.keys(revived).sort()).toEqual(['code', 'retryable', 'status']);
    expect([revived.message, revived.retryable]).toEqual(['no', false]);
    expect(Object.getPrototypeOf(revived)).toBe(UpstreamError.prototype);
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
