import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addUsage, splitInteger, splitUsage, usageOf, type VisionUsage } from './vision-usage.ts';

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

describe('usageOf', () => {
  const usage = (details: object | undefined) =>
    usageOf({
      usage: {
        prompt_tokens: 2_000,
        completion_tokens: 5,
        total_tokens: 2_005,
        prompt_tokens_details: details,
      },
    } as Parameters<typeof usageOf>[0]);

  it('tells what came from the prompt cache, where the API does', () => {
    const plain = { promptTokens: 2_000, completionTokens: 5, totalTokens: 2_005 };
    expect(usage({ cached_tokens: 1_920 })).toEqual({ ...plain, cachedPromptTokens: 1_920 });
    for (const details of [undefined, null, {}, { cached_tokens: 0 }, { cached_tokens: null }]) {
      expect(usage(details as object), JSON.stringify(details)).toEqual(plain);
    }
    for (const cached_tokens of ['12', 2.5, -3]) expect(usage({ cached_tokens }), String(cached_tokens)).toEqual(plain);
    expect(usage({ cached_tokens: 9_999 })).toEqual({ ...plain, cachedPromptTokens: 2_000 });
  });

  it.each([
    undefined,
    null,
    '',
    'text',
    [],
    {},
    { usage: null },
    { usage: 'x' },
    { usage: { prompt_tokens: 'x' } },
    { usage: { prompt_tokens: 10.5, completion_tokens: 1 } },
  ])('is not there where an answer is %j', (completion) => {
    expect(usageOf(completion as Parameters<typeof usageOf>[0])).toBeUndefined();
  });

  it('adds up what a compatible server does not, or not right', () => {
    for (const total_tokens of [undefined, 0, 6, 7.5]) {
      const completion = { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens } };
      expect(usageOf(completion as Parameters<typeof usageOf>[0])).toEqual({
        promptTokens: 5,
        completionTokens: 2,
        totalTokens: 7,
      });
    }
  });
});
