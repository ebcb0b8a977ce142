// Root and subpath, ESM and CJS hand out the same process-wide singletons, and recognise each other's errors.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as root from '@describe-it/sdk';
import * as breaker from '@describe-it/sdk/circuit-breaker';
import * as openai from '@describe-it/sdk/openai';
import * as monitor from '@describe-it/sdk/performance-monitor';
import * as cache from '@describe-it/sdk/redis-cache';

const require = createRequire(import.meta.url);
const cjs = {
  root: require('@describe-it/sdk'),
  breaker: require('@describe-it/sdk/circuit-breaker'),
  openai: require('@describe-it/sdk/openai'),
  monitor: require('@describe-it/sdk/performance-monitor'),
  cache: require('@describe-it/sdk/redis-cache'),
};
const same = (what, values) => {
  for (const value of values) assert.equal(value, values[0], what);
  assert.ok(values[0], what);
};

same(
  'poolManager',
  [root, openai, cjs.root, cjs.openai].map((module) => module.poolManager),
);
same(
  'circuitBreakerRegistry',
  [root, breaker, cjs.root, cjs.breaker].map((module) => module.circuitBreakerRegistry),
);
same(
  'getCache()',
  [root, cache, cjs.root, cjs.cache].map((module) => module.getCache()),
);
same(
  'getPerformanceMonitor()',
  [root, monitor, cjs.root, cjs.monitor].map((module) => module.getPerformanceMonitor()),
);

assert.notEqual(root.DescribeError, cjs.root.DescribeError);
const error = new cjs.root.DescribeError('DESCRIBE_CLOSED', 'x');
assert.ok(root.DescribeError.is(error, 'DESCRIBE_CLOSED'));
await root.getCache().close();
await root.poolManager.closeAll();
