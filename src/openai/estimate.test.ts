import { describe, expect, it } from 'vitest';
import { estimateCall, estimateSpending, type PlannedCall } from './estimate.ts';
import { mostImageTokens } from './image-tokens.ts';
import { estimateTextTokens } from './text-tokens.ts';

const call: PlannedCall = {
  model: 'gpt-4o',
  images: [{ width: 1024, height: 1024 }],
  detail: 'high',
  prompt: 'Describe this image.',
  maxOutputTokens: 300,
};

describe('estimateCall', () => {
  it('adds images, prompt, framing and output', () => {
    const estimate = estimateCall({ ...call, expectedOutputTokens: 100 });
    expect(estimate).toMatchObject({
      imageTokens: 765,
      inputTokens: 765 + 5 + 6,
      outputTokens: 100,
      reservedTokens: 1_076,
    });
    expect(estimate.costUsd).toBeCloseTo((776 * 2.5 + 100 * 10) / 1e6, 12);
  });

  it('takes an image of unknown size for the largest', () => {
    const { imageTokens } = estimateCall({ ...call, images: [undefined] });
    expect(imageTokens).toBe(mostImageTokens({ model: 'gpt-4o', detail: 'high' }));
    expect(imageTokens).toBe(85 + 8 * 170);
  });

  it('has no price for a model without one', () => {
    expect(estimateCall({ ...call, model: 'mine' })).not.toHaveProperty('costUsd');
  });
});

describe('estimateSpending', () => {
  it('adds up and takes the slowest limit for the time', () => {
    const calls = Array.from({ length: 1_000 }, () => call);
    const total = estimateSpending([...calls, { ...call, model: 'mine' }]);
    expect(total).toMatchObject({ calls: 1_001, unpricedCalls: 1, outputTokens: 300_300 });
    expect(estimateSpending(calls, { requestsPerMinute: 100 }).durationMs).toBe(600_000);
    expect(estimateSpending(calls, { tokensPerMinute: 107_600 }).durationMs).toBe(600_000);
    expect(estimateSpending(calls, { maxConcurrency: 10, callMs: 2_000 }).durationMs).toBe(200_000);
    expect(estimateSpending([])).toEqual({
      calls: 0,
      inputTokens: 0,
      outputTokens: 0,
      costUsd: 0,
      unpricedCalls: 0,
      durationMs: 0,
    });
  });
});

describe('estimateTextTokens', () => {
  it('goes by script', () => {
    expect(estimateTextTokens('')).toBe(0);
    expect(estimateTextTokens('Describe this image.')).toBe(5);
    expect(estimateTextTokens('опиши')).toBe(3);
    expect(estimateTextTokens('描述这张图片')).toBe(6);
  });
});
