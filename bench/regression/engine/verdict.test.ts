import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { chanceOfSlower, estimateShift, type LogBlock } from '../statistics/block-test.ts';
import { MIN_SHIFT } from './gate-settings.ts';
import { detectableShift } from './verdict.ts';

/** Share of made-up runs in which the test finds this shift at this level, and estimates at least 5 %. */
function power(shift: number, noise: number, blocks: number, alpha: number): number {
  const random = seededRandom(21);
  const gauss = () => noise * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const RUNS = 400;
  let found = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const made = Array.from(
      { length: blocks },
      (): LogBlock => ({ base: [gauss(), gauss()], head: [shift + gauss(), shift + gauss()] }),
    );
    if (chanceOfSlower(made) <= alpha && estimateShift(made, 0.1).shift >= MIN_SHIFT) found += 1;
  }
  return found / RUNS;
}

describe('the smallest slowdown seen', () => {
  it.each([
    [0.05, 6, 0.03],
    [0.05, 6, 0.005],
    [0.15, 8, 0.01],
    [0.01, 12, 0.01],
  ])('is found in about four of five runs: noise %d, %d blocks, level %d', (noise, blocks, alpha) => {
    const found = power(detectableShift(noise, blocks, alpha), noise, blocks, alpha);
    expect(found).toBeGreaterThan(0.68);
    expect(found).toBeLessThan(0.92);
  });

  it('shrinks with the blocks and the noise, and never below the least effect that is reported', () => {
    expect(detectableShift(0.1, 12, 0.01)).toBeLessThan(detectableShift(0.1, 6, 0.01));
    expect(detectableShift(0.05, 6, 0.01)).toBeLessThan(detectableShift(0.1, 6, 0.01));
    expect(detectableShift(0, 6, 0.01)).toBe(MIN_SHIFT);
  });
});
