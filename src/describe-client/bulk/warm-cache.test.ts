import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/index.ts';
import { warmCache } from './warm-cache.ts';

it.each([1, 3])('the cache is warmed with %i descriptions at a time', async (concurrency) => {
  let [running, most] = [0, 0];
  const describeOne = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return { description: 'a', source: 'upstream' } as never;
  };
  const inputs = Array.from({ length: 10 }, (_, index) => `https://a.example/${index}`);
  const context = { hasCache: true, clock: new ManualClock(), refused: new AbortController().signal };
  const { warmed } = await warmCache(inputs, describeOne, { concurrency }, context);
  expect([warmed, most]).toEqual([10, concurrency]);
});
