import { describe, expect, it } from 'vitest';
import { shortTokenOf } from './server-reason.ts';

describe('shortTokenOf', () => {
  it.each([
    'req_0123456789abcdef0123456789abcdef',
    '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed',
    'req_011CSHoEeqs5C35K2UUqR7Fy',
    '8f1a2b3c4d5e-FRA',
    'chatcmpl-42',
    'x'.repeat(128),
  ])('takes %s', (id) => {
    expect(shortTokenOf(id)).toBe(id);
  });

  it.each([
    '',
    'Bearer sk-1234567890',
    'sk-SECRETKEY123456',
    'x'.repeat(129),
    'a b',
    'a\nb',
    '{"a":1}',
    'iVBORw0KGgo/AAAA+',
    '-x',
    undefined,
    7,
    ['req_1'],
  ])('takes no %j', (id) => {
    expect(shortTokenOf(id)).toBeUndefined();
  });

  it('takes no key that the request was sent with', () => {
    expect(shortTokenOf('id-abcd1234', ['abcd1234'])).toBeUndefined();
    expect(shortTokenOf('id-abcd1234', ['k'])).toBe('id-abcd1234');
  });
});
