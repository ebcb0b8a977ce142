import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../errors/config-error.ts';
import { baseUrl, headerRecord, headerSafeSecret, httpUrl } from './http-checks.ts';
import {
  boolean,
  callable,
  checkOptions,
  describeKind,
  finiteNumber,
  integer,
  listOf,
  milliseconds,
  nonEmptyText,
  oneOf,
  ratio,
  required,
  secret,
  shape,
  textRecord,
  whichever,
  withMethods,
  wrongInput,
} from './option-checks.ts';

const failureOf = (run: () => void): ConfigError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const issuesOf = (options: Record<string, unknown>, checks: Parameters<typeof shape>[0]) =>
  failureOf(() => checkOptions('Thing', options, checks)).issues;

describe('checkOptions', () => {
  it('shows no string where none is expected: a key or a URL with a password lands in many places', () => {
    const url = 'redis://:hunter2@cache';
    const checks = {
      nested: shape({}),
      list: listOf(boolean()),
      run: callable(),
      driver: withMethods('a driver', 'call'),
    };
    const wrong = { nested: url, list: url, run: url, driver: url };
    expect(issuesOf(wrong, checks).map(({ got }) => got)).toEqual(Array(4).fill('a string (not shown)'));
    expect(shape({})(url, '')).toEqual([{ option: 'options', expected: 'an object', got: 'a string (not shown)' }]);
  });

  it('lists everything wrong at once, with the option, what is expected and what it got', () => {
    const error = failureOf(() =>
      checkOptions<{ min?: number; timeoutMs?: unknown; ratio?: unknown }>(
        'Pool',
        { min: -1, timeoutMs: '5', ratio: Number.NaN },
        { min: integer({ min: 0 }), timeoutMs: milliseconds(), ratio: ratio() },
      ),
    );
    expect(error.code).toBe('DESCRIBE_CONFIG_INVALID');
    expect(error.issues).toEqual([
      { option: 'min', expected: 'a whole number of at least 0', got: '-1' },
      { option: 'timeoutMs', expected: 'milliseconds from 1 to 2147483647', got: '"5"' },
      { option: 'ratio', expected: 'a number from 0 to 1', got: 'NaN' },
    ]);
    expect(error.message).toContain('Pool: min: expected a whole number of at least 0, got -1; ');
  });

  it('tells ten unknown names, cut to 64 characters, and compares none that is longer', () => {
    const long = issuesOf({ [`min${'n'.repeat(1_000_000)}`]: 1 }, { min: integer() });
    expect(long).toEqual([{ option: `min${'n'.repeat(60)}…`, expected: 'a known option', got: 'an unknown name' }]);
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`name${index}`, 1]));
    expect(issuesOf(many, { min: integer() })).toHaveLength(10);
  });

  it('names the nearest option for an unknown one, at every depth', () => {
    const checks = { acquireTimeoutMs: milliseconds(), nested: shape({ batchSize: integer() }) };
    expect(issuesOf({ acquireTimoutMs: 5, nested: { batchsize: 1 } }, checks)).toEqual([
      {
        option: 'acquireTimoutMs',
        expected: 'a known option (did you mean acquireTimeoutMs?)',
        got: 'an unknown name',
      },
      {
        option: 'nested.batchsize',
        expected: 'a known option (did you mean nested.batchSize?)',
        got: 'an unknown name',
      },
    ]);
    expect(issuesOf({ completelyElse: 1 }, checks)[0]?.expected).toBe('a known option');
  });

  it('takes an explicit undefined for the default unless the option is required', () => {
    expect(() =>
      checkOptions('Thing', { size: undefined, name: undefined }, { size: integer(), name: boolean() }),
    ).not.toThrow();
    expect(issuesOf({}, { key: required(nonEmptyText(), 'a name') })).toEqual([
      { option: 'key', expected: 'a name', got: 'nothing' },
    ]);
  });

  it('never shows a secret, a header or a URL', () => {
    const wrong = {
      key: ' ',
      url: 'ftp://user:hunter2@host',
      headers: { authorization: 5, other: 'hunter2' },
    };
    const error = failureOf(() =>
      checkOptions('Thing', wrong, { key: secret(), url: httpUrl(), headers: textRecord() }),
    );
    expect(error.issues.map(({ option }) => option)).toEqual(['key', 'url', 'headers']);
    expect(error.message).not.toContain('hunter2');
  });

  it('takes no secret and no header that HTTP can not carry, and shows neither', () => {
    const wrong = {
      inner: 'hunter2\nhunter2',
      spaced: 'hunter2 x',
      foreign: 'hunter2ü',
      empty: '',
      value: { 'x-key': 'hunter2\r\nhost: evil' },
      wide: { 'x-key': 'hunter2 日' },
      name: { 'x key': 'hunter2' },
    };
    const key = headerSafeSecret();
    const headers = headerRecord();
    const checks = { inner: key, spaced: key, foreign: key, empty: key, value: headers, wide: headers };
    const error = failureOf(() => checkOptions('Thing', wrong, { ...checks, name: headers }));
    expect(error.issues.map(({ option }) => option)).toEqual(Object.keys(wrong));
    expect(error.message).not.toContain('hunter2');
    checkOptions('Thing', { key: 'sk-proj_A.b~1', more: { 'X-Team': 'vision é\t1' } }, { key, more: headers });
  });

  it('takes no headers from a `Headers`, a `Map` or pairs, whose properties would hold none', () => {
    for (const given of [new Headers({ a: 'b' }), new Map([['a', 'b']]), [['a', 'b']]])
      for (const check of [headerRecord(), textRecord()]) {
        expect(check(given, 'headers')).toHaveLength(1);
      }
  });

  it('rejects what is not an object', () => {
    for (const options of [null, 5, 'x', []]) {
      expect(() => checkOptions('Thing', options as object, {})).toThrow(ConfigError);
    }
  });

  it.each([
    [integer({ min: 1 }), [1, 2], [0, 1.5, '1', Number.NaN, Number.POSITIVE_INFINITY, null, true]],
    [finiteNumber({ max: 2 }), [-5.5, 2], [2.1, '1', Number.NaN]],
    [oneOf('a', 'b'), ['a', 'b'], ['c', 1, null]],
    [callable(), [() => {}], [{}, 'x']],
    [withMethods('a cache', 'get', 'set'), [new Map()], [{}, null, { get: 1 }]],
    [listOf(integer()), [[1, 2], []], [[1, 'x'], {}, [undefined]]],
    [whichever([[Array.isArray, listOf(integer())]], boolean()), [[1], true], [['x'], 5]],
    [httpUrl(), ['http://a', 'https://a/b?c', 'http://u:p@a'], ['a', 'ftp://a', 5]],
    [baseUrl(), ['http://a', 'https://a/b?c'], ['a', 'ftp://a', 5, 'http://u@a', 'http://:p@a', 'http://a/#f']],
  ])('check %# accepts and rejects', (check, right, wrong) => {
    for (const value of right) expect(check(value, 'x')).toEqual([]);
    for (const value of wrong) expect(check(value, 'x').length).toBeGreaterThan(0);
  });
});

describe('wrongInput', () => {
  it.each([
    ['high', '"high"'],
    ['x'.repeat(100), 'a string of 100 characters'],
    [Number.NaN, 'NaN'],
    [[1, 2], 'an array of 2'],
    [{ password: 'hunter2' }, 'an object'],
  ])('says of %j that it got %s', (value, got) => {
    expect(wrongInput('priority', 'a number', value)).toMatchObject({
      field: 'priority',
      message: `priority: expected a number, got ${got}`,
    });
  });

  it('shows no string where one may be a secret or a payload', () => {
    const { message } = wrongInput('signal', 'an AbortSignal', 'sk-secret', describeKind);
    expect(message).toBe('signal: expected an AbortSignal, got a string (not shown)');
  });
});
