import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { LoopSlices } from './loop-slices.ts';

/** Slices on a clock that only the work moves; `turns` counts the turns of the loop meanwhile. */
function play() {
  let nowMs = 0;
  const slices = new LoopSlices({ ...systemClock, now: () => nowMs });
  const work = async (pieces: number, pieceMs: number, done: () => void = () => {}) => {
    for (let piece = 0; piece < pieces; piece += 1) {
      if (slices.isOver()) await slices.next();
      nowMs += pieceMs;
      done();
    }
  };
  const turnsOf = async (works: readonly Promise<void>[]) => {
    let turns = 0;
    let running = true;
    const count = () => {
      turns += 1;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(works);
    running = false;
    return turns;
  };
  return { slices, work, turnsOf };
}

describe('LoopSlices', () => {
  it.each([
    { pieces: 1, pieceMs: 0, slices: 1 },
    { pieces: 1_000_000, pieceMs: 0, slices: 1 },
    { pieces: 20, pieceMs: 1, slices: 10 },
    { pieces: 20, pieceMs: 0.1, slices: 1 },
    { pieces: 200, pieceMs: 0.1, slices: 10 },
    { pieces: 7, pieceMs: 50, slices: 7 },
  ])('gives $pieces pieces of $pieceMs ms each $slices turns', async ({ pieces, pieceMs, slices }) => {
    const { work, turnsOf } = play();
    const turns = await turnsOf([work(pieces, pieceMs)]);
    expect(Math.abs(turns - slices)).toBeLessThanOrEqual(1);
  });

  it('shares the slice of a turn among all computations', async () => {
    const { work, turnsOf } = play();
    const turns = await turnsOf(Array.from({ length: 20 }, () => work(3, 1)));
    expect(Math.abs(turns - 30)).toBeLessThanOrEqual(1);
  });

  it('serves computations in the order in which they wait', async () => {
    const { work } = play();
    let order = '';
    await Promise.all(['a', 'b', 'c'].map((name) => work(2, 5, () => (order += name))));
    expect(order).toBe('abcabc');
  });

  it('goes on after a computation that throws', async () => {
    const { slices, work } = play();
    const failing = slices.next().then(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await work(2, 5);
  });
});
