import { describe, expect, it } from 'vitest';
import { costUsd, tokenUsage } from './cost.ts';

const MILLION = 1_000_000;

describe('costUsd', () => {
  it('adds input, cached input and output at their own prices', () => {
    expect(costUsd('gpt-4.1-mini', { inputTokens: MILLION, outputTokens: 0 })).toBeCloseTo(0.4, 10);
    expect(costUsd('gpt-4.1-mini', { inputTokens: 0, outputTokens: MILLION })).toBeCloseTo(1.6, 10);
    const half = { inputTokens: MILLION, outputTokens: MILLION, cachedInputTokens: MILLION / 2 };
    expect(costUsd('gpt-4.1-mini', half)).toBeCloseTo(0.2 + 0.05 + 1.6, 10);
  });

  it('halves the price of batch and flex', () => {
    const usage = { inputTokens: 1_000, outputTokens: 100 };
    const standard = costUsd('gpt-5.4', usage) ?? 0;
    expect(costUsd('gpt-5.4', usage, { tier: 'batch' })).toBeCloseTo(standard / 2, 12);
    expect(costUsd('gpt-5.4', usage, { tier: 'flex' })).toBeCloseTo(standard / 2, 12);
  });

  it('takes the rates of a long context where there are any', () => {
    expect(costUsd('gpt-5.4', { inputTokens: 300_000, outputTokens: 0 })).toBeCloseTo(0.3 * 5, 10);
    expect(costUsd('gpt-5.4', { inputTokens: 272_000, outputTokens: 0 })).toBeCloseTo(0.272 * 2.5, 10);
    expect(costUsd('gpt-4.1', { inputTokens: 300_000, outputTokens: 0 })).toBeCloseTo(0.3 * 2, 10);
  });

  it('adds a quarter for input that is written into the prompt cache, from gpt-5.6 on', () => {
    const usage = { inputTokens: 100_000, outputTokens: 0, cachedInputTokens: 20_000, cacheWriteTokens: 40_000 };
    expect(costUsd('gpt-5.6-terra', usage)).toBeCloseTo(0.04 * 2 + 0.02 * 0.2 + 0.04 * 2.5, 10);
    expect(costUsd('gpt-5.5', usage)).toBeCloseTo(0.08 * 5 + 0.02 * 0.5, 10);
    // No token is counted twice, whatever a server says.
    const odd = { inputTokens: 100, outputTokens: 0, cachedInputTokens: 80, cacheWriteTokens: 80 };
    expect(costUsd('gpt-5.6-terra', odd)).toBeCloseTo((80 * 0.2 + 20 * 2.5) / MILLION, 12);
    const long = { inputTokens: 300_000, outputTokens: 0, cacheWriteTokens: 300_000 };
    expect(costUsd('gpt-5.6-luna', long)).toBeCloseTo(0.3 * 0.2 * 1.25 * 2, 10);
  });

  it('is unknown for an unknown model, and for one that only shares a name with a known one', () => {
    expect(costUsd('ft:gpt-4.1-mini-2025-04-14:acme::x1', { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
    expect(costUsd('gpt-5-pro', { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
    expect(costUsd('gpt-5-2025-08-07', { inputTokens: 1_000_000, outputTokens: 0 })).toBeCloseTo(1.25, 10);
    expect(costUsd('gpt-4.5', { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
    expect(costUsd('my-deployment', { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
  });

  it('reads the usage of both APIs', () => {
    const expected = { inputTokens: 10, outputTokens: 5, cachedInputTokens: 4, cacheWriteTokens: 3 };
    const cache = { cached_tokens: 4, cache_write_tokens: 3 };
    expect(tokenUsage({ prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: cache })).toEqual(expected);
    expect(tokenUsage({ input_tokens: 10, output_tokens: 5, input_tokens_details: cache })).toEqual(expected);
    expect(tokenUsage({ prompt_tokens: 1, completion_tokens: 2 })).toMatchObject({
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
    });
  });
});
