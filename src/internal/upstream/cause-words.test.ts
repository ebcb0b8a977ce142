import { describe, expect, it } from 'vitest';
import { causeWords } from './cause-words.ts';

const coded = (message: string, code: string, more: object = {}) =>
  Object.assign(new Error(message), { code, ...more });

describe('causeWords', () => {
  it.each([
    ['the message', new Error('refused'), 'refused'],
    ['a string that was thrown', 'refused', 'refused'],
    ['the code where there is no message', coded('', 'ECONNREFUSED'), 'ECONNREFUSED'],
    [
      'the cause of what says little',
      new TypeError('fetch failed', { cause: new Error('no route') }),
      'fetch failed: no route',
    ],
    ['a cause that is quoted already once', new Error('it failed: no', { cause: new Error('no') }), 'it failed: no'],
    [
      'the first of several errors',
      new AggregateError([coded('connect ECONNREFUSED ::1:9', 'ECONNREFUSED')]),
      'connect ECONNREFUSED ::1:9',
    ],
  ])('tells %s', (_, cause, words) => {
    expect(causeWords(cause)).toBe(words);
  });

  it.each([undefined, null, 7, {}, '', new Error(''), { message: 7 }])('tells nothing of %s', (cause) => {
    expect(causeWords(cause)).toBeUndefined();
  });

  it('survives a cause whose properties throw, and one that is its own cause', () => {
    const hostile = new Proxy(new Error('x'), {
      get() {
        throw new Error('no');
      },
    });
    expect(causeWords(hostile)).toBeUndefined();
    const circle = new Error('round');
    circle.cause = circle;
    expect(causeWords(circle)).toBe('round');
  });

  it('has at most 200 characters, on one line', () => {
    const words = causeWords(new Error('no way\n'.repeat(100_000)));
    expect(words).toHaveLength(200);
    expect(words).not.toContain('\n');
  });

  it('holds no secret', () => {
    const words = causeWords(
      new Error('Bearer abc123def456 for rediss://user:hunter2@redis.example:6379?token=1 with sk-proj-12345'),
    );
    expect(words).toContain('redis.example');
    for (const secret of ['abc123def456', 'hunter2', 'token=1', 'sk-proj-12345']) {
      expect(words).not.toContain(secret);
    }
  });
});
