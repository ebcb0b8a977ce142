import { describe, expect, it } from 'vitest';
import { estimateCall, estimateTextTokens, type PlannedCall, tokensOfCall } from './call-estimate.ts';
import { mostImageTokens } from './image-tokens.ts';

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
      reservedTokens: 776,
    });
    expect(estimate.costUsd).toBeCloseTo((776 * 2.5 + 100 * 10) / 1e6, 12);
  });

  it('counts the text of a schema as a part of the prompt', () => {
    const jsonSchema = { type: 'object', properties: { title: { type: 'string' } } };
    const { inputTokens } = estimateCall({ ...call, jsonSchema });
    expect(inputTokens).toBe(765 + Math.ceil((20 + JSON.stringify(jsonSchema).length) / 4) + 6);
  });

  it('reserves the larger of the input and the bound of the output', () => {
    const { inputTokens = Number.NaN } = estimateCall(call);
    const reserved = (maxOutputTokens: number) => estimateCall({ ...call, maxOutputTokens }).reservedTokens;
    expect([reserved(1), reserved(inputTokens), reserved(5_000)]).toEqual([inputTokens, inputTokens, 5_000]);
  });

  it('takes an image of unknown size for the largest', () => {
    const { imageTokens } = estimateCall({ ...call, images: [undefined] });
    expect(imageTokens).toBe(mostImageTokens({ model: 'gpt-4o', detail: 'high' }));
    expect(imageTokens).toBe(85 + 8 * 170);
  });

  it('has no price for a model without a published one', () => {
    const estimate = estimateCall({ ...call, model: 'gpt-4.5' });
    expect(estimate).toMatchObject({ imageTokens: 765, outputTokens: 300 });
    expect(estimate).not.toHaveProperty('costUsd');
  });

  it('says nothing of what images take that an unknown model sees, and still reserves for them', () => {
    const unknown = { ...call, model: 'mine' };
    expect(estimateCall(unknown)).toEqual({ outputTokens: 300 });
    expect(estimateCall({ ...unknown, images: [] })).toMatchObject({ imageTokens: 0, inputTokens: 11 });
    expect(tokensOfCall(unknown).imageTokens).toBe(tokensOfCall({ ...call, model: 'gpt-4.1-mini' }).imageTokens);
  });
});

describe('estimateTextTokens', () => {
  it('goes by script', () => {
    expect(estimateTextTokens('')).toBe(0);
    expect(estimateTextTokens('Describe this image.')).toBe(5);
    expect(estimateTextTokens('опиши')).toBe(3);
    expect(estimateTextTokens('描述这张图片')).toBe(6);
  });

  it('judges a long text by samples from all over it', () => {
    const line = 'a line of words, und noch eine — опиши это 描述这张图片 👍\n';
    const perCharacter = estimateTextTokens(line.repeat(1_000)) / (line.length * 1_000);
    for (const repeats of [2_000, 100_000]) {
      const ratio = estimateTextTokens(line.repeat(repeats)) / (line.length * repeats) / perCharacter;
      expect(Math.abs(ratio - 1), String(repeats)).toBeLessThan(0.01);
    }
    expect(estimateTextTokens('a'.repeat(20_000_000))).toBe(5_000_000);
    const halves = 'a'.repeat(400_000) + '描'.repeat(400_000);
    expect(Math.abs(estimateTextTokens(halves) / 500_000 - 1)).toBeLessThan(0.02);
  });
});
