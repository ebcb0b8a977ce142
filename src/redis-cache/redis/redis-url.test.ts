import { describe, expect, it } from 'vitest';
import { optionsOfUrl, redisUrl } from './redis-url.ts';

describe('a URL of Redis', () => {
  it.each([
    ['redis://host', { host: 'host' }],
    ['redis://user:p%40ss@host:6380/7', { host: 'host', port: 6380, username: 'user', password: 'p@ss', db: 7 }],
    ['redis://[::1]:1?family=6&db=3', { host: '::1', port: 1, family: 6, db: 3 }],
    ['rediss://host/', { host: 'host', tls: {} }],
    ['redis://host/2/?family=0', { host: 'host', db: 2, family: 0 }],
  ])('%s says all that is needed', (url, options) => {
    expect(redisUrl()(url, 'url')).toEqual([]);
    expect(optionsOfUrl(url)).toEqual(options);
  });

  it.each([
    ['redis://:secret@host/main', 'the number of a database'],
    ['redis://:secret@host?db=-1', 'the number of a database'],
    ['redis://:secret@host?family=5', 'family=4'],
    ['redis://:sec%ret@host', 'percent-encoded'],
    ['http://:secret@host', 'a redis or rediss URL'],
    [5, 'a redis or rediss URL'],
  ])('%s is refused with the reason, and not shown', (url, expected) => {
    const [issue] = redisUrl()(url, 'url');
    expect(issue?.expected).toContain(expected);
    expect(JSON.stringify(issue)).not.toContain('sec');
  });
});
