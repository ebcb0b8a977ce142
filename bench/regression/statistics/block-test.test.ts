import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import {
  chanceOfFaster,
  chanceOfSlower,
  estimateShift,
  type LogBlock,
  noiseFloor,
  processNoise,
} from './block-test.ts';

const block = (base: readonly [number, number], head: readonly [number, number]): LogBlock => ({ base, head });
const ahead = Array.from({ length: 6 }, (_, index) => block([index / 100, 0.001], [0.2, 0.21 + index / 90]));

describe('chanceOfSlower', () => {
  it('is one in six for a block in which both processes of head are the slowest', () => {
    expect(chanceOfSlower([block([1, 2], [3, 4])])).toBeCloseTo(1 / 6, 12);
    expect(chanceOfSlower(ahead)).toBeCloseTo(6 ** -6, 12);
  });

  it('follows the distribution of the rank sum of two of four: 1, 1, 2, 1, 1 of six', () => {
    expect(chanceOfSlower([block([1, 3], [2, 4])])).toBeCloseTo(2 / 6, 12);
    expect(chanceOfSlower([block([1, 4], [2, 3])])).toBeCloseTo(4 / 6, 12);
    expect(chanceOfSlower([block([2, 4], [1, 3])])).toBeCloseTo(5 / 6, 12);
    expect(chanceOfSlower([block([3, 4], [1, 2])])).toBeCloseTo(1, 12);
    // Two blocks: 6 or more of at most 8 pairs, counted by hand: (1 + 2 + 5) / 36.
    expect(chanceOfSlower([block([1, 2], [3, 4]), block([1, 4], [2, 3])])).toBeCloseTo(8 / 36, 12);
  });

  it('is certain where all values are equal, for there is nothing to see', () => {
    expect(chanceOfSlower([block([1, 1], [1, 1]), block([2, 2], [2, 2])])).toBeCloseTo(1, 12);
    expect(chanceOfFaster([block([1, 1], [1, 1])])).toBeCloseTo(1, 12);
  });

  it('mirrors chanceOfFaster', () => {
    const turned = ahead.map(({ base, head }) => block(head, base));
    expect(chanceOfFaster(turned)).toBeCloseTo(chanceOfSlower(ahead), 12);
    expect(chanceOfFaster(ahead)).toBeCloseTo(1, 3);
  });
});

describe('estimateShift', () => {
  it('is the median of all differences within blocks, which one wild process hardly moves', () => {
    expect(estimateShift([block([0, 0], [0.1, 0.1])], 0.1).shift).toBeCloseTo(0.1, 12);
    const wild = [...ahead.slice(1), block([0, 0], [0.2, 9])];
    expect(estimateShift(wild, 0.1).shift).toBeLessThan(0.25);
  });

  it('bounds the shift by order statistics, and by nothing with too few blocks', () => {
    expect(estimateShift([block([1, 2], [3, 4])], 0.1)).toMatchObject({ lower: -Infinity, upper: Infinity });
    // Two blocks: the outermost of eight differences leave out 2 / 36 of the cases.
    const two = [block([0, 1], [10, 12]), block([0, 2], [13, 15])];
    expect(estimateShift(two, 2 / 36)).toMatchObject({ lower: 9, upper: 15 });
    expect(estimateShift(two, 1 / 36)).toMatchObject({ lower: -Infinity, upper: Infinity });
  });

  it('holds the true shift as often as it says, under noise with heavy tails', () => {
    const random = seededRandom(5);
    const noise = () => 0.05 * Math.tan(Math.PI * (random() - 0.5)); // Cauchy
    const RUNS = 600;
    let held = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const blocks = Array.from({ length: 6 }, () => block([noise(), noise()], [0.1 + noise(), 0.1 + noise()]));
      const { lower, upper } = estimateShift(blocks, 0.1);
      if (lower <= 0.1 && 0.1 <= upper) held += 1;
    }
    expect(held / RUNS).toBeGreaterThan(0.88);
  });
});

describe('noise', () => {
  it('comes from pairs of the same build, so that a slowdown of head is none', () => {
    const still = Array.from({ length: 8 }, () => block([0, 0], [1, 1]));
    expect(processNoise(still)).toBe(0);
    expect(noiseFloor(still)).toBe(0);
    expect(processNoise([block([0, 0.1], [0, 0.1])])).toBeCloseTo(0.1 / Math.SQRT2, 12);
    expect(noiseFloor([block([0, 0.1], [5, 0])])).toBeCloseTo(0.1, 12);
  });
});
