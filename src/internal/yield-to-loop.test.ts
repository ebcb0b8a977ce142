import { performance } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { yieldToLoop } from './yield-to-loop.ts';

const busyFor = (durationMs: number) => {
  const endAtMs = performance.now() + durationMs;
  while (performance.now() < endAtMs);
};

it('shares the budget of a turn among all computations', async () => {
  let turns = 0;
  let running = true;
  const count = () => {
    turns += 1;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (let piece = 0; piece < 3; piece += 1) {
        await yieldToLoop();
        busyFor(1);
      }
    }),
  );
  running = false;
  // 60 ms of work in turns of about 2 ms; were the pieces of a round to run in one turn, there would be 3.
  expect(turns).toBeGreaterThanOrEqual(15);
});

it('serves computations in the order in which they yield', async () => {
  const order: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      for (let piece = 0; piece < 2; piece += 1) {
        await yieldToLoop();
        order.push(name);
      }
    }),
  );
  expect(order.join('')).toBe('abcabc');
});

it('runs on after a computation that throws', async () => {
  const failing = (async () => {
    await yieldToLoop();
    throw new Error('no');
  })();
  await expect(failing).rejects.toThrow('no');
  await yieldToLoop();
});
