import { describe, expect, it } from 'vitest';
import { isLook, rejectedByHolm, spentAtLook } from './families.ts';
import { upperNormalQuantile } from './normal.ts';

describe('rejectedByHolm', () => {
  it("rejects as in Holm's step-down: each step has one hypothesis fewer", () => {
    const chances = new Map([
      ['a', 0.01],
      ['b', 0.04],
      ['c', 0.03],
      ['d', 0.005],
    ]);
    // 0.005 ≤ 0.05 / 4, 0.01 ≤ 0.05 / 3, 0.03 > 0.05 / 2: c stops it, and b with it.
    expect([...rejectedByHolm(chances, 0.05, 4)]).toEqual(['d', 'a']);
  });

  it('counts hypotheses without data as members of the family', () => {
    expect([...rejectedByHolm(new Map([['a', 0.02]]), 0.05, 1)]).toEqual(['a']);
    expect([...rejectedByHolm(new Map([['a', 0.02]]), 0.05, 16)]).toEqual([]);
  });
});

describe('spentAtLook', () => {
  it('spends the whole chance over the looks, and no more when a look comes late', () => {
    const looks = [0, 4, 6, 8, 9];
    const spent = looks.slice(1).map((blocks, index) => spentAtLook(0.5, (looks[index] ?? 0) / 8, blocks / 8));
    expect(spent).toEqual([0.25, 0.125, 0.125, 0]);
  });

  it('looks after every second block, later after every fourth, and after the last', () => {
    const looked = Array.from({ length: 21 }, (_, blocks) => blocks).filter((blocks) => isLook(blocks, 19));
    expect(looked).toEqual([4, 6, 8, 10, 12, 16, 19, 20]);
    expect(isLook(3, 3)).toBe(false);
  });
});

describe('upperNormalQuantile', () => {
  it('agrees with the tables', () => {
    expect(upperNormalQuantile(0.025)).toBeCloseTo(1.959964, 6);
    expect(upperNormalQuantile(0.2)).toBeCloseTo(0.841621, 6);
    expect(upperNormalQuantile(0.001)).toBeCloseTo(3.090232, 6);
    expect(upperNormalQuantile(0.5)).toBe(0);
    expect(() => upperNormalQuantile(0.7)).toThrow('got 0.7');
  });
});
