import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addUsage, splitInteger, splitUsage, type VisionUsage } from './vision-usage.ts';

describe('a split of usage', () => {
  it('adds up exactly in whole numbers, each part within 1 of its share', () => {
    const weights = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.nat(1_000_000), weights, (total, shares) => {
        const parts = splitInteger(total, shares);
        const sum = shares.reduce((left, right) => left + right, 0);
        expect(parts.reduce((left, right) => left + right, 0)).toBe(total);
        for (const [index, part] of parts.entries()) {
          const exact = sum > 0 ? (total * (shares[index] ?? 0)) / sum : total / shares.length;
          expect(Number.isInteger(part)).toBe(true);
          expect(Math.abs(part - exact)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  it('keeps what a server counts into the total beyond prompt and completion', () => {
    const parts = splitUsage({ promptTokens: 10, completionTokens: 5, totalTokens: 18 }, [1, 1], [0, 0]);
    expect(parts.reduce((sum, { totalTokens }) => sum + totalTokens, 0)).toBe(18);
  });

  it('shares what was written into the prompt cache out as well', () => {
    const usage = { promptTokens: 100, cachedPromptTokens: 20, cacheWritePromptTokens: 70, completionTokens: 0 };
    const parts = splitUsage({ ...usage, totalTokens: 100 }, [1, 3], [1, 1]);
    expect(parts.map(({ cacheWritePromptTokens }) => cacheWritePromptTokens)).toEqual([18, 52]);
    expect(parts.reduce<VisionUsage | undefined>(addUsage, undefined)).toMatchObject(usage);
  });

  it('shares what came from the prompt cache out too, to no part more than it is long', () => {
    const weights = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 20 });
    const tokens = fc.nat(100_000).chain((prompt) => fc.tuple(fc.constant(prompt), fc.nat(prompt)));
    fc.assert(
      fc.property(tokens, weights, ([promptTokens, cachedPromptTokens], shares) => {
        const usage = { promptTokens, cachedPromptTokens, completionTokens: 0, totalTokens: promptTokens };
        const parts = splitUsage(usage, shares, shares);
        const whole = parts.reduce<VisionUsage | undefined>(addUsage, undefined);
        expect([whole?.promptTokens, whole?.cachedPromptTokens ?? 0]).toEqual([promptTokens, cachedPromptTokens]);
        for (const part of parts) expect(part.cachedPromptTokens ?? 0).toBeLessThanOrEqual(part.promptTokens);
      }),
      { numRuns: 500, seed: 6 },
    );
  });
});
