import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../errors/config-error.ts';
import { namedExportsOf, peerFailure } from './peer-package.ts';

describe('namedExportsOf', () => {
  class Redis {}

  it('reads a namespace that has the names', () => {
    const namespace = { Redis, default: {} };
    expect(namedExportsOf(namespace, 'Redis').Redis).toBe(Redis);
  });

  it('reads one that has only a default', () => {
    const namespace = { default: Object.assign(() => {}, { Redis }) } as unknown as { Redis: typeof Redis };
    expect(namedExportsOf(namespace, 'Redis').Redis).toBe(Redis);
  });
});

describe('peerFailure', () => {
  it.each([
    "Cannot find package 'ioredis' imported from /app/dist/index.js",
    "Cannot find module 'ioredis'\nRequire stack:\n- /app/index.js",
    'Failed to load url ioredis (resolved id: ioredis). Does the file exist?',
    '@describe-it/sdk tried to access ioredis (a peer dependency) but it is not provided by your application',
    'Could not resolve "ioredis" imported by "@describe-it/sdk". Is it installed?',
  ])('says what to install for: %s', (message) => {
    const cause = new Error(message);
    const error = peerFailure('RedisCache', 'ioredis', cause) as ConfigError;
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe('RedisCache: ioredis: expected an installed package (npm install ioredis), got none');
    expect(error.cause).toBe(cause);
  });

  it('says what a bundle of esbuild lacks that is an ES module', () => {
    const cause = new Error('Dynamic require of "events" is not supported');
    expect(peerFailure('RedisCache', 'ioredis', cause)).toMatchObject({
      code: 'DESCRIBE_CONFIG_INVALID',
      message: 'RedisCache: ioredis: expected a bundle that defines require (see docs/guide/bundlers.md), got none',
      cause,
    });
  });

  it.each([
    new Error("Cannot find package 'debug' imported from /app/node_modules/ioredis/built/index.js"),
    // Node 20 without free descriptors: it could not read package.json.
    new Error("Cannot find package '/app/node_modules/ioredis/index.js' imported from /app/index.js"),
    new SyntaxError('Unexpected token'),
    'ioredis',
  ])('gives back a failure that is no absence: %s', (cause) => {
    expect(peerFailure('RedisCache', 'ioredis', cause)).toBe(cause);
  });
});
