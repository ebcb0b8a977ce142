import { describe, expect, it } from 'vitest';
import { itLoopsConcurrently, type TextLoop } from '../../internal/async/concurrent-loop.fixture.ts';
import { systemClock } from '../../internal/clock.ts';
import { describeEach } from './describe-many.ts';

/** Results are texts here: the loop looks into none. */
const loop: TextLoop = (inputs, work, { refused, ...options }) =>
  describeEach(inputs, work as never, options, systemClock, refused) as unknown as ReturnType<TextLoop>;

describe('describeEach', () => {
  itLoopsConcurrently(loop);

  it('works on 16 images at a time by default', async () => {
    let inWork = 0;
    const describeOne = () => {
      inWork += 1;
      return new Promise<never>(() => {});
    };
    const iteration = describeEach(Array(20).fill('image'), describeOne, {}, systemClock);
    void iteration.next();
    // A busy process starts them in several turns, and would start a further one in the next.
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(inWork).toBe(16);
  });
});
