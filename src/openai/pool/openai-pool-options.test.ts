import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../errors/index.ts';
import { OpenAIConnectionPool } from './openai-connection-pool.ts';
import type { OpenAIConnectionPoolOptions } from './openai-pool-options.ts';

const boundsOf = (options: OpenAIConnectionPoolOptions) => {
  const { minSize, maxSize } = new OpenAIConnectionPool('sk-x', undefined, options).getStats();
  return [minSize, maxSize];
};

describe('the options of an OpenAIConnectionPool', () => {
  it('let a default give way to the bound that was set', () => {
    expect(boundsOf({})).toEqual([2, 10]);
    expect(boundsOf({ max: 1 })).toEqual([1, 1]);
    expect(boundsOf({ max: 5 })).toEqual([2, 5]);
    expect(boundsOf({ min: 12 })).toEqual([12, 12]);
    expect(() => boundsOf({ min: 2, max: 1 })).toThrowError(/min: expected at most max \(1\)/);
  });

  it.each([
    ['an empty one', ''],
    ['a space', 'sk-hunter2 x'],
    ['a line break inside', 'sk-hunter2\nx'],
    ['a line break at its end', 'sk-hunter2\n'],
    ['a letter beyond ASCII', 'sk-hunter2–x'],
    ['a number', 5 as never],
  ])('name a key that no header can carry, and never show it: %s', (_, key) => {
    const make = () => new OpenAIConnectionPool(key);
    expect(make).toThrowError(expect.objectContaining({ code: 'DESCRIBE_CONFIG_INVALID' }));
    expect(make).toThrowError(/apiKey/);
    expect(make).not.toThrowError(/hunter2/);
  });

  it.each([
    [{ headers: { 'x-key': 'hunter2\r\nhost: evil' } }, /headers/],
    [{ headers: { 'x key': 'hunter2' } }, /headers/],
    [{ organization: 'org\nhunter2' }, /organization/],
    [{ project: 'hunter2 x' }, /project/],
    [{ min: -1, max: Number.NaN, healthCheckInterval: 0 }, /min.*max.*healthCheckInterval/],
    [{ tls: { ca: 'hunter2' } }, /tls.ca/],
    [{ proxy: 'socks5://user:hunter2@host' }, /proxy/],
    [{ clock: {} as never }, /clock/],
  ])('are refused at once, without their secrets: %#', (options, message) => {
    const make = () => new OpenAIConnectionPool('sk-x', undefined, options);
    expect(make).toThrowError(message);
    expect(make).not.toThrowError(/hunter2/);
  });
});

it('options in the place of the base URL are told where they go', () => {
  expect(() => new OpenAIConnectionPool('sk-x', { max: 3 } as never)).toThrow(
    'OpenAIConnectionPool: baseURL: expected a URL; options come third, got an object',
  );
});

describe('credentials in a base URL', () => {
  it('are refused with advice and never shown: the key goes into the same header', () => {
    const refused = () => new OpenAIConnectionPool('sk-x', 'http://user:hunter2@ollama.example/v1');
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(/baseURL.*without credentials.*headers: \{ authorization/);
    expect(refused).not.toThrow(/hunter2/);
  });
});
