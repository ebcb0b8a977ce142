import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HttpStatusError } from '../http/http-status-error.ts';
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

  it.each(classes)(
    '%s is text, so a minifier that renames the class changes nothing',
    (name, { prototype }) => {
      expect(Object.getOwnPropertyDescriptor(prototype, 'name')?.value).toBe(name);
    },
  );
});

describe('docs/errors.md', () => {
  it('explains every code, and no code that does not exist', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `(DESCRIBE_[A-Z_]+)`/gm)].map(([, code]) => code);
    expect(documented.toSorted()).toEqual([...errors.ERROR_CODES].toSorted());
  });
});
