import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HttpStatusError } from '../http/http-reply.ts';
import { HTTP_STATUSES } from './error-code.ts';
import * as errors from './index.ts';

describe('DescribeError', () => {
  it('is recognised by its brand across copies of the package, and by code', () => {
    const copy = Object.assign(new Error('x'), { code: 'DESCRIBE_AUTH' });
    Object.defineProperty(copy, Symbol.for('@describe-it/sdk/error'), { value: true });
    expect(errors.DescribeError.is(copy)).toBe(true);
    expect(errors.DescribeError.is(copy, 'DESCRIBE_AUTH')).toBe(true);
    expect(errors.DescribeError.is(copy, 'DESCRIBE_CLOSED')).toBe(false);
    for (const other of [new Error('x'), null, undefined, 'x', {}]) {
      expect(errors.DescribeError.is(other)).toBe(false);
    }
  });

  it('shows its class in its name and keeps its cause', () => {
    const cause = new Error('why');
    const error = new errors.PoolCreateError('pool', 'it failed', { cause });
    expect(error.name).toBe('PoolCreateError');
    expect(error.cause).toBe(cause);
    expect(error.retryable).toBe(true);
    expect(Object.keys(error)).not.toContain('name');
  });
});

describe('the name of an error', () => {
  const classes = Object.entries({ ...errors, HttpStatusError }).filter(
    (entry): entry is [string, typeof errors.DescribeError] =>
      typeof entry[1] === 'function' && entry[1].prototype instanceof Error,
  );

  it.each(classes)('%s is text, so a minifier that renames the class changes nothing', (name, { prototype }) => {
    expect(Object.getOwnPropertyDescriptor(prototype, 'name')?.value).toBe(name);
  });
});

describe('toJSON', () => {
  it('says all that the error says', () => {
    const error = new errors.UpstreamError('DESCRIBE_RATE_LIMITED', 'too fast', {
      status: 429,
      requestId: 'req_1',
      upstreamCode: 'slow_down',
      upstreamMessage: 'Slow down.',
      retryAfterMs: 500,
      retryable: true,
      cause: new errors.TimeoutError('a thing', 5),
    });
    Object.defineProperty(error, 'explain', { value: { totalMs: 1 } });
    expect(JSON.parse(JSON.stringify({ error }))).toEqual({
      error: {
        name: 'UpstreamError',
        code: 'DESCRIBE_RATE_LIMITED',
        message: 'too fast',
        retryable: true,
        status: 429,
        requestId: 'req_1',
        upstreamCode: 'slow_down',
        upstreamMessage: 'Slow down.',
        retryAfterMs: 500,
        explain: { totalMs: 1 },
        cause: { name: 'TimeoutError', code: 'DESCRIBE_TIMEOUT', message: 'a thing did not end within 5 ms' },
      },
    });
    const config = new errors.ConfigError('x', [{ option: 'a', expected: 'b', got: 'c' }]);
    expect(config.toJSON()).toMatchObject({ issues: [{ option: 'a', expected: 'b', got: 'c' }] });
  });

  it('leaves out what somebody else threw, and what somebody else put on the error', () => {
    const cause = Object.assign(new Error('a red cat'), { circle: {} });
    cause.circle = cause;
    const error = Object.assign(new errors.CacheError('no', { cause }), { secret: 'a red cat', big: 1n });
    expect(JSON.stringify(error)).toBe(
      '{"name":"CacheError","code":"DESCRIBE_CACHE","message":"no","retryable":false}',
    );
  });
});

describe('docs/errors.md', () => {
  it('explains every code, and no code that does not exist', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `(DESCRIBE_[A-Z_]+)`/gm)].map(([, code]) => code);
    expect(documented.toSorted()).toEqual([...errors.ERROR_CODES].toSorted());
  });

  it('names the status of every code', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| (\d{3}) +\| (.+?) +\|$/gm)].flatMap(([, status, codes = '']) =>
      [...codes.matchAll(/`(DESCRIBE_[A-Z_]+)`/g)].map(([, code]) => [code, Number(status)] as const),
    );
    expect(Object.fromEntries(rows)).toEqual(HTTP_STATUSES);
  });
});
