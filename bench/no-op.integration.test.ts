import { describe, expect, it } from 'vitest';
import { startRedisServer } from '../src/testing/redis-server.ts';
import { findSuites } from './harness/index.ts';
import { measurePrepared } from './harness/measure-contender.ts';

// A contender that measures itself checks its own work; the harness refuses a sample of nothing.
const found = (await findSuites(new URL('./', import.meta.url), undefined)).filter(
  ({ suite }) => suite.timedNames.length > 0,
);
const options = { sliceMs: 1, warmUpMs: 0 };

describe('a contender that claims success and does nothing', () => {
  it.each(found.map(({ suite }) => [suite.name, suite] as const))('is refused by %s', async (_, suite) => {
    for (const name of suite.timedNames) {
      const { contenders, teardown } = await suite.prepare(name);
      const planted = contenders.find((contender) => contender.name === name);
      if (planted === undefined) throw new Error(`${name} is missing`);
      const refused = measurePrepared(planted, options);
      await expect(refused, `${suite.name}: ${name}`).rejects.toThrow();
      await teardown();
    }
  });
});

// The suites of the cache start servers like this one.
it('has a Redis for the suites that need one', async () => {
  const server = await startRedisServer();
  await server.stop();
});
